"""Which maps stand in a report, and what is drawn on them?

Drawn in the work CRS from the layers of the plan and the geometry of the check, in the looks of the
screen maps. Layers above the secrecy ceiling are never drawn. Nothing is measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from gis.crs import geographic_code, transform
from gis.output.drawing import Frame
from gis.output.maps import style
from gis.output.maps.card import geojson_bounds, verdict_of
from gis.output.maps.groups import LAND_ROLES, groups_of
from gis.output.maps.remedies import KEY
from gis.output.maps.remedies import LOOK as REMEDY
from gis.output.maps.style import Look
from gis.output.maps.visible import drawable
from gis.output.report.blocks import Figure
from gis.output.report.sheet import (
    Layout,
    LegendRow,
    halo,
    look_attributes,
    sheet,
    verdict_look,
    window,
)

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer

Document = Mapping[str, Any]
WIDE = Layout(166.0, 104.0)
OVERVIEW = Layout(166.0, 92.0)
SMALL = Layout(60.0, 58.0, legend="below", legend_mm=6.5)
_LEGEND_ROW_MM = 4.3
# Bottom to top. Roles that are not named here stand on no map of a report.
_BASE = ("planning_area", "district", "water", "road", "railway", "core")
_LINES = ("farmland", "redline", "control_line", "dev_boundary")
_SIMPLER_PX = 0.35
_LEAST_M = 60.0  # a smaller window would show nothing but the site


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A group of features, ready to be looked up by place."""

    row: LegendRow
    shapes: Any
    tree: shapely.STRtree


class Painter:
    """Draws maps of one plan; a layer is prepared once for all of them.

    Parameters
    ----------
    plan
        An opened plan.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.
    """

    def __init__(self, plan: Plan, ceiling: str = "public") -> None:
        self.plan = plan
        self._ceiling = ceiling
        self._prepared: dict[str, list[_Drawn]] = {}

    def worked(self, geometry: Any) -> BaseGeometry | None:
        """Return a GeoJSON geometry of a document in the work CRS, None when there is none."""
        if geojson_bounds(geometry) is None:
            return None
        code = geographic_code(self.plan.work_epsg)
        return transform(shape(geometry), code, self.plan.work_epsg)

    def layers(self, roles: Iterable[str]) -> list[Layer]:
        """Return the layers of some roles that may be drawn, in the order of the roles."""
        return [layer for role in roles for layer in drawable(self.plan, role, self._ceiling)]

    def named(self, ids: Iterable[str]) -> list[Layer]:
        """Return the layers with these ids that may be drawn."""
        roles = {layer.info.role for layer in self.plan.layers.values()}
        return [layer for layer in self.layers(sorted(roles)) if layer.info.id in set(ids)]

    def paint(
        self, frame: Frame, layers: Iterable[Layer], *, least_road: float = 0.0
    ) -> tuple[list[str], list[LegendRow]]:
        """Return the paths of what lies in the window, and the legend rows of what was drawn.

        Roads thinner than ``least_road`` are left out, for maps of a whole area.
        """
        paths: list[str] = []
        keys: dict[str, LegendRow] = {}
        for layer in layers:
            for group in self._groups(layer):
                if layer.info.role == "road" and group.row.look.weight < least_road:
                    continue
                data = _data(frame, group)
                if data:
                    paths += _strokes(data, group.row.look, filled=group.row.kind == "area")
                    keys[group.row.label] = group.row
        return paths, list(keys.values())

    def _groups(self, layer: Layer) -> list[_Drawn]:
        if layer.info.id not in self._prepared:
            kind = {"polygon": "area", "line": "line", "point": "point"}[layer.info.geometry]
            self._prepared[layer.info.id] = [
                _drawn(LegendRow(g.label, g.look, kind, g.number), g.frame.geometry.to_numpy())
                for g in groups_of(layer)
            ]
        return self._prepared[layer.info.id]

    @cached_property
    def whole(self) -> BaseGeometry:
        """The planning area, else the bounds of the plan."""
        areas = self.layers(["planning_area"])
        return areas[0].index.union if areas else self.plan.bounds_polygon


def _drawn(row: LegendRow, shapes: Any) -> _Drawn:
    return _Drawn(row, shapes, shapely.STRtree(shapes))


