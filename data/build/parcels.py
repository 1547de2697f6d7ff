"""Parcels of the detailed plan and the ownership of land.

The parcels carry real numbers on drawn outlines; ownership follows the current land use, its
villages are numbered and not named.
"""

from __future__ import annotations

import numpy as np
import planned
import shapely
from arrange import Arrangement
from fields import Country
from frame import PRECISION_M, area, facts, on_grid, street_box
from layers import Table, number, text, unions
from shapely.geometry import Polygon
from solve import solve

HECTARE_M2 = 10_000.0
# Vertices whose triangle is smaller than the square of this lie on a straight edge.
COLLINEAR_M = 0.1
CRUMB_M2 = 20.0
# column of the file -> key of facts.toml
LIMITS = {"RJLSX": "far", "JZMDSX": "density", "LDLXX": "green", "JZGDSX": "height"}


def detailed_parcels() -> Table:
    """Return the eight real parcels with their limits; an unpublished limit stays empty."""
    columns = [text("DKBH", 12), text("XBH", 20), text("YDYHFLDM", 8), text("YTSM"), number("DKMJ")]
    table = Table("KGDK", "4002", "polygon", [*columns, *(number(name, 8) for name in LIMITS)])
    for item in facts()["detailed_plan"]["list"]:
        shape = outline(item["code"])
        table.add(
            shape,
            item["code"],
            item.get("new", ""),
            item["use"],
            item["words"],
            round(area(shape), 2),
            *(item.get(key) for key in LIMITS.values()),
        )
    return table


def outline(code: str) -> Polygon:
    """Return the outline of one parcel, as high as its stated area asks."""
    item = next(i for i in facts()["detailed_plan"]["list"] if i["code"] == code)
    (left, top, width), goal = item["box"], item["ha"] * HECTARE_M2

    def shape(height: float) -> Polygon:
        return on_grid(street_box(left, top - height, left + width, top))

    guess = goal / width
    return shape(solve(lambda h: area(shape(h)) - goal, 0.9 * guess, 1.1 * guess, 0.1))


def make_room(plan: Table) -> None:
    """Cut land for the fire station out of the planned plot around its parcel.

    This is done after the common arrangement, so that no other plot and no other layer moves.
    """
    ground = on_grid(street_box(*facts()["detailed_plan"]["fire_ground"]))
    giver = next(k for k, shape in enumerate(plan.shapes) if shape.covers(ground))
    plan.redraw(giver, shapely.difference(plan.shapes[giver], ground, grid_size=PRECISION_M))
    plan.add(ground, "1310", planned.NAMES["1310"], round(area(ground), 2))


def ownership(
    base: Arrangement, state_owned: np.ndarray, town: np.ndarray, country: Country
) -> Table:
    """Return state and collective land per village; village borders are the cells of villages.

    ``state_owned`` and ``town`` say for every face who owns it and in which town it lies.
    """
    columns = [text("QSXZ", 12), text("QSDWMC"), text("XZQMC"), number("MJ")]
    table = Table("TDQS", "1004", "polygon", columns)
    village = base.owner_or_nearest(country.cells, np.ones(len(base.faces), bool))
    towns = [item["name"] for item in facts()["towns"]["list"]]
    key = (town * len(country.cells) + village) * 2 + state_owned
    used, group = np.unique(key, return_inverse=True)
    # A crumb between two borders is no holding of its own; it goes with the rest of the village.
    held = np.bincount(group, shapely.area(base.faces))
    key = np.where(held[group] < CRUMB_M2, key ^ 1, key)
    used, group = np.unique(key, return_inverse=True)
    shapes, first = unions(base, group)
    simple = shapely.coverage_simplify(
        np.array(shapes, dtype=object), COLLINEAR_M, simplify_boundary=False
    )
    numbers = _village_numbers(used // 2, town[first])
    for k, shape in enumerate(simple):
        place = towns[town[first[k]]]
        state = bool(used[k] % 2)
        owner = f"国家所有（{place}）" if state else f"{place}示意村{numbers[used[k] // 2]:02d}"
        kind = "国有" if state else "集体"
        table.add(shapely.normalize(shape), kind, owner, place, round(area(shape), 2))
    return table


def _village_numbers(villages: np.ndarray, town: np.ndarray) -> dict[int, int]:
    """Return the number of each village in its town, counted from 1 in the order of the cells."""
    numbers: dict[int, int] = {}
    counts: dict[int, int] = {}
    for place, home in dict(zip(villages.tolist(), town.tolist(), strict=True)).items():
        counts[home] = counts.get(home, 0) + 1
        numbers[place] = counts[home]
    return numbers
