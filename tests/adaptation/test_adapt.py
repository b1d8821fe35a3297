"""Adaptation end to end on tones: what is learnt, what is guarded, what is said of it."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from slu.adaptation.adapt import tuned
from slu.adaptation.check import Answered, answered, change
from slu.adaptation.clips import Clips, labelled_clips, unlabelled_clips
from slu.adaptation.drawing import in_turn
from slu.adaptation.fine_tune import fine_tune
from slu.adaptation.replay import Replay, ReplaySettings, replayed
from slu.adaptation.self_training import believed, hear, self_labelled
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.adaptation.statistics import mix_statistics
from slu.bundles import Bundle, load_bundle
from slu.evaluation.intervals import units
from slu.features import build_front_end
from slu.features.augment import AugmentSettings
from slu.models import build_recogniser, m1
from slu.spec import Head, TaskSpec
from slu.training.classifier import LossSettings
from tests.adaptation.helpers import M1, SPEC, FrozenEntry, new_person, train_bundle
from tests.training.test_preprocessing import LOGMEL

QUICK = AdaptSettings(steps=30, batch_size=16, lr=3e-3, rounds=1, seconds=30)


@pytest.fixture(scope="module")
def home(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapted")
    train_bundle(tones, folder)
    new_person(folder, 24)
    new_person(folder, 24, name="wrong", pitch_hz=300, ratio=4, swapped=True)
    return folder


@pytest.fixture(scope="module")
def bundle(home: Path) -> Bundle:
    return load_bundle(home / "bundle")


@pytest.fixture(scope="module")
def replay(bundle: Bundle, home: Path, tones: Path) -> Replay:
    return replayed(bundle, ReplaySettings(manifest=str(tones)), home / "outputs", 1)


@pytest.fixture(scope="module")
def own(home: Path) -> Clips:
    return labelled_clips(home / "new.csv", SPEC, 0.01, home / "outputs", "error", 1)


def test_a_few_clips_of_somebody_new_are_learnt_and_the_old_are_not_forgotten(
    bundle: Bundle, replay: Replay, own: Clips
) -> None:
    few, rest = own.of_files(set(own.files[:8])), own.of_files(set(own.files[8:])).manifest()
    before = {name: tensor.clone() for name, tensor in bundle.recogniser.state_dict().items()}
    network = tuned(bundle, few, None, replay.train, QUICK).network
    assert all(torch.equal(before[name], tensor) for name, tensor in bundle.recogniser.state_dict().items())
    assert answered(bundle, network, rest).right.mean() > answered(bundle, bundle.recogniser, rest).right.mean()
    frozen = replay.check.manifest()
    assert answered(bundle, network, frozen).right.mean() >= answered(bundle, bundle.recogniser, frozen).right.mean()


def test_equal_seeds_give_equal_networks_and_the_time_limit_ends_a_fit(
    bundle: Bundle, replay: Replay, own: Clips
) -> None:
    quick = replace(QUICK, steps=3)
    first, again = (tuned(bundle, own, None, replay.train, quick).network.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert tuned(bundle, own, None, replay.train, replace(QUICK, seconds=1e-3)).fits[0].steps < QUICK.steps


def test_what_was_published_learns_only_at_a_rate_of_its_own(own: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(m1, "M1", FrozenEntry)
    recipe = Recipe(M1, SPEC, build_front_end(LOGMEL), LossSettings(), AugmentSettings())
    start = build_recogniser(M1, recipe.front_end.size, SPEC)
    for rate in (0.0, 1e-3):
        network = fine_tune(start, own, own, recipe, replace(QUICK, steps=2, trunk_lr=rate)).network
        after = dict(network.named_parameters())
        moved = {name: not torch.equal(p, after[name]) for name, p in start.named_parameters()}
        published = [name for name, p in start.named_parameters() if not p.requires_grad]
        assert published
        assert all(moved[name] == bool(rate) for name in published)
        assert any(moved[name] for name in moved if name not in published)
        assert not any(after[name].requires_grad for name in published), "the next training leaves them again"


def test_statistics_move_by_the_share_of_the_clips_and_stay_in_fine_tuning(
    bundle: Bundle, replay: Replay, own: Clips
) -> None:
    def means(network: torch.nn.Module) -> torch.Tensor:
        return torch.cat([m.running_mean for m in network.modules() if isinstance(m, torch.nn.BatchNorm1d)])

    old, networks = means(bundle.recogniser), []
    for prior in (0.0, len(own), 1e9):
        networks.append(deepcopy(bundle.recogniser))
        mix_statistics(networks[-1], own.features(), prior)
        assert not networks[-1].training
    new, half, none = map(means, networks)
    assert not torch.allclose(new, old)
    torch.testing.assert_close(half, (old + new) / 2)
    torch.testing.assert_close(none, old)
    result = tuned(bundle, own, None, replay.train, replace(QUICK, steps=3, prior_clips=0))
    torch.testing.assert_close(means(result.network), new)


def test_a_network_without_batch_statistics_is_left_alone(own: Clips) -> None:
    network = torch.nn.Linear(3, 2)
    mix_statistics(network, own.features(), 1.0)


def test_only_the_surest_of_every_class_are_believed() -> None:
    spec = TaskSpec("t", (Head("h", ("a", "b")),))
    scores = {"h": np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.7, 0.3], [0.45, 0.55], [0.1, 0.9]], np.float32)}
    labels, chosen = believed(scores, spec, 0.5, 0.0)
    assert labels["h"].tolist() == ["a", "a", "a", "a", "b", "b"]
    assert chosen.tolist() == [True, False, True, False, False, True]
    assert believed(scores, spec, 1.0, 0.65)[1].tolist() == [True, False, True, True, False, True]


def test_clips_without_labels_get_those_that_are_heard(bundle: Bundle, replay: Replay, home: Path, own: Clips) -> None:
    heard = unlabelled_clips(home / "audio", SPEC, 0.01, home / "outputs", 1)
    assert len(heard) == 48
    sure = self_labelled(bundle.recogniser, heard, 1.0, 0.0)
    assert set(sure.table["pitch"]) <= {"low", "high"}
    assert {name: values.shape for name, values in hear(bundle.recogniser, heard).items()} == {
        "pitch": (48, 2),
        "length": (48, 2),
    }
    result = tuned(bundle, own, heard, replay.train, replace(QUICK, steps=2))
    assert result.believed[0] > 0
    assert len(result.fits) == 2
    nothing = tuned(bundle, None, heard, replay.train, replace(QUICK, threshold=0.9999999))
    assert (nothing.believed, nothing.fits) == ((0,), ())


def test_classes_come_in_turn_and_equally_often() -> None:
    heads = (Head("h", ("a", "b", "c")),)
    table = pd.DataFrame({"h": ["a"] * 6 + ["b"] * 2 + ["c"]})
    order = in_turn(table, heads, np.random.default_rng(0))
    assert sorted(order) == list(range(9))
    assert set(table["h"].iloc[order[:3]]) == {"a", "b", "c"}
    assert set(table["h"].iloc[order[3:5]]) == {"a", "b"}


def test_worse_is_below_the_interval_of_before() -> None:
    before = np.array([True] * 95 + [False] * 5)
    slightly, much = before.copy(), before.copy()
    slightly[0], much[:20] = False, False
    by = units(None, 100)
    assert not change("x", Answered(before, by), Answered(slightly, by), guards=True).is_worse
    assert change("x", Answered(before, by), Answered(much, by), guards=True).is_worse


def test_a_new_bundle_names_its_parent_and_what_changed(
    printed: Callable[..., tuple[int, str]], home: Path, tones: Path, tmp_path: Path
) -> None:
    settings = ["adapt.steps=5", "adapt.lr=3e-3", "adapt.batch_size=16", "workers=1", "adapt.folds=2"]
    common = [f"replay.manifest={tones}", f"hydra.run.dir={tmp_path / 'run'}", *settings]
    code, text = printed("adapt", f"bundle={home / 'bundle'}", f"manifest={home / 'new.csv'}", *common)
    assert code == 0, text
    assert "held out (2-fold cross-validation)" in text
    latest = tmp_path / "out/registry/tones/latest"
    metrics = json.loads((latest / "metrics.json").read_text())
    adaptation = metrics["adaptation"]
    assert (adaptation["parent"], adaptation["lineage"]) == ("bundle", ["bundle"])
    assert (adaptation["labelled"], adaptation["steps"]) == (24, [5])
    assert [row["guards"] for row in adaptation["changes"]] == [True, True, False]
    assert metrics["data"] != "0"
    assert (latest / "reference.json").is_file()
    assert len(json.loads((latest / "training.json").read_text())["clips"]) == 24
    card = (latest / "model_card.md").read_text()
    assert "Adapted from `bundle`, to 24 clips with labels" in card
    assert "Not tested" not in card
    assert json.loads((tmp_path / "run/adaptation.json").read_text()) == adaptation
    # By its task's name; what the parent was adapted to can no longer be held out.
    first = latest.resolve().name
    code, text = printed("adapt", "bundle=tones", f"manifest={home / 'new.csv'}", *common)
    assert code == 0, text
    assert "held out" not in text
    metrics = json.loads((latest / "metrics.json").read_text())
    assert metrics["adaptation"]["lineage"] == ["bundle", first]


def test_what_got_worse_is_not_registered_unless_forced(
    printed: Callable[..., tuple[int, str]], home: Path, tones: Path, tmp_path: Path
) -> None:
    settings = ["adapt.steps=30", "adapt.lr=1e-2", "adapt.recorded_share=0.95", "adapt.folds=0", "workers=1"]
    common = [f"replay.manifest={tones}", f"hydra.run.dir={tmp_path / 'run'}", *settings]
    arguments = [f"bundle={home / 'bundle'}", f"manifest={home / 'wrong.csv'}", *common]
    code, text = printed("adapt", *arguments)
    assert code == 2, text
    assert "error: not registered: on the frozen check" in text
    assert not (tmp_path / "out/registry/tones").exists()
    code, text = printed("adapt", *arguments, "adapt.force=true")
    assert code == 0, text
    assert "registered by adapt.force although" in text
    assert (tmp_path / "out/registry/tones/latest").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to adapt to: name clips"),
        (["unlabelled={home}", "curve=[0,1]"], "curve is a study of labelled clips"),
        (["manifest={home}/new.csv"], "was not trained on the voices of a menu"),
        (["manifest={home}/eleven.csv"], "the bundle knows no others"),
        (["manifest={home}/none.csv"], "not one clip has a label of pitch, length"),
        (["unlabelled={home}/nowhere"], "there is no folder"),
        (["unlabelled={home}/bundle"], "holds no audio"),
        (["manifest={home}/new.csv", "adapt.folds=1"], "one fold has nothing left to train on"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    printed: Callable[..., tuple[int, str]], home: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (home / "eleven.csv").write_text("file_name,pitch,length\naudio/new0.flac,eleven,short\n")
    (home / "none.csv").write_text("file_name,pitch,length\naudio/new0.flac,,\n")
    given = [argument.format(home=home) for argument in arguments]
    code, text = printed("adapt", f"bundle={home / 'bundle'}", "workers=1", f"hydra.run.dir={tmp_path / 'run'}", *given)
    assert code == 2, text
    assert message in text
    assert text.strip().splitlines()[-1].startswith("error: ")
