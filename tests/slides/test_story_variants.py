"""Decks of runs that differ in one thing from the whole one: the slide about it says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest
from slu.slides.newest import newer_comparison, newest_run
from slu.slides.sources import Sources, read_sources
from slu.slides.story import build_deck


def deck_of(sources: Sources) -> dict[str, str]:
    return {slide.title: str(slide) for slide in build_deck(sources).slides}


def test_the_split_of_the_training_is_not_that_of_the_evaluation(run: Path) -> None:
    whole = read_sources(run, run)
    assert isinstance(whole.manifest, Manifest)
    assert whole.evaluated_split is None
    table = whole.manifest.table.copy()
    table.loc[table.index[:2], "split"] = ["train", "test"]
    table.loc[table.index[:2], "speaker"] = "s0"
    leaking = replace(whole, manifest=Manifest(whole.manifest.path, table))
    slides = deck_of(leaking)
    workflow = next(text for title, text in slides.items() if title.startswith("From logmel"))
    canvas = next(text for title, text in slides.items() if "machine learning canvas" in title)
    assert "training split: speaker-disjoint" in workflow
    assert "evaluated split: 1 speaker on two sides" in workflow
    assert "Training split: speaker-disjoint. Evaluated split: 1 speaker on two sides." in canvas


def test_speakers_held_out_already_are_not_held_out_again(run: Path) -> None:
    whole = read_sources(run, run)
    assert isinstance(whole.bundle, Bundle)
    test = {"leave_one_speaker_out": {"mean": 0.9}}
    held_out = replace(whole, bundle=replace(whole.bundle, metrics={**whole.bundle.metrics, "test": test}))
    assert "training split: each speaker held out in turn" in str(deck_of(held_out))
    assert "cross_validation=" in str(deck_of(whole))
    assert "cross_validation=" not in str(deck_of(held_out))


def test_the_commands_are_about_the_bundle_of_the_run(run: Path) -> None:
    whole = read_sources(run, run)
    last = list(deck_of(whole).values())[-1]
    assert "tones/v1" in last
    assert "python -m slu.evaluate manifest" not in last
    clean = replace(whole, metrics={**whole.metrics, "conditions": {}})
    robustness = deck_of(clean)["Robustness was not measured"]
    assert "tones/v1 conditions=standard` adds noise" in robustness


def test_nobody_is_worse(run: Path) -> None:
    whole = read_sources(run, run)
    right = {"joint_accuracy": 1.0, "interval": [0.2, 1.0], "n": 1}
    for speakers, title in (
        ({"ani": right, "budi": right}, "Every speaker has every clip right"),
        ({"ani": right}, "ani has every clip right"),
        ({"ani": {**right, "joint_accuracy": 0.0}}, "Worst speaker: ani, 0.0% of 1 clip right"),
    ):
        metrics = {**whole.metrics, "speakers": speakers, "worst_speaker": "ani"}
        assert title in deck_of(replace(whole, metrics=metrics))


def test_a_head_without_labels_is_not_part_of_what_is_right(run: Path) -> None:
    whole = read_sources(run, run)
    heads = {"pitch": whole.metrics["heads"]["pitch"]}
    slides = deck_of(replace(whole, metrics={**whole.metrics, "heads": heads}))
    results = next(text for title, text in slides.items() if "test clips have pitch right" in title)
    assert "Only the labelled heads were scored: pitch. The clips have no labels for length" in results
    assert "orders" not in results
    assert not any("every label right" in title for title in slides)
    assert "scored labels right" in next(text for title, text in slides.items() if title.startswith("In numbers"))
    assert any(title == "One utterance in, 2 labels out: pitch and length" for title in slides)


def test_an_older_format_is_made_anew_with_the_same_bundle_and_clips(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"bundle": "v1", "joint_accuracy": 1.0, "n": 3, "n_joint": 3}')
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text("{bundle: models/v1, manifest: my/table.csv, split: test}")
    command = "run `python -m slu.evaluate bundle=models/v1 manifest=my/table.csv split=test` again"
    with pytest.raises(UserError) as error:
        read_sources(tmp_path, tmp_path)
    assert str(error.value) == f"{tmp_path / 'metrics.json'} has no 'interval' as evaluations have; {command}"


def test_a_comparison_is_named_by_one_of_its_bundles(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "evaluate" / "2026-01-03"
    for version in ("a", "b"):
        (folder / version).mkdir(parents=True)
        (folder / version / "metrics.json").write_text("{}")
    (folder / "comparison.json").write_text("{}")
    message = f"{folder} compares several bundles; name one of them with run={folder / 'a'} or run={folder / 'b'}"
    for attempt in (lambda: newest_run(tmp_path), lambda: read_sources(folder, tmp_path)):
        with pytest.raises(UserError) as error:
            attempt()
        assert str(error.value) == message
    for name in ("2026-01-02", "2026-01-04"):
        (folder.with_name(name)).mkdir()
        (folder.with_name(name) / "metrics.json").write_text("{}")
    assert newest_run(tmp_path) == folder.with_name("2026-01-04")
    assert newer_comparison(folder.with_name("2026-01-04")) is None
    assert newer_comparison(folder.with_name("2026-01-02")) == folder
