"""At most so many requests a minute from one client: a bucket of that many for each address, refilled steadily."""

import ipaddress
import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Scope

_CLIENTS = 10_000
"""Known at a time. Beyond it, who has been quiet the longest is forgotten, and starts again with a full bucket."""
_MINUTE = 60.0
OWN_HEADER, OWN = "x-slu-own", secrets.token_hex(16)
"""Of questions that the server puts to itself for a visitor, whose own request was counted. Made before the process
that speaks HTTP is forked, and known to nobody else."""


class RateLimit:
    """`per_minute` requests at once or spread over a minute; none: without a limit."""

    def __init__(
        self, per_minute: int | None, clients: int = _CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_minute, self.clients, self.clock = per_minute, clients, clock
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """Client -> when its bucket will be full again; the one that asked last comes last."""

    def wait_s(self, client: str) -> int:
        """0 where the request may go on, and then it counts; else whole seconds until the next may."""
        if self.per_minute is None:
            return 0
        now, each = self.clock(), _MINUTE / self.per_minute
        full_at = max(now, self._full_at.get(client, now)) + each
        late = full_at - now - _MINUTE
        allowed = late <= 1e-6
        self._full_at[client] = full_at if allowed else full_at - each
        self._full_at.move_to_end(client)
        if len(self._full_at) > self.clients:
            self._full_at.popitem(last=False)
        return 0 if allowed else math.ceil(late)

    def give_back(self, client: str) -> None:
        """Its last request does not count."""
        if self.per_minute is not None and client in self._full_at:
            self._full_at[client] -= _MINUTE / self.per_minute

    def __len__(self) -> int:
        return len(self._full_at)


def client_of(scope: Scope, *, trust_proxy: bool) -> str:
    """The address that asks. Behind a trusted proxy, the one that the proxy itself appended to X-Forwarded-For, which
    is the last: whatever stands before it was sent by the client.
    """
    peer = str((scope.get("client") or ("",))[0])
    if not trust_proxy:
        return _network(peer) or peer
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    last = forwarded[-1].decode("latin-1").rpartition(",")[2].strip() if forwarded else ""
    return _network(last) or _network(peer) or peer


def _network(address: str) -> str:
    """Of IPv6 the first half, of which one household has all; empty for what is no address. Some proxies append a
    port."""
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^([\d.]+):\d+$", r"\1\3", address)
    try:
        known = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address):
        mapped = known.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
