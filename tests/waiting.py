"""Wait for what other processes and threads do, for as long as a slow machine may need."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# What a slow or shared machine may take longer; the promise itself is measured, not this.
PATIENCE = float(os.environ.get("WUQU_PATIENCE", "4"))
WAIT_S = 60.0


def until(holds: Callable[[], Found], what: object = "", within_s: float = WAIT_S) -> Found:
    """Poll until something holds, and return it; fail with ``what`` when it does not in time."""
    deadline = time.monotonic() + within_s * PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.02)
    return found
