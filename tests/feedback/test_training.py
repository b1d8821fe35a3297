"""What trains: nothing that nobody accepted, unless the owner says so; and each clip once, on its side."""

from pathlib import Path

import pytest

from slu.feedback import AudioFile, Row, TrainingRow, training_rows
from slu.feedback.audio import split_of
from slu.feedback.store import FeedbackStore
from tests.feedback.helpers import TASK, add, make_store, said, voice


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return make_store(tmp_path)


def ids(rows: list[TrainingRow]) -> list[tuple[int, ...]]:
    return [row.ids for row in rows]


def accepted(store: FeedbackStore, *arguments: object, **facts: object) -> Row:
    row = add(store, *arguments, **facts)  # type: ignore[arg-type]
    store.accept([row.id])
    return row


def test_only_what_was_accepted_trains(store: FeedbackStore) -> None:
    good, new, bad = accepted(store, voice(300)), add(store, voice(400)), add(store, voice(500))
    store.reject([bad.id])
    (row,) = training_rows(store, TASK)
    assert (row.ids, row.labels) == ((good.id,), {"product": "milk", "quantity": "1"})
    assert row.audio.read_bytes() == voice(300)
    assert row.split == good.split == split_of(row.audio_sha256)
    assert ids(training_rows(store, TASK, unreviewed=True)) == [(good.id,), (new.id,)]


def test_what_is_flagged_waits_for_a_review_also_where_the_owner_trusts_the_rest(store: FeedbackStore) -> None:
    kept = add(store, voice(300))
    add(store, voice(400), product="milk")
    add(store, voice(400), product="coffee")
    add(store, voice(500), answered=said(reason="silence"))
    again = add(store, voice(300))
    assert ids(training_rows(store, TASK, unreviewed=True)) == [(kept.id,)], "and a duplicate counts once"
    store.accept([kept.id, again.id])
    assert ids(training_rows(store, TASK)) == [(kept.id, again.id)]


def test_noise_is_found_before_the_unreviewed_trains(store: FeedbackStore) -> None:
    from tests.conftest import tone
    from tests.serving.helpers import audio

    add(store, audio(tone(300, 1.0), "FLAC"))
    assert training_rows(store, TASK, unreviewed=True) == []


def test_used_ones_go_on_training_and_unreviewed_ones_only_while_the_owner_says_so(store: FeedbackStore) -> None:
    good, new = accepted(store, voice(300)), add(store, voice(400))
    store.mark_used([good.id, new.id], "v1")
    store.mark_used([good.id], "v2")
    store.mark_used([good.id], "v2")
    assert [(row.state, row.used_in) for row in store.rows()] == [("used", ("v1", "v2")), ("used", ("v1",))]
    assert ids(training_rows(store, TASK)) == [(good.id,)]
    assert ids(training_rows(store, TASK, unreviewed=True)) == [(good.id,), (new.id,)]
    store.reject([good.id])
    store.mark_used([good.id], "v3")
    assert store.rows()[0].state == "rejected", "somebody decided while it trained"
    assert training_rows(store, TASK) == []


def test_other_tasks_labels_and_lost_recordings_are_left_out(store: FeedbackStore) -> None:
    accepted(store, voice(300), said(task="voices"))
    accepted(store, voice(400), said(labels={"product": "beer", "quantity": "1"}), quantity="2")
    accepted(store, AudioFile("5" * 64, None))
    accepted(store, AudioFile("6" * 64, "feedback_audio/gone.wav"))
    accepted(store)
    early = accepted(store, voice(500), said(task=""))
    unspoken = accepted(store, voice(600), quantity="")
    assert ids(training_rows(store, TASK)) == [(early.id,), (unspoken.id,)]
    assert training_rows(store, TASK)[1].labels["quantity"] == ""
