"""What do a site and the features of one layer share?

One site over one layer: every feature is cut at most once, however many rows and demands ask for
it, and not at all where the screening has told enough. A shared edge or corner is no overlap;
overlapping features count once; sums are exact (``math.fsum``), so that equal input gives equal
bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from gis.engine.crop import Crops
from gis.engine.index import Array, Kinds, LayerIndex
from gis.engine.known import Known
from gis.engine.lazy import lazy
from gis.engine.lines import outline_of
from gis.engine.outlines import Outlines, Overlay, apart, common
from gis.engine.ruler import NOTHING, Maker, Parts, Ruler, parts_of
from gis.engine.screen import NOISE_M2, NOTHING_MET, Screened, Share, ground_of, pieces_of
from gis.model import Site

# Rounding leaves no thousand parts of noise that would be taken for this much land together.
_LAND_M2 = 1.0
# A line that meets a site is no farther away than this, however the distance is rounded.
_TOUCH_M = 1e-3
_NONE, _NO_DISTANCE = np.array([], dtype=np.int64), np.array([], dtype=float)


class Cut:
    """One site over one layer; what was cut once is kept for the next demand."""

    def __init__(self, crops: Crops, layer: LayerIndex, known: Known, screened: Screened) -> None:
        self.site = known.site
        self.layer = layer
        self.known = known
        self._ruler = known.ruler
        self._screened = screened
        self._met = screened.get(layer.info.id, NOTHING_MET)
        self._crops = crops
        self._near: dict[Kinds | None, tuple[float, Array, Array]] = {}
        self._pieces: dict[int, list[Polygon]] = {}
        self._alone: dict[int, Parts] = {}
        self._on: dict[tuple[int, ...], Parts] = {}
        self._off: dict[tuple[int, ...], Parts] = {}
        self._features: dict[tuple[int, ...], BaseGeometry] = {}
        self._grounds: dict[int, BaseGeometry] = {}

    def let_go(self) -> None:
        """Forget the lands that were measured; those that somebody holds can still be drawn."""
        for kept in self._alone, self._on, self._off:
            kept.clear()

    # --- which features --------------------------------------------------------------------------

    @lazy
    def hits(self) -> tuple[int, ...]:
        """Positions, sorted: of polygons that overlap the site, of lines and points that meet it.

        A line or point that only touches is among them.
        """
        if self.layer.info.geometry == "polygon":
            return tuple(i for i, area in sorted(self._met.areas.items()) if self._is_land(i, area))
        if self.layer.info.geometry == "line":
            found, apart = self.near(_TOUCH_M, _TOUCH_M)
            if self._screened.may_trace and not apart.any():
                return tuple(found.tolist())
        return tuple(self.layer.meeting(self.site.geometry).tolist())

    @lazy
    def hit_classes(self) -> frozenset[str | None]:
        """The classes of the hits."""
        own = self.layer.classes
        return frozenset([own[i] for i in self.hits])

    def of(self, classes: frozenset[str | None]) -> tuple[int, ...]:
        """Return the hits of some of the classes that there are among them."""
        if classes == self.hit_classes:
            return self.hits
        own = self.layer.classes
        return tuple([i for i in self.hits if own[i] in classes])

    def ids(self, touched: Iterable[int]) -> tuple[str, ...]:
        """Return the ids of some features."""
        own = self.layer.ids
        return tuple([str(own[i]) for i in touched])

    def _is_land(self, position: int, area: float) -> bool:
        if area > _LAND_M2 or any(s.least > NOISE_M2 for s in self._met.shares[position]):
            return True
        return bool(self.pieces(position))

    def chosen(self, classes: tuple[str, ...], *, excluding: bool = False) -> tuple[int, ...]:
        """Return the hits of some classes, or of all others."""
        if not classes:
            return self.hits
        kinds, own = self.layer.kinds(classes, excluding=excluding), self.layer.classes
        return tuple(i for i in self.hits if own[i] in kinds)

    def near(
        self, distance_m: float, reach_m: float, kinds: Kinds | None = None
    ) -> tuple[Array, Array]:
        """Return the features at most ``distance_m`` from the site, and their distances.

        The layer is searched as far as ``reach_m`` once, for everybody who asks for less; of a
        polygon layer only features of some classes are, where ``kinds`` are given.
        """
        known = self._near.get(kinds)
        if known is None or known[0] < distance_m:
            reach = max(reach_m, distance_m)
            known = self._near[kinds] = reach, *self._within(reach, kinds)
        _, found, apart = known
        if not len(found):
            return found, apart
        within = apart <= distance_m
        return found[within], apart[within]

    def _within(self, reach_m: float, kinds: Kinds | None) -> tuple[Array, Array]:
        if self.layer.info.geometry == "line":
            lines = self._screened.stack.lines_of(self.layer.info.id)
            return lines.near(self._ruler.edges, reach_m) if lines else (_NONE, _NO_DISTANCE)
        if kinds is not None and not kinds:
            return _NONE, _NO_DISTANCE
        outline = outline_of(self.layer, kinds) if self._is_traced else None
        if outline is None:
            return self.layer.near(self.site.geometry, reach_m, kinds)
        return self._beside(*outline.near(self._ruler.edges, reach_m), kinds)

    @property
    def _is_traced(self) -> bool:
        return self._screened.may_trace and self.layer.info.geometry == "polygon"

    def _beside(self, found: Array, apart: Array, kinds: Kinds | None) -> tuple[Array, Array]:
        """Return features and their distances from the site, given how far their rings are."""
        own = self.layer.classes
        # A ring may be far from a site that lies deep inside.
        met = [i for i in self._met.areas if kinds is None or own[i] in kinds]
        if not met:
            return found, apart
        metres = dict(zip(found.tolist(), apart.tolist(), strict=True)) | dict.fromkeys(met, 0.0)
        at = sorted(metres)
        return np.array(at, dtype=np.int64), np.array([metres[i] for i in at])

    # --- land on features ------------------------------------------------------------------------

    def on(self, touched: tuple[int, ...]) -> Parts:
        """Return disjoint parts: neighbouring features joined, overlapping ones counted once."""
        if not touched:
            return NOTHING
        if len(touched) == 1:
            return self.alone(touched[0])
        if touched not in self._on:
            self._on[touched] = self._from(self._joined(touched), touched)
        return self._on[touched]

    def alone(self, position: int) -> Parts:
        """Return the land on one feature."""
        if position not in self._alone:
            parts = self._shared((position,), lambda: self.pieces(position))
            self._alone[position] = self._from(parts, (position,))
        return self._alone[position]

    def _joined(self, touched: tuple[int, ...]) -> Parts:
        if self._ruler.is_exact or not self.layer.is_coverage:
            if any(self.alone(i) is self._ruler.whole for i in touched):
                return self._ruler.whole
            return self._ruler.measured(self._merged(touched))
        # Neighbours that grow together are larger than what each of them shares.
        return self._shared(touched, lambda: self._merged(touched))

    def _shared(self, touched: tuple[int, ...], make: Maker) -> Parts:
        """Return the land on features that do not overlap; ``make`` builds it."""
        shares = self._shares(touched)
        return self._ruler.over(shares, make, lambda: self._traced(common, shares))

    def _shares(self, touched: tuple[int, ...]) -> Sequence[Share]:
        own = self._met.shares
        return own[touched[0]] if len(touched) == 1 else [s for i in touched for s in own[i]]

    def _traced(self, how: Overlay, shares: Sequence[Share]) -> Outlines | None:
        """Return the outlines of the site on some pieces, or off them."""
        stack = self._screened.stack.edges
        return self._ruler.overlaid(how, self._ruler.edges, stack, pieces_of(shares))

    def _from(self, parts: Parts, touched: tuple[int, ...]) -> Parts:
        """Return land with the features that it was cut from; the whole site is of none."""
        if parts is not self._ruler.whole and parts is not NOTHING:
            parts.ground = lambda: self.features(touched)
        return parts

    def covers(self, touched: tuple[int, ...]) -> bool:
        """Return whether features cover the whole site."""
        return bool(touched) and self.on(touched) is self._ruler.whole

    def pieces(self, position: int) -> list[Polygon]:
        """Return the polygons of the overlap with one feature."""
        if position not in self._pieces:
            feature = self._ground(position)
            cut = shapely.intersection(self._crops.around(feature), feature)
            self._pieces[position] = parts_of(cut)
        return self._pieces[position]

    def _merged(self, touched: tuple[int, ...]) -> list[Polygon]:
        # Join the features before cutting: their shared vertices are equal, those of cuts are not.
        return parts_of(shapely.intersection(self.site.geometry, self.features(touched)))

    def features(self, touched: tuple[int, ...]) -> BaseGeometry:
        """Return features as one geometry: cutting with computed pieces would leave noise."""
        if len(touched) == 1:
            return self._ground(touched[0])
        if touched not in self._features:
            self._features[touched] = self._union(touched)
        return self._features[touched]

    def _union(self, touched: tuple[int, ...]) -> BaseGeometry:
        grounds = [self._ground(i) for i in touched]
        whole = all(g is self.layer.geometries[i] for g, i in zip(grounds, touched, strict=True))
        # Neighbours of a coverage share their vertices, so that no edges need be cut.
        if whole and self.layer.is_coverage:
            return shapely.coverage_union_all(grounds)
        return shapely.union_all(grounds)

    def _ground(self, position: int) -> BaseGeometry:
        if position not in self._grounds:
            self._grounds[position] = ground_of(self.layer, self._met, position)
        return self._grounds[position]

    # --- land off features -----------------------------------------------------------------------

    def off(self, touched: tuple[int, ...]) -> Parts:
        """Return the land of the site off some features, inside the coverage of the layer."""
        if not touched:
            return self.known.parts
        if touched not in self._off:
            rest = self._rest(touched)
            self._off[touched] = self.off_land(self.features(touched)) if rest is None else rest
        return self._off[touched]

    def _rest(self, touched: tuple[int, ...]) -> Parts | None:
        """Return the land off some features where that is known without cutting it, else None."""
        if self.covers(touched):
            return NOTHING
        if self.layer.is_coverage and self._divide_all_land:
            return self.on(tuple([i for i in self.hits if i not in touched]))
        shares = self._shares(touched)
        if not self.known.is_whole or len(shares) > 1:
            return None
        if not (shares[0].alone and shares[0].is_one_piece):
            return None
        rest = _without(self.site, shares[0])
        if rest is None:
            return None
        return self._ruler.over(
            [rest], lambda: self._off_pieces(touched), lambda: self._traced(apart, shares)
        )

    @lazy
    def _divide_all_land(self) -> bool:
        """Whether the hits cover the site as far as the layer reaches, and nothing beyond."""
        if self.known.is_whole:
            return self.covers(self.hits)
        if not self.hits:
            return False
        land = self.on(self.hits)
        missing = self.known.parts.planar_m2 - land.planar_m2
        if abs(missing) > NOISE_M2 or land.outlines is None:
            return False
        inside = self.known.within(land)
        return inside is land or abs(inside.planar_m2 - land.planar_m2) <= NOISE_M2

    def _off_pieces(self, touched: tuple[int, ...]) -> list[Polygon]:
        return parts_of(shapely.difference(self.site.geometry, self.features(touched)))

    def off_land(self, land: BaseGeometry) -> Parts:
        """Return the land of the site off some ground, inside the coverage of the layer.

        Nothing is known to be off a layer whose reach is not known.
        """
        return self._ruler.measured(parts_of(shapely.difference(self.known.land, land)))

    # --- lines -----------------------------------------------------------------------------------

    def lengths(self, positions: tuple[int, ...]) -> list[float]:
        """Return how many metres of each line run inside the site."""
        if self._metres is not None:
            return [self._metres.get(i, 0.0) for i in positions]
        cut = shapely.intersection(self.site.geometry, self.layer.geometries[list(positions)])
        # A line along the boundary touches the site; only what runs inside restricts it.
        inside = shapely.difference(cut, self.site.geometry.boundary)
        return np.asarray(shapely.length(inside), dtype=float).tolist()  # type: ignore[no-any-return]  # numpy knows no type of a list

    @lazy
    def _metres(self) -> Mapping[int, float] | None:
        """The same of all lines where that is known without cutting them."""
        if not self._screened.may_trace:
            return None
        lines = self._screened.stack.lines_of(self.layer.info.id)
        return lines.inside_m(self._ruler.edges) if lines else None


class Cuts(dict[str, Cut]):
    """One site over the layers that can answer for it, each when it is first asked for."""

    def __init__(
        self,
        ruler: Ruler,
        known: Sequence[Known],
        usable: Mapping[str, tuple[LayerIndex, int]],
        screened: Screened,
    ) -> None:
        super().__init__()
        self._crops = Crops(ruler.site.geometry)
        self._known = known
        self._usable = usable
        self._screened = screened

    def __missing__(self, name: str) -> Cut:
        layer, number = self._usable[name]
        made = self[name] = Cut(self._crops, layer, self._known[number], self._screened)
        return made

    def let_go(self) -> None:
        """Let the cuts forget their lands, which know the cuts that draw them.

        Cycles would wait for the garbage collector: some hundred objects a site, and a pause of
        tens of milliseconds every hundred sites.
        """
        for cut in self.values():
            cut.let_go()


def _without(site: Site, share: Share) -> Share | None:
    """Return the rest of a site of one part beside a shared piece that has no hole."""
    whole = site.area.planar_m2
    left = whole - share.area
    if site.geometry.geom_type != "Polygon" or left < _LAND_M2:
        return None
    centre = site.geometry.centroid
    x = (whole * centre.x - share.area * share.x) / left
    y = (whole * centre.y - share.area * share.y) / left
    least = left if share.is_one_piece else 0.0
    return Share(left, x, y, share.crossings, least, alone=False)
