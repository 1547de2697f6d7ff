"""City lines, redline, management ranges, built-up area, farmland: rule layers as face labels.

Each function answers which faces belong to which feature; geometry is made later by union.
"""

from __future__ import annotations

import numpy as np
import shapely
from arrange import Arrangement
from districts import Districts
from fields import Country
from frame import at, facts, rng, street_box
from landuse import CULTIVATED
from planned import Plot
from shapely.geometry.base import BaseGeometry
from shapes import merged
from urban import Urban
from water import Water

RANGES = {"河流": "河道", "运河": "河道", "干渠": "渠道"}  # kind of water -> class of its range
Feature = tuple[str, str, np.ndarray]  # class, name, chosen faces


def green_line(plots: list[Plot], plan: np.ndarray) -> list[Feature]:
    """Return planned parks and belts by name: class 1401 is 公园绿地, 1402 防护绿地."""
    out: list[Feature] = []
    kinds = {"1401": "公园绿地", "1402": "防护绿地"}
    keys = sorted({(p.code, p.name) for p in plots if p.code in kinds and p.name})
    code = np.array([p.code if k >= 0 else "" for k, p in enumerate(plots)] + [""])[plan]
    name = np.array([p.name for p in plots] + [""])[plan]
    for key in keys:
        chosen = (code == key[0]) & (name == key[1])
        if chosen.any():
            out.append((kinds[key[0]], key[1], chosen))
    return out


def blue_line(base: Arrangement, place: Districts, waters: list[Water]) -> list[Feature]:
    """Return water with its dikes inside the core, one feature per water body."""
    return first_wins(base, [(w.kind, w.name, w.dike & place.core) for w in waters])


def purple_line(base: Arrangement) -> list[Feature]:
    """Return the heritage extents drawn at 四河头 and on the old canal."""
    shapes = purple_shapes()
    return first_wins(base, [("历史文化保护", name, shape) for name, shape in shapes])


def purple_shapes() -> list[tuple[str, BaseGeometry]]:
    """Return name and outline of each purple line."""
    return [(i["name"], street_box(*i["box"])) for i in facts()["heritage"]["purple"]]


def yellow_line(plots: list[Plot], plan: np.ndarray) -> list[Feature]:
    """Return the planned works (class 13) as infrastructure lines."""
    out: list[Feature] = []
    for number, plot in enumerate(plots):
        if plot.code.startswith("13") and (plan == number).any():
            out.append(
                (plot.name, f"{plot.name.removesuffix('用地')}设施{len(out) + 1}", plan == number)
            )
    return out


def water_bodies(base: Arrangement, waters: list[Water]) -> list[Feature]:
    """Return water surfaces; where two meet, standing water wins."""
    return first_wins(base, [(w.kind, w.name, w.surface) for w in waters])


def river_ranges(base: Arrangement, waters: list[Water]) -> list[Feature]:
    """Return management ranges of rivers and canals: water up to the outer foot of the dikes."""
    found = [(RANGES[w.kind], f"{w.name}管理范围", w.dike) for w in waters if w.axis is not None]
    return first_wins(base, found)


def first_wins(base: Arrangement, shapes: list[tuple[str, str, BaseGeometry]]) -> list[Feature]:
    """Return the faces of each (class, name, shape); a face goes to the first shape over it."""
    shapes = [item for item in shapes if not item[2].is_empty]
    owner = base.owner([shape for _, _, shape in shapes])
    return [
        (kind, name, owner == k) for k, (kind, name, _) in enumerate(shapes) if (owner == k).any()
    ]


def redline(base: Arrangement, waters: list[Water]) -> list[Feature]:
    """Return the wetland reach of 徒骇河 upstream of the core and the drinking-water reservoir."""
    limit = facts()["redline"]["river_east_limit"]
    by_name = {w.name: w for w in waters}
    x0, y0, _, y1 = by_name["徒骇河"].dike.bounds
    reach = by_name["徒骇河"].dike & shapely.box(x0, y0, limit, y1)
    return first_wins(
        base,
        [
            ("水源涵养", "谭庄水库", by_name["谭庄水库"].dike),
            ("生物多样性维护", "徒骇河湿地", reach),
        ],
    )


def redline_shapes() -> list[BaseGeometry]:
    """Return the outlines that the arrangement must contain for the redline."""
    limit = facts()["redline"]["river_east_limit"]
    return [shapely.LineString([(limit, 4020000), (limit, 4032000)])]


def built_up(urban: Urban, base: Arrangement, river: np.ndarray) -> list[Feature]:
    """Return the built-up area of the core and of each town, rivers left out."""
    items = [("城区", "新城建成区", urban.core_ground)]
    names = [item["name"] for item in facts()["centre"]]
    items += [
        ("镇区", f"{name}镇区", shape) for name, shape in zip(names, urban.centres, strict=True)
    ]
    return [(kind, name, chosen & ~river) for kind, name, chosen in first_wins(base, items)]


def farmland(
    base: Arrangement, code: np.ndarray, country: Country, blocked: np.ndarray, urban: Urban
) -> np.ndarray:
    """Return a label per face: 0 for none, else one number per farmland plot.

    Whole irrigation units are taken in a seeded order until the stated share of the usable land is
    reached; a plot is the touching fields of one class.
    """
    usable = np.isin(code, CULTIVATED) & ~blocked
    unit = base.owner(country.units)
    usable &= unit >= 0
    size = shapely.area(base.faces)
    chosen = _chosen_units(country, unit, np.where(usable, size, 0.0), _near_towns(urban))
    kind = np.searchsorted(np.array(sorted(CULTIVATED)), code) + 1
    label = np.where(usable & chosen[unit], unit * 8 + kind, 0)
    group = base.groups(label)
    crumb = np.bincount(group, size) < 3000
    return np.where((label > 0) & ~crumb[group], group + 1, 0)


def _near_towns(urban: Urban) -> BaseGeometry:
    """Return the ground around towns and works that is kept free for their growth."""
    clear = facts()["farmland"]["clear_of_towns_m"]
    return merged([*(town.buffer(clear) for town in urban.centres), urban.industry.buffer(60)])


def _chosen_units(
    country: Country, unit: np.ndarray, usable_m2: np.ndarray, keep_out: BaseGeometry
) -> np.ndarray:
    """Return which irrigation units become permanent farmland."""
    item = facts()["farmland"]
    goal = item["share"] * usable_m2.sum()
    inside = unit >= 0
    held = np.bincount(unit[inside], usable_m2[inside], len(country.units))
    order = rng("farmland").permutation(len(country.units))
    prime = shapely.box(*at(*item["prime"][:2]), *at(*item["prime"][2:]))
    first = np.array([country.units[k].intersects(prime) for k in order])
    chosen = np.zeros(len(country.units), bool)
    for k in np.concatenate([order[first], order[~first]]):
        room = goal - held[chosen].sum()
        if 20000 < held[k] <= room and not country.units[k].intersects(keep_out):
            chosen[k] = True
    return chosen
