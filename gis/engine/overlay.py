"""How much of a site lies on each layer, and how near is what it must keep away from?

Measures one site against all layers of a plan with GEOS overlays. Knows no rule: it answers the
demands that it is given, and lists evidence for every layer whatever the demands are.

Conventions: areas of overlapping features count once; a shared edge or corner is no overlap; sums
run in the order of feature ids (``math.fsum``), so that equal input gives equal bits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.engine.crop import Crops
from gis.engine.index import Array, LayerIndex
from gis.model import (
    Area,
    Demand,
    Evidence,
    LayerReport,
    LayerState,
    Measure,
    Near,
    Quantity,
    Site,
    Sliver,
)

# Two polygons that share an edge may overlap by rounding: 1e-8 m times a kilometre is 1e-5 m².
# Parts under 1e-4 m² are that noise, a hundred times below the last printed digit.
NOISE_M2 = 1e-4
# A site drawn at the very distance from the edge of a coverage may miss it by rounding.
_EDGE_M = 1e-6


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything measured for one site; demands on a layer without answer have no measure."""

    evidence: tuple[Evidence, ...]
    measures: Mapping[Demand, Measure]
    reports: tuple[LayerReport, ...]


def measure(
    site: Site,
    layers: Iterable[LayerIndex],
    demands: Iterable[Demand],
    *,
    coverages: Mapping[str, BaseGeometry | None],
) -> Measurement:
    """Measure one site.

    Parameters
    ----------
    site
        Valid polygon in the work CRS.
    layers
        The layers of the plan, in the order of the answer.
    demands
        What the rules want to know; several may name one layer.
    coverages
        Per layer id the polygon inside which absence of a feature means absence, or None when
        that is unknown.
    """
    wanted = sorted(set(demands), key=_demand_order)
    evidence: list[Evidence] = []
    measures: dict[Demand, Measure] = {}
    reports: list[LayerReport] = []
    uncovered, crops = _UncoveredShares(site), Crops(site.geometry)
    for layer in layers:
        report = _report(layer, uncovered.of(coverages.get(layer.info.id)))
        reports.append(report)
        if report.state is not LayerState.CHECKED:
            continue
        own = [d for d in wanted if d.layer == layer.info.id]
        overlay = _Overlay(site, crops, layer, coverages.get(layer.info.id))
        evidence.extend(overlay.evidence())
        for demand in own:
            measures[demand] = overlay.answer(demand)
        evidence.extend(_distances(layer, [measures[d] for d in own]))
    return Measurement(tuple(evidence), measures, tuple(reports))


def _demand_order(d: Demand) -> tuple[object, ...]:
    return (d.layer, d.quantity.value, d.classes, d.excluding, d.within_m, d.geometry)


class _UncoveredShares:
    """Share of one site outside a coverage; most layers of a plan share the same coverage."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[int, float] = {}

    def of(self, coverage: BaseGeometry | None) -> float | None:
        """Return 0-1, or None when the coverage is unknown."""
        if coverage is None:
            return None
        if id(coverage) not in self._known:
            outside = parts_of(shapely.difference(self._site.geometry, coverage))
            self._known[id(coverage)] = _share(_ellipsoidal(outside, self._site), self._site)
        return self._known[id(coverage)]


def _report(layer: LayerIndex, uncovered: float | None) -> LayerReport:
    """State of the layer for this site; a site wholly outside the coverage has no data."""
    info, state, reason = layer.info, layer.state, layer.reason
    if state is LayerState.CHECKED and uncovered is not None and uncovered >= 1 - 1e-9:
        state, reason = LayerState.NO_DATA, "地块在该图层的数据覆盖范围之外"
    return LayerReport(info, state, layer.content_sha256, uncovered, reason)


def parts_of(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons of an overlay result, without lines, points and rounding noise."""
    parts = shapely.get_parts(geometry, return_index=False)
    return [p for g in parts for p in shapely.get_parts(g) if p.geom_type == "Polygon" and _real(p)]


def _real(part: BaseGeometry) -> bool:
    return bool(part.area > NOISE_M2)


def _ellipsoidal(parts: Iterable[Polygon], site: Site) -> float:
    return math.fsum(ellipsoidal_area(p, site.crs.work_epsg) for p in parts)


