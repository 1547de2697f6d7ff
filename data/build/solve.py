"""Find the one parameter that makes an area (or length) come out as stated."""

from __future__ import annotations

from collections.abc import Callable


def solve(error: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return t in [low, high] with ``abs(error(t)) <= tolerance`` (regula falsi, Illinois variant).

    Areas of drawn polygons are monotone but kinked where they meet other shapes, so a bracketing
    method is used and the bracket must hold a sign change: a wrong drawing fails loudly.
    """
    at_low, at_high = error(low), error(high)
    if at_low * at_high > 0:
        raise ValueError(f"no root between {low} ({at_low:.1f}) and {high} ({at_high:.1f})")
    side = 0
    for _ in range(200):
        t = (low * at_high - high * at_low) / (at_high - at_low)
        value = error(t)
        if abs(value) <= tolerance:
            return t
        if value * at_high > 0:
            high, at_high = t, value
            at_low = at_low / 2 if side == -1 else at_low
            side = -1
        else:
            low, at_low = t, value
            at_high = at_high / 2 if side == 1 else at_high
            side = 1
    raise ValueError(f"no convergence near {t}: error {value}")
