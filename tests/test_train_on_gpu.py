"""`trainer=gpu` as a user starts it: every encoder learns there, and what it learnt answers on the CPU."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy

from slu.bundles import Predictor, load_bundle
from slu.corpus.manifest import read_manifest
from slu.features.augment import IGNORE
from slu.spec import TaskSpec
from slu.training.alignment import align_dataset, learn_priors
from slu.training.fit import fit
from slu.training.preprocessing import preprocess
from slu.training.ranks import Ranks, run_ranks
from tests.test_train_command import only, tones_task
from tests.training.test_alignment import SPEC, dataset, network
from tests.training.test_fit import HEADS, SETTINGS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch could use")

Printed = Callable[..., tuple[int, str]]


def answers_on_the_cpu(version: Path, clip: Path) -> None:
    bundle = load_bundle(version)
    assert all(p.device.type == "cpu" and p.dtype == torch.float32 for p in bundle.recogniser.parameters())
    prediction = Predictor(bundle).predict(clip)
    for scores in prediction.scores.values():
        assert sum(scores.values()) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("model", ["gru", "lstm", "rnn", "m1", "m2"])
def test_encoders_learn_tones(model: str, tones: Path, tmp_path: Path, printed: Printed) -> None:
    settings = [s for s in tones_task(tones) if not s.startswith("model.")]
    code, said = printed(
        "train",
        *settings,
        f"model={model}",
        "trainer=gpu",
        "trainer.max_epochs=20",
        "optimizer.lr=5e-3",
        "augment=none",
    )
    assert code == 0, said
    version = only(tmp_path, "out/registry/tones/2*")
    assert json.loads((version / "metrics.json").read_text())["test"]["clean"]["joint_accuracy"] > 0.5, "chance is 0.25"
    answers_on_the_cpu(version, tones.parent / "audio" / "000.flac")


@pytest.mark.parametrize("model", ["hybrid", "pretrained", "pair"])
def test_what_hears_frames_learns_digits(model: str, tmp_path: Path, printed: Printed) -> None:
    code, said = printed(
        "train", "menu=digits_id", f"model={model}", "trainer=gpu", "trainer.max_epochs=6", "loader.batch_size=16",
        "synthesis.counts={train: 300, val: 20, test: 40}", "voices.speakers={train: 20, val: 4, test: 4}",
        "optimizer.lr=4e-3", "patience=0", "noise_test_snr_db=[]", "logger=none",
    )  # fmt: skip
    assert code == 0, said
    version = only(tmp_path, "out/registry/digits_id/2*")
    assert json.loads((version / "metrics.json").read_text())["test"]["clean"]["joint_accuracy"] > 0.6
    answers_on_the_cpu(version, next(tmp_path.glob("out/corpus/digits_id-*/audio/test_*.flac")))


def test_what_was_begun_on_a_gpu_goes_on_without_one(tones: Path, tmp_path: Path, printed: Printed) -> None:
    code, said = printed("train", *tones_task(tones), "trainer=gpu", "trainer.max_epochs=2")
    assert code == 0, said
    last = only(tmp_path, "out/runs/train/*") / "checkpoints" / "last.ckpt"
    code, said = printed("train", *tones_task(tones), "trainer=cpu", "trainer.max_epochs=3", f"ckpt_path={last}")
    assert code == 0, said
    assert "epoch 3/3" in said
    assert "epoch 1/3" not in said


def test_gradients_go_through_nccl(tones: Path, tmp_path: Path) -> None:
    """One process of it: several need as many GPUs."""
    spec = TaskSpec("tones", HEADS, {"name": "logmel", "n_mels": 20})
    table = preprocess(read_manifest(tones, HEADS), spec, tmp_path).table
    strategy = DDPStrategy(process_group_backend="nccl", cluster_environment=LightningEnvironment())
    on_gpu = {"max_epochs": 2, "accelerator": "gpu", "devices": 1, "precision": "bf16-mixed", "strategy": strategy}
    (fitted,) = run_ranks(Ranks(), fit, table, spec, replace(SETTINGS, trainer=on_gpu), tmp_path)
    assert fitted.epochs == 2
    assert fitted.objective is not None


def test_more_gpus_than_there_are_cannot_be_had(tones: Path, printed: Printed) -> None:
    code, said = printed("train", *tones_task(tones), "trainer=gpu", "trainer.devices=16")
    assert code == 2
    assert f"there are only {torch.cuda.device_count()} GPUs" in said


def test_recordings_are_aligned_there(tmp_path: Path) -> None:
    data, model = dataset(tmp_path), network()
    learn_priors(model, data)
    assert align_dataset(model.cuda(), data, SPEC) == 1
    assert data.frame_labels is not None
    assert (data.frame_labels[1] != IGNORE).any()
