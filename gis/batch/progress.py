"""How far is a batch? Told to a callback, or shown as a bar of tqdm in notebook and terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from gis.errors import ClaimError

# Told how many rows are done, and of how many.
Progress: TypeAlias = Callable[[int, int], None]


@contextmanager
def told(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Give what a batch reports to: the callback itself, a bar for True, nothing otherwise.

    Raises
    ------
    ClaimError
        A bar is wanted, and tqdm is not installed.
    """
    if not isinstance(progress, bool):
        yield progress
        return
    if not progress:
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ClaimError(
            "没有安装 tqdm，不能显示进度条", advice='安装可选组件：pip install "wuqu[notebook]"'
        ) from None
    with tqdm(total=0, unit="块", desc="检测") as bar:
        yield _shown(bar)


def _shown(bar: Any) -> Progress:
    """Return what moves a bar of tqdm; its rate speaks of what is done from the first call on."""
    started = False

    def show(done: int, whole: int) -> None:
        nonlocal started
        if started:
            bar.update(done - bar.n)
            return
        started = True
        bar.reset(total=whole)
        # What an earlier run has done would look like speed.
        bar.initial = bar.n = bar.last_print_n = done
        bar.refresh()

    return show
