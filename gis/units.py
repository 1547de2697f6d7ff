"""Units of land area, and rounding of parts that must add up.

The law measures land in m², officials speak of mu (亩) and hectares. One mu is 10000/15 m²
(一亩 = 1/15 公顷); this file is the only place with that number. Convert from unrounded m².
"""

from __future__ import annotations

import math
from collections.abc import Sequence

M2_PER_MU = 10000 / 15
M2_PER_HA = 10_000.0
M2_PER_KM2 = 1_000_000.0


def m2_to_mu(area_m2: float) -> float:
    """Return the area in mu.

    >>> round(m2_to_mu(279_446.67), 2)
    419.17
    """
    return area_m2 / M2_PER_MU


def mu_to_m2(area_mu: float) -> float:
    """Return the area in m² of an area in mu.

    >>> round(mu_to_m2(260), 2)
    173333.33
    """
    return area_mu * M2_PER_MU


def m2_to_ha(area_m2: float) -> float:
    """Return the area in hectares."""
    return area_m2 / M2_PER_HA


def m2_to_km2(area_m2: float) -> float:
    """Return the area in km²."""
    return area_m2 / M2_PER_KM2


def round_parts(parts: Sequence[float], digits: int) -> list[float]:
    """Return the parts rounded so that they add up to the rounded whole.

    Largest-remainder method: each part is rounded down to ``digits`` decimals, and the missing
    units go to the parts with the largest remainders, earlier parts first among equals.

    Parameters
    ----------
    parts
        Unrounded values, all finite and not negative.
    digits
        Decimals of the printed values.

    Returns
    -------
    rounded
        Values in the order of ``parts``; their sum is ``round(sum(parts), digits)``.

    Examples
    --------
    >>> round_parts([1 / 3, 1 / 3, 1 / 3], 2)
    [0.34, 0.33, 0.33]
    """
    if any(not math.isfinite(p) or p < 0 for p in parts):
        raise ValueError(f"parts must be finite and not negative: {list(parts)}")
    scale = 10**digits
    scaled = [p * scale for p in parts]
    # A binary value such as 0.29 * 100 = 28.999999999999996 must not lose a unit to the floor.
    floors = [math.floor(s + 1e-9) for s in scaled]
    missing = round(math.fsum(scaled)) - sum(floors)
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - scaled[i], i))
    for i in order[: max(missing, 0)]:
        floors[i] += 1
    return [f / scale for f in floors]
