"""Current land use: a painted stack of patches turned into a coverage of parcels.

The first patch of the stack that covers a face decides its class (a bridge covers a river, a river
covers a field). Connected faces of one patch inside one town form one parcel; crumbs join the
neighbour with the longest common edge.
"""

from __future__ import annotations

import numpy as np
import shapely
from arrange import Arrangement
from fields import Country, Patch
from frame import facts
from shapes import merged
from streets import Way
from urban import Urban
from water import Water

NAMES = {
    "0101": "水田",
    "0102": "水浇地",
    "0103": "旱地",
    "0201": "果园",
    "0301": "乔木林地",
    "0307": "其他林地",
    "0404": "其他草地",
    "0508": "物流仓储用地",
    "0601": "工业用地",
    "0602": "采矿用地",
    "0701": "城镇住宅用地",
    "0702": "农村宅基地",
    "08H1": "机关团体新闻出版用地",
    "08H2": "科教文卫用地",
    "0809": "公用设施用地",
    "0810": "公园与绿地",
    "0810A": "广场用地",
    "05H1": "商业服务业设施用地",
    "1001": "铁路用地",
    "1003": "公路用地",
    "1004": "城镇村道路用地",
    "1005": "交通服务场站用地",
    "1006": "农村道路",
    "1101": "河流水面",
    "1103": "水库水面",
    "1104": "坑塘水面",
    "1107": "沟渠",
    "1107A": "干渠",
    "1109": "水工建筑用地",
    "1202": "设施农用地",
}
CULTIVATED = ("0101", "0102", "0103")
LINEAR = ("1001", "1003", "1004", "1006", "1101", "1107", "1107A", "1109")
SURFACE = {"河流": "1101", "运河": "1101", "干渠": "1107A", "水库": "1103", "坑塘": "1104"}


def stack(
    ways: list[Way], rail: list, waters: list[Water], urban: Urban, country: Country
) -> list[Patch]:
    """Return all patches, top floor first."""
    out = [Patch(line.buffer(half, cap_style="flat"), "1001", True) for _, _, half, line in rail]
    rank = {
        "高速公路": 0,
        "国道": 1,
        "省道": 2,
        "城市主干路": 3,
        "县道": 4,
        "城市次干路": 5,
        "城市支路": 6,
        "乡道": 7,
    }
    for way in sorted((w for w in ways if w.built), key=lambda w: rank[w.grade]):
        out.append(Patch(way.land, "1004" if way.urban else "1003", True))
    out += [Patch(water.surface, SURFACE[water.kind], True) for water in waters]
    out += [Patch(water.dike, "1109", True) for water in waters if water.kind != "坑塘"]
    out += [Patch(water.dike, "1109", True) for water in waters if water.kind == "坑塘"]
    out += urban.streets + urban.plots
    out += _river_woods(waters) + country.villages + country.lines + country.fields
    return out


def _river_woods(waters: list[Water]) -> list[Patch]:
    """Return the shelter belts outside the dikes of the big river and the canal."""
    out = []
    for water in waters:
        if water.name in ("徒骇河", "小运河") and water.axis is not None:
            belt = water.dike.buffer(34 if water.name == "徒骇河" else 18, join_style="mitre")
            out.append(Patch(belt.simplify(3), "0301", True))
    return out


def paint(
    base: Arrangement, patches: list[Patch], town: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (patch index, parcel number) of every face, crumbs already joined."""
    patch = base.owner([p.shape for p in patches])
    if shapely.area(base.faces)[patch < 0].sum() > 20:  # cutting drops crumbs under 1 m2
        raise ValueError("some ground is not painted")
    patch = base.owner_or_nearest([p.shape for p in patches], np.ones(len(patch), bool))
    label = patch * len(facts()["towns"]["list"]) + town
    for _ in range(3):
        label = _join_crumbs(base, label, town)
    return label // len(facts()["towns"]["list"]), base.groups(label)


def _join_crumbs(base: Arrangement, label: np.ndarray, town: np.ndarray) -> np.ndarray:
    """Give each crumb (small or very thin parcel) the label of its longest neighbour in town."""
    group = base.groups(label)
    size = np.bincount(group, shapely.area(base.faces))
    left, right, length = base.links
    edge = group[left] != group[right]
    a = np.concatenate([group[left[edge]], group[right[edge]]])
    b = np.concatenate([right[edge], left[edge]])
    run = np.concatenate([length[edge], length[edge]])
    border = np.bincount(a, run, minlength=len(size))
    crumb = (size < 350) | ((2 * size / np.maximum(border, 1)) < 1.2) & (size < 3000)
    town_of = np.zeros(len(size), int)
    town_of[group] = town
    keep = crumb[a] & ~crumb[group[b]] & (town_of[a] == town[b])
    best: dict[int, dict[int, float]] = {}
    for crumb_group, other, metres in zip(
        a[keep].tolist(), label[b[keep]].tolist(), run[keep].tolist(), strict=True
    ):
        best.setdefault(crumb_group, {}).setdefault(other, 0.0)
        best[crumb_group][other] += metres
    new = label.copy()
    target = np.full(len(size), -1)
    for crumb_group, found in best.items():
        target[crumb_group] = max(sorted(found), key=lambda k: found[k])
    hit = target[group] >= 0
    new[hit] = target[group[hit]]
    return new


def ground_taken(ways: list[Way], rail: list, waters: list[Water]) -> shapely.Geometry:
    """Return what streets, railway and water (with dikes) already occupy today."""
    return merged(
        [way.land for way in ways if way.built]
        + [line.buffer(half, cap_style="flat") for _, _, half, line in rail]
        + [water.dike for water in waters]
    )
