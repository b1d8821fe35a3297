"""Replay of a bundle's own voices: found again, or spoken again and smaller; both families of models learn by it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from slu.adaptation.clips import Clips
from slu.adaptation.fine_tune import fine_tune
from slu.adaptation.replay import ReplaySettings, replayed
from slu.adaptation.settings import AdaptSettings, Recipe
from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.corpus.alignments import read_alignments
from slu.corpus.synthesised import ensure_synthesised
from slu.decoding.grammar import Grammar
from slu.features import build_front_end
from slu.models import build_recogniser
from slu.spec import TaskSpec
from slu.training.datamodule import UtteranceDataset
from tests.corpus.test_synthesis import MENU, SETTINGS
from tests.models.test_hybrid import SETTINGS as HYBRID
from tests.studies.helpers import M1
from tests.training.test_preprocessing import LOGMEL

SPOKEN = replace(SETTINGS, counts={"train": 24, "val": 12, "test": 4})
SMALL = ReplaySettings(clips=10, check_clips=10)


def made(model: Mapping[str, Any], grammar: Mapping[str, Any] | None = None) -> Bundle:
    spec = TaskSpec("drinks", MENU.task_heads(), LOGMEL, grammar=grammar or {})
    synthesis = asdict(SPOKEN)
    voices = synthesis.pop("voices")
    config = {
        "model": model,
        "menu": MENU.model_dump(exclude_defaults=True),
        "synthesis": synthesis,
        "voices": voices,
        "data": {"synthetic_speech": True},
    }
    front_end = build_front_end(LOGMEL)
    return Bundle(Path("b"), "b", spec, front_end, build_recogniser(model, front_end.size, spec).eval(), config, {})


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the whole corpus in it."""
    folder = tmp_path_factory.mktemp("outputs")
    ensure_synthesised(MENU, SPOKEN, folder)
    return folder


def test_a_corpus_that_is_gone_is_spoken_again_as_small_as_it_is_needed(tmp_path: Path) -> None:
    replay = replayed(made(M1), SMALL, tmp_path, 1)
    assert (len(replay.train), len(replay.check)) == (10, 10)
    (corpus,) = (tmp_path / "corpus").iterdir()
    assert len(list((corpus / "audio").rglob("*.flac"))) == 21, "ten to train, ten to check, one that no split may lack"
    assert not set(replay.train.files) & set(replay.check.files)


def test_a_corpus_that_is_there_is_drawn_from(outputs: Path) -> None:
    replay = replayed(made(M1), SMALL, outputs, 1)
    assert [replay.train.path] == list(outputs.glob("corpus/*/metadata.csv"))
    assert (len(replay.train), len(replay.check)) == (10, 10)
    assert set(replay.train.table["split"]) == {"train"}


def test_another_menu_than_that_of_the_heads_is_refused(tmp_path: Path) -> None:
    bundle = made(M1)
    heads = (replace(bundle.spec.heads[0], classes=("tea", "cocoa")), *bundle.spec.heads[1:])
    with pytest.raises(UserError, match=r"not that of the bundle's heads; name recordings .*replay\.manifest="):
        replayed(replace(bundle, spec=replace(bundle.spec, heads=heads)), SMALL, tmp_path, 1)


def test_frames_are_learnt_too_where_the_family_hears_them(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = ensure_synthesised(MENU, SPOKEN, outputs, aligned=True)
    bundle = made(HYBRID, Grammar.learnt(MENU.word_graph(), read_alignments(path).values()).to_json())
    replay = replayed(bundle, SMALL, outputs, 1)
    nameless = replay.check.table.assign(file_name=[f"recorded-{n}.wav" for n in range(len(replay.check))])
    own = Clips(path, nameless, bundle.spec, bundle.front_end.hop_s)  # nobody says when what is heard in these
    aligned: list[UtteranceDataset] = []
    monkeypatch.setattr("slu.adaptation.fine_tune.align_dataset", lambda network, data, spec: aligned.append(data))
    result = fine_tune(bundle.recogniser, own, replay.train, Recipe.of(bundle), AdaptSettings(steps=3, batch_size=8))
    assert (result.steps, len(aligned)) == (3, 1)
    weights = (
        result.network.state_dict()["listeners.0.phones.weight"],
        bundle.recogniser.state_dict()["listeners.0.phones.weight"],
    )
    assert not torch.equal(*weights), "the replayed clips have times"
