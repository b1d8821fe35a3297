"""The sound of corrections: only where asked for, never more in memory than there is room, and not for ever."""

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

from slu.common.errors import UserError
from slu.feedback.audio import AudioFile, ending
from slu.serving.job import Job
from slu.serving.kept_audio import KeptAudio
from slu.serving.seats import Seat
from slu.serving.server import make_server
from slu.serving.settings import ServeSettings
from tests.conftest import tone
from tests.serving.helpers import audio


def settings(folder: Path, **changes: object) -> ServeSettings:
    return ServeSettings(bundle=None, task=None, outputs=str(folder), **changes)  # type: ignore[arg-type]


def has_file(kept: KeptAudio, name: str) -> bool:
    stored = kept.store(name)
    return stored is not None and stored.path is not None


def test_nothing_is_held_unless_asked_for(tmp_path: Path) -> None:
    kept = KeptAudio(settings(tmp_path))
    job = Job((b"RIFF sound",), "", "", False, Seat(0, 1))
    kept.hold(job)
    assert kept.store(job.request_id) == AudioFile(hashlib.sha256(b"RIFF sound").hexdigest(), None), "but a hash"
    assert kept.store("0" * 32) is None
    assert not list(tmp_path.iterdir())


def test_the_oldest_is_forgotten_when_there_is_no_room(tmp_path: Path) -> None:
    kept = KeptAudio(settings(tmp_path, keep_audio=True), room=100)
    jobs = [Job((bytes([number]) * 20, b"x" * 20), "", "", True, Seat(0, 1)) for number in range(4)]
    for job in jobs:
        kept.hold(job)
    found = [[has_file(kept, name) for name in job.file_ids] for job in jobs]
    assert found == [[False, False], [False, True], [True, True], [True, True]]
    kept.hold(Job((b"y" * 101,), "", "", False, Seat(0, 1)))
    assert not has_file(kept, jobs[3].request_id + ".1"), "a file without room of its own leaves nothing"


def test_old_files_are_removed_also_when_no_more_are_kept(tmp_path: Path) -> None:
    kept = KeptAudio(settings(tmp_path, keep_audio=True))
    files = []
    for number in range(2):
        job = Job((b"fLaC" + bytes([number]),), "", "", False, Seat(0, 1))
        kept.hold(job)
        stored = kept.store(job.request_id)
        assert stored is not None
        files.append(tmp_path / str(stored.path))
        features = tmp_path / "features" / "logmel-0" / str(stored.digest)[:2] / f"{stored.digest}.npy"
        features.parent.mkdir(parents=True)
        features.touch()
    week = time.time() - 7 * 86_400
    os.utime(files[0], (week, week))
    KeptAudio(settings(tmp_path, keep_audio_days=8)).sweep()
    assert all(file.exists() for file in files)
    KeptAudio(settings(tmp_path, keep_audio_days=6)).sweep()
    assert [file.exists() for file in files] == [False, True]
    assert len(list(tmp_path.rglob("*.npy"))) == 1, "what was computed of a recording goes with it"
    KeptAudio(settings(tmp_path / "nothing there")).sweep()


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_the_ending_is_read_from_the_sound(kind: str) -> None:
    assert ending(audio(tone(300, 0.6), kind)) == kind.lower()


def test_other_sounds_have_endings_too() -> None:
    assert ending(b"\x1aE\xdf\xa3 webm") == "webm"
    assert ending(b"\x00\x00\x00\x20ftypM4A ") == "m4a"
    assert ending(np.zeros(9, np.uint8).tobytes()) == "audio"


def test_it_needs_corrections(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="feedback=none takes no corrections"):
        make_server(settings(tmp_path, keep_audio=True, feedback="none"))
