"""Do the sites of one file lie over each other? Duplicates and overlaps, named in pairs.

Each site is sound by itself; together they would count the same land twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.model import Remark, Site

# Less is digitising noise along a shared border.
_OVERLAP_M2 = 1.0
# Pairs that are measured in a file, and those that are named beside one site.
_PAIRS_MEASURED = 5_000
_NAMED = 10


def with_neighbours(sites: Sequence[Site]) -> tuple[Site, ...]:
    """Return the sites, each with warnings about the others of the file that it overlaps."""
    if len(sites) < 2:
        return tuple(sites)
    outlines = np.array([site.geometry for site in sites], dtype=object)
    pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects").T
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    told: list[list[Remark]] = [[] for _ in sites]
    for a, b in pairs[:_PAIRS_MEASURED].tolist():
        found = _overlap(sites[a].geometry, sites[b].geometry)
        if found is not None:
            told[a].append(_remark(b, sites[b], *found))
            told[b].append(_remark(a, sites[a], *found))
    unmeasured = set(pairs[_PAIRS_MEASURED:].ravel().tolist())
    return tuple(
        replace(site, warnings=(*site.warnings, *_listed(told[i], more=i in unmeasured)))
        for i, site in enumerate(sites)
    )


def _overlap(first: BaseGeometry, second: BaseGeometry) -> tuple[str, str] | None:
    """Return code and words for what two outlines share; None when that is only noise."""
    area_m2 = float(shapely.intersection(first, second).area)
    if area_m2 <= _OVERLAP_M2:
        return None
    if shapely.equals(first, second):
        return "duplicate_site", "完全重复"
    share = area_m2 / min(first.area, second.area)
    return "sites_overlap", f"重叠 {area_m2:.2f} m²（占较小地块的 {share:.1%}）"


def _remark(position: int, other: Site, code: str, words: str) -> Remark:
    return Remark(code, f"与本文件第 {position + 1} 个地块“{other.name}”{words}")


def _listed(found: Sequence[Remark], *, more: bool) -> list[Remark]:
    """Return the first warnings, and one that counts the rest."""
    rest = len(found) - _NAMED
    if rest <= 0 and not more:
        return list(found)
    count = f"{rest} 个以上" if more else f"{rest} 个"
    text = f"另与本文件 {count}地块重叠或重复" if rest > 0 else "与本文件更多地块重叠，未逐一比对"
    return [*found[:_NAMED], Remark("sites_overlap", text)]
