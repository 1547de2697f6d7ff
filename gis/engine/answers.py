"""What is the answer to a demand: how much, how near, how many, feature by feature?

A demand may look at other layers too: it keeps the land that lies on, or off, some of their
classes. Where one of them has no answer for the site, the demand has none. What is told apart, by
feature, by class or by the lands of several demands, is measured in ``Touched``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.engine.around import in_reach, surroundings
from gis.engine.cut import Cut, Parts, Ruler, parts_of, share_of
from gis.engine.index import Array, LayerIndex
from gis.model import Demand, LayerClasses, Measure, Near, Quantity, Site, Sliver, Touched


class Answers:
    """Answers the demands on one site.

    Parameters
    ----------
    site
        Valid polygon in the work CRS.
    ruler
        Of this site.
    cuts
        Per layer id the site over that layer; only layers that can answer for this site.
    """

    def __init__(self, site: Site, ruler: Ruler, cuts: Mapping[str, Cut]) -> None:
        self._site = site
        self._ruler = ruler
        self._cuts = cuts
        self._grounds: dict[LayerClasses, BaseGeometry] = {}

    def answer(self, demand: Demand) -> Measure | None:
        """Return the measure of one demand, None when a layer that it names has no answer."""
        if any(name not in self._cuts for name in demand.layers):
            return None
        cut = self._cuts[demand.layer]
        if demand.divided:
            return self._divided(demand)
        match demand.quantity:
            case Quantity.INSIDE | Quantity.OUTSIDE:
                return self._around(cut, demand) if demand.within_m else self._on(cut, demand)
            case Quantity.DISTANCE:
                return _distance(cut, demand)
            case Quantity.LENGTH | Quantity.COUNT:
                return _length_or_count(cut, demand)

    # --- areas -----------------------------------------------------------------------------------

    def _on(self, cut: Cut, demand: Demand) -> Measure:
        """Measure the land on the features, or off them."""
        touched = cut.touched(_chosen(cut, demand))
        inside = demand.quantity is Quantity.INSIDE
        if inside and not touched:  # nearly every layer of a plan is somewhere else
            return Measure(demand)
        parts = cut.on(touched) if inside else cut.off(touched)
        if demand.by_class and inside:
            return self._by_class(cut, demand, touched)
        owners = {i: cut.pieces(i) for i in touched} if demand.values and inside else {}
        return self._area(cut, demand, parts, touched, owners)

    def _by_class(self, cut: Cut, demand: Demand, touched: tuple[int, ...]) -> Measure:
        """Measure the land of each class; a part of one is a sliver whatever lies beside it."""
        groups: dict[str | None, list[int]] = {}
        for i in touched:
            groups.setdefault(cut.layer.classes[i], []).append(i)
        kinds = {
            (cls or "", cls): self._kept(demand, cut.on(tuple(groups[cls])))
            for cls in sorted(groups, key=lambda c: (c or "", c is not None))
        }
        ids = tuple(str(cut.layer.ids[i]) for i in touched)
        return self._apart(demand, kinds, feature_ids=ids)

    def _divided(self, demand: Demand) -> Measure:
        """Measure the site by the lands of other demands, and what lies in none of them.

        Land beyond the coverage of a layer that they look at is in none of them for all we know.
        """
        found = [m for d in demand.divided if (m := self.answer(replace(d, geometry=True)))]
        pieces: dict[tuple[int, ...], BaseGeometry] = {(): self._site.geometry}
        for n, measure in enumerate(found):
            if (land := measure.geometry) is not None:
                inside = {(*k, n): _areal(shapely.intersection(g, land)) for k, g in pieces.items()}
                off = {k: _areal(shapely.difference(g, land)) for k, g in pieces.items()}
                pieces = off | inside
        for name in demand.layers:
            coverage = self._cuts[name].known.coverage or MultiPolygon()
            pieces[()] = shapely.intersection(pieces[()], coverage)
        kinds: dict[tuple[str, str | None], Parts] = {
            (",".join(map(str, key)), None): self._ruler.measured(parts_of(pieces[key]))
            for key in sorted(pieces)
        }
        covered = all(m.reach_covered for m in found)
        ids = dict.fromkeys(i for m in found for i in m.feature_ids)
        return self._apart(demand, kinds, feature_ids=tuple(ids), covered=covered)

    def _apart(
        self,
        demand: Demand,
        kinds: Mapping[tuple[str, str | None], Parts],
        *,
        feature_ids: tuple[str, ...],
        covered: bool = True,
    ) -> Measure:
        """Return a measure of lands that are told apart by name and class."""
        features = tuple(
            _touched(demand, (name, cls, None), parts, {})
            for (name, cls), parts in kinds.items()
            if parts.shapes
        )
        shapes = [p for parts in kinds.values() for p in parts.shapes]
        areas = [a for parts in kinds.values() for a in parts.areas]
        area = Parts(shapes, areas).area
        slivers = (s for f in features for s in f.slivers)
        return Measure(
            demand,
            area=area,
            share=share_of(area.ellipsoidal_m2, self._site),
            decisive_m2=math.fsum(f.decisive_m2 for f in features),
            slivers=tuple(sorted(slivers, key=lambda s: (s.area_m2, s.width_m))),
            features=features,
            reach_covered=covered,
            feature_ids=feature_ids,
            geometry=MultiPolygon(shapes) if demand.geometry and shapes else None,
        )

    def _around(self, cut: Cut, demand: Demand) -> Measure:
        """Measure the land around the features, or off that."""
        land, edges_known = surroundings(cut.layer, demand, self._site.geometry)
        covered = edges_known and cut.known.reaches(demand.within_m)
        if demand.quantity is Quantity.OUTSIDE:
            return self._area(cut, demand, cut.off_land(land), (), {}, covered=covered)
        shapes = parts_of(shapely.intersection(self._site.geometry, land))
        near = in_reach(cut.layer, demand, MultiPolygon(shapes)) if shapes else np.array([], int)
        owners = self._alone(cut, demand, near) if demand.values else {}
        parts = self._ruler.measured(shapes)
        return self._area(cut, demand, parts, near, owners, covered=covered)

    def _alone(self, cut: Cut, demand: Demand, near: Array) -> dict[int, list[Polygon]]:
        """Return the land of the site around each feature alone."""
        place = self._site.geometry
        lands = {int(i): surroundings(cut.layer, demand, place, only=int(i)).land for i in near}
        cuts = {i: parts_of(shapely.intersection(place, own)) for i, own in lands.items()}
        return {i: own for i, own in cuts.items() if own}

    def _area(
        self,
        cut: Cut,
        demand: Demand,
        parts: Parts,
        touched: Iterable[int],
        owners: Mapping[int, list[Polygon]],
        *,
        covered: bool = True,
    ) -> Measure:
        parts = self._kept(demand, parts)
        slivers, rest = _sorted_out(demand, parts)
        area = parts.area
        return Measure(
            demand,
            area=area,
            share=share_of(area.ellipsoidal_m2, self._site),
            decisive_m2=math.fsum(rest),
            slivers=slivers,
            features=tuple(self._features(cut, demand, owners)),
            reach_covered=covered,
            feature_ids=tuple(str(cut.layer.ids[i]) for i in touched),
            geometry=MultiPolygon(parts.shapes) if demand.geometry and parts.shapes else None,
        )

    def _features(
        self, cut: Cut, demand: Demand, owners: Mapping[int, list[Polygon]]
    ) -> Iterator[Touched]:
        """Yield the features one by one; land under two of them counts for both."""
        for i, pieces in owners.items():
            parts = self._kept(demand, self._ruler.measured(pieces))
            if parts.shapes:
                who = str(cut.layer.ids[i]), cut.layer.classes[i], cut.layer.names[i]
                yield _touched(demand, who, parts, _values(cut.layer, i, demand))

    # --- on and off other layers -----------------------------------------------------------------

    def _kept(self, demand: Demand, parts: Parts) -> Parts:
        """Return the land that lies on and off what the demand says."""
        if not parts.shapes or not (demand.on or demand.off):
            return parts
        land: BaseGeometry = MultiPolygon(parts.shapes)
        for where in demand.on:
            land = shapely.intersection(land, self._ground(where))
        for where in demand.off:
            land = shapely.difference(land, self._ground(where))
            coverage = self._cuts[where.layer].known.coverage
            # Beyond its coverage nobody knows what is off a layer.
            land = shapely.intersection(land, coverage) if coverage else MultiPolygon()
        return self._ruler.measured(parts_of(land))

    def _ground(self, where: LayerClasses) -> BaseGeometry:
        """Return the features of some classes of a layer that overlap the site."""
        if where not in self._grounds:
            cut = self._cuts[where.layer]
            chosen = cut.layer.select(cut.hits, where.classes)
            self._grounds[where] = cut.features(cut.touched(chosen))
        return self._grounds[where]


def _areal(geometry: BaseGeometry) -> BaseGeometry:
    """Return an overlay result without the lines that GEOS cannot cut again beside polygons."""
    return MultiPolygon(parts_of(geometry))


def _sorted_out(demand: Demand, parts: Parts) -> tuple[tuple[Sliver, ...], list[float]]:
    """Return the slivers among the parts, and the ellipsoidal areas of all others."""
    slivers, rest = [], []
    for part, area in zip(parts.shapes, parts.areas, strict=True):
        width = 2 * part.area / part.length
        if width < demand.width_tolerance_m and part.area < demand.area_tolerance_m2:
            slivers.append(Sliver(area, width, part))
        else:
            rest.append(area)
    return tuple(sorted(slivers, key=lambda s: (s.area_m2, s.width_m))), rest


def _touched(
    demand: Demand,
    who: tuple[str, str | None, str | None],
    parts: Parts,
    values: Mapping[str, str | float | None],
) -> Touched:
    slivers, rest = _sorted_out(demand, parts)
    shown = MultiPolygon(parts.shapes) if demand.geometry else None
    area = parts.area.ellipsoidal_m2
    return Touched(*who, area, math.fsum(rest), values, slivers, shown)


def _chosen(cut: Cut, demand: Demand) -> Array:
    return cut.layer.select(cut.hits, demand.classes, excluding=demand.excluding)


def _values(layer: LayerIndex, position: int, demand: Demand) -> dict[str, str | float | None]:
    """Return the values that were asked for; a field that the plan does not name is empty."""
    return {
        name: layer.values[name][position] if name in layer.values else None
        for name in demand.values
    }


# --- distances, lengths, counts ------------------------------------------------------------------


def _distance(cut: Cut, demand: Demand) -> Measure:
    layer, place = cut.layer, cut.site.geometry
    near = []
    for i in in_reach(layer, demand, place):
        axis = float(shapely.distance(place, layer.geometries[i]))
        half = float(layer.half_widths[i])
        edge = None if math.isnan(half) else max(0.0, axis - half)
        if edge is None or edge <= demand.within_m:
            who = str(layer.ids[i]), layer.classes[i], layer.names[i]
            near.append(Near(*who, axis, edge, _values(layer, int(i), demand)))
    near.sort(key=lambda n: (n.axis_m if n.edge_m is None else n.edge_m, n.feature_id))
    return Measure(
        demand,
        near=tuple(near),
        reach_covered=cut.known.reaches(demand.within_m),
        feature_ids=tuple(n.feature_id for n in near),
    )


def _length_or_count(cut: Cut, demand: Demand) -> Measure:
    """Measure lines in metres and count features; a line or area that only touches is none."""
    chosen = _chosen(cut, demand)
    layer = cut.layer
    if layer.info.geometry == "polygon":
        chosen = np.array(cut.touched(chosen), dtype=int)
    is_line = layer.info.geometry == "line"
    lengths = cut.lengths(chosen) if is_line else np.zeros(len(chosen))
    hit = chosen[lengths > 0] if is_line else chosen
    return Measure(
        demand,
        length_m=math.fsum(lengths),
        count=len(hit),
        feature_ids=tuple(str(layer.ids[i]) for i in hit),
    )
