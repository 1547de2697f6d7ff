"""The compiled loop of the first look: the pieces that parts of sites share land with.

The area kernel and the walk along the boundaries in one go, on the pairs that a search by boxes has
found; pairs that only touch are left out. See ``screen``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gis.engine import kernel_loops, trace_loops
from gis.engine.compiled import compiled

Array = np.ndarray[Any, Any]


@compiled
def met(
    at: Array, piece: Array, feature_of: Array,
    a_offsets: Array, a_rows: Array, a_boxes: Array,
    b_offsets: Array, b_rows: Array, b_boxes: Array,
    touch: float, rounding: float, agrees: float,
    part: Array, land: Array, area: Array, x: Array, y: Array, crossings: Array, least: Array,
) -> int:  # fmt: skip
    """Fill in what parts of sites share with pieces of features; return how many pairs do.

    ``at`` and ``piece`` are the pairs; ``part`` and ``land`` take those that share more than
    ``rounding``, the others what the kernel and the trace say of them.
    """
    n = 0
    for k in range(len(at)):
        if feature_of[piece[k]] >= 0:  # dissolved ground belongs to no feature
            part[n], land[n], area[n], crossings[n] = at[k], piece[k], 0.0, 0
            n += 1
    kernel_loops.shared(
        a_offsets, a_rows, a_boxes, b_offsets, b_rows, b_boxes, part[:n], land[:n],
        area[:n], x[:n], y[:n], crossings[:n], touch,
    )  # fmt: skip
    found = 0
    for k in range(n):
        if area[k] > rounding:
            part[found], land[found], area[found] = part[k], land[k], area[k]
            x[found], y[found], crossings[found] = x[k], y[k], crossings[k]
            found += 1
    trace_loops.least(
        a_offsets, a_rows, b_offsets, b_rows, part[:found], land[:found],
        crossings[:found], area[:found], agrees, least[:found],
    )  # fmt: skip
    return found
