"""The pipeline file: every setting it names is there, and DVC runs the stages that a change concerns, and no others."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
DVC = shutil.which("dvc", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
TINY = {
    "conf/synthesis/espeak.yaml": (r"counts: \{.*?\}", "counts: { train: 100, val: 20, test: 20 }"),
    "conf/voices/espeak.yaml": (r"speakers: \{.*?\}", "speakers: { train: 4, val: 2, test: 2 }"),
    "conf/trainer/cpu.yaml": (r"max_epochs: \d+", "max_epochs: 1"),
}


def test_settings_and_code_that_stages_depend_on_are_there() -> None:
    assert list(STAGES) == ["synthesize", "ingest", "preprocess", "train", "evaluate"]
    made: set[str] = set()
    for stage in STAGES.values():
        for entry in stage["params"]:
            ((name, keys),) = entry.items()
            known = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
            assert set(keys or ()) <= set(known), name
        for dependency in stage["deps"]:
            assert dependency in made or (ROOT / dependency).exists(), dependency
        made |= {*stage["outs"], *stage.get("metrics", ())}
    ignored = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(ignored.stdout.split()) == made, "data stays out of Git"


def change(folder: Path, name: str, pattern: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert len(re.findall(pattern, text)) == 1, name
    (folder / name).write_text(re.sub(pattern, new, text), encoding="utf-8")


def call(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=900, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GIT_CEILING_DIRECTORIES": str(folder.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reproduced(folder: Path) -> list[str]:
    """Stages that `dvc repro` ran."""
    return re.findall(r"Running stage '(\w+)'", call(folder, str(DVC), "repro"))


@pytest.mark.slow  # three trainings' worth of commands
@pytest.mark.skipif(DVC is None, reason="dvc is not installed (it is optional)")
def test_only_what_a_change_concerns_runs_again_and_another_clone_gets_the_same(tmp_path: Path) -> None:
    shop, other = tmp_path / "shop", tmp_path / "other"
    shop.mkdir()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, shop)
    for name in ("conf", "slu", ".dvc"):
        shutil.copytree(ROOT / name, shop / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "tmp"))
    for name, (pattern, new) in TINY.items():
        change(shop, name, pattern, new)
    commit = ("git", "-c", "user.name=shop", "-c", "user.email=shop@shop.example", "commit", "--quiet", "--all")
    call(shop, "git", "init", "--quiet")
    call(shop, "git", "add", ".")
    call(shop, *commit, "--message=start")
    (shop / ".venv").symlink_to(sys.prefix)
    assert reproduced(shop) == list(STAGES)
    assert reproduced(shop) == []
    assert call(shop, "git", "status", "--porcelain").split() == ["??", ".venv", "??", "dvc.lock"]

    change(shop, "conf/optimizer/adamw.yaml", r"lr: \S+", "lr: 1.0e-3")
    assert reproduced(shop) == ["train", "evaluate"]
    change(shop, "conf/conditions/standard.yaml", r"mp3_kbps: \S+", "mp3_kbps: [32]")
    assert reproduced(shop) == ["evaluate"]

    call(shop, str(DVC), "remote", "add", "--default", "disk", str(tmp_path / "remote"))
    call(shop, str(DVC), "push")
    call(shop, "git", "add", "dvc.lock", ".dvc")
    call(shop, *commit, "--message=trained")
    call(tmp_path, "git", "clone", "--quiet", str(shop), str(other))
    (other / ".venv").symlink_to(sys.prefix)
    call(other, str(DVC), "pull")
    bundle = next((shop / "outputs/dvc/bundle").iterdir())
    pulled = other / "outputs/dvc/bundle" / bundle.name
    assert {path.name: path.read_bytes() for path in pulled.iterdir()} == {
        path.name: path.read_bytes() for path in bundle.iterdir()
    }
    metrics = json.loads((other / "outputs/dvc/evaluation/metrics.json").read_text(encoding="utf-8"))
    assert bundle.name in json.dumps(metrics)
    assert reproduced(other) == []