def _share(area_m2: float, site: Site) -> float:
    return min(area_m2 / site.area.ellipsoidal_m2, 1.0)


def _distances(layer: LayerIndex, measures: Sequence[Measure]) -> list[Evidence]:
    """One evidence row per class: the nearest feature whose edge is known."""
    nearest: dict[str, Near] = {}
    for near in (n for m in measures for n in m.near if n.edge_m is not None):
        best = nearest.get(near.cls or "")
        if best is None or (near.edge_m, near.feature_id) < (best.edge_m, best.feature_id):
            nearest[near.cls or ""] = near
    return [
        Evidence(
            layer.info.id,
            n.cls,
            n.name,
            "distance",
            distance_m=n.edge_m,
            feature_ids=(n.feature_id,),
        )
        for _, n in sorted(nearest.items())
    ]


class _Overlay:
    """One site over one layer; each feature is cut once and reused by every demand."""

    def __init__(
        self, site: Site, crops: Crops, layer: LayerIndex, coverage: BaseGeometry | None
    ) -> None:
        self.site = site
        self.crops = crops
        self.layer = layer
        self.coverage = coverage
        self.hits = layer.meeting(site.geometry)
        self._pieces: dict[int, list[Polygon]] = {}

    def answer(self, demand: Demand) -> Measure:
        """Return the measure of one demand."""
        match demand.quantity:
            case Quantity.INSIDE:
                return self._area(demand, *self._inside(demand))
            case Quantity.OUTSIDE:
                return self._area(demand, *self._outside(demand))
            case Quantity.DISTANCE:
                return self._distance(demand)
            case Quantity.LENGTH | Quantity.COUNT:
                return self._length_or_count(demand)

    # --- pieces ---

    def pieces(self, position: int) -> list[Polygon]:
        """Return the polygons of the overlap with one feature."""
        if position not in self._pieces:
            feature = self.layer.geometries[position]
            cut = shapely.intersection(self.crops.around(feature), feature)
            self._pieces[position] = parts_of(cut)
        return self._pieces[position]

    def _touched(self, positions: Array) -> list[int]:
        return [int(i) for i in positions if self.pieces(int(i))]

    def _inside(self, demand: Demand) -> tuple[list[Polygon], list[int]]:
        touched = self._touched(self._chosen(demand))
        return self._merged(touched), touched

    def _chosen(self, demand: Demand, positions: Array | None = None) -> Array:
        at = self.hits if positions is None else positions
        return self.layer.select(at, demand.classes, excluding=demand.excluding)

    def _merged(self, touched: list[int]) -> list[Polygon]:
        """Return disjoint parts: neighbouring features joined, overlapping ones counted once."""
        if len(touched) < 2:
            return [p for i in touched for p in self.pieces(i)]
        # Join the features before cutting: their shared vertices are equal, those of cuts are not.
        joined = shapely.union_all(self.layer.geometries[touched])
        return parts_of(shapely.intersection(self.site.geometry, joined))

    def _outside(self, demand: Demand) -> tuple[list[Polygon], list[int]]:
        touched = self._touched(self._chosen(demand))
        if self.coverage is None:
            # Nothing is known to be off a layer whose reach is not known.
            return [], touched
        # Cut with the features themselves: cutting with computed pieces would leave noise.
        cover = shapely.union_all(self.layer.geometries[touched])
        known = shapely.intersection(self.site.geometry, self.coverage)
        return parts_of(shapely.difference(known, cover)), touched

    # --- answers ---

    def _area(self, demand: Demand, parts: list[Polygon], touched: list[int]) -> Measure:
        areas = [ellipsoidal_area(p, self.site.crs.work_epsg) for p in parts]
        widths = [2 * p.area / p.length for p in parts]
        small = [
            w < demand.width_tolerance_m and p.area < demand.area_tolerance_m2
            for p, w in zip(parts, widths, strict=True)
        ]
        total = math.fsum(areas)
        slivers = sorted(
            (Sliver(a, w) for a, w, s in zip(areas, widths, small, strict=True) if s),
            key=lambda s: (s.area_m2, s.width_m),
        )
        return Measure(
            demand,
            area=Area(total, math.fsum(p.area for p in parts)),
            share=_share(total, self.site),
            decisive_m2=math.fsum(a for a, s in zip(areas, small, strict=True) if not s),
            slivers=tuple(slivers),
            feature_ids=tuple(str(self.layer.ids[i]) for i in touched),
            geometry=MultiPolygon(parts) if demand.geometry and parts else None,
        )

    def _distance(self, demand: Demand) -> Measure:
        layer, reach = self.layer, demand.within_m + self.layer.max_half_width
        near = []
        for i in self._chosen(demand, layer.within(self.site.geometry, reach)):
            axis = float(shapely.distance(self.site.geometry, layer.geometries[i]))
            half = float(layer.half_widths[i])
            edge = None if math.isnan(half) else max(0.0, axis - half)
            if edge is None or edge <= demand.within_m:
                near.append(Near(str(layer.ids[i]), layer.classes[i], layer.names[i], axis, edge))
        near.sort(key=lambda n: (n.axis_m if n.edge_m is None else n.edge_m, n.feature_id))
        return Measure(
            demand,
            near=tuple(near),
            reach_covered=self._reach_covered(demand.within_m),
            feature_ids=tuple(n.feature_id for n in near),
        )

    def _reach_covered(self, within_m: float) -> bool:
        """Whether every feature within the distance would have been seen."""
        if self.coverage is None:
            return False
        if parts_of(shapely.difference(self.site.geometry, self.coverage)):
            return False
        border = self.coverage.boundary
        shapely.prepare(border)  # an index over its edges; the plain distance has none
        return not shapely.dwithin(border, self.site.geometry, within_m - _EDGE_M)

    def _length_or_count(self, demand: Demand) -> Measure:
        chosen = self._chosen(demand)
        lengths = self._lengths(chosen)
        hit = chosen if demand.quantity is Quantity.COUNT else chosen[lengths > 0]
        return Measure(
            demand,
            length_m=math.fsum(lengths),
            count=len(hit),
            feature_ids=tuple(str(self.layer.ids[i]) for i in hit),
        )

    def _lengths(self, positions: Array) -> Array:
        cut = shapely.intersection(self.site.geometry, self.layer.geometries[positions])
        # A line along the boundary touches the site; only what runs inside restricts it.
        inside = shapely.difference(cut, self.site.geometry.boundary)
        return np.asarray(shapely.length(inside), dtype=float)

    # --- evidence ---

    def evidence(self) -> list[Evidence]:
        """Return one row per class that the site overlaps, sorted by class."""
        by_class: dict[str, list[int]] = {}
        for i in self.hits:
            by_class.setdefault(self.layer.classes[i] or "", []).append(int(i))
        rows = [self._row(cls or None, by_class[cls]) for cls in sorted(by_class)]
        return [row for row in rows if row is not None]

    def _row(self, cls: str | None, positions: list[int]) -> Evidence | None:
        match self.layer.info.geometry:
            case "polygon":
                return self._area_row(cls, self._touched(np.array(positions)))
            case "line":
                return self._length_row(cls, positions)
            case _:
                return self._make(cls, positions, "count", count=len(positions))

    def _area_row(self, cls: str | None, touched: list[int]) -> Evidence | None:
        parts = self._merged(touched)
        if not parts:
            return None
        area = _ellipsoidal(parts, self.site)
        planar = math.fsum(p.area for p in parts)
        share = _share(area, self.site)
        return self._make(cls, touched, "area", area_m2=area, planar_m2=planar, share=share)

    def _length_row(self, cls: str | None, positions: list[int]) -> Evidence | None:
        lengths = self._lengths(np.array(positions))
        kept = [i for i, length in zip(positions, lengths, strict=True) if length > 0]
        return self._make(cls, kept, "length", length_m=math.fsum(lengths)) if kept else None

    def _make(self, cls: str | None, at: list[int], kind: str, **numbers: float) -> Evidence:
        names = {self.layer.names[i] for i in at}
        name = names.pop() if len(names) == 1 else None
        ids = tuple(str(self.layer.ids[i]) for i in at)
        return Evidence(self.layer.info.id, cls, name, kind, feature_ids=ids, **numbers)  # type: ignore[arg-type]  # numbers are the fields of Evidence
