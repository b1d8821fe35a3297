"""A stage is skipped only when its record says that exactly this was finished."""

from pathlib import Path

import pytest

from slu.common.files import read_json
from slu.common.stage import RECORD, fingerprint, is_fresh, mark_done


def test_fingerprints_follow_what_goes_in() -> None:
    value = fingerprint(seed=1, settings={"a": [1, 2], "b": None})
    assert value == fingerprint(settings={"b": None, "a": [1, 2]}, seed=1)
    assert value != fingerprint(seed=2, settings={"a": [1, 2], "b": None})
    assert value != fingerprint(seed=1, settings={"a": [2, 1], "b": None})


def test_fresh_until_something_changes(tmp_path: Path) -> None:
    assert not is_fresh(tmp_path, "one")
    mark_done(tmp_path, "one", clips=3)
    assert is_fresh(tmp_path, "one")
    assert not is_fresh(tmp_path, "two")
    assert read_json(tmp_path / RECORD) == {"fingerprint": "one", "clips": 3}


@pytest.mark.parametrize("content", [b"", b'{"fingerpr', b"[]", b"null", b"\xff\xfe", b"{}"])
def test_a_damaged_record_means_run_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    assert not is_fresh(tmp_path, "one")
