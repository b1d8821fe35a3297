"""What a training may learn from: accepted corrections whose audio is there, each clip once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slu.feedback.audio import split_of
from slu.feedback.entries import Row
from slu.feedback.guards import same_labels
from slu.feedback.schema import ERASED, FEEDBACK, REJECTED
from slu.feedback.store import FeedbackStore
from slu.spec import TaskSpec


@dataclass(frozen=True)
class TrainingRow:
    ids: tuple[int, ...]
    """Of the corrections that say so, for FeedbackStore.mark_used."""
    audio: Path
    audio_sha256: str
    labels: Mapping[str, str]
    """Of heads of the task; a head that nobody labelled is left out."""
    split: str
    """`holdout` is for measuring, and must never train."""
    client: str | None
    """Whoever sent it first: a stand-in for the speaker, whom nobody knows."""


def training_rows(store: FeedbackStore, task: TaskSpec, unreviewed: bool = False) -> list[TrainingRow]:
    """In the order of arrival, for both sides of the hold-out.

    What was accepted; with `unreviewed`, which is the owner's word, also what nobody has looked at and no guard has
    flagged. Left out is what was rejected or erased, what belongs to another task or has labels that the task does not
    have, what has no audio (any more), and every clip that is given different labels by what is left.
    """
    if unreviewed:
        from slu.feedback.checking import check  # numpy and a decoder

        check(store)
    clips: dict[str, list[Row]] = {}
    for row in store.rows(FEEDBACK.c.state.not_in([REJECTED, ERASED]), FEEDBACK.c.audio_path.is_not(None)):
        allowed = row.is_reviewed or (unreviewed and not row.flags)
        if allowed and row.audio_sha256 and fits(row, task) and (store.outputs / str(row.audio_path)).is_file():
            clips.setdefault(row.audio_sha256, []).append(row)
    return [_one(store, rows) for rows in clips.values() if len({same_labels(row.actual) for row in rows}) == 1]


def fits(row: Row, task: TaskSpec) -> bool:
    """A correction of before tasks were stored is of this one where its labels are."""
    if row.task not in (None, "", task.task):
        return False
    classes = {head.name: head.classes for head in task.heads}
    return bool(row.actual) and all(label in classes.get(name, ()) for name, label in row.actual.items())


def _one(store: FeedbackStore, rows: Sequence[Row]) -> TrainingRow:
    first = rows[0]
    return TrainingRow(
        ids=tuple(row.id for row in rows),
        audio=(store.outputs / str(first.audio_path)).resolve(),
        audio_sha256=str(first.audio_sha256),
        labels=dict(first.actual),
        split=first.split or split_of(str(first.audio_sha256)),  # a server of an earlier version draws none
        client=first.client,
    )
