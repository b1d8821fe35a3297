"""A hybrid model end to end: it learns from the synthesiser's times, and finds those of recordings itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from slu.bundles import Predictor, load_bundle
from slu.decoding.alignment import Alignment
from slu.decoding.grammar import Grammar
from slu.decoding.graph import Arc, WordGraph
from slu.features.augment import IGNORE
from slu.models import build_recogniser
from slu.models.hybrid_recogniser import HybridRecogniser
from slu.spec import Head, TaskSpec
from slu.training.alignment import align_dataset, learn_priors
from slu.training.datamodule import Batch, UtteranceDataset
from slu.training.frame_labels import FrameLabels, FrameTargets
from slu.training.frame_loss import frame_loss

GRAPH = WordGraph(2, 1, (Arc(0, 1, "satu", (("digit", "1"),)), Arc(0, 1, "dua", (("digit", "2"),))))
GRAMMAR = Grammar(GRAPH, {"satu": (("s", "a"),), "dua": (("d", "u"),)}, ("_", "a", "d", "s", "u"))
SPEC = TaskSpec("digits", (Head("digit", ("1", "2")),), grammar=GRAMMAR.to_json())


def network() -> HybridRecogniser:
    torch.manual_seed(0)
    built = build_recogniser(
        {"_target_": "slu.models.hybrid.Hybrid", "channels": 16, "blocks": 1, "decoding": {}}, 8, SPEC
    )
    assert isinstance(built, HybridRecogniser)
    return built


def dataset(folder: Path) -> UtteranceDataset:
    """A synthetic clip with times, and a recording without."""
    rows = []
    for name, digit in (("synthetic", "1"), ("recording", "2"), ("unlabelled", "")):
        np.save(folder / f"{name}.npy", np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32))
        rows.append({"file_name": name, "digit": digit, "feature_path": str(folder / f"{name}.npy"), "n_frames": 60})
    table = pd.DataFrame(rows)
    alignment = Alignment((("satu", 0.1, 0.4),), (("s", 0.1, 0.2), ("a", 0.2, 0.4)))
    targets = FrameTargets(GRAMMAR.phones, GRAMMAR.words, {"synthetic": alignment})
    return UtteranceDataset(table, SPEC, FrameLabels(table, targets, 0.01))


def test_recordings_get_the_times_of_what_they_are_labelled_with(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    assert data.frame_labels is not None
    given = data.frame_labels[0].clone()
    assert (data.frame_labels[1] == IGNORE).all()
    assert align_dataset(network(), data, SPEC) == 1
    assert torch.equal(data.frame_labels[0], given), "the synthesiser knows better"
    words = {GRAMMAR.words[index] for index in data.frame_labels[1][:, 1].tolist()}
    assert "dua" in words
    assert "satu" not in words
    assert (data.frame_labels[2] == IGNORE).all(), "nobody says what is heard in it"


def test_the_priors_are_those_of_the_frames_that_are_known(tmp_path: Path) -> None:
    model = network()
    learn_priors(model, dataset(tmp_path))
    shares = model.phone_prior.exp()
    assert shares[GRAMMAR.phones.index("a")] > shares[GRAMMAR.phones.index("s")] > shares[GRAMMAR.phones.index("u")]
    assert float(shares.sum()) == pytest.approx(1.0)


def test_frames_without_a_label_teach_nothing(tmp_path: Path) -> None:
    model, data = network(), dataset(tmp_path)
    batch: Batch = data.collate([data[0], data[1]])
    (heard,) = model.listen(batch.features, batch.lengths)
    assert float(frame_loss(heard, None, model.stride)) == 0.0
    unknown = data.collate([data[1], data[2]])
    assert float(frame_loss(heard, unknown.frame_labels, model.stride)) == 0.0
    assert frame_loss(heard, batch.frame_labels, model.stride).item() > 0.0


@pytest.mark.parametrize(("model", "clips"), [("hybrid", 400), pytest.param("pair", 200, marks=pytest.mark.slow)])
def test_learns_digits_and_serves_them(
    model: str, clips: int, tmp_path: Path, printed: Callable[..., tuple[int, str]]
) -> None:
    """Train, register, load and predict: the answers of the bundle are those of the run."""
    code, said = printed(
        "train", "menu=digits_id", f"model={model}", "augment=people", "model.channels=48", "model.blocks=2",
        "model.decoding.baseline=tilt", f"synthesis.counts={{train: {clips}, val: 20, test: 40}}",
        "voices.speakers={train: 20, val: 4, test: 4}", "trainer.max_epochs=4", "loader.batch_size=16",
        "loader.validation_snr_db=null", "optimizer.lr=4e-3", "patience=0", "noise_test_snr_db=[]", "logger=none",
        "workers=1",
    )  # fmt: skip
    assert code == 0, said
    bundle = load_bundle(next((tmp_path / "out" / "registry" / "digits_id").glob("2*")))
    assert bundle.metrics["test"]["clean"]["joint_accuracy"] > 0.6
    clip = next(tmp_path.glob("out/corpus/digits_id-*/audio/test_*.flac"))
    prediction = Predictor(bundle).predict(clip)
    assert sum(prediction.scores["digit"].values()) == pytest.approx(1.0, abs=1e-3)
    published = "recordings of people" in (bundle.folder / "model_card.md").read_text()
    assert published == (model == "pair"), "the card says what the model is built on"
