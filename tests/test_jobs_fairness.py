"""Whose turn it is: no user waits behind another one's work, however much that is."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gis.jobs.fairness import Candidate, next_job


def job(name: str, owner: str, created: int = 0, served: int = 0, waiting: int = 5, busy: int = 0):
    return Candidate(name, owner, created, served, waiting, busy)


def worked(candidates: list[Candidate], running: int, turns: int, workers: int = 1) -> list[str]:
    """Give out one piece after the other; ``workers`` pieces are under work at any time."""
    order: list[str] = []
    for moment in range(1, turns + 1):
        chosen = next_job(candidates, running)
        if chosen is None:
            break
        order.append(chosen)
        done = order[-workers] if len(order) >= workers else ""
        candidates = [
            replace(
                c,
                served_ms=moment if c.job_id == chosen else c.served_ms,
                waiting=c.waiting - (c.job_id == chosen),
                under_way=c.under_way + (c.job_id == chosen) - (c.job_id == done),
            )
            for c in candidates
        ]
        candidates = [c for c in candidates if c.waiting or c.under_way]
    return order


def test_nothing_waits() -> None:
    assert next_job([], 2) is None
    assert next_job([job("a", "x", waiting=0, busy=1)], 2) is None


def test_a_small_job_of_another_user_does_not_wait_for_a_large_one() -> None:
    order = worked([job("large", "x", 1, waiting=100), job("small", "y", 2, waiting=3)], 2, 10)
    assert order.index("small") <= 1
    assert order[:6].count("small") == 3


def test_jobs_of_one_user_beyond_the_limit_wait_in_their_order() -> None:
    three = [job("c", "x", 3), job("a", "x", 1), job("b", "x", 2)]
    order = worked(three, 2, 15)
    # The third begins when one of the two before it has nothing left to begin.
    assert set(order[:9]) == {"a", "b"}
    assert order[9] == "c"
    assert sorted(order) == ["a"] * 5 + ["b"] * 5 + ["c"] * 5


def test_a_result_does_not_wait_for_the_jobs_of_its_user() -> None:
    result = Candidate("r", "x", 9, 0, 1, 0, is_result=True)
    assert "r" in worked([job("a", "x", 1), job("b", "x", 2), result], 2, 3)


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        job_id=st.uuids().map(str),
        owner=st.sampled_from(["a", "b", "c"]),
        created_ms=st.integers(0, 50),
        served_ms=st.integers(0, 50),
        waiting=st.integers(0, 4),
        under_way=st.integers(0, 2),
        is_result=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda c: c.job_id,
)


@settings(max_examples=200)
@given(CANDIDATES, st.integers(1, 3))
def test_what_is_chosen_waits_and_its_user_is_not_busier_than_another_who_could_be_served(
    candidates, running
) -> None:
    chosen = next_job(candidates, running)
    by_id = {c.job_id: c for c in candidates}
    busy = {o: sum(c.under_way for c in candidates if c.owner == o) for o in "abc"}
    if chosen is None:
        # Only jobs that have to wait for others of their user may be left.
        assert all(not c.waiting for c in candidates if c.is_result)
        return
    assert by_id[chosen].waiting > 0
    for owner in "abc":
        alone = next_job([c for c in candidates if c.owner == owner], running)
        assert alone is None or busy[by_id[chosen].owner] <= busy[owner]


@settings(max_examples=100)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=5), st.integers(1, 3))
def test_users_share_alike_while_they_have_work(sizes, workers) -> None:
    jobs = [job(f"j{n}", f"u{n}", n, waiting=size) for n, size in enumerate(sizes)]
    order = worked(jobs, 2, 200, workers)
    assert len(order) == sum(sizes)
    for end in range(len(order)):
        counts = [order[:end].count(f"j{n}") for n in range(len(sizes))]
        open_ones = [c for c, size in zip(counts, sizes, strict=True) if c < size]
        assert not open_ones or min(open_ones) >= max(counts) - workers - 1
