"""Decks of runs that lack something: what is missing is said with its cure, what is no evaluation is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slu.common.errors import UserError
from slu.documents.deck import write_deck
from slu.slides.newest import newest_run
from slu.slides.sources import read_sources
from slu.slides.story import build_deck
from tests.slides.helpers import (
    slides_of,
    texts_of,
    titled,
)


def texts(slide: Any) -> str:
    return "\n".join(texts_of(slide))


def test_what_is_missing_is_said_with_its_cure(run: Path, tmp_path: Path) -> None:
    bare = tmp_path / "evaluate"
    shutil.copytree(run, bare)
    (bare / "predictions.csv").unlink()
    shutil.rmtree(bare / ".hydra")
    write_deck(tmp_path / "slides.pptx", build_deck(read_sources(bare, tmp_path / "outputs")))
    slides = slides_of(tmp_path / "slides.pptx")
    titled(slides, "test clips have every label right")
    for topic, cure in (
        ("The way from recordings", "evaluate a bundle again"),
        ("Machine learning canvas: the bundle v1 is not where", "evaluate a bundle again"),
        ("What is wrong with the data", "slu.eda"),
        ("Training curves", "evaluate a bundle again"),
        ("Confidence: there are no answers", "slu.evaluate"),
        ("Error analysis", "slu.evaluate"),
        ("The answer that a program gets", "evaluate a bundle again"),
    ):
        assert cure in texts(titled(slides, topic))


def test_without_a_log_and_with_a_moved_alias(run: Path, tmp_path: Path) -> None:
    home = tmp_path / "moved"
    shutil.copytree(run.parents[3] / "outputs", home / "outputs")
    copied = home / "outputs" / "runs" / "evaluate" / run.name
    bundle = home / "outputs" / "registry" / "tones" / "v1"
    latest = bundle.with_name("latest")
    latest.symlink_to("v2")  # the alias has gone on since
    (copied / ".hydra" / "config.yaml").write_text(f"bundle: {latest}\n")
    facts = json.loads((bundle / "metrics.json").read_text())
    (bundle / "metrics.json").write_text(json.dumps({**facts, "run": str(tmp_path / "gone")}))
    slides = build_deck(read_sources(copied, home / "outputs")).slides
    assert any("Encoder M1" in str(slide.body) for slide in slides)
    training = next(slide for slide in slides if slide.title.startswith("Training curves"))
    assert "there is no training log" in training.title


def test_clips_with_one_label_each(run: Path) -> None:
    """No order as a whole can be judged: every slide says so, and none fails."""
    whole = read_sources(run, run)
    nothing = {"joint_accuracy": None, "joint_interval": None, "n_joint": 0, "speakers": {}}
    left_out = ("joint_ece", "understood_share", "understood_accuracy", "wrong_and_understood_share")
    metrics = {key: value for key, value in whole.metrics.items() if key not in left_out} | nothing
    metrics["conditions"] = {name: values | nothing for name, values in metrics["conditions"].items()}
    metrics["heads"] |= {"length": {"n": 0, "accuracy": None, "macro_f1": None}}
    titles = [slide.title for slide in build_deck(replace(whole, metrics=metrics)).slides]
    for title in (
        "No clip has a label for every one of pitch and length: each is judged by itself",
        "Robustness was not measured",
        "length: no clip has a label",
        "Speakers cannot be compared",
        "Confidence was not measured",
    ):
        assert title in titles


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "name the folder of an evaluation with run=FOLDER"),
        ("{", "is not JSON"),
        ('{"clean": {}}', "has no 'joint_accuracy' as evaluations have; run `python -m slu.evaluate` again"),
    ],
)
def test_a_folder_that_is_no_evaluation(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as error:
        read_sources(tmp_path, tmp_path)
    assert str(tmp_path / "metrics.json") in str(error.value)


def test_nothing_was_evaluated_yet(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no evaluation in .*evaluate; run `python -m slu\.evaluate`"):
        newest_run(tmp_path)


def test_named_folders_must_hold_what_they_are_named_for(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"eda\.json is not an exploration"):
        read_sources(run, tmp_path, exploration=tmp_path)
    with pytest.raises(UserError, match=r"learning_curve\.json is not a learning curve"):
        read_sources(run, tmp_path, study=tmp_path)
