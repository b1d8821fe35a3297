"""Corrections: whole after a crash, flagged as they arrive, decided on by a reviewer."""

import datetime
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from slu.audio import segment
from slu.common.errors import UserError
from slu.feedback import AudioFile, FeedbackStore
from slu.feedback.audio import split_of
from slu.feedback.checking import check
from slu.feedback.guards import SILENCE_DB, flooded
from tests.conftest import ROOT, tone
from tests.feedback.helpers import NOON, add, flags, make_store, said, voice
from tests.serving.helpers import audio

CLIP, OTHER = AudioFile("1" * 64, None), AudioFile("2" * 64, None)
WRITER = """
import sys, uuid
from slu.feedback import Answered, AudioFile, Correction, FeedbackStore
store = FeedbackStore(sys.argv[1])
for place in range(100_000):
    name = uuid.uuid4().hex
    correction = Correction(request_id=name, labels={"product": ("milk", "tea")[place % 2]})
    store.add(correction, Answered({"product": "tea"}, 0.4, "v"), AudioFile("1" * 64, None), "c" * 16)
    print(name, flush=True)
"""


def test_what_a_killed_writer_was_told_is_stored_and_flagged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'f.sqlite'}"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert writer.stdout is not None
    told = {writer.stdout.readline().strip() for _ in range(15)}
    writer.kill()
    told |= set(writer.stdout.read().split())
    writer.wait()
    with closing(sqlite3.connect(tmp_path / "f.sqlite")) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    rows = FeedbackStore(url).rows()
    assert told <= {row.request_id for row in rows}
    assert len(rows) <= len(told) + 1, "one may be stored and not yet told"
    assert all("conflict" in row.flags for row in rows), "a row and the flags that it brings are one transaction"


def test_other_labels_for_one_clip_flag_all_of_them_until_one_is_rejected(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    first, second = add(store, CLIP, product="milk"), add(store, CLIP, product="coffee")
    add(store, OTHER, product="coffee")
    assert flags(store) == [("conflict",), ("conflict",), ()]
    again = add(store, CLIP, product="milk")
    assert flags(store)[3] == ("conflict", "duplicate")
    with pytest.raises(
        UserError, match=r"corrections 1 and 2 give one clip different labels \(product milk, quantity 1;"
    ):
        store.accept([first.id, second.id])
    assert {row.state for row in store.rows()} == {"new"}, "all or none"
    store.accept([first.id, again.id])
    with pytest.raises(UserError, match="corrections 1 and 2 give one clip"):
        store.accept([second.id])
    store.reject([second.id])
    assert flags(store) == [(), ("conflict",), (), ("duplicate",)], "what was rejected keeps why"
    add(store, CLIP, product="coffee")
    assert "conflict" in flags(store)[4], "it was rejected before"


def test_a_client_that_floods_is_flagged_for_that_hour_only(tmp_path: Path) -> None:
    store = make_store(tmp_path, per_hour=3)
    minutes = (-100, 0, 10, 20, 59, 200)
    for minute in minutes:
        add(store, client="a" * 16, now=NOON + datetime.timedelta(minutes=minute))
        add(store, client="b" * 16, now=NOON + datetime.timedelta(hours=minute))
    add(store, now=NOON)
    flooding = {row.received for row in store.rows() if "flood" in row.flags}
    assert flooding == {NOON + datetime.timedelta(minutes=minute) for minute in minutes[1:5]}
    assert {row.client for row in store.rows() if "flood" in row.flags} == {"a" * 16}


def test_an_hour_is_any_hour() -> None:
    times = {number: NOON + datetime.timedelta(minutes=minute) for number, minute in enumerate((59, 0, 61, 62, 200))}
    assert flooded(times, 2) == {0, 2, 3}
    assert flooded(times, 3) == set()


def test_silence_and_noise_are_flagged_by_the_answer_and_by_the_sound(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for answer in (said(), said(reason="silence"), said(level_db=-75.0), said(reason="noise"), said(reason="not sure")):
        add(store, answered=answer)
    assert flags(store) == [(), ("silence",), ("silence",), ("noise",), ()]
    add(store, audio(tone(300, 1.0), "FLAC"))
    add(store, voice())
    add(store, AudioFile("3" * 64, "feedback_audio/gone.wav"))
    assert flags(store)[5:] == [(), (), ()], "the server does not listen for it"
    assert check(store) == 2
    assert flags(store)[5:] == [("noise",), (), ()], "a level that never moves is no speech"
    heard = store.rows()[6]
    assert (round(heard.duration_s or 0, 1), len(heard.audio_digest or "")) == (0.9, 32)
    assert check(store) == 0, "once is enough"
    assert segment.SILENCE_DB == SILENCE_DB


def test_the_queue_begins_with_what_the_model_was_surest_of(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    sure = {"product": 0.9, "quantity": 0.6}
    add(store, answered=said(confidences=sure), quantity="2")
    add(store, answered=said(confidences=sure), product="tea")
    add(store, answered=said(confidences=sure), quantity="2", product="milk")
    add(store, answered=said(confidences={}, confidence=0.7), product="milk")
    assert [(row.id, row.disagreement) for row in store.queue()] == [(3, 0.9), (4, 0.7), (1, 0.6), (2, 0.0)]


def test_a_review_is_of_corrections_that_are_there(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    row = add(store)
    for decide in (store.accept, store.reject):
        with pytest.raises(UserError, match="there is no correction 2; "):
            decide([row.id, 2])
    assert store.rows()[0].reviewed_at is None
    store.accept([row.id])
    (row,) = store.rows()
    assert (row.state, row.is_reviewed) == ("accepted", True)
    assert row.reviewed_at is not None
    assert row.reviewed_at.tzinfo is not None


def test_a_fifth_of_clips_is_held_out_wherever_they_arrive() -> None:
    drawn = [split_of(f"{number:064x}") for number in range(2000)]
    assert 0.18 < drawn.count("holdout") / 2000 < 0.22
    assert drawn == [split_of(f"{number:064x}") for number in range(2000)]
