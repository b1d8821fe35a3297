"""The order of the slides."""

from slu.documents.slide_parts import Deck
from slu.slides.answer_slide import answer_slide
from slu.slides.breakdown import confidence_slide, head_slides, speakers_slide
from slu.slides.canvas import canvas_slide
from slu.slides.closing import next_slide, weak_slide
from slu.slides.data_slides import data_slides
from slu.slides.errors_slide import errors_slide
from slu.slides.opening import cover_lines, cover_notes, problem_slide, workflow_slide
from slu.slides.results import results_slide, robustness_slides
from slu.slides.sources import Sources
from slu.slides.study import study_slide
from slu.slides.training_slide import training_slide


def build_deck(sources: Sources, title: str | None = None) -> Deck:
    """From the problem to what comes next; what a source lacks is said where it would have been shown."""
    return Deck(
        title=title or f"Spoken language understanding: {sources.task}",
        subtitle=cover_lines(sources),
        notes=cover_notes(sources),
        slides=[
            problem_slide(sources),
            workflow_slide(sources),
            canvas_slide(sources),
            *data_slides(sources),
            training_slide(sources),
            results_slide(sources),
            *robustness_slides(sources),
            *head_slides(sources),
            speakers_slide(sources),
            confidence_slide(sources),
            errors_slide(sources),
            answer_slide(sources),
            *([] if sources.study is None else [study_slide(sources.study)]),
            weak_slide(sources),
            next_slide(sources),
        ],
    )
