"""Built-up land of today: blocks of the core, town centres, industrial ground, the sample sites.

Answers "what stands on the ground inside streets?". Planned use is another question (planned.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from fields import Patch
from frame import at, facts, point, rng, street_box, street_ring
from shapely import affinity
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapes import cut, long_angle, merged, parts, pieces, ribbon, stepped
from water import Water

# Class mixes of plots: guesses (G), tuned by eye so that built-up land reads as a new town.
CORE_MIX = {
    "0701": 0.50,
    "08H2": 0.10,
    "08H1": 0.07,
    "05H1": 0.12,
    "0810": 0.10,
    "0809": 0.03,
    "0601": 0.03,
    "0702": 0.03,
    "1005": 0.02,
}
IDLE_MIX = {"0102": 0.62, "0404": 0.18, "0307": 0.12, "0301": 0.08}
TOWN_MIX = {
    "0702": 0.52,
    "0701": 0.14,
    "08H1": 0.07,
    "08H2": 0.06,
    "05H1": 0.08,
    "0601": 0.07,
    "0508": 0.02,
    "0809": 0.02,
    "0810A": 0.02,
}
WORKS_MIX = {"0601": 0.42, "0102": 0.47, "0508": 0.05, "0404": 0.06}


@dataclass
class Urban:
    """Painted plots, top floor first, and the ground they need."""

    plots: list[Patch] = field(default_factory=list)
    streets: list[Patch] = field(default_factory=list)
    ground: BaseGeometry = field(default_factory=Polygon)
    core_ground: BaseGeometry = field(default_factory=Polygon)
    centres: list[Polygon] = field(default_factory=list)
    industry: Polygon = field(default_factory=Polygon)


def build_urban(taken: BaseGeometry, sites: dict[str, BaseGeometry], waters: list[Water]) -> Urban:
    """Draw the built-up land; ``taken`` (water, roads, railway) is left out of all plots."""
    out = Urban()
    out.plots += _known_sites(sites) + _green_now(waters)
    _core(out, taken)
    for item in facts()["centre"]:
        _centre(out, item, taken)
    _industry(out, taken)
    out.ground = merged([out.core_ground, *out.centres, out.industry])
    return out


def _known_sites(sites: dict[str, BaseGeometry]) -> list[Patch]:
    """Paint what the samples rely on: the built school, the fields still inside project land."""
    return [
        Patch(sites["yizhong"].buffer(2.5, join_style="mitre"), "08H2", True),
        Patch(sites["health"].buffer(3, join_style="mitre"), "08H2", True),
        Patch(sites["sanguan_field"], "0102"),
        Patch(sites["sanguan"].buffer(4, join_style="mitre"), "08H2", True),
        Patch(street_box(584, 452, 626, 818), "0102"),
        Patch(street_box(584, 780, 985, 850), "0102"),
        Patch(sites["plaza"].buffer(3, join_style="mitre"), "05H1", True),
        Patch(
            affinity.scale(sites["herbal"], 0.34, 0.34, origin=_corner(sites["herbal"])),
            "0601",
            True,
        ),
        Patch(sites["herbal"].buffer(12, join_style="mitre"), "0102"),
    ]


def _corner(site: BaseGeometry) -> tuple[float, float]:
    """Return the westernmost corner of a site."""
    return min(site.exterior.coords)


def _green_now(waters: list[Water]) -> list[Patch]:
    """Paint the parks that exist today, their ponds and the shore of the lake."""
    item = facts()["green_now"]
    lake = next(water for water in waters if water.name == "望岳湖")
    shore = lake.surface.buffer(item["lake_shore_m"]).simplify(4)
    out = [
        Patch(street_ring(pond["ring"]).buffer(25).simplify(2), "1104", True)
        for pond in item["ponds"]
    ]
    out += [Patch(street_box(*park["box"]), park["code"], True) for park in item["parks"]]
    half = affinity.scale(shore.envelope, 0.5, 1.2, origin=(shore.bounds[2], shore.centroid.y))
    return [*out, Patch(shore & half, "0810", True), Patch(shore - half, "0301", True)]


def _core(out: Urban, taken: BaseGeometry) -> None:
    """Cut the blocks between built streets into plots; some plots still wait as fields."""
    boxes = []
    for number, part in enumerate(facts()["urban"]["parts"]):
        box = street_box(*part["box"])
        boxes.append(box)
        seed = rng(f"urban{number}")
        for block in parts(box - taken):
            for plot in plots_of(block, long_angle(block), seed, 42000.0):
                mix = CORE_MIX if seed.random() < part["built"] else IDLE_MIX
                code = pick(mix, seed)
                out.plots.append(Patch(plot, code, mix is CORE_MIX))
    out.core_ground = merged(boxes)


def _centre(out: Urban, item: dict, taken: BaseGeometry) -> None:
    """Draw a town: stepped outline, a grid of streets, plots between them."""
    place, seed = point(item["at"]), rng(item["name"])
    outline = stepped(place, tuple(item["radius"]), item["tilt_deg"], seed, (75, 90))
    grid = []
    for offset in (-330, 0, 330):
        for turn in (0, 90):
            line = LineString(
                [(place[0] - 900, place[1] + offset), (place[0] + 900, place[1] + offset)]
            )
            grid.append(affinity.rotate(line, item["tilt_deg"] + turn, origin=place))
    strips = [
        ribbon(line, 12.0 if k > 1 else 18.0).intersection(outline) for k, line in enumerate(grid)
    ]
    out.streets += [Patch(strip - taken, "1004", True) for strip in strips]
    for block in parts(outline - taken - merged(strips)):
        for plot in plots_of(block, item["tilt_deg"], seed, 26000.0):
            out.plots.append(Patch(plot, pick(TOWN_MIX, seed), seed.random() < 0.4))
    out.centres.append(outline)


def _industry(out: Urban, taken: BaseGeometry) -> None:
    """Draw the industrial ground of Z3: half works, half land still farmed."""
    item = facts()["industry"]
    outline = Polygon([at(*p) for p in item["ring"]])
    seed, middle = rng("industry"), outline.centroid
    grid = []
    for offset in (-640, -80, 420):
        line = LineString(
            [(middle.x - 2500, middle.y + offset), (middle.x + 2500, middle.y + offset)]
        )
        grid += [affinity.rotate(line, item["tilt_deg"] + turn, origin=middle) for turn in (0, 90)]
    strips = [ribbon(line, 24.0).intersection(outline) for line in grid]
    out.streets += [Patch(strip - taken, "1004", True) for strip in strips]
    for block in parts(outline - taken - merged(strips)):
        for plot in plots_of(block, item["tilt_deg"], seed, 70000.0):
            code = pick(WORKS_MIX, seed)
            out.plots.append(Patch(plot, code, code[:2] in ("05", "06")))
    out.industry = outline


def plots_of(
    block: Polygon, angle: float, seed: np.random.Generator, target_m2: float
) -> list[Polygon]:
    """Cut a block into plots of about the target size, parallel to its streets."""
    if block.area < target_m2 * seed.uniform(1.2, 2.4):
        return [block]
    halves = pieces(block, cut(block, angle, seed, seed.uniform(0.36, 0.64)))
    if len(halves) < 2:
        return [block]
    return [plot for half in halves for plot in plots_of(half, angle, seed, target_m2)]


def pick(mix: dict[str, float], seed: np.random.Generator) -> str:
    """Draw one class of a mix."""
    weights = np.array(list(mix.values()))
    return str(seed.choice(list(mix), p=weights / weights.sum()))
