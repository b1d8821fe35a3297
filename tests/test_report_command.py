"""`python -m slu.report`, as a user starts it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.report import name_kind
from tests.slides.helpers import evaluate_tones, notes_of, slides_of, texts_of, titled

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_slides_about_the_newest_evaluation(run: Run, tones: Path, tmp_path: Path) -> None:
    evaluated = evaluate_tones(tones, tmp_path)
    older = evaluated.with_name("2025-12-31_23-59-59")
    older.mkdir()
    (older / "metrics.json").write_text("{}")
    compared = evaluated.with_name("2026-02-01_00-00-00")
    (compared / "v1").mkdir(parents=True)
    (compared / "v1" / "metrics.json").write_text("{}")
    (compared / "comparison.json").write_text("{}")
    result = run("report", "slides", "title=Tones of a course")
    assert result.returncode == 0, result.stderr
    assert (
        f"is a comparison; for slides about one of it: run={compared.relative_to(tmp_path) / 'v1'}\n" in result.stdout
    )
    path = Path(result.stdout.split("slides: ")[1].split(" (")[0])
    assert path == evaluated.relative_to(tmp_path) / "slides.pptx"
    metrics = json.loads((evaluated / "metrics.json").read_text())
    slides = slides_of(tmp_path / path)
    assert f"({len(slides)} slides about v1)" in result.stdout
    assert slides[0].shapes.title.text_frame.text == "Tones of a course"
    title = titled(slides, "test clips have every label right").shapes.title.text_frame.text
    assert title.startswith(f"{metrics['joint_accuracy']:.1%} of {metrics['n_joint']} test clips")
    for text in metrics["warnings"]:
        assert f"warning: {text}" in result.stdout
    for slide in slides:  # not where this ran, only where it lies from here
        assert str(tmp_path) not in notes_of(slide) + "".join(texts_of(slide))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["slides"], "there is no evaluation in outputs/runs/evaluate; run `python -m slu.evaluate`"),
        (["poster"], "'poster' is not something to write; known are slides"),
        ([], "say what to write: python -m slu.report slides"),
    ],
)
def test_mistakes_are_one_sentence(run: Run, arguments: list[str], message: str) -> None:
    result = run("report", *arguments)
    assert result.returncode == 2
    assert result.stderr.strip().startswith(f"error: {message}")
    assert len(result.stderr.strip().splitlines()) == 1


def test_the_bare_word_becomes_a_setting() -> None:
    assert name_kind(["slides", "run=a/b"]) == ["kind=slides", "run=a/b"]
    assert name_kind(["title=x", "slides"]) == ["title=x", "kind=slides"]
    assert name_kind(["--cfg", "job", "-m", "slides"]) == ["--cfg", "job", "-m", "kind=slides"]
    assert name_kind([]) == []
    with pytest.raises(UserError, match="'slide' is not"):
        name_kind(["slide"])
