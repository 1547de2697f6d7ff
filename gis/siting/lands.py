"""Which kinds of land does a rule tell apart, and on which cells do they lie?

A rule looks at the land of some layers and classes, at what lies within a distance of features, and
at how far the data reach. Wherever all of these are alike the rule says the same of the land. What
a rule looks at is read off its own demands, so that no rule is known here by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely

from gis.engine.around import surroundings
from gis.engine.index import Array, LayerIndex
from gis.model import Demand, LayerState, Quantity, Rule
from gis.plan import Plan
from gis.plan.quota.standing import standing_of
from gis.rulebook.conditions import demands_of_conditions
from gis.rulebook.kinds import demands_of
from gis.rulebook.kinds.distance import required_of
from gis.rulebook.schema import MinDistance
from gis.siting.cells import Cells

# Chords to a quarter of a strip around a feature; at 200 m they lie 15 mm inside the arc.
_QUARTER = 64
# Lines and points keep so much land around themselves, m.
_LINE_M = 0.05
_AREAL = (Quantity.INSIDE, Quantity.OUTSIDE)


class Lands:
    """The kinds of land of a plan on cells; each is drawn once.

    Parameters
    ----------
    plan
        An opened plan package.
    cells
        Where land is looked for.
    """

    def __init__(self, plan: Plan, cells: Cells) -> None:
        self._plan = plan
        self._cells = cells
        self._kept: dict[object, Array] = {}

    def of(self, rule: Rule) -> list[Array]:
        """Return, land by land that the rule tells apart, how much of each cell lies on it."""
        asked = (*demands_of(rule), *demands_of_conditions(rule.params.conditions))
        demands = [inner for d in asked for inner in (d.divided or (d,))]
        found = [land for name in _layers(demands) for land in self._about(name, demands, rule)]
        if rule.kind == "quota":
            found.extend(self._promised())
        return found

    def _about(self, name: str, demands: Sequence[Demand], rule: Rule) -> Iterator[Array]:
        layer = self._plan.layers.get(name)
        if layer is None or layer.state is not LayerState.CHECKED:
            return  # the same everywhere: no answer
        index, own = layer.index, [d for d in demands if d.layer == name]
        yield from self._on_features(index, _patterns(name, demands), own)
        for demand in own:
            if demand.quantity is Quantity.DISTANCE:
                if isinstance(rule.params, MinDistance):
                    yield from self._strips(index, rule.params)
            elif demand.quantity not in _AREAL:
                yield self._thin(index, demand)
            elif demand.within_m:
                yield self._around(index, demand)
        yield from self._known(name, own)

    # --- on the features ---------------------------------------------------------------------

    def _on_features(
        self, index: LayerIndex, patterns: Iterable[tuple[tuple[str, ...], bool]],
        demands: Sequence[Demand],
    ) -> Iterator[Array]:  # fmt: skip
        """Yield the land of the features that no demand tells from one another."""
        if index.info.geometry != "polygon":
            return
        plain = [d for d in demands if d.quantity in _AREAL and not d.within_m]
        fields = tuple(dict.fromkeys(name for d in plain for name in d.values))
        kinds = [index.kinds(p, excluding=excluding) for p, excluding in patterns if p]
        by_class = any(d.by_class for d in plain)
        groups: dict[object, list[int]] = {}
        for i, cls in enumerate(index.classes.tolist()):
            told = tuple(cls in kind for kind in kinds), cls if by_class else None
            groups.setdefault((told, *(index.values[n][i] for n in fields)), []).append(i)
        if len(groups) > 1 or not any(d.quantity is Quantity.OUTSIDE for d in plain):
            yield from (self._covered(index, np.array(at)) for at in groups.values())
        if any(d.quantity is Quantity.OUTSIDE for d in plain):
            yield self._covered(index, np.arange(len(index)))

    def _covered(self, index: LayerIndex, at: Array) -> Array:
        key = index.info.id, at.tobytes()
        if key not in self._kept:
            shapes = index.geometries[at]
            if not index.is_coverage:
                shapes = np.array([shapely.union_all(shapes)], dtype=object)
            self._kept[key] = self._cells.covered(shapes)
        return self._kept[key]

    def _thin(self, index: LayerIndex, demand: Demand) -> Array:
        at = index.select(np.arange(len(index)), demand.classes, excluding=demand.excluding)
        return self._cells.covered(shapely.buffer(index.geometries[at], _LINE_M))

    # --- around the features -----------------------------------------------------------------

    def _around(self, index: LayerIndex, demand: Demand) -> Array:
        key = index.info.id, demand.classes, demand.excluding, demand.within_m, demand.beyond_m
        if key not in self._kept:
            land = surroundings(index, demand, self._cells.polygon).land
            self._kept[key] = self._cells.covered(_polygons(land))
        return self._kept[key]

    def _strips(self, index: LayerIndex, rule: MinDistance) -> Iterator[Array]:
        """Yield the land too near to features, and the land of which that is open."""
        setting = index.values.get(rule.setting) if rule.setting else None
        asked: dict[tuple[float, float, bool], list[int]] = {}
        for i, cls in enumerate(index.classes.tolist()):
            span = required_of(rule, cls, None if setting is None else setting[i])
            if span is not None:
                known = rule.from_axis or not math.isnan(index.half_widths[i])
                asked.setdefault((*span, known), []).append(i)
        for (least, most, known), at in asked.items():
            places = np.array(at)
            for distance in dict.fromkeys((least, most) if known else (most,)):
                if distance > 0:
                    yield self._strip(index, rule, places, distance, known=known)

    def _strip(
        self, index: LayerIndex, rule: MinDistance, at: Array, distance: float, *, known: bool
    ) -> Array:
        half = index.half_widths[at] if known else np.full(len(at), rule.plausible_half_width_m)
        reach = distance + (0.0 if rule.from_axis else np.nan_to_num(half))
        strips = shapely.buffer(index.geometries[at], reach, quad_segs=_QUARTER)
        # Strips that overlap are counted twice where a cell is near to both: near is near.
        return self._cells.covered(strips)

    # --- how far the data reach ----------------------------------------------------------------

    def _known(self, name: str, demands: Sequence[Demand]) -> Iterator[Array]:
        coverage = self._plan.coverages.get(name)
        if coverage is None:
            return
        for reach in sorted({0.0, *(d.within_m for d in demands)}):
            key = id(coverage), reach
            if key not in self._kept:
                land = shapely.buffer(coverage, -reach) if reach else coverage
                self._kept[key] = self._cells.covered(_polygons(land))
            yield self._kept[key]

    def _promised(self) -> Iterator[Array]:
        """Yield the land that is promised to others."""
        register = standing_of(self._plan).register
        if register is not None and register.open:
            shapes = shapely.union_all([r.geometry for r in register.open])
            yield self._cells.covered(_polygons(shapes))


def _layers(demands: Iterable[Demand]) -> list[str]:
    """Return all layers that demands look at, also to keep land on or off them."""
    return list(dict.fromkeys(n for d in demands for n in sorted(d.layers)))


def _patterns(name: str, demands: Iterable[Demand]) -> list[tuple[tuple[str, ...], bool]]:
    """Return the classes of a layer that demands ask for, or keep land on or off."""
    own = ((d.classes, d.excluding) for d in demands if d.layer == name and not d.within_m)
    beside = ((p.classes, False) for d in demands for p in (*d.on, *d.off) if p.layer == name)
    return list(dict.fromkeys((*own, *beside)))


def _polygons(land: shapely.Geometry) -> Array:
    parts = shapely.get_parts(shapely.get_parts(land))
    return np.asarray(parts[shapely.get_dimensions(parts) == 2])
