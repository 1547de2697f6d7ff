"""Limits: what one caller and all together may ask for, in tables that do not grow."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.errors import OverloadError, TooManyError
from api.access.limits import MAX_CALLERS, Rates, UnderWay, WrongKeys
from api.access.peers import Peer


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(rates: Rates, caller: str, tries: int) -> int:
    """How many of some requests at once are let through."""
    passed = 0
    for _ in range(tries):
        try:
            rates.take(caller)
        except TooManyError:
            continue
        passed += 1
    return passed


# --- rates ---------------------------------------------------------------------------------------


def test_ten_seconds_of_the_rate_may_come_at_once_and_then_the_rate(clock) -> None:
    rates = Rates(60, clock)
    assert taken(rates, "a", 20) == 10
    clock.now = 3.0
    assert taken(rates, "a", 20) == 3
    clock.now = 1000.0
    assert taken(rates, "a", 20) == 10


def test_who_is_told_to_wait_is_let_in_after_that_time(clock) -> None:
    rates = Rates(30, clock)
    taken(rates, "a", 5)
    with pytest.raises(TooManyError) as caught:
        rates.take("a")
    clock.now += caught.value.retry_after_s
    rates.take("a")


def test_callers_have_buckets_of_their_own(clock) -> None:
    rates = Rates(60, clock)
    assert taken(rates, "a", 20) == taken(rates, "b", 20) == 10


def test_a_slow_rate_still_lets_the_first_request_in(clock) -> None:
    assert taken(Rates(1, clock), "a", 5) == 1


def test_no_rate_is_no_limit_and_no_table(clock) -> None:
    rates = Rates(0, clock)
    assert taken(rates, "a", 1000) == 1000
    assert len(rates) == 0


def test_only_the_first_refusal_in_a_row_is_told(clock) -> None:
    rates = Rates(60, clock)
    taken(rates, "a", 10)
    told = []
    for _ in range(3):
        with pytest.raises(TooManyError) as caught:
            rates.take("a")
        told.append(caught.value.first)
    assert told == [True, False, False]
    clock.now = 1.0
    rates.take("a")
    with pytest.raises(TooManyError) as caught:
        rates.take("a")
    assert caught.value.first


def test_many_addresses_do_not_fill_the_memory(clock) -> None:
    rates, wrong = Rates(60, clock), WrongKeys(clock, _no_wait)
    for number in range(MAX_CALLERS + 1000):
        rates.take(f"nobody:{number}")
        asyncio.run(wrong.slow_down(str(number))) if number % 50 == 0 else wrong._count(str(number))
    assert len(rates) == len(wrong) == MAX_CALLERS


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=60))
def test_nobody_ever_gets_more_than_the_rate_and_one_burst(requests) -> None:
    clock = Clock()
    rates = Rates(60, clock)
    passed = dict.fromkeys("abc", 0)
    for caller, pause in requests:
        clock.now += pause
        passed[caller] += taken(rates, caller, 1)
    assert all(count <= 10 + clock.now + 1e-6 for count in passed.values())


# --- under way -----------------------------------------------------------------------------------


def test_places_of_one_and_of_all_are_bounded_and_come_back() -> None:
    places = UnderWay(each=2, together=3)
    with places.place("a"), places.place("a"):
        with pytest.raises(TooManyError) as caught, places.place("a"):
            pass
        assert caught.value.retry_after_s == 1
        with places.place("b"), pytest.raises(OverloadError), places.place("c"):
            pass
        assert (places.total, len(places)) == (2, 1)
    assert (places.total, len(places)) == (0, 0)


def test_a_place_comes_back_after_an_error() -> None:
    places = UnderWay(each=1, together=1)
    with pytest.raises(RuntimeError), places.place("a"):
        raise RuntimeError
    with places.place("a"):
        assert places.total == 1


# --- wrong keys ----------------------------------------------------------------------------------


async def _no_wait(_: float) -> None:
    pass


def waits(clock, tries: int) -> list[float]:
    """How long an address waits for each of its wrong keys."""
    found: list[float] = []

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    async def scene() -> None:
        wrong = WrongKeys(clock, sleep)
        for _ in range(tries):
            await wrong.slow_down("10.0.0.1")

    asyncio.run(scene())
    return found


def test_each_wrong_key_waits_longer_up_to_a_bound(clock) -> None:
    found = waits(clock, 20)
    assert found[:5] == [0.25, 0.5, 1.0, 2.0, 4.0]
    assert set(found[5:]) == {4.0}
    assert len(found) == 18  # two slips are free


def test_after_too_many_wrong_keys_the_answer_is_to_come_later(clock) -> None:
    with pytest.raises(TooManyError, match="密钥过多"):
        waits(clock, 21)


def test_wrong_keys_are_forgotten_after_a_quarter_of_an_hour(clock) -> None:
    wrong = WrongKeys(clock, _no_wait)
    for _ in range(20):
        asyncio.run(wrong.slow_down("a"))
    clock.now = 901.0
    asyncio.run(wrong.slow_down("a"))
    assert wrong._wrong["a"].count == 1


def test_waiting_for_wrong_keys_holds_a_bounded_number_of_requests(clock) -> None:
    async def scene() -> list[object]:
        gate = asyncio.Event()
        wrong = WrongKeys(clock, lambda _: gate.wait())
        asked = [asyncio.create_task(wrong.slow_down(str(n % 30))) for n in range(200)]
        await asyncio.sleep(0)
        assert wrong._waiting == WrongKeys.WAITING
        gate.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(scene())
    assert sum(isinstance(one, TooManyError) for one in found) == 200 - 60 - WrongKeys.WAITING


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("", "", True),
    ],
)
def test_addresses_that_one_customer_may_choose_from_count_as_one(one, other, same) -> None:
    assert (Peer(one, "http").bucket == Peer(other, "http").bucket) is same
