"""Whose turn is it? The next job, so that one user with much to do does not hold up all others.

The user with the fewest pieces under work comes first, of those the one who was served longest ago;
of this user's jobs, among the few that may run at once, the one that was served longest ago. So two
users share the workers half and half, whatever the sizes of their jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job with work that waits, or is under way.

    ``waiting`` and ``under_way`` count its pieces; ``is_result`` is whether all that waits are
    files of a finished job, which do not count as running.
    """

    job_id: str
    owner: str
    created_ms: int
    served_ms: int
    waiting: int
    under_way: int
    is_result: bool = False


def next_job(candidates: Sequence[Candidate], running: int) -> str | None:
    """Return the job whose piece is worked on next; None when nothing may be.

    Parameters
    ----------
    candidates
        All jobs with open work.
    running
        How many jobs of one user are worked on at once; the others wait in their order.
    """
    open_jobs = [c for c in _eligible(candidates, running) if c.waiting]
    if not open_jobs:
        return None
    busy: dict[str, int] = {}
    served: dict[str, int] = {}
    for c in candidates:
        busy[c.owner] = busy.get(c.owner, 0) + c.under_way
        served[c.owner] = max(served.get(c.owner, 0), c.served_ms)

    def turn(c: Candidate) -> tuple[int, int, str, int, int, str]:
        return busy[c.owner], served[c.owner], c.owner, c.served_ms, c.created_ms, c.job_id

    return min(open_jobs, key=turn).job_id


def _eligible(candidates: Iterable[Candidate], running: int) -> list[Candidate]:
    """Return the oldest few unfinished jobs of each user, and every file of a finished one."""
    found: list[Candidate] = []
    counts: dict[str, int] = {}
    for c in sorted(candidates, key=lambda c: (c.created_ms, c.job_id)):
        if c.is_result:
            found.append(c)
        elif counts.get(c.owner, 0) < running:
            counts[c.owner] = counts.get(c.owner, 0) + 1
            found.append(c)
    return found
