"""By which plan is a job judged? By the one in force when it was read, to its end.

Where releases of a plan follow each other, a worker has the one in force open, and beside it the
last one that a job under way had begun with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gis.batch.identity import package_sha256
from gis.errors import WuquError
from gis.jobs.model import Job
from gis.plan import Plan, load_plan
from gis.plan.releases.folder import active_root, find_release, is_releases


@dataclass(frozen=True, eq=False)
class Opened:
    """A plan that is ready to judge, and the hash of its package."""

    plan: Plan
    sha256: str

    @property
    def package(self) -> tuple[str, str, str]:
        """Hash, id and version, as a job notes them."""
        return self.sha256, self.plan.ref.id, self.plan.ref.version


def opened(plan: Plan) -> Opened:
    """Return a plan with the hash of its package."""
    ready = plan.prepare()
    return Opened(ready, package_sha256(ready))


class Plans:
    """The plans that one worker has open.

    Parameters
    ----------
    where
        The folder of a plan package, or that of its releases; or a plan that is open.

    Raises
    ------
    PlanError
        The plan in force cannot be opened.
    """

    def __init__(self, where: Path | Plan) -> None:
        releases = isinstance(where, Path) and is_releases(where)
        self._folder = where if isinstance(where, Path) and releases else None
        self._root = active_root(self._folder) if self._folder else None
        first = self._root or where
        self._now = opened(load_plan(first) if isinstance(first, Path) else first)
        self._older: Opened | None = None

    def in_force(self) -> Opened:
        """Return the plan in force; the one before while a new one cannot be opened."""
        if self._folder is not None:
            try:
                root = active_root(self._folder)
                if root != self._root:
                    self._now, self._older, self._root = opened(load_plan(root)), self._now, root
            except WuquError:
                pass  # the service says why, and goes on with the one before as well
        return self._now

    def of(self, job: Job) -> Opened | None:
        """Return the plan that a job began with, None when it is gone or another one now."""
        known = next((o for o in (self._now, self._older) if o and o.sha256 == job.plan), None)
        if known is None and self._folder is not None:
            known = self._older = _release(self._folder, job)
        return known


def _release(folder: Path, job: Job) -> Opened | None:
    try:
        found = opened(load_plan(folder / find_release(folder, job.plan_version).release))
    except (WuquError, OSError):
        return None
    return found if found.sha256 == job.plan else None
