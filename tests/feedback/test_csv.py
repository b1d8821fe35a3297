"""A CSV out and back is the same; one that is bad anywhere changes nothing; no cell acts as a formula."""

import csv
import shutil
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.feedback.audio import FOLDER
from slu.feedback.cells import raw, safe
from slu.feedback.export import write_csv
from slu.feedback.importing import Imported, import_csv
from tests.feedback.helpers import HEADS, NOON, add, make_store, said, voice

HEADER = "timestamp,audio_path,predicted_product,actual_product,comment\n"


def heads(task: str) -> dict[str, list[str]]:
    if task not in ("", "drinks"):
        raise ValueError(f"there is no recogniser of the task '{task}'")
    return HEADS


def test_out_and_back_is_the_same(tmp_path: Path) -> None:
    store = make_store(tmp_path / "a")
    comment = '=HYPERLINK("http://x","a")\n, "b"\r \'quoted\''
    kept = add(store, voice(300), comment=comment, client="c" * 16, now=NOON)
    add(store, said(reason="silence") and None, said(reason="silence", level_db=-90.0), quantity="")
    used = add(store, voice(400), comment="'=x")
    store.accept([kept.id, used.id])
    store.mark_used([used.id], "v1")
    table = tmp_path / "elsewhere" / "table.csv"
    write_csv(store.rows(), table, store.outputs)

    other = make_store(tmp_path / "b")
    assert import_csv(other, table, heads, keep_states=True) == Imported(3, 0)

    def plain(row: object) -> dict[str, object]:
        return {k: v for k, v in vars(row).items() if k not in ("id", "snr_db", "level_db", "duration_s")}

    assert [plain(row) for row in other.rows()] == [plain(row) for row in store.rows()]
    assert (other.outputs / str(other.rows()[0].audio_path)).read_bytes() == voice(300)
    assert import_csv(other, table, heads) == Imported(0, 3), "a second time they are known"

    third = make_store(tmp_path / "c")
    import_csv(third, table, heads)
    assert [(row.state, row.reviewed_at, row.used_in) for row in third.rows()] == [("new", None, ())] * 3


