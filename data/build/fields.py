"""The countryside: village cells, irrigation units, ditches, field roads, strips and villages.

Land between the named roads and rivers is cut again and again in the direction of the block: first
by village roads, then by ditches and field roads, last into strips. Every village cell gets one
village with its yards, pond and trees.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from frame import facts, rng
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapes import cut, largest, long_angle, parts, pieces, ribbon, stepped, strips

# What a village has, with its chance; the fringe also with a half size in metres.
YARDS = (("08H1", 0.8), ("0601", 0.30), ("0810", 0.25), ("05H1", 0.15))
FRINGE = (
    ("1104", 0.7, 62),
    ("0301", 0.65, 80),
    ("0201", 0.45, 100),
    ("1202", 0.35, 85),
    ("0307", 0.5, 70),
)


@dataclass(frozen=True)
class Patch:
    """A painted piece of current land: later patches of a higher floor cover it."""

    shape: BaseGeometry
    code: str
    state_owned: bool = False


@dataclass
class Country:
    """Everything the countryside generator draws."""

    fields: list[Patch] = field(default_factory=list)
    lines: list[Patch] = field(default_factory=list)
    villages: list[Patch] = field(default_factory=list)
    outlines: list[Polygon] = field(default_factory=list)
    cells: list[Polygon] = field(default_factory=list)
    units: list[Polygon] = field(default_factory=list)
    roads: list[tuple[LineString, float]] = field(default_factory=list)


def build_country(free: BaseGeometry, towns: list[Polygon], quiet: BaseGeometry) -> Country:
    """Fill the free land town by town, so that no village lies across a border.

    No village is placed where ``quiet`` (banks, works) asks so.
    """
    out = Country()
    for number, block in enumerate(block for town in towns for block in parts(free & town)):
        seed = rng(f"block{number}")
        angle = long_angle(block)
        angle = angle if abs(angle) < 24 else angle * 0.4
        _divide(block, angle + seed.normal(0, 1.5), seed, out, quiet, in_cell=False)
    return out


def _divide(
    block: Polygon,
    angle: float,
    seed: np.random.Generator,
    out: Country,
    quiet: BaseGeometry,
    *,
    in_cell: bool,
) -> None:
    """Cut a block until it is one irrigation unit; note the village cell on the way down."""
    rural, km2 = facts()["rural"], block.area / 1e6
    if not in_cell and km2 < rural["village_cell_km2"]:
        in_cell = True
        out.cells.append(block)
        if km2 > 0.42:
            _settle(block, angle, seed, out, quiet)
    if km2 < rural["unit_km2"]:
        _cultivate(block, angle, seed, out)
        return
    line = cut(block, angle, seed, seed.uniform(0.42, 0.58))
    inside = line.intersection(block)
    code, width = _separator(km2, seed)
    for piece in shapely.get_parts(inside):
        if piece.length > 20:
            out.lines.append(Patch(ribbon(piece, width), code))
            if code == "1006" and width > 5.5:
                out.roads.append((piece, width))
    for half in pieces(block, line):
        _divide(half, angle + seed.normal(0, 0.7), seed, out, quiet, in_cell=in_cell)


def _separator(km2: float, seed: np.random.Generator) -> tuple[str, float]:
    """Return class and width of what lies along a cut: the bigger the block, the bigger the way."""
    if km2 > facts()["rural"]["village_cell_km2"]:
        return "1006", 6.5
    if km2 > 0.62:
        return ("1107", float(seed.uniform(7, 11))) if seed.random() < 0.6 else ("1006", 5.0)
    return ("1006", 4.0) if seed.random() < 0.55 else ("1107", float(seed.uniform(4, 6.5)))


def _cultivate(unit: Polygon, angle: float, seed: np.random.Generator, out: Country) -> None:
    """Slice one irrigation unit into strips and decide what grows on them."""
    out.units.append(unit)
    theme = seed.choice(
        ["0102", "0201", "0301", "0103", "1202"], p=[0.90, 0.035, 0.025, 0.025, 0.015]
    )
    for strip in strips(unit, angle, tuple(facts()["rural"]["strip_m"]), seed):
        other = seed.choice(["0307", "1202", "0201", "0404", "0301", "0103"])
        code = str(other) if seed.random() < 0.05 else str(theme)
        out.fields.append(Patch(strip, code))


def _settle(
    cell: Polygon, angle: float, seed: np.random.Generator, out: Country, quiet: BaseGeometry
) -> None:
    """Place one village near the middle of a cell, with its main street, yards, pond and grove."""
    room = cell.buffer(-95)
    if room.is_empty or room.area < 60000:
        return
    room = largest(room)
    middle = room.centroid if room.contains(room.centroid) else room.representative_point()
    spot = Point(middle.x + seed.normal(0, 110), middle.y + seed.normal(0, 110))
    spot = spot if room.contains(spot) else middle
    radius = seed.uniform(*facts()["rural"]["village_radius_m"], 2)
    outline = stepped((spot.x, spot.y), (radius[0] * 1.12, radius[1]), angle, seed)
    if seed.random() < 0.25:  # a younger row of houses beside the old village
        aside = affinity.translate(outline, seed.normal(0, 150), seed.normal(0, 120))
        row = stepped((aside.centroid.x, aside.centroid.y), (130.0, 75.0), angle, seed)
        outline = outline | row
    outline = largest(outline).intersection(cell.buffer(-14))
    if outline.is_empty or outline.intersects(quiet):
        return
    outline = largest(outline)
    out.outlines.append(outline)
    _furnish(outline, cell, spot, angle, seed, out)


def _furnish(
    outline: Polygon,
    cell: Polygon,
    spot: Point,
    angle: float,
    seed: np.random.Generator,
    out: Country,
) -> None:
    """Draw the inside and the fringe of a village, top floor first."""
    _main_street(outline, cell, spot, angle, seed, out)
    for code, share in YARDS:
        if seed.random() < share:
            out.villages.append(_yard(outline, angle, seed, code))
    out.villages += [Patch(part, "0702") for part in parts(outline)]
    for code, share, size in FRINGE:
        if seed.random() < share:
            out.villages.append(_fringe(outline, angle, seed, code, size))


def _main_street(
    outline: Polygon,
    cell: Polygon,
    spot: Point,
    angle: float,
    seed: np.random.Generator,
    out: Country,
) -> None:
    """Draw the village street; it runs on as a lane to the roads around the cell."""
    reach = (-900, 900) if seed.random() < 0.5 else (-300, 900)
    cross = LineString([(spot.x + reach[0], spot.y), (spot.x + reach[1], spot.y)])
    cross = affinity.rotate(cross, angle + (90 if seed.random() < 0.4 else 0), origin=spot)
    out.villages.append(Patch(ribbon(cross, 8.0).intersection(outline), "1004"))
    for lane in shapely.get_parts((cross & cell) - outline):
        if lane.touches(outline) and lane.length > 30:
            out.villages.append(Patch(ribbon(lane, 4.5), "1006"))
            out.roads.append((lane, 4.5))


def _yard(outline: Polygon, angle: float, seed: np.random.Generator, code: str) -> Patch:
    """Return a small yard (school, office, workshop) inside the village."""
    x0, y0, x1, y1 = outline.bounds
    place = Point(seed.uniform(0.3, 0.7) * (x1 - x0) + x0, seed.uniform(0.3, 0.7) * (y1 - y0) + y0)
    box = shapely.box(place.x - 38, place.y - 30, place.x + 38, place.y + 30)
    return Patch(affinity.rotate(box, angle).intersection(outline), code)


def _fringe(
    outline: Polygon, angle: float, seed: np.random.Generator, code: str, size: float
) -> Patch:
    """Return a pond, grove, orchard or farm building at the edge of the village."""
    at_edge = outline.exterior.interpolate(seed.random(), normalized=True)
    if code == "1104":
        shape = stepped(
            (at_edge.x, at_edge.y),
            (size * seed.uniform(0.7, 1.3), size * 0.8),
            angle,
            seed,
            (17, 17),
        )
        return Patch(shape.buffer(6, quad_segs=2).simplify(2), code)
    width, height = size * seed.uniform(0.8, 1.6, 2)
    box = shapely.box(at_edge.x - width, at_edge.y - height, at_edge.x + width, at_edge.y + height)
    return Patch(affinity.rotate(box, angle), code)
