"""Is a layer displaced against its neighbours as a whole?

Parcels, zones and lines of one plan share vertices, and layers are cut at their coverage. A layer
whose vertices meet hardly any others, but meet more once a known or a rigid shift is undone, is
displaced: drawn on a web map (GCJ-02, BD-09), or taken over from an old datum without conversion. A
layer that meets nothing, such as outlines inside a district, shows nothing here, and neither does a
package that is displaced as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from gis.crs import crs_of, geographic_code
from gis.engine.index import Array
from gis.plan.quality.findings import ERROR, Finding
from gis.plan.quality.layer_data import LayerData
from gis.plan.quality.thresholds import (
    COINCIDENCE_M,
    COINCIDENT_COUNT,
    COINCIDENT_FEW,
    COINCIDENT_GAIN,
    COINCIDENT_SHARE,
    RIGID_COUNT,
    RIGID_LEAST_M,
    RIGID_REACH_M,
    RIGID_RIVAL,
    RIGID_SHARE,
    RIGID_STEPS,
    RIGID_VERTICES,
    SAMPLED_VERTICES,
)
from gis.webmap import BD09, GCJ02, unshifted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Undo = Callable[[FloatArray], FloatArray]
# West, south, east, north of where the public formula means anything, in degrees.
_FORMULA_BOUNDS = (72.0, 0.8, 137.9, 55.9)
# No multiple of each other, and of no length that people draw, metres.
_BESIDE = np.array([(17.3, -5.9), (-23.1, -11.7), (7.7, 31.3), (-41.9, 19.1), (53.7, 29.3)])
_AROUND = [(i << 32) + j for i in (-1, 0, 1) for j in (-1, 0, 1)]


@dataclass(frozen=True, slots=True)
class Shift:
    """A displacement that explains a layer: how to undo it, and what speaks for it.

    ``met`` and ``met_before`` are shares of the vertices that meet other layers with and without
    undoing it.
    """

    layer: str
    kind: str
    undo: Undo
    met: float
    met_before: float
    count: int


def unshift(
    layers: Mapping[str, LayerData], work_epsg: int
) -> tuple[dict[str, LayerData], tuple[Finding, ...]]:
    """Return the layers put back where they belong, and a finding per layer that was displaced.

    The layer that most vertices speak for is put back first, so that a neighbour which only met
    that layer is not accused in its place.
    """
    out, findings = dict(layers), []
    for search in (_web_map_shifts, _rigid_shifts):
        while True:
            found = max(search(out, work_epsg), key=lambda s: (s.count, s.layer), default=None)
            if found is None:
                break
            data = out[found.layer]
            findings.append(_finding(data, found))
            out[found.layer] = _put_back(data, found.undo)
    return out, tuple(findings)


def _put_back(data: LayerData, undo: Undo) -> LayerData:
    placed: Array = np.asarray(data.placed).copy()
    there = ~shapely.is_missing(placed)
    placed[there] = shapely.transform(placed[there], undo)
    return replace(data, placed=placed)


def _finding(data: LayerData, shift: Shift) -> Finding:
    boxes = shapely.bounds(np.asarray(data.placed)[data.usable])
    middle = np.array([(boxes[:, :2].min(axis=0) + boxes[:, 2:].max(axis=0)) / 2])
    back = shift.undo(middle)
    line = shapely.LineString(np.vstack([middle, back]))
    what = {GCJ02: "GCJ-02（火星坐标）", BD09: "BD-09（百度坐标）"}.get(shift.kind, "")
    cause = f"图层带有 {what} 偏移" if what else "图层整体平移，可能由旧基准未经转换而来"
    return Finding(
        data.id,
        "shifted",
        ERROR,
        f"{cause}，约 {line.length:.1f} m：与其他图层重合的顶点原为 {shift.met_before:.1%}，"
        f"消除偏移后为 {shift.met:.1%}",
        value=float(line.length),
        unit="m",
        location=shapely.MultiLineString([line]),
        advice="取得未偏移的原始数据；消除偏移只能近似，不能作为测绘成果",
    )


# --- which vertices meet others ------------------------------------------------------------------


class _Vertices:
    """The vertices of all layers in cells, each with the layer that owns the cell alone."""

    def __init__(self, layers: Mapping[str, LayerData]) -> None:
        self.names = [name for name, data in layers.items() if data.usable.any()]
        self.xy = {name: _distinct(layers[name]) for name in self.names}
        keys = [_cells(self.xy[name]) for name in self.names]
        owners = [np.full(len(k), n, dtype=np.int64) for n, k in enumerate(keys)]
        self._keys, first = np.array([], dtype=np.int64), np.array([], dtype=np.int64)
        self._owner = first
        if keys:
            self._join(np.concatenate(keys), np.concatenate(owners))
        self._borders = {name: _border(layers, name) for name in self.names}

    def _join(self, keys: IntArray, owners: IntArray) -> None:
        order = np.lexsort((owners, keys))
        keys, owners = keys[order], owners[order]
        self._keys, starts = np.unique(keys, return_index=True)
        lowest = np.minimum.reduceat(owners, starts)
        highest = np.maximum.reduceat(owners, starts)
        # A cell with vertices of several layers meets each of them.
        self._owner = np.where(lowest == highest, lowest, -1)

    def met(self, name: str, xy: FloatArray) -> BoolArray:
        """Return for each position whether a vertex of another layer lies there.

        A layer that was cut at its coverage has vertices on the edge of it; they count as well.
        """
        own, cells = self.names.index(name), _cells(xy)
        out = np.zeros(len(cells), dtype=bool)
        for step in _AROUND:
            at = np.searchsorted(self._keys, cells + step)
            at = np.minimum(at, len(self._keys) - 1)
            out |= (self._keys[at] == cells + step) & (self._owner[at] != own)
        border = self._borders[name]
        if border is not None:
            out |= shapely.dwithin(border, shapely.points(xy), COINCIDENCE_M)
        return out

    def others(self, name: str) -> FloatArray:
        """Return the vertices of all other layers, sorted from west to east."""
        xy = [self.xy[other] for other in self.names if other != name]
        joined = np.vstack(xy) if xy else np.zeros((0, 2))
        return joined[np.argsort(joined[:, 0], kind="stable")]


def _border(layers: Mapping[str, LayerData], name: str) -> BaseGeometry | None:
    """Return the edge of the layer's coverage, ready for many questions; None for the bounds."""
    coverage = layers.get(layers[name].entry.coverage)
    if coverage is None or coverage.entry.geometry != "polygon" or not len(coverage.rows):
        return None
    edge: BaseGeometry = shapely.boundary(coverage.union)
    shapely.prepare(edge)
    return edge