def test_no_cell_begins_as_a_formula(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    for comment in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"):
        add(store, comment=comment)
    write_csv(store.rows(), tmp_path / "t.csv", tmp_path)
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    begins = {cell[0] for cell in cells if cell and not cell.lstrip("-").replace(".", "").isdigit()}
    assert not begins & set("=+-@\t\r\uff1d")
    assert sum(cell.startswith("'") for cell in cells) == 7


@pytest.mark.parametrize("text", ["", "tea", "=1", "'=1", "''=1", "'tea", "-1", "O'Brien", "a=b"])
def test_a_defused_text_is_read_back_as_it_was(text: str) -> None:
    assert raw(safe(text)) == text
    assert safe(text)[:1] not in ("=", "-")


def test_a_table_kept_by_hand_is_enough(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.flac").write_bytes(voice(300))
    (tmp_path / "t.csv").write_text(
        HEADER.replace("actual_product", "actual_product,actual_quantity")
        + "2026-01-31 12:00,clips\\a.flac,tea,milk,1.0,\n"
        + "\n"
        + "2026-01-31T12:00:00+07:00,,tea,,not mentioned,ok\n",
        encoding="utf-8-sig",
    )
    store = make_store(tmp_path / "out")
    assert import_csv(store, tmp_path / "t.csv", heads) == Imported(2, 0)
    first, second = store.rows()
    assert first.actual == {"product": "milk", "quantity": "1"}
    assert (first.received, second.received.hour) == (NOON, 5)
    assert second.actual == {"product": "tea", "quantity": ""}
    assert (store.outputs / str(first.audio_path)).read_bytes() == voice(300)
    assert (first.split, first.duration_s, len(first.audio_digest or "")) != (None, None, 0)
    assert import_csv(store, tmp_path / "t.csv", heads) == Imported(0, 2)


GOOD = "2026-01-31 12:00,a.flac,tea,milk,\n"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-01-31 12:00,,tea,beer,\n", "product has no class 'beer'; it has tea, coffee, milk; correct it"),
        ("2026-01-31 12:00,,beer,,\n", "it says of no head what was right; fill one of actual_product"),
        ("31 January,,tea,milk,\n", "timestamp '31 January' is not a time; write it as 2026-01-31"),
        (",,tea,milk,\n", "timestamp is empty"),
        ("2026-01-31 12:00,b.flac,tea,milk,\n", "there is no audio at 'b.flac'; correct audio_path"),
        ("2026-01-31 12:00,t.csv,tea,milk,\n", "the audio 't.csv' cannot be used: it is not audio"),
        (f"2026-01-31 12:00,,tea,milk,{'x' * 501}\n", "comment has more than 500 characters"),
        ("2026-01-31 12:00,,tea,milk,x,y\n", "it has more fields than the header"),
        ("2026-01-31 12:00,,tea,milk,a\0b\n", "a character of it cannot be stored"),
        ('2026-01-31 12:00,,tea,milk,"a"b\n', "it is not a CSV table"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_imported(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "a.flac").write_bytes(voice(300))
    (tmp_path / "t.csv").write_text(HEADER + GOOD + line, encoding="utf-8")
    store = make_store(tmp_path / "out")
    with pytest.raises(UserError) as told:
        import_csv(store, tmp_path / "t.csv", heads)
    assert str(told.value).startswith(f"{tmp_path / 't.csv'}:3: {problem}")
    assert store.rows() == []
    assert not (tmp_path / "out" / FOLDER).exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no column 'timestamp'"),
        ("timestamp;actual_product\n", "separated by ';', save it with commas"),
        ("timestamp,comment\n", "has no column 'actual_…'"),
        ("timestamp,actual_product,timestamp\n", "has two columns 'timestamp'"),
        ("timestamp,actual_product\n1,\xe9\n".encode("latin-1"), "is not in UTF-8"),
    ],
)
def test_a_bad_table_is_named(tmp_path: Path, text: str | bytes, problem: str) -> None:
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=problem):
        import_csv(make_store(tmp_path / "out"), tmp_path / "t.csv", heads)
    with pytest.raises(UserError, match="No such file or directory; name a CSV"):
        import_csv(make_store(tmp_path / "out"), tmp_path / "none.csv", heads)


def test_a_database_that_fails_leaves_no_audio_behind(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(voice(300))
    (tmp_path / "t.csv").write_text(HEADER + GOOD, encoding="utf-8")
    store = make_store(tmp_path / "out")

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    store.insert = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="full"):
        import_csv(store, tmp_path / "t.csv", heads)
    assert list((tmp_path / "out" / FOLDER).iterdir()) == []


def test_an_old_export_does_not_bring_back_what_was_erased(tmp_path: Path) -> None:
    from slu.feedback import FEEDBACK
    from slu.feedback.erasing import erase

    store = make_store(tmp_path / "out")
    row = add(store, voice(300))
    write_csv(store.rows(), tmp_path / "t.csv", store.outputs)
    (tmp_path / "out" / FOLDER).rename(tmp_path / "copy")
    text = (tmp_path / "t.csv").read_text().replace(f"out/{FOLDER}", "copy")
    (tmp_path / "t.csv").write_text(text)
    erase(store, FEEDBACK.c.id == row.id)
    assert import_csv(store, tmp_path / "t.csv", heads, keep_states=True) == Imported(0, 1)
    assert store.rows()[0].state == "erased"
    assert not (tmp_path / "out" / FOLDER).exists()
    shutil.rmtree(tmp_path / "copy")
    assert import_csv(store, tmp_path / "t.csv", heads) == Imported(0, 1), "nor does it ask for it"
