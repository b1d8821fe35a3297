"""CONTRIBUTING's recipe for an encoder, done as it says: its two files, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from slu.common.files import read_json
from tests.conftest import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_an_encoder_is_one_file_and_one_yaml(tones: Path, tmp_path: Path) -> None:
    for folder in ("slu", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    recipe = re.findall(
        r"^`((?:slu|conf)/[\w/]+\.(?:py|yaml))`:\n\n```\w+\n(.*?)```", GUIDE, flags=re.DOTALL | re.MULTILINE
    )
    assert [name for name, _ in recipe] == ["slu/models/average.py", "conf/model/average.yaml"]
    for name, text in recipe:
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = [
        "model=average", "data=manifest", f"data.manifest={tones}", "data.task=tones", "data.heads=[pitch,length]",
        "features.n_mels=24", "loader.batch_size=16", "noise_test_snr_db=[]", "trainer.max_epochs=20",
        "optimizer.lr=2e-2", "augment=none",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "slu.train", *settings], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (bundle,) = (tmp_path / "outputs/registry/tones").glob("2*")
    assert (bundle / "model.onnx").is_file()
    assert read_json(bundle / "metrics.json")["objective"] > 0.6, "of four combinations by chance a quarter is right"


def test_what_the_guide_names_is_there() -> None:
    for name in set(re.findall(r"`((?:slu|conf|docs)/[\w/.]+)`", GUIDE)) - {
        "slu/models/average.py",
        "conf/model/average.yaml",
    }:
        assert (ROOT / name).exists(), name
