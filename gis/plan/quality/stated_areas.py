"""Does the area that each feature states agree with its geometry?

The legal figure is the area on the ellipsoid. A column in another unit, planar instead of
ellipsoidal areas (some 200 ppm a degree off the central meridian), and real mismatches are told
apart, so that the second is never reported as the third.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gis.plan.quality.findings import ERROR, NOTE, WARNING, Finding, collected
from gis.plan.quality.layer_data import LayerData, Surroundings
from gis.plan.quality.thresholds import (
    AREA_M2,
    AREA_SHARE,
    PLANAR_SHARE,
    SAME_UNIT_SHARE,
    SYSTEMATIC_COUNT,
    SYSTEMATIC_SHARE,
    SYSTEMATIC_SPREAD,
)
from gis.units import M2_PER

FloatArray = npt.NDArray[np.float64]
_LABELS = {"m2": "平方米", "mu": "亩", "ha": "公顷", "km2": "平方公里"}
_MOST_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class _Stated:
    """The stated areas of a layer beside the computed ones, for the features that have both."""

    data: LayerData
    rows: npt.NDArray[np.intp]
    numbers: FloatArray

    @property
    def unit(self) -> str:
        return self.data.entry.fields.area_unit

    @cached_property
    def computed(self) -> FloatArray:
        return np.asarray(self.data.areas[self.rows])

    @cached_property
    def declared(self) -> FloatArray:
        """The numbers in m², in the unit that the plan declares."""
        return self.in_m2(self.unit)

    @cached_property
    def rounding(self) -> float:
        """Half of the last digit in use, in the unit of the column."""
        for decimals in range(_MOST_DECIMALS):
            if np.allclose(np.round(self.numbers, decimals), self.numbers, rtol=0, atol=1e-9):
                return 0.5 * float(10.0**-decimals)
        return 0.0

    def in_m2(self, unit: str) -> FloatArray:
        return self.numbers * M2_PER[unit]

    def agrees(self, unit: str) -> npt.NDArray[np.bool_]:
        """Whether each number, taken in a unit, is the computed area within the review standard."""
        allowed = np.maximum(AREA_SHARE * self.computed, self.rounding * M2_PER[unit])
        return np.abs(self.in_m2(unit) - self.computed) <= np.maximum(allowed, AREA_M2)

    @cached_property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """Whether each number is the ellipsoidal area within the rounding."""
        allowed = max(AREA_M2, self.rounding * M2_PER[self.unit])
        return np.abs(self.declared - self.computed) <= allowed

    @cached_property
    def is_planar(self) -> npt.NDArray[np.bool_]:
        """Whether each number is the planar area, in the work CRS or in the CRS of the file."""
        out = np.zeros(len(self.rows), dtype=bool)
        planes = [shapely.area(self.data.solid[self.rows])]
        crs = self.data.crs
        if crs is not None and not crs.is_geographic:
            planes.append(shapely.area(self.data.shapes[self.rows]))
        stated = self.declared
        allowed = np.maximum(PLANAR_SHARE * self.computed, self.rounding * M2_PER[self.unit] + 0.01)
        for plane in planes:
            out |= np.abs(stated - plane) <= allowed
        return out


def area_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield what is wrong with the stated areas of a layer."""
    column = data.column(data.entry.fields.area)
    if column is None or data.entry.geometry != "polygon":
        return
    numbers = pd.to_numeric(pd.Series(column, dtype=object), errors="coerce").to_numpy(dtype=float)
    stated = np.isfinite(numbers) & (numbers > 0)
    lacking = np.flatnonzero(~stated)
    if len(lacking):
        yield data.about(
            "area_missing",
            WARNING,
            lacking,
            "个要素没有填写面积，或填写的不是正数",
            advice="填写椭球面积，只写数字",
            field=data.entry.fields.area,
        )
    rows = data.rows[stated[data.rows]]
    if len(rows):
        yield from _compared(_Stated(data, rows, numbers[rows]))


def _compared(stated: _Stated) -> Iterator[Finding]:
    off = ~stated.is_right
    planar = off & stated.is_planar
    if planar.any():
        yield _planar(stated, planar)
    off &= ~planar
    wrong = off & ~stated.agrees(stated.unit)
    for unit in (u for u in M2_PER if u != stated.unit):
        mixed = wrong & stated.agrees(unit)
        if mixed.any():
            yield from _in_other_unit(stated, mixed, unit)
            wrong &= ~mixed
            off &= ~mixed
    slight = off & ~wrong
    if _is_systematic(stated, slight):
        yield _systematic(stated, slight)
        off &= ~slight
    for position in np.flatnonzero(off):
        yield _mismatch(stated, int(position), is_wrong=bool(wrong[position]))


