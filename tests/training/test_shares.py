"""Shares of a table: all of it, nothing twice."""

import pytest

from slu.common.errors import UserError
from slu.training.shares import Share


@pytest.mark.parametrize(("total", "count"), [(0, 3), (2, 3), (10, 3), (1000, 16), (7, 7)])
def test_every_row_is_in_one_share_of_nearly_equal_size(total: int, count: int) -> None:
    parts = [list(range(total))[Share(number, count).rows(total)] for number in range(1, count + 1)]
    assert [row for part in parts for row in part] == list(range(total))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_share_reads_as_it_is_written() -> None:
    assert Share.parse("3/16") == Share(3, 16)
    assert str(Share(3, 16)) == "3/16"


@pytest.mark.parametrize("value", ["0/4", "5/4", "1/0", "3", 3, "a/b", "1/2/3", "-1/4", "1/1000000", " 1/2", ""])
def test_anything_else_is_refused_in_a_sentence(value: object) -> None:
    with pytest.raises(UserError, match="shard"):
        Share.parse(value)
