"""Both bars of a batch: their rate and remaining time speak of this run only."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from gis.batch.progress import told
from gis.commands.batch import _bar

WHOLE = 10_000
# What an earlier run had done, seconds for a chunk of 1,000 rows, chunks that this run has done,
# and by hand the remaining time: (WHOLE - before - 1,000 chunks) / rate.
RUNS = [
    (0, 10, 2, "01:20"),
    (6_000, 10, 1, "00:30"),
    (6_000, 10, 2, "00:20"),
    (8_000, 40, 1, "00:40"),
    (0, 40, 2, "05:20"),
]


class Clock:
    """Seconds, moved by hand."""

    now = 1e6

    def __call__(self) -> float:
        return self.now


def work(tell: Callable[[int, int], None], clock: Clock, before: int, step: int, chunks: int):
    """Read rows for a while, then do some chunks."""
    clock.now += 500
    tell(before, WHOLE)
    for chunk in range(1, chunks + 1):
        clock.now += step
        tell(before + 1_000 * chunk, WHOLE)


@pytest.mark.parametrize(("before", "step", "chunks", "remaining"), RUNS)
def test_the_bar_of_tqdm_leaves_out_what_was_done_before(
    before, step, chunks, remaining, monkeypatch, capsys
) -> None:
    clock = Clock()
    monkeypatch.setattr("tqdm.std.time", clock)
    with told(True) as tell:
        assert tell is not None
        work(tell, clock, before, step, chunks)
        shown = capsys.readouterr().err.rpartition("\r")[2]
    spent = f"{step * chunks // 60:02}:{step * chunks % 60:02}"
    assert f" {before + 1_000 * chunks}/{WHOLE} " in shown
    assert f"[{spent}<{remaining}, {1_000 / step:.2f}块/s]" in shown


@pytest.mark.parametrize(("before", "step", "chunks", "remaining"), RUNS)
def test_the_bar_of_the_command_leaves_out_what_was_done_before(
    before, step, chunks, remaining, monkeypatch
) -> None:
    clock, screen = Clock(), io.StringIO()
    terminal = {"force_terminal": True, "color_system": None, "_environ": {"TERM": "xterm"}}
    console = Console(file=screen, width=100, get_time=clock, **terminal)
    monkeypatch.setattr("gis.commands.batch.stderr", lambda: console)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with _bar(quiet=False) as tell:
        work(tell, clock, before, step, chunks)
        earlier = len(screen.getvalue())
    shown = screen.getvalue()[earlier:]
    assert f"{before + 1_000 * chunks}/{WHOLE}" in shown
    assert f"{1_000 / step:.0f} 个/秒" in shown
    assert f"0:{remaining}" in shown


@pytest.mark.parametrize("done", [0, WHOLE])
def test_a_bar_that_has_seen_no_work_tells_no_rate(done, monkeypatch, capsys) -> None:
    clock = Clock()
    monkeypatch.setattr("tqdm.std.time", clock)
    with told(True) as tell:
        assert tell is not None
        clock.now += 500
        tell(done, WHOLE)
        clock.now += 10
    assert "?块/s]" in capsys.readouterr().err.rpartition("\r")[2]
