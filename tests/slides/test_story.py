"""A whole deck, written and opened again: what stands on it is what the run's files say."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.corpus.manifest import Manifest
from slu.documents.deck import write_deck
from slu.documents.figures import WARN
from slu.slides.newest import newer_comparison, newest_run
from slu.slides.sources import Sources, read_sources
from slu.slides.story import build_deck
from tests.slides.helpers import (
    evaluate_tones,
    notes_of,
    pictures_of,
    slides_of,
    texts_of,
    titled,
    write_exploration,
    write_study,
)


@pytest.fixture(scope="module")
def run(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    run = evaluate_tones(tones, home, leak=True, synthetic=True)
    write_study(home / "study")
    write_exploration(home / "outputs" / "runs" / "eda" / "2026-01-01", tones)
    write_exploration(home / "outputs" / "runs" / "eda" / "2026-01-02", tones, clips_of_first=7)
    return run


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
