"""A learning-curve study, from its `learning_curve.json`, as a slide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.documents.page import Bullets, Picture
from slu.documents.slide_parts import Rows, Slide
from slu.slides.figures import study_figure
from slu.slides.words import cite

FILE = "learning_curve.json"
_PANELS = 3
_SENTENCES = 4


@dataclass(frozen=True)
class Study:
    path: Path
    question: str
    answer: Sequence[str]
    """Sentences; the first is the verdict."""
    models: Sequence[str]
    conditions: Sequence[str]
    points: Sequence[Mapping[str, Any]]


def read_study(folder: Path) -> Study:
    """Raises UserError when the folder holds no learning curve."""
    path = folder / FILE
    try:
        document = read_json(path)
        question = str(document["question"])
        text = str(document["answer"]).removeprefix(question).strip()
        sentences = [f"{part.rstrip('.')}." for part in text.split(". ") if part]
        points = [dict(point) for point in document["points"]]
        return Study(path, question, sentences, document["models"], document["conditions"], points)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path} is not a learning curve; make one with `python -m slu.train experiment=m1_vs_m2`, "
            "and name its run's folder with study="
        ) from None


def study_slide(study: Study) -> Slide:
    verdict, *rest = study.answer or ["no answer was recorded"]
    chosen = list(study.conditions)
    if len(chosen) > _PANELS:  # the ends and the middle: more panels than that cannot be read
        chosen = [chosen[0], chosen[len(chosen) // 2], chosen[-1]]
    figure = study_figure(study.points, study.models, chosen)
    picture = Picture(figure, "All labels right by number of training voices")
    body = Rows([picture, Bullets([study.question, *rest[:_SENTENCES]])], (1, 0))
    notes = [
        cite(study.path, "question, answer, points"),
        "Lines: mean over the seeds, bands: 95 % intervals, dots: single seeds.",
        *study.answer,
    ]
    return Slide(f"{' against '.join(study.models)}: {verdict.rstrip('.')}", body, notes)
