"""Which files of tests cost most? Seconds of processor by file, child processes included.

``python -m pytest --cpu-by-file`` prints the table, in one process: durations alone say little on a
machine that others use too, and nothing of what a service or a browser has used. A child counts
where it is waited for, so a browser counts with the last test of its file.
"""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator

import pytest

_SHOWN = 40


def _used() -> float:
    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


class CpuTimes:
    """Adds up what each test uses, its fixtures included."""

    def __init__(self) -> None:
        self.begun, self.by_file = _used(), Counter[str]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        before = _used()
        try:
            return (yield)
        finally:
            self.by_file[item.path.name] += _used() - before

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("seconds of processor by file")
        for name, seconds in self.by_file.most_common(_SHOWN):
            terminalreporter.line(f"{seconds:8.1f}  {name}")
        tests = sum(self.by_file.values())
        terminalreporter.line(f"{tests:8.1f}  all files")
        terminalreporter.line(f"{_used() - self.begun - tests:8.1f}  finding the tests")
