"""The guards over all that is stored: kept sound is listened to, and every flag is as it should be now."""

from pathlib import Path
from typing import Any

from sqlalchemy import update

from slu.audio.decode import AudioError
from slu.common.files import content_hash
from slu.feedback.audio import measure_sound
from slu.feedback.database import writing
from slu.feedback.entries import Row
from slu.feedback.guards import OF_SOUND, merged, sound_flags
from slu.feedback.schema import ERASED, FEEDBACK
from slu.feedback.store import FeedbackStore, rows_of

_TABLE = FEEDBACK.c


def check(store: FeedbackStore) -> int:
    """Measure what has not been measured, and renew the flags for sound and clips; how many clips were measured.

    A server only knows the level of what it answered; whether anything stands out of the sound is found here. A
    correction of before there were flags gets its own, too.
    """
    unmeasured = _TABLE.audio_path.is_not(None) & _TABLE.snr_db.is_(None) & (_TABLE.state != ERASED)
    found = {row.id: facts for row in store.rows(unmeasured) if (facts := _facts(row, store.outputs))}
    with writing(store.engine) as connection:
        rows = rows_of(connection, _TABLE.state != ERASED)
        for row in rows:
            facts = found.get(row.id, {})
            level, snr = facts.get("level_db", row.level_db), facts.get("snr_db", row.snr_db)
            flags = merged(row, sound_flags(row.reason, level, snr), OF_SOUND)
            changes = facts | ({"flags": flags} if flags != list(row.flags) else {})
            if changes:
                connection.execute(update(FEEDBACK).where(_TABLE.id == row.id).values(**changes))
        store.flag_clips(connection, {row.audio_sha256 for row in rows})
    return len(found)


def _facts(row: Row, outputs: Path) -> dict[str, Any]:
    """Empty where the file is gone, or nothing can be made of it."""
    path = outputs / str(row.audio_path)
    try:
        sound, digest = measure_sound(path), content_hash(path)
    except (AudioError, OSError):
        return {}
    return {
        "duration_s": sound.duration_s,
        "level_db": sound.level_db,
        "snr_db": sound.snr_db,
        "audio_digest": digest,
    }