def _distinct(data: LayerData) -> FloatArray:
    xy = shapely.get_coordinates(np.asarray(data.placed)[data.usable])
    first = np.unique(_cells(xy), return_index=True)[1]
    return np.asarray(xy[first])


def _cells(xy: FloatArray) -> IntArray:
    grid = np.floor(xy / COINCIDENCE_M).astype(np.int64)
    return (grid[:, 0] << 32) + grid[:, 1]


def _spread(xy: FloatArray, count: int) -> FloatArray:
    """Return at most ``count`` rows, evenly spread over the sorted positions."""
    if len(xy) <= count:
        return xy
    rows = np.linspace(0, len(xy) - 1, count).astype(int)
    return np.asarray(xy[rows])


# --- web maps ------------------------------------------------------------------------------------


def _web_map_shifts(layers: Mapping[str, LayerData], epsg: int) -> Iterator[Shift]:
    vertices = _Vertices(layers)
    for name in vertices.names:
        if not _formula_holds(layers[name], epsg):
            continue
        sample = _spread(vertices.xy[name], SAMPLED_VERTICES)
        before = vertices.met(name, sample)
        for kind in (GCJ02, BD09):
            undo = _without_web_map(epsg, kind)
            hits = vertices.met(name, undo(sample))
            if _speaks(hits, before) and _speaks(hits, _by_chance(vertices, name, undo(sample))):
                yield _shift(name, kind, undo, hits, before)


def _shift(name: str, kind: str, undo: Undo, hits: BoolArray, before: BoolArray) -> Shift:
    return Shift(name, kind, undo, float(hits.mean()), float(before.mean()), int(hits.sum()))


def _speaks(hits: BoolArray, before: BoolArray) -> bool:
    count, share = int(hits.sum()), float(hits.mean())
    enough = count >= COINCIDENT_COUNT or (count >= COINCIDENT_FEW and share >= COINCIDENT_SHARE)
    return enough and count >= COINCIDENT_GAIN * int(before.sum())


def _by_chance(vertices: _Vertices, name: str, xy: FloatArray) -> BoolArray:
    """Return what would be met a little beside; among dense parcels anything meets something."""
    return max((vertices.met(name, xy + step) for step in _BESIDE), key=np.count_nonzero)


