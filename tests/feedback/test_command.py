"""`python -m slu.feedback`: words, filters, a review, and a sentence for each mistake."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from slu.feedback.clients import KEY_FILE, client_hash
from tests.conftest import RATE
from tests.feedback.helpers import Command, add, make_store, register, said, voice
from tests.serving.helpers import audio


def ids(out: str) -> list[int]:
    return [int(number) for number in re.findall(r"^│ +(\d+) │", out, re.MULTILINE)]


def test_the_list_shows_the_surest_mistakes_first_and_filters(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    add(store, answered=said(confidences={"product": 0.3}), comment="low \x1b[31m[red]?")
    add(store, voice(300), answered=said(confidences={"product": 0.9}), client="c" * 16)
    add(store, voice(300), product="coffee")
    code, out = feedback("list")
    assert (code, ids(out)) == (0, [2, 3, 1])
    assert "product tea > milk" in out
    assert "conflict" in out
    assert "low  [31m[red]?" in out, "nothing of a comment commands the terminal"
    for settings, expected in (
        (["flag=conflict"], [2, 3]), (["flag=none"], [1]), (["client=" + "c" * 16], [2]), (["state=accepted"], []),
        (["task=drinks", "after=2020-01-01", "version=20260101-000000-abcdef01"], [2, 3, 1]),
        (["before=2020-01-01"], []),
    ):  # fmt: skip
        assert ids(feedback("list", *settings)[1]) == expected, settings
    assert ids(feedback("list", "most=1")[1]) == [2]


def test_all_accepts_what_nothing_speaks_against(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    for sound, product in ((voice(300), "milk"), (voice(400), "milk"), (voice(400), "coffee"), (voice(500), "tea")):
        add(store, sound, product=product)
    assert feedback("accept", "all") == (
        0, "2 accepted; 2 flagged left as they are: accept them by number, or with flag=NAME\n",
    )  # fmt: skip
    code, out = feedback("accept", "all", "flag=conflict")
    assert code == 2
    assert "corrections 2 and 3 give one clip different labels" in out
    assert feedback("accept", "3") == (0, "1 accepted\n")
    assert feedback("reject", "2", "1") == (0, "2 rejected\n")
    assert [row.state for row in store.rows()] == ["rejected", "rejected", "accepted", "accepted"]
    assert feedback("reject", "all") == (0, "0 rejected\n")


def test_a_check_measures_and_flags_and_decides_nothing(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    flat = audio(0.1 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32))
    for sound in (voice(300), flat, None):
        add(store, sound)
    assert feedback("check") == (0, "2 recordings measured; 1 of the new corrections flagged\n")
    assert [(row.state, row.flags) for row in store.rows()] == [("new", ()), ("new", ("noise",)), ("new", ())]
    assert feedback("check") == (0, "0 recordings measured; 1 of the new corrections flagged\n")
    assert feedback("check", "3")[0] == 2


def test_a_review_asks_one_by_one_and_keeps_what_was_decided(
    tmp_path: Path, feedback: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path)
    for place in range(4):
        add(store, voice(300 + place), said(confidences={"product": 0.9 - place / 10}), comment="hello")
    answers = iter(["x", "a", "R", ""])

    def ask(_: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", ask)
    code, out = feedback("review")
    assert code == 0
    assert [row.state for row in store.rows()] == ["accepted", "rejected", "new", "new"]
    assert "1 of 4: correction 1 " in out
    assert re.search(r"listen: .*feedback_audio/[0-9a-f]{64}\.flac \((train|holdout), 0\.9 s\)", out)
    assert "1 accepted, 1 rejected, 2 left" in out
    assert "1 of 2: correction 3 " in feedback("review")[1]


def test_export_and_import_by_the_classes_of_the_registry(tmp_path: Path, feedback: Command) -> None:
    store = make_store(tmp_path)
    add(store, voice(300))
    add(store)
    table = tmp_path / "t.csv"
    assert feedback("export", str(table), "flag=none") == (0, f"2 corrections written to {table}\n")
    feedback.outputs = tmp_path / "other"
    code, out = feedback("import", str(table))
    assert (code, out.count("\n")) == (2, 1)
    assert "there is no recogniser of the task 'drinks'" in out
    register(feedback.outputs)
    assert feedback("import", str(table)) == (0, "2 corrections imported\n")
    assert feedback("import", str(table)) == (0, "0 corrections imported, 2 were there already\n")
    assert [row.actual for row in make_store(feedback.outputs).rows()] == [row.actual for row in store.rows()]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "say what to do: list, review, accept"),
        (("lsit",), "'lsit' is not one of list, review"),
        (("list", "3"), "list takes settings only"),
        (("list", "flags=x"), "there is no such setting"),
        (("list", "flag=bad"), "settings.flag: "),
        (("accept",), "accept: name corrections by the numbers"),
        (("accept", "one"), "accept: name corrections by the numbers"),
        (("accept", "9"), "there is no correction 9"),
        (("export",), "export: name one CSV file"),
        (("export", "/dev"), "/dev is a folder, and is not replaced by a file"),
        (("export", "/dev/null/x.csv"), ": /dev/null"),
        (("export", "n" * 300), "the name is too long: nnn"),
        (("import", "none.csv"), "none.csv: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, feedback: Command, arguments: tuple[str, ...], problem: str) -> None:
    make_store(tmp_path)
    code, out = feedback(*arguments)
    assert (code, out.count("\n")) == (2, 1), out
    assert out.startswith("error: ")
    assert problem in out


def test_only_a_server_and_an_import_make_a_database(tmp_path: Path, feedback: Command) -> None:
    nowhere = tmp_path / "nowhere" / "x.sqlite"
    for words in (["list"], ["review"], ["accept", "all"], ["export", str(tmp_path / "t.csv")], ["check"]):
        code, out = feedback(*words, f"feedback=sqlite:///{nowhere}")
        assert code == 2
        assert out == f"error: there are no corrections at {nowhere}; a server stores them, or an import\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (
            "dbs/x.sqlite",
            "feedback=dbs/x.sqlite is no URL of a database; of a file it is feedback=sqlite:///dbs/x.sqlite",
        ),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://me:secret/x", "feedback=postgresql://… cannot be read as a URL of a database; write"),
        ("nothing://me:secret@host/x", "the database cannot be opened: nothing://me:***@host/x: "),
        ("postgresql://me:secret@127.0.0.1:9/x?password=secret", "me:***@127.0.0.1:9/x"),
        ("sqlite:////dev/null", "/dev/null: "),
    ],
)
def test_a_url_that_is_none_is_told_without_its_password(feedback: Command, url: str, problem: str) -> None:
    code, out = feedback("list", f"feedback={url}")
    assert (code, out.count("\n")) == (2, 1), out
    assert problem in out
    assert not re.search("secret|cret@", out)


def test_it_runs_as_a_command(tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("feedback", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: there are no corrections at outputs/feedback.sqlite")
    assert not (tmp_path / "outputs").exists()


def test_a_sender_is_recognised_and_not_known(tmp_path: Path) -> None:
    one, other = client_hash(tmp_path / "a"), client_hash(tmp_path / "b")
    assert one("10.0.0.1") == client_hash(tmp_path / "a")("10.0.0.1") != one("10.0.0.2")
    assert one("10.0.0.1") != other("10.0.0.1"), "without the key an address cannot be tried"
    assert re.fullmatch("[0-9a-f]{16}", str(one("10.0.0.1")))
    assert one("") is None
    assert (tmp_path / "a" / KEY_FILE).stat().st_mode & 0o077 == 0
    assert [file.name for file in (tmp_path / "a").iterdir()] == [KEY_FILE]
