"""Layers of restrictions beside the plan: pipes, heritage, canal, water works, supplied land.

What is not published stays empty (see ``layers.without_features``); what is drawn says so.
"""

from __future__ import annotations

import lines
import numpy as np
import shapely
from arrange import Arrangement
from frame import area, at, facts, on_grid, street
from layers import Table, features, number, project_shape, text
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry
from shapes import ribbon, smooth
from water import Water


def restriction_layers(
    base: Arrangement, waters: list[Water], sites: dict[str, BaseGeometry]
) -> list[Table]:
    """Return every drawn layer of restrictions."""
    return [
        pipelines(),
        heritage(base),
        grand_canal(waters),
        features("SLGC", "3006", base, _works(base, waters)),
        features("TSST", "3007", base, _special_waters(base, waters)),
        _supplied("YPXM", "6002", "土地供应", sites),
        _supplied("XZTD", "6003", "疑似闲置", sites),
    ]


def pipelines() -> Table:
    """Return pipes and cables with the outer radius in metres."""
    columns = [text("MC"), text("LX"), number("BKD", 8)]
    table = Table("YQGD", "5004", "line", columns)
    for item in facts()["pipeline"]:
        line = on_grid(LineString([street(*p) for p in item["course"]]))
        table.add(line, item["name"], item["kind"], item["outer_radius"])
    return table


def heritage(base: Arrangement) -> Table:
    """Return the drawn heritage extents as protection ranges; no zone around them is published."""
    found = [("保护范围", name, chosen) for _, name, chosen in lines.purple_line(base)]
    return features("WWBH", "2009", base, found)


def grand_canal(waters: list[Water]) -> Table:
    """Return the management range of the canal, carried on beyond the resort to the plan's bounds.

    Inside the resort it is the range of the drawn river; rules measure from its outer line.
    """
    item = facts()["canal"]
    river = next(w for w in waters if w.name == item["river"])
    drawn = next(r for r in facts()["river"] if r["name"] == item["river"])
    assert river.axis is not None
    course, width = np.array(river.axis.coords), drawn["width"] + 2 * drawn["dike"]
    south = np.vstack([[at(*p) for p in item["south"]], course[:2]])
    north = np.vstack([course[-2:], [at(*p) for p in item["north"]]])
    arms = [ribbon(smooth(arm), width, mitre=False) for arm in (south, north)]
    shape = on_grid(shapely.union_all([river.dike, *arms]))
    table = Table("DYH", "3005", "polygon", [text("LX"), text("MC"), number("MJ")])
    name = f"{river.name}有水河段管理范围"
    table.add(shape, "有水河段", name, round(area(shape), 2))
    return table


def _works(base: Arrangement, waters: list[Water]) -> list[lines.Feature]:
    classes = facts()["works"]["classes"]
    found = [(classes[w.name], f"{w.name}管理范围", w.dike) for w in waters if w.name in classes]
    return lines.first_wins(base, found)


def _special_waters(base: Arrangement, waters: list[Water]) -> list[lines.Feature]:
    """Return the water of the named rivers, as the water layer draws it."""
    named = facts()["works"]["special_waters"]
    bodies = lines.water_bodies(base, waters)
    return [("特殊水体保护区", name, chosen) for _, name, chosen in bodies if name in named]


def _supplied(file: str, code: str, kind: str, sites: dict[str, BaseGeometry]) -> Table:
    """Return the one plot of which public text says that it was supplied and not built on."""
    item = next(p for p in facts()["project"] if p["id"] == facts()["supplied"]["project"])
    shape = project_shape(item, sites)
    table = Table(file, code, "polygon", [text("LX"), text("MC"), number("MJ")])
    shape = on_grid(shape)
    table.add(shape, kind, item["name"], round(area(shape), 2))
    return table
