"""A share of the rows of a large manifest, for one of several processes or machines."""

import re
from dataclasses import dataclass

from slu.common.errors import UserError

MOST = 100_000


@dataclass(frozen=True)
class Share:
    """The `number`-th of `count` equal parts, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, value: object) -> "Share":
        """`3/16`. Raises UserError for anything else, and for a number that there is not."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", str(value))
        if found is None:
            raise UserError(f"shard: write number/count, as in shard=3/16, got {value!r}")
        number, count = map(int, found.groups())
        if not 1 <= number <= count <= MOST:
            raise UserError(f"shard={value}: numbers run from 1 to the count, and the count to {MOST:,}")
        return cls(number, count)

    def rows(self, total: int) -> slice:
        """Of a table of `total` rows: neighbours, so that each share is read from few folders. May be empty."""
        return slice((self.number - 1) * total // self.count, self.number * total // self.count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
