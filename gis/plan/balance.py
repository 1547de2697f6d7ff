"""How is the land of an area divided, and what share of it is green and water?

Areas of the classes of one land-class layer inside one area, on the ellipsoid. The share of green
and water depends on the definition and on the denominator, so both are always named; land on which
the layer says nothing is never counted as anything, nor taken for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapely.geometry.base import BaseGeometry

from gis.errors import NotFoundError, RuleBookError
from gis.model import LayerInfo, LayerState, Site
from gis.plan.areas import PlanArea, division_name, divisions, find_area
from gis.plan.catalogue import Layer
from gis.plan.land.files import to_csv, to_gpkg
from gis.plan.land.ground import (
    STRAY_M2,
    Ground,
    Zoned,
    divide,
    divide_by_zone,
    zone_polygons,
)
from gis.plan.land.rows import sentence, table, to_dict, to_frame
from gis.plan.land.share import (
    Counting,
    Sensitivity,
    ShareRange,
    counting,
    sensitivity,
    share_range,
    zone_range,
)
from gis.plan.land.table import WHOLE, Column, Matrix, PrintedTable, Row, matrix, printed
from gis.plan.schema import Stated
from gis.rulebook import land_classes
from gis.viewable import Viewable

if TYPE_CHECKING:
    from gis.plan.area import Plan

DEFAULT_DEFINITION = "B"
# Layers that say what all land is used for, planned or now.
_LAND_ROLES = ("planned_use", "landuse")
UNKNOWN_CODE, NO_CODE = "编码不在分类表中", "未填编码"
OUTSIDE_ZONES = "不在功能区内"


@dataclass(frozen=True, slots=True)
class ClassArea:
    """One land class inside the area; ``share`` is of the whole area."""

    cls: str
    name: str
    area_m2: float
    share: float
    counted_as: str  # green, water or ""


@dataclass(frozen=True, slots=True)
class DefinitionShare:
    """The share of one area by one definition; no share where the plan has no layer for it."""

    id: str
    text: str
    layer: LayerInfo | None
    share: float | None
    range: ShareRange | None
    reason: str


@dataclass(frozen=True, eq=False)
class LandBalance(Viewable):
    """Areas of the land classes of an area, and the share of green and water by one definition.

    ``source`` is the land-class layer, ``rows`` the classes with their areas, each counted once.
    Tables, other definitions and exports are made when they are asked for.
    """

    plan: Plan = field(repr=False)
    area: PlanArea
    source: LayerInfo
    counts: land_classes.GreenWater
    counted: Counting = field(repr=False)
    ground: Ground = field(repr=False)
    rows: tuple[ClassArea, ...] = field(repr=False)

    # --- what it is of ---

    @property
    def layer(self) -> str:
        """Id of the land-class layer."""
        return self.source.id

    @property
    def definition(self) -> str:
        """Letter of the definition of green and water."""
        return self.counts.id

    @property
    def definition_text(self) -> str:
        """What the definition counts, in Chinese."""
        return definition_text(self.counts.id)

    @property
    def denominator_m2(self) -> float:
        """The whole area, whatever the layer covers of it."""
        return self.area.area.ellipsoidal_m2

    @property
    def stated(self) -> Stated | None:
        """The share that the plan's own documents state of this area by this definition."""
        for stated in self.plan.file.stated:
            same = (stated.within, stated.definition or DEFAULT_DEFINITION)
            if stated.measure == "green_water_share" and same == (self.area.id, self.definition):
                return stated
        return None

    # --- how much ---

    @property
    def uncovered_m2(self) -> float:
        """The land on which the layer says nothing: measured, not what is left of a sum."""
        return self.ground.uncovered_m2

    @property
    def overlap_m2(self) -> float:
        """What features of different classes claim twice; 0 in sound data."""
        return self.ground.overlap_m2

    @property
    def repeated_m2(self) -> float:
        """What features of one class cover twice; it is counted once everywhere."""
        return self.ground.repeated_m2

    @property
    def green_m2(self) -> float:
        """Area counted as green."""
        return self.ground.union_m2(self.counted.green)

    @property
    def water_m2(self) -> float:
        """Area counted as water."""
        return self.ground.union_m2(self.counted.water)

    @property
    def green_water_m2(self) -> float:
        """Area counted as green or water; land that is claimed as both counts once."""
        return self.ground.union_m2(self.counted.both)

    @property
    def is_known(self) -> bool:
        """Whether the layer says anything about the area."""
        return self.denominator_m2 - self.uncovered_m2 > STRAY_M2

    @property
    def share_range(self) -> ShareRange:
        """What the share is at least, and at most if all unknown land counted."""
        return share_range(self.ground, self.counted, self.denominator_m2)

    @property
    def green_water_share(self) -> float | None:
        """Green and water over the whole area, 0-1; None when the layer says nothing about it.

        Where the layer does not cover the whole area this is the least that the share can be.
        """
        return self.share_range.low if self.is_known else None

    @cached_property
    def sensitivity(self) -> tuple[Sensitivity, ...]:
        """How the share moves with each class of the area that is open to argument."""
        return tuple(sensitivity(self.ground, self.counted, self.counts, self.denominator_m2))

    @cached_property
    def definitions(self) -> tuple[DefinitionShare, ...]:
        """The share of this area by every definition."""
        return tuple(
            _by_definition(self, chosen) for chosen in land_classes.green_water_definitions()
        )

    # --- classes by zones ---

    @property
    def zone_layer(self) -> Layer | None:
        """The first layer of zones that can be used."""
        usable = (x for x in self.plan.with_role("zone") if x.state is LayerState.CHECKED)
        return next((layer for layer in usable if len(layer.index)), None)

    @cached_property
    def zoned(self) -> Zoned | None:
        """The pieces of land by zone; None when the plan has no zones."""
        layer = self.zone_layer
        if layer is None:
            return None
        zones = zone_polygons(layer, self.area.polygon, self.ground.epsg)
        return divide_by_zone(self.ground, zones)

    def share_in(self, zone: str) -> ShareRange | None:
        """Return the share of green and water inside one zone; None when nothing is known of it.

        An empty name means the land outside of all zones.
        """
        return None if self.zoned is None else zone_range(self.zoned, zone, self.counted)

    @cached_property
    def matrix(self) -> Matrix:
        """The unrounded table of classes by zones, or with one column where there are none."""
        rows = [
            *(Row("class", row.cls, row.counted_as) for row in self.rows),
            Row("uncovered"),
            Row("overlap"),
        ]
        if self.zoned is None:
            areas = {(label, WHOLE): m2 for label, m2 in self.ground.by_label.items()}
            return matrix(areas, rows, [Column("total")])
        return matrix(self.zoned.cells, rows, _columns(self.zoned, self.zone_layer))

    @cached_property
    def printed(self) -> PrintedTable:
        """The same table as printed; its numbers add up as printed."""
        return printed(self.matrix, self.denominator_m2)

    # --- how it is handed on ---

    @property
    def sentence(self) -> str:
        """The share in one Chinese sentence, with definition, denominator, layer and date."""
        return sentence(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; printed numbers add up to printed wholes."""
        return to_dict(self)

    def to_frame(self) -> Any:
        """Return a data frame with one row per class and zone, unrounded m²."""
        return to_frame(self)

    def table(self) -> Any:
        """Return a data frame of classes by zones in hectares, as printed, with all totals."""
        return table(self)

    def to_csv(self, path: str | Path) -> Path:
        """Write the printed table with its head for office programs; return the path."""
        return to_csv(self, Path(path))

    def to_gpkg(self, path: str | Path, *, ceiling: str = "public") -> Path:
        """Write the land by class and zone as polygons, and the figures as a table.

        Raises
        ------
        ClaimError
            The land-class layer, the zones or the outline of the area are more secret than the
            ceiling.
        """
        return to_gpkg(self, Path(path), ceiling=ceiling)


def _columns(zoned: Zoned, layer: Layer | None) -> list[Column]:
    names = {} if layer is None else zone_names(layer)
    met = sorted({zone for label in zoned.zones for zone in label})
    return [
        *(Column("zone", zone, names.get(zone, "")) for zone in met),
        Column("outside", "", OUTSIDE_ZONES),
        Column("overlap", "", "功能区重叠（扣除）"),
    ]


def zone_names(layer: Layer) -> dict[str, str]:
    """Return the name of each zone of a layer, empty where it has none of its own."""
    return {zone: division_name(layer, at) for zone, at in divisions(layer).items()}


def definition_text(definition: str) -> str:
    """Return what a definition counts, in Chinese; raise NotFoundError for an unknown letter."""
    chosen = land_classes.green_water(definition.upper())
    return f"{chosen.title}（{chosen.note}）" if chosen.note else chosen.title


def land_balance(
    plan: Plan, area: str | Site | BaseGeometry | PlanArea | None, definition: str
) -> LandBalance:
    """Return the land balance of an area of the plan; see ``Plan.land_balance``."""
    chosen = land_classes.green_water(definition.upper())
    layer = class_layer(plan, chosen)
    found = area if isinstance(area, PlanArea) else find_area(plan, area)
    scheme = land_classes.scheme(chosen.scheme, chosen.edition)
    ground = divide(layer, found.polygon, plan.work_epsg)
    counted = counting(ground, chosen, scheme)
    denominator = found.area.ellipsoidal_m2
    rows = [
        ClassArea(cls, _class_name(scheme, cls), m2, m2 / denominator, counted.of(cls))
        for cls in ground.classes()
        if (m2 := ground.union_m2([cls])) > 0
    ]
    return LandBalance(plan, found, layer.info, chosen, counted, ground, tuple(rows))


def _class_name(scheme: land_classes.Scheme, cls: str) -> str:
    if not cls:
        return NO_CODE
    return scheme.name(cls) if scheme.exists(cls) else UNKNOWN_CODE


def class_layer(plan: Plan, chosen: land_classes.GreenWater) -> Layer:
    """Return the layer that a definition speaks of: its scheme and edition, planned or current.

    Where the plan has no layer of that role, the other one is taken; answers name the layer.

    Raises
    ------
    NotFoundError
        The plan has no such layer that can be used; a layer without data is named with the reason.
    """
    alike = [layer for layer in plan.layers.values() if _speaks_of(layer, chosen)]
    # What is planned is never read from what is there now only because its file is missing.
    fitting = [x for x in alike if x.info.role == chosen.role] or alike
    for layer in fitting:
        if layer.state is LayerState.CHECKED:
            return layer
    lacking = "；".join(f"图层“{x.info.title}”无数据（{x.reason}）" for x in fitting)
    raise NotFoundError(
        lacking or f"规划数据包没有《{chosen.scheme}》{chosen.edition} 年版的用地图层",
        expected=f"口径 {chosen.id} 所需的用地图层",
        advice="补充图层，或换用其他口径",
    )


def _speaks_of(layer: Layer, chosen: land_classes.GreenWater) -> bool:
    info = layer.info
    if info.role not in _LAND_ROLES or info.geometry != "polygon":
        return False  # farmland has classes too, and is not all land
    if not (info.scheme and info.edition):
        return False
    try:
        scheme = land_classes.scheme(info.scheme, info.edition)
    except RuleBookError:  # a scheme of another country
        return False
    return (scheme.id, scheme.edition) == (chosen.scheme, chosen.edition)


def _by_definition(balance: LandBalance, chosen: land_classes.GreenWater) -> DefinitionShare:
    """Return the share by another definition; on the same layer the same pieces count anew."""
    text = definition_text(chosen.id)
    try:
        layer = class_layer(balance.plan, chosen)
    except NotFoundError as problem:
        return DefinitionShare(chosen.id, text, None, None, None, problem.found)
    ground = balance.ground
    if layer.info.id != balance.layer:
        ground = divide(layer, balance.area.polygon, balance.ground.epsg)
    scheme = land_classes.scheme(chosen.scheme, chosen.edition)
    counted = counting(ground, chosen, scheme)
    found = share_range(ground, counted, balance.denominator_m2)
    known = balance.denominator_m2 - ground.uncovered_m2 > STRAY_M2
    reason = "" if known else f"图层“{layer.info.title}”没有覆盖该范围"
    return DefinitionShare(chosen.id, text, layer.info, found.low if known else None, found, reason)
