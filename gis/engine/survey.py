"""What is asked of the layers of a plan, and what is there to say of a site that meets nothing?

Worked out once for a plan and a set of demands, so that of a site only what it meets needs to be
looked at: the answers about everything else are there already. They depend on the coverages that it
lies in, and a plan has a handful of those. What is kept here is the same object for every site.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from shapely.geometry.base import BaseGeometry

from gis.engine.index import LayerIndex
from gis.engine.known import Known
from gis.engine.ruler import Ruler
from gis.engine.screen import NOTHING_MET, Screened, pieces_of
from gis.model import Demand, LayerReport, LayerState, Measure, Quantity, Rest, class_matches

Classes = frozenset[str | None]
# Combinations of classes on one site that are remembered, for the demands on one layer.
_KEPT = 1_024
# A site off a coverage but for less than this is off it.
_ALL = 1 - 1e-9
# Shares that many sites have: wholly inside, wholly outside, and of a coverage that nobody knows.
_COMMON = frozenset((0.0, 1.0, None))


class Sort(Enum):
    """Where the land lies that a demand asks for."""

    HERE = "on the features of one layer"
    KEPT = "on the features of one layer, as far as it lies on or off others"
    OFF = "off the features of one layer"
    AROUND = "around the features of one layer, or how near they are"
    OTHER = "by several layers, or not by land"


def sort_of(demand: Demand) -> Sort:
    """Return where the land of a demand lies."""
    kept = bool(demand.on or demand.off)
    if demand.divided or (kept and (demand.within_m or demand.quantity is not Quantity.INSIDE)):
        return Sort.OTHER
    if demand.quantity is Quantity.DISTANCE:
        return Sort.AROUND
    if demand.quantity is Quantity.INSIDE:
        return Sort.AROUND if demand.within_m else Sort.KEPT if kept else Sort.HERE
    if demand.quantity is Quantity.OUTSIDE and not demand.within_m:
        return Sort.OFF
    return Sort.OTHER


class Alike(NamedTuple):
    """Demands on one layer for the same land, which leave out the same slivers.

    ``classes`` are those of its features that they ask for, as far as a site has met them.
    """

    classes: Classes
    demands: tuple[Demand, ...]


class Here:
    """Demands for land on the features of one layer."""

    def __init__(self, demands: Sequence[Demand] = ()) -> None:
        self._demands = demands
        self._asked: dict[Classes, tuple[Alike, ...]] = {}
        self._asking: dict[str | None, frozenset[Demand]] = {}

    def about(self, classes: Classes) -> tuple[Alike, ...]:
        """Return the demands that ask for one of some classes; all others find nothing there."""
        known = self._asked.get(classes)
        if known is None:
            if len(self._asked) >= _KEPT:
                self._asked.clear()
            known = self._asked[classes] = tuple(self._alike(classes))
        return known

    def _alike(self, classes: Classes) -> Iterator[Alike]:
        """Yield the demands that ask for one of some classes, those for the same land together."""
        asking = [(c, self._asking_for(c)) for c in classes]
        groups: dict[object, tuple[Classes, list[Demand]]] = {}
        for demand in self._demands:
            own = frozenset([c for c, demands in asking if demand in demands])
            if own:
                key = own, demand.width_tolerance_m, demand.area_tolerance_m2
                groups.setdefault(key, (own, []))[1].append(demand)
        return (Alike(own, tuple(demands)) for own, demands in groups.values())

    def _asking_for(self, cls: str | None) -> frozenset[Demand]:
        """Return the demands that ask for a class; a layer has few, their combinations are many."""
        found = self._asking.get(cls)
        if found is None:
            found = self._asking[cls] = frozenset(
                d
                for d in self._demands
                if not d.classes or class_matches(cls, d.classes) is not d.excluding
            )
        return found


class Look(NamedTuple):
    """How far demands look around a site for features of a layer, m.

    ``kinds`` are the classes of the features that they look for, None for all.
    """

    metres: float = 0.0
    kinds: Classes | None = None


class Survey:
    """What is asked of some layers, and where they can answer.

    Parameters
    ----------
    layers
        In the order of the answer.
    demands
        What the rules want to know; several may name one layer.
    coverages
        Per layer id the polygon inside which absence of a feature means absence, or None when
        that is unknown.
    """

    def __init__(
        self,
        layers: Iterable[LayerIndex],
        demands: Iterable[Demand],
        coverages: Mapping[str, BaseGeometry | None],
    ) -> None:
        self.layers = tuple(layers)
        self.nothing = {d: Measure(d) for d in sorted(frozenset(demands), key=_order)}
        self.looks = {layer.info.id: self._look(layer) for layer in self.layers}
        given = [coverages.get(layer.info.id) for layer in self.layers]
        self._coverages = tuple({id(c): c for c in given}.values())
        places = {id(c): n for n, c in enumerate(self._coverages)}
        self.coverage_of = tuple(places[id(c)] for c in given)
        self._grounds = tuple(self._ground(n) for n in range(len(self._coverages)))
        self._reaches = tuple(self._reach_of(n) for n in range(len(self._coverages)))
        self._settings: dict[tuple[bool, ...], Setting] = {}

    def _ground(self, number: int) -> LayerIndex | None:
        """Return the layer whose land is a coverage, None where there is none."""
        by_id = {layer.info.id: layer for layer in self.layers}
        first = self.layers[self.coverage_of.index(number)]
        ground = by_id.get(first.info.coverage)
        is_it = ground is not None and ground.is_land(self._coverages[number])
        return ground if is_it else None

    def _look(self, layer: LayerIndex) -> Look:
        """Return how far, and for what, the demands look around a site for features of a layer."""
        inner = (one for d in self.nothing for one in (d, *d.divided))
        about = [d for d in inner if d.layer == layer.info.id and d.within_m]
        kinds = [layer.kinds(d.classes, excluding=d.excluding) for d in about if d.classes]
        # A line is looked for whatever its class: how near it is tells whether it meets the site.
        every = layer.info.geometry != "polygon" or len(kinds) < len(about)
        metres = max((d.within_m for d in about), default=0.0)
        return Look(metres, None if every else frozenset[str | None]().union(*kinds))

    def _reach_of(self, number: int) -> float:
        """Return how far demands look for features of the layers of a coverage."""
        placed = zip(self.layers, self.coverage_of, strict=True)
        own = (layer.info.id for layer, n in placed if n == number)
        return max((self.looks[name].metres for name in own), default=0.0)

    def known(self, ruler: Ruler, met: Screened) -> tuple[Known, ...]:
        """Return how far a site lies inside each coverage.

        Where the coverage is the land of a whole layer the screening has told it.
        """
        rows = zip(self._coverages, self._grounds, self._reaches, strict=True)
        return tuple([_known(ruler, met, *row) for row in rows])

    def usual_share(self, number: int, *, off: bool) -> float | None:
        """Return the share of a site that lies off a coverage or, else, wholly inside."""
        return None if self._coverages[number] is None else float(off)

    def layers_of(self, known: Sequence[Known], rest: Rest) -> Mapping[str, LayerReport]:
        """Return the states of the layers for a site that lies so far inside the coverages."""
        shares = tuple(own.uncovered_share for own in known)
        if _COMMON.issuperset(shares):
            return rest.layers
        placed = zip(self.layers, self.coverage_of, rest.layers.items(), strict=True)
        return {
            name: usual if shares[number] in _COMMON else _report(layer, shares[number])
            for layer, number, (name, usual) in placed
        }

    def setting(self, known: Iterable[Known]) -> Setting:
        """Return what there is to say of a site that lies so far inside the coverages."""
        off = tuple([_is_off(own.uncovered_share) for own in known])
        found = self._settings.get(off)
        if found is None:
            found = self._settings[off] = Setting(self, off)
        return found


def _known(
    ruler: Ruler,
    met: Screened,
    coverage: BaseGeometry | None,
    ground: LayerIndex | None,
    reach_m: float,
) -> Known:
    if ground is None:
        return Known(ruler, coverage, reach_m=reach_m)
    own = met.get(ground.info.id, NOTHING_MET)
    told = any(ruler.is_whole(area) for area in own.areas.values())
    off = not own.areas and ruler.site.area.planar_m2 > 1.0
    land = None
    if own.areas and ground.is_coverage and not told:
        land = met.stack.edges, pieces_of(s for shares in own.shares.values() for s in shares)
    return Known(ruler, coverage, whole=told, off=off, reach_m=reach_m, ground=land)


class Setting:
    """What is known of a site by the coverages that it lies off, whatever it meets.

    Parameters
    ----------
    survey
        What is asked.
    off
        For each coverage whether all of the site lies outside of it.

    ``usable`` are the layers that can answer, each with the number of its coverage; ``rest`` has
    the answers where nothing is met. What may find more is sorted by layer: ``here``, ``kept``,
    ``off``, ``around``; ``others`` look at several layers. ``thin`` are the layers of lines and
    points.
    """

    def __init__(self, survey: Survey, off: tuple[bool, ...]) -> None:
        self.usable = {
            layer.info.id: (layer, number)
            for layer, number in zip(survey.layers, survey.coverage_of, strict=True)
            if layer.state is LayerState.CHECKED and not off[number]
        }
        measures = {
            demand: nothing
            for demand, nothing in survey.nothing.items()
            if self.usable.keys() >= demand.layers
        }
        layers = {
            layer.info.id: _report(layer, survey.usual_share(number, off=off[number]))
            for layer, number in zip(survey.layers, survey.coverage_of, strict=True)
        }
        self.rest = Rest(measures, layers)
        self.here = {name: Here(own) for name, own in self._sorted(Sort.HERE).items()}
        self.kept = {name: Here(own) for name, own in self._sorted(Sort.KEPT).items()}
        self.off = self._sorted(Sort.OFF)
        self.around = self._sorted(Sort.AROUND)
        self.others = tuple(d for d in measures if sort_of(d) is Sort.OTHER)
        lines = (n for n, (layer, _) in self.usable.items() if layer.info.geometry != "polygon")
        self.thin = frozenset(lines)

    def _sorted(self, sort: Sort) -> dict[str, tuple[Demand, ...]]:
        found: dict[str, list[Demand]] = {}
        for demand in self.rest.measures:
            if sort_of(demand) is sort:
                found.setdefault(demand.layer, []).append(demand)
        return {name: tuple(own) for name, own in found.items()}


def _order(d: Demand) -> tuple[object, ...]:
    """Return what sorts demands, whatever order the rules stand in."""
    others = (repr(d.on), repr(d.off), d.values, d.by_class, repr(d.divided))
    return (d.layer, d.quantity.value, d.classes, d.excluding, d.within_m, d.beyond_m, *others)


def _is_off(uncovered: float | None) -> bool:
    """Whether no part of a site that is worth mentioning lies inside a coverage."""
    return uncovered is not None and uncovered >= _ALL


def _report(layer: LayerIndex, uncovered: float | None) -> LayerReport:
    """State of the layer for this site; a site wholly outside the coverage has no data."""
    if uncovered == 0.0:
        return layer.report
    info, state, reason = layer.info, layer.state, layer.reason
    if state is LayerState.CHECKED and _is_off(uncovered):
        state, reason = LayerState.NO_DATA, "地块在该图层的数据覆盖范围之外"
    return LayerReport(info, state, layer.content_sha256, uncovered, reason)