def _formula_holds(data: LayerData, epsg: int) -> bool:
    west, south, east, north = _FORMULA_BOUNDS
    xy = _spread(_distinct(data), 10)
    lon, lat = _transformer(epsg).transform(*xy.T)
    return bool(((lon > west) & (lon < east) & (lat > south) & (lat < north)).all())


@cache
def _transformer(epsg: int, *, back: bool = False) -> Transformer:
    ends = crs_of(epsg), crs_of(geographic_code(epsg))
    return Transformer.from_crs(*(ends[::-1] if back else ends), always_xy=True)


def _without_web_map(epsg: int, kind: str) -> Undo:
    out, back = _transformer(epsg), _transformer(epsg, back=True)

    def undo(xy: FloatArray) -> FloatArray:
        lonlat = np.column_stack(out.transform(*xy.T))
        return np.column_stack(back.transform(*unshifted(lonlat, kind).T))

    return undo


# --- rigid shifts --------------------------------------------------------------------------------


def _rigid_shifts(layers: Mapping[str, LayerData], _: int) -> Iterator[Shift]:
    vertices = _Vertices(layers)
    for name in vertices.names:
        sample = _spread(vertices.xy[name], SAMPLED_VERTICES)
        before = vertices.met(name, sample)
        if len(sample) < RIGID_COUNT or before.mean() > RIGID_SHARE:
            continue
        step = _most_frequent_step(_spread(sample, RIGID_VERTICES), vertices.others(name))
        if step is None:
            continue
        undo = _moved(step)
        hits = vertices.met(name, undo(sample))
        is_believed = hits.sum() >= RIGID_COUNT and hits.mean() >= RIGID_SHARE
        if (
            is_believed
            and _speaks(hits, before)
            and _speaks(hits, _by_chance(vertices, name, undo(sample)))
        ):
            yield _shift(name, "rigid", undo, hits, before)


def _moved(step: FloatArray) -> Undo:
    def undo(xy: FloatArray) -> FloatArray:
        return np.asarray(xy + step)

    return undo


def _most_frequent_step(sample: FloatArray, others: FloatArray) -> FloatArray | None:
    """Return the step from the sample to other vertices that occurs most often within reach.

    None where another step as long occurs nearly as often: edges drawn on both sides of a centre
    line, or points in the middle of squares, keep a distance and are not displaced.
    """
    if not len(others):
        return None
    steps, reach = [], _reach(sample, others)
    for x, y in sample:
        low, high = np.searchsorted(others[:, 0], [x - reach, x + reach])
        near = others[low:high]
        steps.append(near[np.abs(near[:, 1] - y) <= reach] - [x, y])
    all_steps = np.vstack(steps)
    if not len(all_steps):
        return None
    around = _around_the_most_frequent(all_steps)
    middle: FloatArray = np.median(all_steps[around], axis=0)
    lengths = np.hypot(*all_steps.T)
    length = float(np.hypot(*middle))
    as_long = all_steps[(np.abs(lengths - length) < 2 * COINCIDENCE_M) & ~around]
    rival = _around_the_most_frequent(as_long).sum() if len(as_long) else 0
    if length < RIGID_LEAST_M or rival >= RIGID_RIVAL * around.sum():
        return None
    return middle


def _reach(sample: FloatArray, others: FloatArray) -> float:
    """Return how far to look, m: less among vertices so dense that the steps would fill memory."""
    low, high = sample.min(axis=0) - RIGID_REACH_M, sample.max(axis=0) + RIGID_REACH_M
    low, high = np.maximum(low, others.min(axis=0)), np.minimum(high, others.max(axis=0))
    count = int(((others >= low) & (others <= high)).all(axis=1).sum())
    steps_per_m2 = len(sample) * count / max(float(np.prod(high - low)), 1.0)
    within_memory = 0.5 * np.sqrt(RIGID_STEPS / max(steps_per_m2, 1e-9))
    return float(min(RIGID_REACH_M, within_memory))


def _around_the_most_frequent(steps: FloatArray) -> BoolArray:
    """Return which steps end in the cell in which most of them end, or in a neighbouring one."""
    cells = _cells(steps)
    found, counts = np.unique(cells, return_counts=True)
    best = found[int(np.argmax(counts))]
    return np.isin(cells, [best + step for step in _AROUND])
