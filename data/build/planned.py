"""Planned land use of the core in 2023 codes, with green and water at the stated 52 %.

The river parks are the free parameter: their width is solved on the drawn shapes, then the patches
are laid over the common arrangement like the current land use.
"""

from __future__ import annotations

from dataclasses import dataclass

from frame import area, fact, facts, rng, street_box
from shapely import offset_curve
from shapely.geometry.base import BaseGeometry
from shapes import long_angle, merged, parts, ribbon
from solve import solve
from streets import Way, named
from urban import pick, plots_of
from water import Water

NAMES = {
    "070102": "二类城镇住宅用地",
    "0702": "城镇社区服务设施用地",
    "0801": "机关团体用地",
    "0802": "科研用地",
    "0803": "文化用地",
    "080403": "中小学用地",
    "080404": "幼儿园用地",
    "0806": "医疗卫生用地",
    "0901": "商业用地",
    "0902": "商务金融用地",
    "0903": "娱乐用地",
    "100101": "一类工业用地",
    "1201": "铁路用地",
    "1207": "城镇村道路用地",
    "1208": "交通场站用地",
    "1301": "供水用地",
    "1302": "排水用地",
    "1303": "供电用地",
    "1310": "消防用地",
    "1401": "公园绿地",
    "1402": "防护绿地",
    "1403": "广场用地",
    "16": "留白用地",
    "1701": "河流水面",
    "1703": "水库水面",
    "1705": "沟渠",
}
SURFACE = {"河流": "1701", "运河": "1701", "干渠": "1705", "水库": "1703", "坑塘": "1704"}


@dataclass(frozen=True)
class Plot:
    """A planned patch: the first of the list that covers a face decides."""

    shape: BaseGeometry
    code: str
    name: str = ""


def belts(ways: list[Way], items: list[dict]) -> list[Plot]:
    """Return planned green belts beside the red lines of named streets."""
    out = []
    for item in items:
        way = named(ways, item["street"])
        # Streets are drawn west-east or south-north: south and east lie to the right.
        sign = -1 if item["side"] in ("south", "east") else 1
        axis = offset_curve(way.line, sign * (way.width + item["width"]) / 2)
        out.append(Plot(ribbon(axis, item["width"]), "1402", f"{item['street']}绿带"))
    return out


def plan_core(
    core: BaseGeometry,
    ways: list[Way],
    rail: list,
    waters: list[Water],
    sites: dict[str, BaseGeometry],
) -> list[Plot]:
    """Return all planned patches of the core, top floor first."""
    hard = [Plot(line.buffer(half, cap_style="flat"), "1201") for _, _, half, line in rail]
    hard += [Plot(way.land, "1207") for way in ways if way.urban]
    wet = [Plot(water.surface & core, SURFACE[water.kind], water.name) for water in waters]
    wet = [plot for plot in wet if not plot.shape.is_empty]
    fixed = _site_plots(sites) + _squares_and_works()
    green = belts(ways, facts()["belts"]["list"]) + _parks(ways, rail)
    width = _solve_width(core, hard, wet, fixed, green, waters)
    green += _river_parks(waters, width)
    rest = core - merged([p.shape for p in hard + wet + fixed + green])
    return hard + wet + fixed + green + _building_plots(rest)


def _site_plots(sites: dict[str, BaseGeometry]) -> list[Plot]:
    """Give the sample sites the use they ask for; margins keep slivers out of their borders."""
    uses = {
        "yizhong": ("080403", 3.0),
        "sanguan": ("0803", 6.0),
        "health": ("0802", 6.0),
        "plaza": ("0901", 5.0),
    }
    return [Plot(sites[key].buffer(d, join_style="mitre"), code) for key, (code, d) in uses.items()]


def _squares_and_works() -> list[Plot]:
    item = facts()["parks"]
    squares = [Plot(street_box(*box), "1403", "广场") for box in item["squares"]]
    return squares + [Plot(street_box(*w["box"]), w["code"], w["name"]) for w in item["works"]]


def _parks(ways: list[Way], rail: list) -> list[Plot]:
    item = facts()["parks"]
    belt = [
        Plot(line.buffer(half + item["rail_belt_m"], cap_style="flat"), "1402", f"{name}防护绿带")
        for name, _, half, line in rail
    ]
    parks = [Plot(street_box(*park["box"]), "1401", park["name"]) for park in item["boxes"]]
    parks += [
        Plot(street_box(*box), "1401", f"街头公园{k}号")
        for k, box in enumerate(item["pockets"], start=1)
    ]
    return belt + belts(ways, item["road_belts"]) + parks


def _river_parks(waters: list[Water], width: float) -> list[Plot]:
    """Return the parks along river and canals for one width of the river's park."""
    ratio = facts()["parks"]["canal_ratio"]
    reach = {
        "徒骇河": width,
        "小运河": ratio * width,
        "赵王河": ratio * width,
        "二干渠": 0.5 * ratio * width,
    }
    return [
        Plot(water.surface.buffer(reach[water.name]).simplify(1.0), "1401", f"{water.name}滨河公园")
        for water in waters
        if water.name in reach
    ]


def _solve_width(
    core: BaseGeometry,
    hard: list[Plot],
    wet: list[Plot],
    fixed: list[Plot],
    green: list[Plot],
    waters: list[Water],
) -> float:
    """Find the park width at which classes 14 and 17 are 52 % of the core's ellipsoidal area."""
    stone = merged([p.shape for p in hard])
    water = merged([p.shape for p in wet]) - stone
    buildings = merged([p.shape for p in fixed if p.code != "1403"]) - water
    base = merged([p.shape for p in green + [p for p in fixed if p.code == "1403"]])
    target = fact("areas", "green_water_share") * area(core)

    def error(width: float) -> float:
        parks = merged([base, *[p.shape for p in _river_parks(waters, width)]])
        return area(((parks - stone - buildings) | water) & core) - target

    # Simplified park edges jump by a few m2 between widths; 0.001 percentage point is 383 m2.
    width = solve(error, 5.0, 900.0, 20.0)
    print(f"  planned use: river parks {width:.2f} m wide on each side")
    return width


def _building_plots(rest: BaseGeometry) -> list[Plot]:
    """Cut what is left between streets and parks into plots of the building classes."""
    seed, out = rng("planned"), []
    for block in parts(rest):
        for plot in plots_of(block, long_angle(block), seed, 52000.0):
            out.append(Plot(plot, pick(facts()["parks"]["mix"], seed)))
    return out
