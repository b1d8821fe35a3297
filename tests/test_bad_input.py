"""Each mistake gets one sentence and a non-zero exit, and leaves nothing half-written."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from tests.bundles.helpers import tiny_bundle
from tests.conftest import RATE, tone

Run = Callable[..., subprocess.CompletedProcess[str]]


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode != 0
    assert "Traceback" not in result.stderr + result.stdout
    for word in words:
        assert word in result.stderr, result.stderr


def manifest(folder: Path, **columns: object) -> Path:
    """Twelve good clips of two speakers, with columns replaced; a list replaces the first values."""
    for index in range(12):
        sf.write(folder / f"{index}.wav", tone(300 + 200 * (index % 2), seed=index), RATE)
    table = pd.DataFrame(
        {
            "file_name": [f"{i}.wav" for i in range(12)],
            "pitch": ["low", "high"] * 6,
            "speaker": ["a", "a", "b", "b", "c", "c"] * 2,
            "split": ["train", "train", "val", "val", "test", "test"] * 2,
        }
    ).astype(object)
    for name, values in columns.items():
        if values is None:
            table = table.drop(columns=name)
        else:
            table.loc[: len(values) - 1, name] = values
    table.to_csv(folder / "metadata.csv", index=False)
    return folder / "metadata.csv"


def train(run: Run, path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run("train", "data=manifest", f"data.manifest={path}", "data.heads=[pitch]", "data.task=t", *more)


@pytest.mark.parametrize(
    "setting",
    ["augment.noise_prob=5", "augment.warp_prob=nan", "loss.label_smoothing=3", "loss.frames=nan", "loss.ema_decay=1",
     "noise_test_snr_db=[1e9]", "noise_test_snr_db=[nan]", "loader.validation_snr_db=[5,1]"],
)  # fmt: skip
def test_numbers_that_mean_nothing_are_refused_by_their_name(setting: str, run_here: Run, tmp_path: Path) -> None:
    refused(train(run_here, manifest(tmp_path), setting), setting.partition("=")[0].rpartition(".")[2], "error: ")
    assert not (tmp_path / "outputs/features").exists()


def test_a_menu_that_nothing_looks_at_is_refused(run_here: Run, tmp_path: Path) -> None:
    """Recordings bring their own labels: a typo among them became a product, in the task of another shop."""
    said = train(run_here, manifest(tmp_path), "menu=cafeteria")
    refused(said, "menu=cafeteria is not looked at", "data.synthetic_speech=true")


def test_manifest_mistakes_are_named_by_line(run_here: Run, tmp_path: Path) -> None:
    path = manifest(tmp_path, file_name=["0.wav", "0.wav"])
    refused(train(run_here, path), "metadata.csv:2", "'0.wav' stands in more than one row")
    path = manifest(tmp_path, file_name=["../0.wav"])
    refused(train(run_here, path), "metadata.csv:2", "outside the manifest's folder")
    path = manifest(tmp_path, pitch=None)
    refused(train(run_here, path), "has no column 'pitch'")
    assert not (tmp_path / "outputs/registry").exists()


def test_an_empty_split_and_an_untrained_class_are_refused(run_here: Run, tmp_path: Path) -> None:
    path = manifest(tmp_path, split=["train", "train", "train", "train"] + ["test", "test"] * 4)
    refused(train(run_here, path), "the val split is empty")
    path = manifest(tmp_path, pitch=["low", "low", "low", "high", "low", "high", "low", "low"])
    refused(train(run_here, path), "'high' of head 'pitch' has no training example")


def test_a_missing_clip_is_refused_before_training(run_here: Run, tmp_path: Path) -> None:
    path = manifest(tmp_path)
    (tmp_path / "4.wav").unlink()
    result = train(run_here, path)
    refused(result, "metadata.csv:6 (4.wav)", "no such file", "data.on_bad_audio=skip")
    assert "epoch" not in result.stdout


def test_typos_reach_the_user_with_a_suggestion(run: Run, run_here: Run) -> None:
    result = run("train", "trainer.max_epoch=3")
    refused(result, "error: there is no setting trainer.max_epoch; did you mean trainer.max_epochs?")
    assert len(result.stderr.splitlines()) == 1
    refused(run_here("train", "model=m3"), "model=m3: there is no conf/model/m3.yaml; known are", "m1", "m2")
    refused(
        run_here("train", "synthesis.counts=50"), "synthesis.counts: every split", "counts.train=50", "counts.val=10"
    )
    refused(run_here("train", "ckpt_path=nowhere.ckpt"), "there is no checkpoint at nowhere.ckpt")
    refused(run_here("train", "data=manifest"), "data.manifest=path/metadata.csv")
    refused(run_here("train", "data=manifest", "+data.label_maps.pitch=../../x"), "data.label_maps.pitch", "'../../x'")
    refused(run_here("train", "data=manifest", "data.manifest=nowhere.csv"), "there is no manifest at nowhere.csv")


def test_a_menu_that_is_not_where_menus_are_is_one_sentence(run_here: Run) -> None:
    for given, name in (("kafe.yaml", "kafe"), ("conf/menu/kafe.yaml", "kafe"), ("../kafe.yaml", "kafe")):
        result = run_here("train", f"menu={given}")
        refused(result, f"menu={given}: there is no such file in conf/menu/", f"menu={name};", "warung")
        assert len(result.stderr.splitlines()) == 1
        assert "search path" not in result.stderr
        assert "HYDRA" not in result.stderr
    refused(run_here("train", "menu=conf/menu/warung.yaml"), "named without folder and ending: menu=warung")
    refused(run_here("train", "experiment=orderz"), "did you mean experiment=orders?")


def test_a_tab_in_a_file_of_conf_is_named_by_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conf/menu").mkdir(parents=True)
    (tmp_path / "conf/menu/kafe.yaml").write_text("task: kafe\nheads:\n\tproduct:\n")
    result = run("train", "--config-dir", str(tmp_path / "conf"), "menu=kafe")
    refused(result, "conf/menu/kafe.yaml:3: a tab stands here")
    assert len(result.stderr.splitlines()) == 1


def test_what_is_no_setting_is_not_read_as_one(run_here: Run) -> None:
    refused(run_here("train", "more epochs"), "'more epochs' is not a setting: write key=value")
    refused(
        run_here("train", "loss.zzz=1"), "there is no setting loss.zzz; known in loss are head_weights", "+loss.zzz="
    )


@pytest.mark.parametrize("epochs", ["tiga", "1.5", "0", "null", "true"])
def test_what_is_no_number_of_epochs_is_refused_before_anything_is_made(
    run_here: Run, tmp_path: Path, epochs: str
) -> None:
    refused(run_here("train", f"trainer.max_epochs={epochs}"), "trainer.max_epochs must be a whole number, at least 1")
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["runs"]


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root to mount a full disk")
def test_a_full_disk_gets_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """Synthesis into a 2 MB file system of its own."""
    import sys

    script = (
        f"mount -t tmpfs -o size=2m tmpfs {tmp_path} && cd {tmp_path} && "
        f"{sys.executable} -m slu.synthesize; code=$?; ls -A outputs/corpus; exit $code"
    )
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    if "permission denied" in result.stderr or "unshare failed" in result.stderr:
        pytest.skip("mounting is not allowed here")
    refused(result, "disk is full")
    assert result.stdout.strip() == ""


def test_outputs_that_cannot_be_written_are_named(run: Run) -> None:
    refused(run("train", "outputs=/proc/nothing"), "cannot write to /proc/nothing")
    refused(run("predict", "x.wav"), "there is no bundle at outputs/registry/orders/latest")


def test_a_task_of_another_name_is_named_by_every_command(run_here: Run, run: Run, tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "outputs/registry/kafe/20260101-000000.000000-aaaaaaaa")
    (tmp_path / "outputs/registry/kafe/latest").symlink_to("20260101-000000.000000-aaaaaaaa")
    for command, *more in (["evaluate"], ["adapt", "unlabelled=."], ["serve", "bundle=orders"]):
        refused(run_here(command, *more), "there is no bundle at ", "write bundle=outputs/registry/kafe/latest")
    refused(run_here("retrain"), "there is no task 'orders' in outputs/registry; known: task=kafe")
    sf.write(tmp_path / "good.wav", tone(440), RATE)
    result = run("predict", "good.wav", "bundle=kafe", "bundel=x")
    assert result.stdout.startswith("good.wav: ")
    refused(result, "bundel=x: there is no such file, and no such setting: known is bundle=…")
    refused(run("predict", "good.wav"), "write bundle=outputs/registry/kafe/latest")


def test_predict_answers_the_good_files_and_names_the_bad(run: Run, tmp_path: Path) -> None:
    folder = tiny_bundle(tmp_path / "bundle")
    sf.write(tmp_path / "good.wav", tone(440), RATE)
    sf.write(tmp_path / "nan.wav", np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
    sf.write(tmp_path / "empty.wav", np.zeros(0, np.float32), RATE)
    sf.write(tmp_path / "hour.flac", np.zeros(3600 * 4000, np.int16), 4000)
    (tmp_path / "text.wav").write_text("not audio")
    os.mkfifo(tmp_path / "pipe.wav")
    files = ["good.wav", "nan.wav", "empty.wav", "hour.flac", "text.wav", "missing.wav", "pipe.wav"]
    result = run("predict", *files, f"bundle={folder}")
    refused(result, "nan.wav: it holds NaN", "empty.wav: there are no samples", "hour.flac: it lasts 3600 s")
    refused(result, "text.wav: it is not audio", "missing.wav: there is no such file")
    refused(result, "pipe.wav: it is no regular file")
    assert result.stdout.startswith("good.wav: ")
    assert len(result.stdout.splitlines()) == 1
