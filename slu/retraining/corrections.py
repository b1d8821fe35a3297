"""The corrections that a retraining learns from, as manifests that any other training could read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from slu.common.files import atomic_write, read_json, settings_hash
from slu.feedback import FEEDBACK, FeedbackStore, TrainingRow, training_rows
from slu.feedback.schema import USED
from slu.spec import TaskSpec

TRAIN, HOLDOUT = "train", "holdout"
DECISION = "decision.json"
_AUDIO = "audio"


@dataclass(frozen=True)
class Corrections:
    rows: Sequence[TrainingRow]
    fresh: int
    """Clips that no retraining has been decided on yet."""

    def of(self, split: str) -> list[TrainingRow]:
        return [row for row in self.rows if (row.split == HOLDOUT) == (split == HOLDOUT)]

    @property
    def ids(self) -> list[int]:
        return sorted(number for row in self.rows for number in row.ids)

    def fingerprint(self) -> str:
        return settings_hash([(row.audio_sha256, sorted(row.labels.items()), row.split) for row in self.rows])


def collect(store: FeedbackStore, spec: TaskSpec, home: Path, settings: str, *, unreviewed: bool) -> Corrections:
    """All that may be learnt from, old and new: what a retraining leaves out, it forgets. New is what none used, and
    none under these settings (hashed) has been decided on."""
    rows = training_rows(store, spec, unreviewed)
    known = {row.id for row in store.rows(FEEDBACK.c.state == USED)}
    for decision in home.glob(f"*/{DECISION}"):
        made = read_json(decision)
        if made.get("settings") == settings:
            known.update(made["corrections"])
    return Corrections(rows, sum(not known.issuperset(row.ids) for row in rows))


def write_manifest(rows: Sequence[TrainingRow], spec: TaskSpec, path: Path) -> Path:
    """Recordings are reached through a link beside it, so that what is erased is gone here, too; whoever sent a clip
    stands for its speaker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (link := path.parent / _AUDIO).is_symlink():
        link.symlink_to(rows[0].audio.parent, target_is_directory=True)
    table = pd.DataFrame(
        [
            {
                "file_name": f"{_AUDIO}/{row.audio.name}",
                **{name: row.labels.get(name, "") for name in spec.head_names},
                "speaker": f"client-{row.client or row.audio_sha256[:8]}",
                "source": "feedback",
            }
            for row in rows
        ]
    )
    with atomic_write(path) as file:
        table.to_csv(file, index=False)
    return path
