"""The mistakes: the ones that the model was surest of, and the pairs that it confuses."""

from slu.documents.page import Bullets, Table
from slu.documents.slide_parts import Rows, Slide, SlidePart
from slu.evaluation.verdict import described, hardest_condition
from slu.slides.breakdown import pair_sentences
from slu.slides.missing import missing_slide
from slu.slides.predictions import Predictions
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted, percent, shown

_MISTAKES = 8
_PAIRS = 3


def errors_slide(s: Sources) -> Slide:
    if isinstance(s.predictions, Missing):
        return missing_slide("Error analysis", s.predictions)
    p = s.predictions
    wrong, total = int((~p.right).sum()), len(p.right)
    sentences = [f"Most confused, {text}" for text in pair_sentences(s.metrics["heads"], _PAIRS)]
    hardest = hardest_condition(s.metrics["conditions"])
    if hardest is not None:
        under = pair_sentences(hardest[1]["heads"], _PAIRS)
        sentences += [f"Under {described(hardest[0])}, {text}" for text in under]
    parts: list[SlidePart] = [_table(p, p.confident_mistakes(_MISTAKES))] if wrong else []
    parts.append(Bullets(sentences or ["No two classes were confused."]))
    have = "has" if wrong == 1 else "have"
    title = f"None of {counted(total, 'clip')} has a wrong label"
    if wrong:
        title = f"{wrong:,} of {counted(total, 'clip')} ({percent(wrong / total)}) {have} a wrong label"
        surest = p.confidence[p.confident_mistakes(1)[0]]
        title += f"; the surest mistake states a confidence of {surest:.2f}"
    notes = [
        cite(p.path, "mistakes with their confidence"),
        cite(s.metrics_path, "confusion of every head, clean and under the hardest condition"),
        f"To listen to them: {shown(s.run / 'report.html')}",
    ]
    return Slide(title, Rows(parts, (2, 1) if wrong >= _MISTAKES else (0, 1) if wrong else ()), notes)


def _table(p: Predictions, rows: list[int]) -> Table:
    texts = "text" in p.table.columns and bool((p.table["text"] != "").any())
    cells = []
    for row in rows:
        heads = p.wrong_heads(row)
        understood = "yes" if p.table["understood"].iloc[row] == "True" else "no"
        cells.append(
            [
                p.name(row),
                *([str(p.table["text"].iloc[row])] if texts else []),
                p.labels(row, only=heads),
                p.labels(row, heard=True, only=heads),
                f"{p.confidence[row]:.2f}",
                understood,
            ]
        )
    columns = ["clip", *(["words"] if texts else []), "said", "heard", "confidence", "acted on"]
    return Table(columns, cells, text_columns=tuple(range(len(columns) - 2)))