def _planar(stated: _Stated, planar: npt.NDArray[np.bool_]) -> Finding:
    data, rows = stated.data, stated.rows[planar]
    excess = stated.declared[planar].sum() - stated.computed[planar].sum()
    ppm = excess / stated.computed[planar].sum() * 1e6
    ids = data.names_of(rows)
    return Finding(
        data.id,
        "area_planar",
        NOTE,
        f"{len(rows)} 个要素的 {data.entry.fields.area} 按平面面积填写，"
        f"与椭球面积合计相差 {excess:,.2f} m²（{ppm:.0f} ppm）",
        feature_ids=ids,
        value=float(excess),
        unit="m2",
        field=data.entry.fields.area,
        advice="法定面积为椭球面积；改按椭球面积填写，或在资料中注明",
    )


def _is_systematic(stated: _Stated, slight: npt.NDArray[np.bool_]) -> bool:
    """Whether all of many features deviate alike, as areas on another projection do."""
    if int(slight.sum()) < SYSTEMATIC_COUNT:
        return False
    deviation = (stated.declared / stated.computed - 1.0)[slight]
    middle = float(np.median(deviation))
    return bool(np.mean(np.abs(deviation - middle) <= SYSTEMATIC_SPREAD) >= SYSTEMATIC_SHARE)


def _systematic(stated: _Stated, slight: npt.NDArray[np.bool_]) -> Finding:
    data, rows = stated.data, stated.rows[slight]
    excess = float((stated.declared - stated.computed)[slight].sum())
    ppm = float(np.median((stated.declared / stated.computed)[slight]) - 1.0) * 1e6
    return Finding(
        data.id,
        "area_differs",
        WARNING,
        f"{len(rows)} 个要素的 {data.entry.fields.area} 与椭球面积一致地相差约 {ppm:+.0f} ppm，"
        f"合计 {excess:+,.2f} m²，可能是在其他投影上量算的",
        feature_ids=data.names_of(rows),
        value=excess,
        unit="m2",
        field=data.entry.fields.area,
        location=data.spots(rows),
        advice="按椭球面积重算该字段",
    )


def _in_other_unit(stated: _Stated, mixed: npt.NDArray[np.bool_], unit: str) -> Iterator[Finding]:
    """Yield the whole layer as one finding where most of it is in the other unit."""
    data, said, meant = stated.data, _LABELS[stated.unit], _LABELS[unit]
    rows = stated.rows[mixed]
    ratios = (stated.declared / stated.computed)[mixed]
    if mixed.mean() >= SAME_UNIT_SHARE and len(rows) > 1:
        ids = data.names_of(rows)
        yield Finding(
            data.id,
            "area_unit",
            ERROR,
            f"字段 {data.entry.fields.area} 应以{said}计，实际以{meant}填写（{len(rows)} 个要素）",
            feature_ids=ids,
            value=float(np.median(ratios)),
            unit="ratio",
            field=data.entry.fields.area,
            location=data.spots(rows),
            advice=f'换算该字段，或在 plan.toml 的 fields 中写 area_unit = "{unit}"',
        )
        return
    for row, ratio in zip(rows, ratios, strict=True):
        yield Finding(
            data.id,
            "area_unit",
            ERROR,
            f"要素 {data.ids[row]} 的 {data.entry.fields.area} 应以{said}计，疑以{meant}填写",
            feature_ids=data.names_of([row]),
            value=float(ratio),
            unit="ratio",
            field=data.entry.fields.area,
            location=collected([data.solid[row]]),
            advice="换算后重新填写",
        )


def _share(share: float) -> str:
    return f"{share:.2%}" if share >= 1e-4 else f"{share * 1e6:.0f} ppm"


def _mismatch(stated: _Stated, position: int, *, is_wrong: bool) -> Finding:
    data, row = stated.data, stated.rows[position]
    area = float(stated.computed[position])
    difference = float(stated.declared[position]) - area
    return Finding(
        data.id,
        "area_mismatch" if is_wrong else "area_differs",
        ERROR if is_wrong else WARNING,
        f"要素 {data.ids[row]} 的 {data.entry.fields.area} 比图形的椭球面积 {area:,.2f} m² "
        f"{'多' if difference > 0 else '少'} {abs(difference):,.2f} m²"
        f"（{_share(abs(difference) / area)}）",
        feature_ids=data.names_of([row]),
        value=difference,
        unit="m2",
        field=data.entry.fields.area,
        location=collected([data.solid[row]]),
        advice="核对图形是否改动过而面积没有重算",
    )
