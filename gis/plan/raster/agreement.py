"""Do a class raster and polygons with classes say the same of the same ground?

Shares are compared, class by class, with the vector layer of the same land-class scheme; and where
polygons with classes (labels) are given, pixel by pixel. A difference is stated, never explained
away: mixed pixels, an older date and a plain mistake look alike here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.errors import ClaimError
from gis.model import LayerState
from gis.plan.areas import PlanArea
from gis.plan.catalogue import Layer
from gis.plan.land.ground import divide
from gis.plan.raster.codes import NO_DATA
from gis.plan.raster.file import Raster
from gis.plan.raster.place import CrsLike, take_polygons
from gis.plan.raster.share import CoverShares, count_classes
from gis.plan.raster.table import CodeTable
from gis.rulebook import land_classes

if TYPE_CHECKING:
    from gis.plan.area import Plan


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """One class of the raster beside the land classes that it stands for, as shares of the area.

    ``value`` is None for land classes that no value of the raster stands for; ``classes`` are the
    codes that occur.
    """

    value: float | None
    name: str
    classes: tuple[str, ...]
    raster_share: float
    vector_share: float

    @property
    def difference(self) -> float:
        """Raster minus vector."""
        return self.raster_share - self.vector_share


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of green and water from a raster and from a vector layer over the same area.

    The raster's share is of the ground that it shows, the vector's of the ground that it covers.
    """

    layer: str
    raster_share: float
    vector_share: float
    rows: tuple[ClassAgreement, ...]

    @property
    def difference(self) -> float:
        """Raster minus vector, 0-1."""
        return self.raster_share - self.vector_share


def vector_agreement(
    plan: Plan, raster: Raster, cover: CoverShares, area: PlanArea
) -> Agreement | None:
    """Return the agreement with the vector layer of the same scheme.

    None when the raster names no scheme, the plan has no usable layer of it, or one of the two
    shows nothing of the area.
    """
    layer = _same_scheme(plan, raster)
    if layer is None or raster.table is None or cover.share is None:
        return None
    ground = divide(layer, area.polygon, plan.work_epsg)
    classes = {label: m2 for label, m2 in ground.by_label.items() if label}
    covered = math.fsum(classes.values())
    if not covered > 0:
        return None
    vector: dict[float | None, dict[str, float]] = {}
    among = {c.value for c in cover.classes}
    for label, m2 in classes.items():
        # Land that two classes claim goes to neither: it has no class to agree with.
        cls = label[0] if len(label) == 1 else "、".join(label)
        value = _value(raster.table, cls, among) if len(label) == 1 else None
        vector.setdefault(value, {})[cls] = m2 / covered
    rows = tuple(_rows(raster.table, cover, vector))
    counted = [r for r in rows if r.value is not None and raster.table.codes[r.value].counted_as]
    share = math.fsum(r.vector_share for r in counted)
    return Agreement(layer.info.id, cover.share, share, rows)


def _value(table: CodeTable, cls: str, seen: Collection[float]) -> float | None:
    """Return the value for a land class: one that the raster shows here, else any of the table."""
    found = table.value_of(cls, seen)
    return found if found is not None else table.value_of(cls, table.codes)


def _rows(
    table: CodeTable, cover: CoverShares, vector: Mapping[float | None, Mapping[str, float]]
) -> Iterator[ClassAgreement]:
    raster = {c.value: c.share for c in cover.classes}
    for value in sorted({*raster, *(v for v in vector if v is not None)}):
        own = vector.get(value, {})
        name, share = table.codes[value].name, math.fsum(own.values())
        yield ClassAgreement(value, name, tuple(sorted(own)), raster.get(value, 0.0), share)
    if None in vector:
        rest = vector[None]
        share = math.fsum(rest.values())
        yield ClassAgreement(None, "编码表未对应的地类", tuple(sorted(rest)), 0.0, share)


