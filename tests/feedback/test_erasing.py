"""One command, and a customer's recording is gone: file, features, and every row's way to it."""

from pathlib import Path

import numpy as np
import pytest

from slu.common.errors import UserError
from slu.common.files import content_hash, short_hash
from slu.feedback import FEEDBACK, training_rows
from slu.feedback.audio import FOLDER
from slu.feedback.erasing import erase
from slu.training.feature_store import read_features
from slu.training.preprocessing import preprocess
from tests.feedback.helpers import TASK, Command, add, make_store, register, voice


def test_everything_of_a_recording_goes_and_nothing_of_the_others(tmp_path: Path, feedback: Command) -> None:
    from slu.corpus.manifest import read_manifest

    store = make_store(tmp_path)
    gone = add(store, voice(300), comment="my name is Budi", client="a" * 16)
    again = add(store, voice(300), product="coffee")
    stays = add(store, voice(400), client="a" * 16)
    store.accept([gone.id, stays.id])
    manifest = tmp_path / "metadata.csv"
    manifest.write_text("file_name,product\n" + "".join(f"{row.audio_path},milk\n" for row in (gone, stays)))
    table = preprocess(read_manifest(manifest), TASK, tmp_path).table
    preprocess(read_manifest(manifest), TASK, tmp_path, store="npy")
    kept = read_features(table["feature_path"].iloc[1])
    digests = [content_hash(tmp_path / str(row.audio_path)) for row in (gone, stays)]
    register(tmp_path, "20260102-000000-aaaaaaaa", (short_hash(digests[0]),))
    register(tmp_path, "20260103-000000-bbbbbbbb", (short_hash(digests[1]),))

    code, out = feedback("erase", f"request={gone.request_id}")
    assert code == 0
    assert f"erased 2 corrections: {gone.id} {again.id}\n" in out
    assert f"recordings: {Path(str(gone.audio_path)).name}\ncached features: 3\n" in out, "of a shard, and two files"
    assert "trained on it before: drinks/20260102-000000-aaaaaaaa; weights do not forget" in out
    assert [file.name for file in (tmp_path / FOLDER).iterdir()] == [Path(str(stays.audio_path)).name]
    assert not read_features(table["feature_path"].iloc[0]).any()
    np.testing.assert_array_equal(read_features(table["feature_path"].iloc[1]), kept)
    assert [len(list((tmp_path / "features").rglob(f"*{digest}*"))) for digest in digests] == [0, 2]
    first, second, third = store.rows()
    for row in (first, second):
        assert (row.state, row.comment) == ("erased", "")
        assert {row.audio_sha256, row.audio_path, row.audio_digest, row.client} == {None}
        assert row.actual, "labels say nothing of who spoke"
    assert third == stays.__class__(**vars(third) | {"id": stays.id})
    assert [row.ids for row in training_rows(store, TASK, unreviewed=True)] == [(stays.id,)]
    with pytest.raises(UserError, match="was erased"):
        store.accept([gone.id])
    store.mark_used([gone.id], "v9")
    assert store.rows()[0].state == "erased"


def test_by_sender_by_hash_by_date_and_never_by_accident(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    rows = [add(store, voice(300 + place), client=f"{place:016x}") for place in range(4)]
    code, out = feedback("erase")
    assert (code, out) == (
        2,
        "error: erase: say whose recordings: audio=SHA256, request=ID, client=HASH or before=DATE\n",
    )
    for setting in ("before=yesterday", "client=10.0.0.1", "audio=*", "before=2026"):
        code, out = feedback("erase", setting)
        assert code == 2, out
        assert out.count("\n") == 1, out
    assert "nothing matches" in feedback("erase", "client=ffffffffffffffff")[1]
    assert "nothing matches" in feedback("erase", "before=2001-01-01")[1]
    assert len(list((tmp_path / FOLDER).iterdir())) == 4
    assert feedback("erase", f"audio={rows[0].audio_sha256}")[0] == 0
    assert feedback("erase", f"client={rows[1].client}")[0] == 0
    assert [row.state for row in store.rows()] == ["erased", "erased", "new", "new"]
    assert feedback("erase", "before=2100-01-01")[1].startswith("erased 2 corrections: 3 4\n")
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_file_without_a_row_and_what_a_killed_writer_left_go_too(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    row = add(store, voice(300))
    name = Path(str(row.audio_path)).name
    (tmp_path / FOLDER / f".{name}.x7").write_bytes(voice(300))
    with store.engine.begin() as connection:
        connection.execute(FEEDBACK.delete())
    code, out = feedback("erase", f"audio={row.audio_sha256}")
    assert (code, out.splitlines()[:2]) == (0, ["erased 0 corrections: none", f"recordings: {name}"])
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_row_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    store = make_store(tmp_path / "out")
    precious = tmp_path / "precious.flac"
    precious.write_bytes(voice(300))
    row = add(store)
    with store.engine.begin() as connection:
        connection.execute(FEEDBACK.update().values(audio_path="../precious.flac"))
    assert erase(store, FEEDBACK.c.id == row.id).recordings == ()
    assert precious.exists()