def _data(frame: Frame, group: _Drawn) -> str:
    """Return the path data of a group within the window, lighter than the eye can see."""
    near = group.shapes[group.tree.query(frame.window)]
    if not len(near):
        return ""
    if group.row.kind == "point":
        return "".join(_dot(frame, point) for point in shapely.get_parts(near))
    west, south, east, north = frame.window.bounds
    margin = 6 / frame.per_m
    cut = shapely.clip_by_rect(near, west - margin, south - margin, east + margin, north + margin)
    lighter = shapely.simplify(cut, _SIMPLER_PX / frame.per_m)
    return "".join(frame.lines(g) for g in lighter if not g.is_empty)


def _dot(frame: Frame, point: Any) -> str:
    x, y = frame.place(point.x, point.y)
    return f"M{x - 2:.1f} {y:.1f}a2 2 0 1 0 4 0a2 2 0 1 0 -4 0Z"


def _strokes(data: str, look: Look, *, filled: bool) -> Iterator[str]:
    if look.casing:
        below = Look(look.casing, look.weight + 1.6)
        yield f'<path d="{data}" {look_attributes(below, filled=False)}/>'
    yield f'<path d="{data}" {look_attributes(look, filled=filled)}/>'


# --- maps of a site ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SiteMaps:
    """The maps of one checked site; ``document`` has no geometry that must stay in the house."""

    painter: Painter
    document: Document

    @cached_property
    def site(self) -> BaseGeometry | None:
        """The site in the work CRS, None when the document has no outline."""
        return self.painter.worked(self.document["site"].get("geometry"))

    def overview(self, caption: str) -> Figure | None:
        """Return where in the planning area the site lies."""
        if self.site is None:
            return None
        layers = self.painter.layers(("zone", "planning_area", "district", "core", "water", "road"))
        bounds = shapely.union_all([self.painter.whole.envelope, self.site.envelope]).bounds
        frame, scale = window(bounds, OVERVIEW, 0.02)
        paths, keys = self.painter.paint(frame, layers, least_road=2.0)
        names = [*self._zone_numbers(frame), *self._district_names(frame)]
        x, y = frame.place(self.site.centroid.x, self.site.centroid.y)
        colour = self._verdict.colour
        mark = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="#fff" stroke-width="5"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{colour}" '
            f'stroke-width="2.6"/><circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        )
        own = LegendRow("地块位置", Look(colour, 2, fill=colour), "point")
        return self._figure(caption, OVERVIEW, [*paths, *names, mark], [own, *keys], frame, scale)

    def theme(self, role: str, caption: str) -> Figure | None:
        """Return the land around the site by the classes of one layer; None without data."""
        return self._around(caption, (role,), ("water", "road", "railway"))

    def lines(self, caption: str) -> Figure | None:
        """Return the control lines around the site; None without data."""
        return self._around(caption, _LINES, ("water", "road", "railway"), base_first=True)

    def _around(
        self,
        caption: str,
        roles: Sequence[str],
        base: Sequence[str],
        *,
        base_first: bool = False,
    ) -> Figure | None:
        if self.site is None:
            return None
        frame, scale = window(_wide_enough(self.site, 0.5), WIDE, 0.1)
        told, keys = self.painter.paint(frame, self.painter.layers(roles))
        if not keys:
            return None
        under, others = self.painter.paint(frame, self.painter.layers(base))
        paths = [*under, *told] if base_first else [*told, *under]
        return self._figure(
            caption, WIDE, [*paths, *self._outline(frame)], [*self._keys(), *keys, *others],
            frame, scale,
        )  # fmt: skip

    def finding(self, finding: Mapping[str, Any], caption: str) -> Figure | None:
        """Return what one finding marks; None when it marks nothing that may be shown."""
        marked = self.painter.worked(finding.get("geometry"))
        if marked is None or self.site is None:
            return None
        frame, scale = window(_wide_enough(shapely.union_all([self.site, marked]), 0.0), SMALL, 0.1)
        layers = self.painter.named(finding.get("layers", ()))
        ground = [layer for layer in layers if layer.info.role in LAND_ROLES]
        others = [layer for layer in layers if layer.info.role not in LAND_ROLES]
        base = self.painter.layers(("water", "road"))
        paths, keys = self.painter.paint(frame, [*ground, *base, *others])
        verdict = verdict_of(finding["verdict"])
        look = verdict_look(style.VERDICTS[verdict])
        kind = "area" if shapely.get_dimensions(marked) == 2 else "line"
        own = LegendRow(f"涉及：{verdict.label}", look, kind)
        layer_keys = [k for k in keys if any(k.label == la.info.title for la in others)]
        legend = [*self._keys(), own, *layer_keys]
        # What is marked lies over the outline: it may be narrower than the line.
        paths += [*self._outline(frame, 1.8), *_marked(frame, marked, look)]
        more = _LEGEND_ROW_MM * max(len(legend) - 2, 0)
        layout = replace(SMALL, height_mm=SMALL.height_mm + more, legend_mm=SMALL.legend_mm + more)
        return self._figure(caption, layout, paths, legend, frame, scale)

    def remedies(self, caption: str) -> Figure | None:
        """Return the new outlines that would comply; None when there is none to show."""
        outlines = [self.painter.worked(r.get("geometry")) for r in self.document["remedies"]]
        shapes = [o for o in outlines if o is not None]
        if not shapes or self.site is None:
            return None
        frame, scale = window(_wide_enough(shapely.union_all([self.site, *shapes]), 0.2), WIDE, 0.1)
        told, keys = self.painter.paint(frame, self.painter.layers(_LINES))
        under, others = self.painter.paint(frame, self.painter.layers(("water", "road", "railway")))
        new = [p for o in shapes for p in _marked(frame, o, REMEDY)]
        legend = [*self._keys(), LegendRow(KEY, REMEDY, "area"), *keys, *others]
        paths = [*under, *told, *self._outline(frame), *new]
        return self._figure(caption, WIDE, paths, legend, frame, scale)

    # --- parts of a map ---

    @property
    def _verdict(self) -> style.VerdictStyle:
        return style.VERDICTS[verdict_of(self.document["verdict"])]

    def _keys(self) -> list[LegendRow]:
        return [LegendRow("地块范围", Look(self._verdict.colour, 2.4), "line")]

    def _outline(self, frame: Frame, weight: float = 2.4) -> list[str]:
        data = frame.data(self.site) if self.site is not None else ""
        own = Look(self._verdict.colour, weight)
        white = Look("#ffffff", weight + 2.4)
        return [f'<path d="{data}" {look_attributes(k, filled=False)}/>' for k in (white, own)]

    def _zone_numbers(self, frame: Frame) -> Iterator[str]:
        for layer in self.painter.layers(["zone"]):
            for group in groups_of(layer):
                for point in _label_points(frame, group.frame.geometry.to_numpy()):
                    yield halo(*point, group.number, size=12, bold=True)

    def _district_names(self, frame: Frame) -> Iterator[str]:
        for layer in self.painter.layers(["district"]):
            for row in layer.frame.itertuples(index=False):
                for x, y in _label_points(frame, np.array([row.geometry])):
                    yield halo(x, y + 15, str(row.name or ""), size=10)

    def _figure(
        self,
        caption: str,
        layout: Layout,
        drawing: Sequence[str],
        legend: Sequence[LegendRow],
        frame: Frame,
        scale: int,
    ) -> Figure:
        notes = [f"EPSG:{self.painter.plan.work_epsg}"] if layout.legend == "right" else []
        if layout.legend == "right" and self.painter.plan.ref.status != "approved":
            notes.insert(0, f"{self.painter.plan.status_label}图，非法定成果")
        svg = sheet(layout, drawing, legend, frame, scale, notes)
        return Figure(caption, svg, layout.width_mm, layout.height_mm)


def _marked(frame: Frame, geometry: BaseGeometry, look: Look) -> list[str]:
    filled = shapely.get_dimensions(geometry) == 2
    if not filled:
        look = replace(look, weight=3.4)
    data = frame.data(geometry)
    return [f'<path d="{data}" {look_attributes(look, filled=filled)}/>'] if data else []


def _wide_enough(geometry: BaseGeometry, around: float) -> tuple[float, float, float, float]:
    """Return bounds with a share of their size on every side, and of a least size."""
    west, south, east, north = geometry.bounds
    size = max(east - west, north - south)
    pad = max(size * around, (_LEAST_M - size) / 2, 0.0)
    return west - pad, south - pad, east + pad, north + pad


def _label_points(frame: Frame, shapes: Any) -> list[tuple[float, float]]:
    """Return where the name of an area stands: inside its largest visible part."""
    seen = shapely.get_parts(shapely.intersection(shapes, frame.window))
    seen = seen[shapely.area(seen) > 0]
    if not len(seen):
        return []
    point = seen[int(np.argmax(shapely.area(seen)))].representative_point()
    return [frame.place(point.x, point.y)]
