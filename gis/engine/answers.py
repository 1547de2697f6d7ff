"""What is the answer to a demand: how much, how near, how many, feature by feature?

A demand may look at other layers too: it keeps the land that lies on, or off, some of their
classes. Where one of them has no answer for the site, the demand has none. What is told apart, by
feature, by class or by the lands of several demands, is measured in ``Touched``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import shapely

from gis.engine.around import Surroundings, in_reach, surroundings
from gis.engine.cut import Cut, Cuts
from gis.engine.index import Array
from gis.engine.known import share_of
from gis.engine.outlines import common
from gis.engine.ruler import NOTHING, Parts, Ruler, Shape, drawn, joined, parts_of
from gis.engine.screen import NOISE_M2, shares_of
from gis.engine.survey import Alike, Look, Setting
from gis.engine.told import as_touched, length_or_count, sorted_out, values_of
from gis.model import Demand, LayerClasses, Measure, Near, Quantity, Touched

# Land around features is drawn to this, metres: chords lie inside the arcs.
_DRAWN_M = 0.5


class Land(NamedTuple):
    """Land of a site, and the positions of the features that it lies on or around.

    ``covered`` is False when an unseen feature may change it.
    """

    parts: Parts
    features: Sequence[int]
    covered: bool = True


class Answers:
    """Answers the demands on one site.

    Parameters
    ----------
    ruler
        Of the site, a valid polygon in the work CRS.
    cuts
        Per layer id the site over that layer; only layers that can answer for this site.
    looks
        Per layer id how far, and for what, demands look around the site.
    """

    def __init__(self, ruler: Ruler, cuts: Cuts, looks: Mapping[str, Look]) -> None:
        self._site = ruler.site
        self._ruler = ruler
        self._cuts = cuts
        self._looks = looks
        self._lands: dict[tuple[object, ...], Land] = {}

    def to(self, setting: Setting, met: Iterable[str]) -> dict[Demand, Measure]:
        """Return the answers to all demands of a setting for a site that meets some layers."""
        found = dict(setting.rest.measures)
        for name in met:
            if name in setting.here:
                cut = self._cuts[name]
                for own in setting.here[name].about(cut.hit_classes):
                    self._on_features(cut, own, found)
            if name in setting.kept:
                for own in setting.kept[name].about(self._cuts[name].hit_classes):
                    found.update({d: self._answer(d, found[d]) for d in own.demands})
        for name, demands in setting.off.items():
            self._off_features(self._cuts[name], demands, found)
        for name, demands in setting.around.items():
            self._around_features(self._cuts[name], demands, found)
        for demand in setting.others:
            found[demand] = self._answer(demand, found[demand])
        return found

    def _on_features(self, cut: Cut, asked: Alike, found: dict[Demand, Measure]) -> None:
        touched = cut.of(asked.classes)
        parts = cut.on(touched)
        if parts:
            self._told(cut, asked.demands, Land(parts, touched), found)

    def _off_features(
        self, cut: Cut, demands: Sequence[Demand], found: dict[Demand, Measure]
    ) -> None:
        if not cut.hits and not cut.known.parts:
            return
        for demand in demands:
            land = self._land(cut, demand)
            if land.parts:
                self._told(cut, (demand,), land, found)

    def _around_features(
        self, cut: Cut, demands: Sequence[Demand], found: dict[Demand, Measure]
    ) -> None:
        """Answer the demands that look beyond the site; mostly nothing is as near as they look."""
        farthest = max(demand.within_m for demand in demands)
        if not len(self._within(cut, farthest)[0]) and cut.known.reaches(farthest):
            return
        for demand in demands:
            found[demand] = self._answer(demand, found[demand])

    def _answer(self, demand: Demand, nothing: Measure) -> Measure:
        """Return the measure of one demand whose layers all have a cut.

        ``nothing`` is the measure that finds nothing; it is given back itself where that is so.
        """
        cut = self._cuts[demand.layer]
        if demand.divided:
            measure = self._divided(demand)
        elif demand.quantity is Quantity.INSIDE or demand.quantity is Quantity.OUTSIDE:
            measure = self._area(cut, demand, nothing)
        elif demand.quantity is Quantity.DISTANCE:
            measure = self._distance(cut, demand, nothing)
        else:
            measure = length_or_count(cut, demand)
        return nothing if measure is nothing or measure.is_nothing else measure

    # --- areas -----------------------------------------------------------------------------------

    def _area(self, cut: Cut, demand: Demand, nothing: Measure) -> Measure:
        land = self._land(cut, demand)
        if not land.parts and land.covered:
            return nothing
        found = {demand: nothing}
        self._told(cut, (demand,), land, found)
        return found[demand]

    def _told(
        self, cut: Cut, demands: Sequence[Demand], land: Land, found: dict[Demand, Measure]
    ) -> None:
        """Answer demands that have the same land, and leave out the same slivers."""
        parts, covered, area = land.parts, land.covered, land.parts.area
        slivers, rest = sorted_out(self._ruler, demands[0], parts)
        share = share_of(area.ellipsoidal_m2, self._site)
        ids = cut.ids(land.features)
        for demand in demands:
            if demand.by_class and demand.quantity is Quantity.INSIDE:
                found[demand] = self._by_class(cut, demand, land.features)
                continue
            features = self._features(cut, demand, land) if demand.values else ()
            shown = Shape(parts) if demand.geometry and parts else None
            found[demand] = Measure(
                demand, area, share, rest, slivers, 0.0, 0, (), features, covered, ids, shown
            )

    def _land(self, cut: Cut, demand: Demand) -> Land:
        """Return the land of a demand; what several ask for alike is found once."""
        where = demand.within_m, demand.beyond_m, demand.on, demand.off
        key = demand.layer, demand.quantity, demand.classes, demand.excluding, *where
        land = self._lands.get(key)
        if land is None:
            land = self._around(cut, demand) if demand.within_m else self._on(cut, demand)
            if demand.on or demand.off:
                land = land._replace(parts=self._kept(demand, land.parts))
            self._lands[key] = land
        return land

    def _on(self, cut: Cut, demand: Demand) -> Land:
        """Return the land on the features, or off them."""
        touched = cut.chosen(demand.classes, excluding=demand.excluding)
        inside = demand.quantity is Quantity.INSIDE
        return Land(cut.on(touched) if inside else cut.off(touched), touched)

    def _by_class(self, cut: Cut, demand: Demand, touched: Sequence[int]) -> Measure:
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
        lands = [self._land(self._cuts[d.layer], d) for d in demand.divided]
        pieces: dict[tuple[int, ...], Parts] = {(): self._ruler.whole}
        for n, land in enumerate(lands):
            pieces = self._split(pieces, n, land.parts)
        for name in sorted(demand.layers):
            pieces[()] = self._covered(name, pieces[()])
        kinds: dict[tuple[str, str | None], Parts] = {
            (",".join(map(str, key)), None): pieces[key] for key in sorted(pieces)
        }
        covered = all(land.covered for land in lands)
        ids = dict.fromkeys(
            str(self._cuts[d.layer].layer.ids[i])
            for d, land in zip(demand.divided, lands, strict=True)
            for i in land.features
        )
        return self._apart(demand, kinds, feature_ids=tuple(ids), covered=covered)

    def _split(
        self, pieces: Mapping[tuple[int, ...], Parts], n: int, land: Parts
    ) -> dict[tuple[int, ...], Parts]:
        """Divide pieces of the site by one more land."""
        if land.planar_m2 <= NOISE_M2:
            return dict(pieces)
        if land.planar_m2 >= self._site.area.planar_m2 - NOISE_M2:
            return {(): NOTHING} | {(*key, n): parts for key, parts in pieces.items()}
        cover = Shape(land)
        inside = {
            (*k, n): self._ruler.both(p, land, lambda: cover.geometry) for k, p in pieces.items()
        }
        off = {k: self._ruler.first(p, land, lambda: cover.geometry) for k, p in pieces.items()}
        return off | inside

    def _covered(self, layer: str, parts: Parts) -> Parts:
        """Return the land inside the coverage of a layer: beyond it nobody knows what is there."""
        return self._cuts[layer].known.within(parts)

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
            as_touched(self._ruler, demand, (name, cls, None), parts, {})
            for (name, cls), parts in kinds.items()
            if parts
        )
        lands = [parts for parts in kinds.values() if parts]
        together = joined(lands)
        area = together.area
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
            geometry=Shape(together) if demand.geometry and together else None,
        )

    def _around(self, cut: Cut, demand: Demand) -> Land:
        """Return the land around the features, or off that."""
        inside = demand.quantity is Quantity.INSIDE
        covered = cut.known.reaches(demand.within_m)
        near, apart = self._near(cut, demand)
        if not len(near):
            return Land(NOTHING if inside else cut.known.parts, (), covered)
        parts = self._told_around(cut, demand, apart - cut.layer.half_widths[near])
        if parts is not None and inside:
            return Land(parts, near.tolist() if parts else (), covered)
        around = surroundings(cut.layer, demand, self._site.geometry)
        covered = covered and around.edges_known
        parts = self._over(around)
        if not inside:
            return Land(self._off(cut, around, parts), (), covered)
        if parts and parts is not self._ruler.whole and len(near) > 1:
            near = in_reach(cut.layer, demand, drawn(Shape(parts)))
        return Land(parts, near.tolist() if parts else (), covered)

    def _told_around(self, cut: Cut, demand: Demand, edges_m: Array) -> Parts | None:
        """Return the land around features where their distances tell it, else None.

        No point of a site is nearer than its nearest feature, or farther from that one than the
        extent of the site more.
        """
        if not cut.layer.edges_known:
            return None
        nearest = float(edges_m.min())
        farthest = nearest + self._ruler.extent_m
        if farthest < demand.beyond_m - _DRAWN_M:
            return NOTHING
        if nearest > demand.beyond_m + _DRAWN_M * (demand.beyond_m > 0) and (
            farthest < demand.within_m - _DRAWN_M
        ):
            return self._ruler.whole
        return None

    def _within(self, cut: Cut, distance_m: float) -> tuple[Array, Array]:
        """Return the features whose edge may be within a distance, and how far they are."""
        half = cut.layer.max_half_width
        metres, kinds = self._looks[cut.layer.info.id]
        return cut.near(distance_m + half, metres + half, kinds)

    def _near(self, cut: Cut, demand: Demand) -> tuple[Array, Array]:
        """Return the features of a demand whose edge may be within its distance, and how far."""
        found, apart = self._within(cut, demand.within_m)
        if not len(found) or not demand.classes:
            return found, apart
        kinds = cut.layer.kinds(demand.classes, excluding=demand.excluding)
        own = np.array([cut.layer.classes[i] in kinds for i in found], dtype=bool)
        return found[own], apart[own]

    def _distance(self, cut: Cut, demand: Demand, nothing: Measure) -> Measure:
        """Return the features at most so far away, the nearest first."""
        found, apart = self._near(cut, demand)
        covered = cut.known.reaches(demand.within_m)
        if not len(found) and covered:
            return nothing
        layer = cut.layer
        near = []
        for i, axis in zip(found.tolist(), apart.tolist(), strict=True):
            half = float(layer.half_widths[i])
            edge = None if math.isnan(half) else max(0.0, axis - half)
            if edge is None or edge <= demand.within_m:
                who = str(layer.ids[i]), layer.classes[i], layer.names[i]
                near.append(Near(*who, axis, edge, values_of(layer, i, demand)))
        near.sort(key=lambda n: (n.axis_m if n.edge_m is None else n.edge_m, n.feature_id))
        ids = tuple(n.feature_id for n in near)
        return Measure(demand, near=tuple(near), reach_covered=covered, feature_ids=ids)

    def _over(self, around: Surroundings) -> Parts:
        """Return the land of the site that lies in some surroundings."""
        if around.land.is_empty:
            return NOTHING
        shares = shares_of(self._ruler.edges, around.edges)
        place, ruler = self._site.geometry, self._ruler
        return ruler.over(
            shares,
            lambda: parts_of(shapely.intersection(place, around.land)),
            lambda: ruler.overlaid(common, ruler.edges, around.edges),
        )

    def _off(self, cut: Cut, around: Surroundings, inside: Parts) -> Parts:
        if not inside:
            return cut.known.parts
        if inside is self._ruler.whole and cut.known.is_whole:
            return NOTHING
        return cut.off_land(around.land)

    def _features(self, cut: Cut, demand: Demand, land: Land) -> tuple[Touched, ...]:
        """Return the features one by one; land under two of them counts for both."""
        if demand.quantity is Quantity.OUTSIDE:
            return ()
        found = []
        for i in land.features:
            alone = self._alone_around(cut, demand, i) if demand.within_m else cut.alone(i)
            if parts := self._kept(demand, alone):
                who = str(cut.layer.ids[i]), cut.layer.classes[i], cut.layer.names[i]
                values = values_of(cut.layer, i, demand)
                found.append(as_touched(self._ruler, demand, who, parts, values))
        return tuple(found)

    def _alone_around(self, cut: Cut, demand: Demand, position: int) -> Parts:
        place = self._site.geometry
        return self._over(surroundings(cut.layer, demand, place, only=position))

    # --- on and off other layers -----------------------------------------------------------------

    def _kept(self, demand: Demand, parts: Parts) -> Parts:
        """Return the land that lies on and off what the demand says."""
        for where in demand.on:
            parts = self._kept_on(parts, where)
        for where in demand.off:
            parts = self._covered(where.layer, self._kept_off(parts, where))
        return parts

    def _kept_on(self, parts: Parts, where: LayerClasses) -> Parts:
        cut = self._cuts[where.layer]
        place = cut.chosen(where.classes)
        if not parts or not place:
            return NOTHING
        if cut.covers(place):
            return parts
        own = cut.on(place)
        if parts is self._ruler.whole:
            return own
        if parts.ground is None:
            return self._ruler.both(parts, own, lambda: cut.features(place))
        # The land there is cut once for all demands, the features of this one are cut out of it.
        return self._ruler.both(own, parts, parts.ground)

    def _kept_off(self, parts: Parts, where: LayerClasses) -> Parts:
        cut = self._cuts[where.layer]
        place = cut.chosen(where.classes)
        if not parts or not place:
            return parts
        if cut.covers(place):
            return NOTHING
        return self._ruler.first(parts, cut.on(place), lambda: cut.features(place))