def _same_scheme(plan: Plan, raster: Raster) -> Layer | None:
    entry = raster.entry
    if not (entry.scheme and entry.edition):
        return None
    wanted = _scheme_id(entry.scheme, entry.edition)
    for layer in plan.layers.values():
        info = layer.info
        stated = layer.state is LayerState.CHECKED and info.scheme and info.edition
        if stated and _scheme_id(str(info.scheme), str(info.edition)) == wanted:
            return layer
    return None


def _scheme_id(scheme: str, edition: str) -> tuple[str, str]:
    found = land_classes.scheme(scheme, edition)
    return found.id, found.edition


# --- labels --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confusion:
    """Polygons with classes against the pixels inside them, in m².

    ``table`` has for each label the m² of each value under it. ``agreement`` is the share of the
    compared ground on which both say the same; ``unmatched`` are labels that no value stands for,
    with their m², which are not compared.
    """

    table: Mapping[str, Mapping[float, float]]
    matched: Mapping[str, float]
    unmatched: Mapping[str, float]

    @property
    def compared_m2(self) -> float:
        """The ground on which both say something."""
        return math.fsum(math.fsum(row.values()) for row in self.table.values())

    @property
    def agreement(self) -> float | None:
        """Share of the compared ground on which both agree; None when nothing is compared."""
        agreed = math.fsum(self.table[k].get(v, 0.0) for k, v in self.matched.items())
        return agreed / self.compared_m2 if self.compared_m2 > 0 else None

    def of_label(self, label: str) -> float | None:
        """Return which share of a label's ground the raster shows as its class."""
        row = self.table[label]
        whole = math.fsum(row.values())
        return row.get(self.matched[label], 0.0) / whole if whole > 0 else None

    def of_value(self, value: float) -> float | None:
        """Return which share of a value's ground carries a label of its class."""
        whole = math.fsum(row.get(value, 0.0) for row in self.table.values())
        own = [self.table[label].get(value, 0.0) for label, v in self.matched.items() if v == value]
        return math.fsum(own) / whole if whole > 0 else None


def label_agreement(
    raster: Raster, polygons: Any, labels: Sequence[object], *, crs: CrsLike = None
) -> Confusion:
    """Return how polygons with classes agree with a class raster.

    Pixels count for the polygon that holds their centre, so that no pixel counts for two
    neighbours. Where polygons overlap, the ground counts for each of them.

    Parameters
    ----------
    raster
        A class raster.
    polygons, crs
        See ``gis.plan.raster.share.class_shares``.
    labels
        The class of each polygon: a value of the raster, a name of its table, or a land class.
    """
    taken = take_polygons(polygons, crs)
    if len(labels) != len(taken.shapes):
        found = f"{len(taken.shapes)} 个多边形有 {len(labels)} 个标注"
        raise ClaimError(found, expected="一一对应")
    counted = count_classes(raster, taken, exact=False)
    table = raster.codes
    names = [_plain(label) for label in labels]
    matched = {name: v for name in set(names) if (v := _matched(table, name)) is not None}
    ground: dict[str, dict[float, float]] = {name: {} for name in sorted(matched)}
    unmatched: dict[str, float] = {}
    for n, name in enumerate(names):
        if name not in matched:
            unmatched[name] = unmatched.get(name, 0.0) + float(taken.m2[n])
            continue
        for code, amount in counted.amounts(n).items():
            if code != NO_DATA:
                value = counted.values[code - 1]
                m2 = amount * counted.m2_per_pixel(n)
                ground[name][value] = ground[name].get(value, 0.0) + m2
    return Confusion(ground, matched, unmatched)


def _plain(label: object) -> str:
    """Return a label as text; a class number from a table keeps no decimal point."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label)


def _matched(table: CodeTable, label: str) -> float | None:
    for value, code in table.codes.items():
        if label in (code.name, _plain(value)):
            return value
    return table.value_of(label, table.codes)
