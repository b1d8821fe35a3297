"""What a customer said is deleted when they ask: recordings, what was computed of them, and every row's way to them.

Labels stay, without a recording, a sender or a comment. Weights that have learned from a recording cannot forget it:
the versions are named that were trained on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.sql.elements import ColumnElement

from slu.common.errors import UserError
from slu.common.files import content_hash, read_json, short_hash
from slu.feedback.audio import FOLDER
from slu.feedback.database import writing
from slu.feedback.entries import Row
from slu.feedback.schema import ERASED, FEEDBACK
from slu.feedback.store import FeedbackStore, chunks
from slu.inference.files import TRAINING
from slu.training.feature_store import forget_features

_TABLE = FEEDBACK.c
_NOTHING: dict[str, Any] = {
    "state": ERASED,
    "audio_sha256": None,
    "audio_path": None,
    "audio_digest": None,
    "client": None,
    "comment": "",
}


@dataclass(frozen=True)
class Erased:
    ids: tuple[int, ...]
    recordings: tuple[str, ...]
    """File names."""
    features: int
    """Parts and files of the features that were computed of them."""
    trained: tuple[str, ...]
    """Versions that learned from one of them, as `orders/20260101-120000-0a1b2c3d`, or as a row names them."""


def erase(store: FeedbackStore, condition: ColumnElement[bool], audio: str | None = None) -> Erased:
    """Rows that the condition holds for, and all others of the same recordings; `audio` is the hash of one that may
    have a file without a row.

    Files go first and the rows' references last: cut short, it is complete after a second time. Raises UserError where
    there is nothing of the kind.
    """
    rows = {row.id: row for row in store.rows(condition, _TABLE.state != ERASED)}
    clips = {row.audio_sha256 for row in rows.values() if row.audio_sha256} | ({audio} if audio else set())
    for some in chunks(clips):
        rows |= {row.id: row for row in store.rows(_TABLE.audio_sha256.in_(some))}
    files = _recordings(store.outputs, rows.values(), clips)
    if not rows and not files:
        raise UserError("nothing matches; `python -m slu.feedback list` shows what there is")
    digests = {row.audio_digest for row in rows.values() if row.audio_digest} | {content_hash(file) for file in files}
    registered = trained_on(store.outputs / "registry", digests)
    noted = {name for row in rows.values() for name in row.used_in} - {name.rpartition("/")[2] for name in registered}
    features = sum(forget_features(store.outputs, digest) for digest in digests)
    for file in files:
        file.unlink(missing_ok=True)
    # A row that came in meanwhile with the same recording loses it, too.
    of_clips = [_TABLE.audio_sha256.in_(some) for some in chunks(clips)]
    with writing(store.engine) as connection:
        for which in (*(_TABLE.id.in_(some) for some in chunks(rows)), *of_clips):
            connection.execute(update(FEEDBACK).where(which).values(**_NOTHING))
    names = {file.name for file in files if not file.name.startswith(".")}
    return Erased(tuple(sorted(rows)), tuple(sorted(names)), features, tuple(sorted(registered | noted)))


def trained_on(registry: Path, digests: Iterable[str]) -> set[str]:
    """Registered versions with one of these content hashes among the clips that trained them."""
    wanted = {short_hash(digest) for digest in digests}
    found = set()
    for file in registry.glob(f"*/*/{TRAINING}"):
        folder = file.parent
        try:
            known = set(read_json(file).get("clips", []))
        except (OSError, ValueError, AttributeError):
            continue
        if known & wanted and not folder.is_symlink():  # `latest` is one of the others
            found.add(f"{folder.parent.name}/{folder.name}")
    return found


def _recordings(outputs: Path, rows: Iterable[Row], clips: Iterable[str]) -> Sequence[Path]:
    """Files that are there, by the rows and by their names; nothing outside the folder for them."""
    home = (outputs / FOLDER).resolve()
    named = {(outputs / row.audio_path).resolve() for row in rows if row.audio_path}
    named |= {file for clip in clips for file in home.glob(f"*{clip}*")}
    return sorted(file for file in named if file.parent == home and file.is_file())
