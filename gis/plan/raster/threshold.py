"""From where on does an index count as plants or as water, and who says so?

A number that the caller or ``plan.toml`` gives, the one of the author of the index, or the
threshold that separates this image best. Every share is printed with it.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Literal

import numpy as np

from gis.engine.spectral import BINS, Threshold, otsu
from gis.errors import ClaimError, PlanError
from gis.plan.raster.codes import IndexReader
from gis.plan.raster.file import read_pixels

_MCFEETERS = 0.0
_LOCK = Lock()


def find_threshold(
    reader: IndexReader, index: str, wanted: float | Literal["otsu"] | None
) -> tuple[Threshold, str]:
    """Return the threshold with how it was found, in Chinese; see ``index_shares``."""
    given = {str(name): value for name, value in reader.raster.entry.thresholds.items()}
    stated = given.get(index)
    chosen = wanted if wanted is not None else stated
    if chosen is None and index == "ndwi":
        return Threshold(_MCFEETERS), "McFeeters（1996）：NDWI 大于 0 为水面"
    if chosen is None or chosen == "otsu":
        return _otsu(reader), "大津法（Otsu 1979），按整幅影像的有效像元求得"
    value = float(chosen) if isinstance(chosen, int | float) else float("nan")
    if not -1 < value < 1:
        raise ClaimError(f"阈值“{chosen}”无效", expected="-1 到 1 之间的数，或 otsu")
    origin = "本次指定" if wanted is not None else "规划数据包给定"
    return Threshold(value), f"阈值由{origin}"


def _otsu(reader: IndexReader) -> Threshold:
    """Return the threshold of an image, found once, and by one thread at a time."""
    with _LOCK:
        return _found(reader)


@lru_cache(maxsize=256)
def _found(reader: IndexReader) -> Threshold:
    counts = np.zeros(BINS, dtype=np.int64)
    for pixels in read_pixels(reader.raster, reader.bands):
        counts += reader.counts(pixels)
    found = otsu(counts)
    if found is None:
        raise PlanError(
            f"栅格 {reader.raster.entry.id} 的有效像元没有差别，大津法得不出阈值",
            advice="在 plan.toml 的 thresholds 中写明阈值，或检查影像",
        )
    return found
