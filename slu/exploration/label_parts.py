"""What the tables say, as parts of the page: classes, sentences, speakers."""

from slu.documents.page import Part, Picture, Side, Table, Text
from slu.exploration.figures import MOST_BARS, classes_figure, joint_figure, speakers_figure
from slu.exploration.findings import Findings
from slu.exploration.wording import counted

_SHOWN = 10
_FOLDED = 200
"""Rows of a long table that the page carries at most; eda.json has more."""


def label_parts(findings: Findings) -> list[Part]:
    parts: list[Part] = []
    for head in findings.heads:
        caption = f"Clips per class of {head.name}"
        caption += f"; {head.empty} clips have no label for it." if head.empty else "."
        picture = Picture(classes_figure(head, findings.dataset.sides), f"bars: {caption}", caption)
        rows = [[str(label), *(str(count) for count in row)] for label, *row in head.table.itertuples()]
        parts.append(Side([picture, Table([head.name, *head.table.columns], rows, fold_after=_SHOWN)]))
    together: list[Part] = []
    if findings.joint is not None and findings.joint.size:
        empty = int((findings.joint == 0).to_numpy().sum())
        names = f"{findings.joint.index.name} and {findings.joint.columns.name}"
        which = f"{empty} of" if empty else "all"
        verb = "do not occur" if empty else "occur"
        caption = f"Clips by {names} together; {which} {findings.joint.size} combinations {verb}."
        together.append(Picture(joint_figure(findings.joint), f"heat map of {names}", caption))
    if len(findings.sentences):
        top = findings.sentences.head(_FOLDED)
        rows = [[str(text), *(str(count) for count in row)] for text, *row in top.itertuples()]
        caption = f"Commonest of {counted(len(findings.sentences), 'different sentence')}."
        together.append(Table(["sentence", *top.columns], rows, caption, fold_after=_SHOWN))
    return [*parts, Side(together)] if together else parts


def speaker_parts(findings: Findings) -> list[Part]:
    table = findings.speakers
    caption = "Clips of each speaker; a bar of two colours is a person on both sides of the split."
    if len(table) > MOST_BARS:
        caption = f"How many of the {len(table)} speakers have how many clips, each side of the split for itself."
    picture = Picture(speakers_figure(findings), "bars: clips per speaker", caption)
    rows = [
        [str(name), *(f"{value:.1f}" if isinstance(value, float) else str(value) for value in values)]
        for name, *values in table.head(_FOLDED).itertuples()
    ]
    parts: list[Part] = [Side([picture, Table(["speaker", *table.columns], rows, fold_after=_SHOWN)])]
    if (repeats := findings.repeats) is not None and findings.missing:  # what is heard is compared, sample by sample
        across = f", {repeats.across} of them on both sides of the split" if repeats.across else ""
        text = (
            f"{counted(repeats.sentences, 'sentence is', 'sentences are')} said more than once by the same speaker "
            f"({repeats.clips} clips, up to {repeats.most} times{across}): different takes of a person, but the same "
            "recording again where the speaker is a synthesiser that is not varied."
        )
        parts.append(Text(text))
    return parts
