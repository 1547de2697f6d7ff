"""Do the sites of one file lie over each other? Duplicates and overlaps, named in pairs.

Each site is sound by itself; together they would count the same land twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely

from gis.model import Remark, Site

# Less is digitising noise along a shared border.
_OVERLAP_M2 = 1.0
_PAIRS_MEASURED = 1_000


def with_neighbours(sites: Sequence[Site]) -> tuple[Site, ...]:
    """Return the sites, each with a warning for every other one of the file that it overlaps."""
    told: dict[int, list[Remark]] = {}
    for a, b, area_m2 in _overlaps(sites):
        smaller = min(sites[a].geometry.area, sites[b].geometry.area)
        same = shapely.equals(sites[a].geometry, sites[b].geometry)
        for one, other in ((a, b), (b, a)):
            name = f"本文件第 {other + 1} 个地块“{sites[other].name}”"
            share = f"{area_m2:.2f} m²（占较小地块的 {area_m2 / smaller:.1%}）"
            text = f"与{name}完全重复" if same else f"与{name}重叠 {share}"
            code = "duplicate_site" if same else "sites_overlap"
            told.setdefault(one, []).append(Remark(code, text))
    return tuple(
        replace(site, warnings=(*site.warnings, *told.get(i, ()))) for i, site in enumerate(sites)
    )


def _overlaps(sites: Sequence[Site]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of sites with the planar area that they share, in order."""
    if len(sites) < 2:
        return
    outlines = np.array([site.geometry for site in sites], dtype=object)
    pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects").T
    for a, b in sorted(pairs[pairs[:, 0] < pairs[:, 1]].tolist())[:_PAIRS_MEASURED]:
        area_m2 = float(shapely.intersection(outlines[a], outlines[b]).area)
        if area_m2 > _OVERLAP_M2:
            yield a, b, area_m2
