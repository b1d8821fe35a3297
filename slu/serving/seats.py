"""Who still waits: a request whose client has gone, or got a 504, is passed over before it costs a worker anything.

As many seats as requests may be answered at a time, in memory that the server's processes share. A seat holds the
ticket of its request and is emptied when nobody waits any more. The process that speaks HTTP writes the tickets and a
worker the count, each an aligned word at a time: there is nothing to lock.
"""

import ctypes
import multiprocessing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seat:
    number: int
    ticket: int
    """Never given twice: whoever has the seat later has another one."""


class Seats:
    def __init__(self, count: int) -> None:
        spawn: Any = multiprocessing.get_context("spawn")  # made before the worker is spawned, and given to it
        self._tickets, self._dropped = spawn.RawArray(ctypes.c_uint64, count), spawn.RawValue(ctypes.c_uint64)
        self.count = count
        self._free = list(range(count))
        self._last = 0

    def take(self) -> Seat | None:
        """None where all are taken."""
        if not self._free:
            return None
        self._last += 1
        seat = Seat(self._free.pop(), self._last)
        self._tickets[seat.number] = seat.ticket
        return seat

    def leave(self, seat: Seat) -> None:
        self._tickets[seat.number] = 0
        self._free.append(seat.number)

    def abandoned(self, seat: Seat) -> bool:
        """Asked by a worker, before it begins; what nobody waits for is counted."""
        if self._tickets[seat.number] == seat.ticket:
            return False
        self._dropped.value += 1
        return True

    @property
    def taken(self) -> int:
        return sum(1 for ticket in self._tickets if ticket)

    @property
    def dropped(self) -> int:
        return int(self._dropped.value)
