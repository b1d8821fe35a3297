"""A limit per client: what it lets through, who counts as one client, and that it forgets."""

import pytest

from slu.serving.rate_limit import RateLimit, client_of


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minute_of_requests_at_once_and_then_as_they_come_back() -> None:
    clock = Clock()
    limit = RateLimit(6, clock=clock)
    assert [limit.wait_s("a") for _ in range(6)] == [0] * 6
    assert limit.wait_s("a") == 10, "a sixth of a minute"
    assert limit.wait_s("b") == 0, "another client is not held"
    clock.now += 4
    assert limit.wait_s("a") == 6, "what was refused is not counted"
    clock.now += 6
    assert [limit.wait_s("a") for _ in range(2)] == [0, 10]
    clock.now += 60
    assert [limit.wait_s("a") for _ in range(7)] == [0] * 6 + [10]


def test_what_is_given_back_is_one_request_and_not_those_before_it() -> None:
    limit = RateLimit(6, clock=Clock())
    assert [limit.wait_s("a") for _ in range(5)] == [0] * 5
    for _ in range(3):
        assert limit.wait_s("a") == 0
        limit.give_back("a")
    assert [limit.wait_s("a") for _ in range(2)] == [0, 10]


def test_without_a_limit_nothing_is_counted() -> None:
    limit = RateLimit(None)
    assert {limit.wait_s("a") for _ in range(1000)} == {0}
    assert len(limit) == 0


def test_invented_clients_do_not_grow_it_and_who_keeps_asking_stays_known() -> None:
    limit = RateLimit(1, clients=100, clock=Clock())
    limit.wait_s("loud")
    for number in range(5000):
        limit.wait_s(f"invented {number}")
        assert limit.wait_s("loud") > 0
    assert len(limit) == 100


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("10.0.0.1", [], False, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], False, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], True, "1.2.3.4"),
        ("10.0.0.1", ["invented, 1.2.3.4"], True, "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9", "1.2.3.4"], True, "1.2.3.4"),
        ("10.0.0.1", ["no address"], True, "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4:5678"], True, "1.2.3.4"),
        ("10.0.0.1", ["[2001:db8::1]:443"], True, "2001:db8::/64"),
        ("10.0.0.1", [], True, "10.0.0.1"),
        ("2001:db8::1", [], False, "2001:db8::/64"),
        ("2001:db8::ffff:2%eth0", [], False, "2001:db8::/64"),
        ("::ffff:10.0.0.1", [], False, "10.0.0.1"),
    ],
)
def test_who_asks(peer: str, forwarded: list[str], trusted: bool, client: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert client_of({"client": (peer, 1), "headers": headers}, trust_proxy=trusted) == client


def test_a_client_without_an_address_is_one_client() -> None:
    assert client_of({"client": None, "headers": []}, trust_proxy=True) == ""
