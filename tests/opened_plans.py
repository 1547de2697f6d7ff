"""Plans opened once for the many commands that run in the process of the tests.

A command that runs as a process of its own opens its plan anew, as it does for its users.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gis.errors import PlanError
from gis.plan.area import Plan, find_plan

_KEPT = 4


class OpenedPlans:
    """The last few plans; a folder in which any file has changed is opened again."""

    def __init__(self) -> None:
        self._plans: dict[tuple[object, ...], Plan] = {}

    def opened(self, path: Path | None, open_plan: Callable[[Path | None], Plan]) -> Plan:
        try:
            root = find_plan(path)
        except PlanError:
            return open_plan(path)
        key = root, *_files(root)
        found = self._plans.pop(key, None) or open_plan(path)
        if not any(entry.postgis for entry in found.file.layer):
            # What stands in a database changes without a file that would tell.
            self._plans[key] = found
        while len(self._plans) > _KEPT:
            del self._plans[next(iter(self._plans))]
        return found

    def lend_to_commands(self, patch: pytest.MonkeyPatch) -> None:
        """Let the commands of this process ask here instead of opening their plan."""
        from gis.commands import common

        first = common.open_plan
        for name in [name for name in sys.modules if name.startswith(("gis.cli", "gis.commands"))]:
            if getattr(sys.modules[name], "open_plan", None) is first:
                patch.setattr(f"{name}.open_plan", lambda path: self.opened(path, first))


def _files(root: Path) -> list[tuple[str, int, int]]:
    found = [(file, file.lstat()) for file in sorted(root.rglob("*"))]
    return [(str(file), stat.st_size, stat.st_mtime_ns) for file, stat in found]
