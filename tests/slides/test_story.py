"""A whole deck, written and opened again: what stands on it is what the run's files say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slu.documents.deck import write_deck
from slu.documents.figures import WARN
from slu.slides.sources import read_sources
from slu.slides.story import build_deck
from tests.slides.helpers import (
    notes_of,
    pictures_of,
    slides_of,
    texts_of,
    titled,
)


@pytest.fixture(scope="module")
def metrics(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "metrics.json").read_text()))


@pytest.fixture(scope="module")
def slides(run: Path) -> list[Any]:
    home = run.parents[3]
    write_deck(run / "slides.pptx", build_deck(read_sources(run, home / "outputs", study=home / "study")))
    return slides_of(run / "slides.pptx")


def texts(slide: Any) -> str:
    return "\n".join(texts_of(slide))


def test_the_slides_come_in_the_order_of_a_talk(slides: list[Any]) -> None:
    titles = [slide.shapes.title.text_frame.text for slide in slides]
    parts = [
        "Spoken language understanding: tones",
        "One utterance in, 2 labels out: pitch and length",
        "From logmel 16 through M1",
        "fields of the machine learning canvas",
        "Whole table (96 clips), of which 16 evaluated. The classes are balanced: 48 clips for each pitch",
        "Whole table (96 clips), 6 speakers, of which 16 evaluated; half of them last",
        "Leak: 3 recordings stand on both sides",
        "3 epochs of training; the validation objective was best in epoch 2: 0.875",
        "test clips have every label right",
        "Hardest is",
        "In numbers: under",
        "pitch: ",
        "length: ",
        "Worst speaker: s5",
        "Answers are",
        "have a wrong label",
        "One clip in, one JSON out: pitch",
        "m1 against m2: Yes: with 2 voices m1 is ahead by 10.0 points",
        "Still weak: ",
        "Next: hold every speaker out in turn",
    ]
    assert len(titles) == len(parts)
    for title, part in zip(titles, parts, strict=True):
        assert part in title


def test_every_slide_says_something_and_cites_its_files(slides: list[Any]) -> None:
    for slide in slides:
        for shape in slide.shapes:
            assert not shape.has_text_frame or shape.text_frame.text.strip(), shape.name
        assert any(name in notes_of(slide) for name in (".json", ".csv")), notes_of(slide)
    drawn = [bool(pictures_of(slide)) for slide in slides]
    assert sum(drawn) == 9
    assert all(picture._element.nvPicPr.cNvPr.get("descr") for slide in slides for picture in pictures_of(slide))


def test_the_numbers_are_those_of_metrics_json(slides: list[Any], metrics: dict[str, Any]) -> None:
    def percent(value: float) -> str:
        return f"{value:.1%}"

    results = titled(slides, "test clips have every label right")
    title = results.shapes.title.text_frame.text
    low, high = metrics["joint_interval"]
    assert title.startswith(f"{percent(metrics['joint_accuracy'])} of {metrics['n_joint']} test clips")
    assert f"{percent(low)} to {percent(high)}" in title
    for name, head in metrics["heads"].items():
        assert name in texts_of(results)
        assert percent(head["accuracy"]) in texts_of(results)
        assert percent(head["macro_f1"]) in texts_of(results)
    table = texts_of(titled(slides, "In numbers"))
    for name, values in metrics["conditions"].items():
        assert table[table.index(name) + 1] == percent(values["joint_accuracy"])
        assert table[table.index(name) + 4] == percent(values["wrong_and_understood_share"])
    hardest = min(metrics["conditions"].values(), key=lambda values: values["joint_accuracy"])
    assert percent(hardest["joint_accuracy"]) in titled(slides, "Hardest is").shapes.title.text_frame.text
    pitch = texts_of(titled(slides, "pitch: "))
    for label, values in metrics["heads"]["pitch"]["classes"].items():
        row = pitch[pitch.index(label) :][:5]
        shown = ["-" if values[key] is None else percent(values[key]) for key in ("precision", "recall", "f1")]
        assert row == [label, *shown, str(values["n"])]
    assert f"(ECE {metrics['joint_ece']:.3f})" in titled(slides, "Answers are").shapes.title.text_frame.text
    worst = metrics["speakers"][metrics["worst_speaker"]]
    assert percent(worst["joint_accuracy"]) in titled(slides, "Worst speaker").shapes.title.text_frame.text


def test_mistakes_are_counted_from_the_answers(slides: list[Any], run: Path, metrics: dict[str, Any]) -> None:
    wrong = round((1 - metrics["joint_accuracy"]) * metrics["n_joint"])
    slide = titled(slides, "have a wrong label")
    assert slide.shapes.title.text_frame.text.startswith(f"{wrong} of {metrics['n']} clips")
    confusion = np.array(metrics["heads"]["pitch"]["confusion"])
    assert f"({confusion[0, 1] or confusion[1, 0]} of " in texts(slide)


def test_leak_and_synthetic_speech_stand_on_the_results_in_the_colour_of_warnings(
    slides: list[Any], metrics: dict[str, Any]
) -> None:
    assert metrics["warnings"][0].startswith("LEAK: 5 of the 16 clips were trained on.")
    slide = titled(slides, "test clips have every label right")
    box = next(shape for shape in slide.shapes if shape.name == "Warnings")
    paragraphs = box.text_frame.paragraphs
    assert [p.text for p in paragraphs][:3] == metrics["warnings"][:3]
    assert any(text.startswith("Every clip was spoken by a synthesiser") for text in metrics["warnings"][:3])
    assert {str(run.font.color.rgb) for p in paragraphs for run in p.runs} == {WARN.lstrip("#").upper()}
    assert box.top < min(shape.top for shape in slide.shapes if shape.has_table)
    again = titled(slides, "Hardest is")
    assert "LEAK: 5 of the 16 clips were trained on." in texts(again)
    assert all(text in texts(titled(slides, "Still weak")) for text in metrics["warnings"])


def test_the_workflow_names_the_parts_of_this_run(slides: list[Any]) -> None:
    slide = titled(slides, "From logmel 16 through M1")
    shown = texts(slide)
    for part in (
        "Encoder M1",
        "logmel 16\nevery 10 ms",
        "pitch: 2 classes",
        "96 clips",
        "espeak-ng id: 96",
        "3 epochs",
    ):
        assert part in shown
    connectors = [shape for shape in slide.shapes if shape.shape_type is not None and "LINE" in str(shape.shape_type)]
    assert len(connectors) == 9


def test_the_canvas_says_what_is_not_measured(slides: list[Any]) -> None:
    slide = titled(slides, "9 of 10 fields of the machine learning canvas are known; open: live monitoring")
    cells = texts_of(slide)
    assert {"Value proposition", "Data sources", "Offline evaluation", "Decisions"} <= set(cells)
    assert any(cell.startswith("Not measured") for cell in cells)


def test_the_answer_is_the_json_of_this_bundle(slides: list[Any], run: Path) -> None:
    slide = titled(slides, "one JSON out")
    code = next(text for text in texts_of(slide) if text.startswith("{"))
    answer = json.loads(code.replace("\v", "\n"))
    assert list(answer) == [
        "labels", "scores", "confidence", "understood", "reason", "duration_s", "model_version",
    ]  # fmt: skip
    assert answer["model_version"] == "v1"
    assert set(answer["scores"]["pitch"]) == {"low", "high"}
    assert sum(answer["scores"]["pitch"].values()) == pytest.approx(1, abs=1e-3)


def test_the_exploration_is_the_newest_about_these_clips(slides: list[Any]) -> None:
    slide = titled(slides, "Leak: 3 recordings")
    assert "2026-01-01" in notes_of(slide)
    assert "Use it as it is." in texts(slide)
    assert "3 pairs sample by sample, 1 more to the ear" in texts(slide)
