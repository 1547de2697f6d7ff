"""Units of land area, and rounding of parts that must add up.

The law measures land in m², officials speak of mu (亩) and hectares. One mu is 10000/15 m²
(一亩 = 1/15 公顷); this file is the only place with that number. Convert from unrounded m².
"""

from __future__ import annotations

from collections.abc import Mapping

from gis.rounding import round_parts, round_table

__all__ = [
    "M2_PER",
    "M2_PER_HA",
    "M2_PER_KM2",
    "M2_PER_MU",
    "m2_to_ha",
    "m2_to_km2",
    "m2_to_mu",
    "mu_to_m2",
    "round_parts",
    "round_table",
]

M2_PER_MU = 10000 / 15
M2_PER_HA = 10_000.0
M2_PER_KM2 = 1_000_000.0
# By the name that plan packages write for a unit.
M2_PER: Mapping[str, float] = {
    "m2": 1.0,
    "mu": M2_PER_MU,
    "ha": M2_PER_HA,
    "km2": M2_PER_KM2,
}


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
