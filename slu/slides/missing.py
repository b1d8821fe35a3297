"""A slide for what is not there: it says so, and what would make it."""

from collections.abc import Sequence

from slu.documents.page import Text
from slu.documents.slide_parts import Slide
from slu.slides.words import Missing


def missing_slide(topic: str, missing: Missing, notes: Sequence[str] = ()) -> Slide:
    return Slide(f"{topic}: {missing.what}", Text(missing.cure_sentence, "warning"), [missing.sentence, *notes])
