"""A plan of a few squares for the search, and the same search by brute force.

The area is a rectangle of cells of 10 m on the central meridian, where a square of 10 m is
100.00 m² by hand. Layers are rectangles of whole cells: ``block`` must be kept off (red fails,
grey leaves open, yellow asks for a procedure), a site must lie on ``within``, keep its distance
from ``line``, and be of a use that its zone welcomes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import geopandas
import numpy as np
import shapely
from shapely.geometry import Polygon, box

from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex
from gis.model import Area, CrsDecision, Site, Source
from gis.plan import Plan, load_plan

EAST, NORTH, CELL = 500_000.0, 4_020_000.0, 10.0
DAY = date(2026, 11, 22)
USE = "100101"
CELL_MU = 0.15

_HEAD = """
[plan]
id = "squares"
version = "1"
title = "方格"
status = "draft"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [116.9, 36.2, 117.1, 36.5]
rulebooks = ["book.toml"]
"""
_LAYER = """
[[layer]]
id = "{id}"
title = "{title}"
path = "{id}.gpkg"
role = "{role}"
geometry = "{geometry}"
fields = {{ class = "c"{more} }}
vintage = "2026"
status = "draft"
"""
_LAYERS = {
    "area": ("范围", "planning_area", "polygon", ""),
    "block": ("限制", "other", "polygon", ""),
    "within": ("边界", "dev_boundary", "polygon", ""),
    "zones": ("分区", "zone", "polygon", ""),
    "line": ("管线", "other", "line", ', half_width = "w"'),
    "roads": ("道路", "road", "line", ', half_width = "w"'),
}
_DOCUMENT = """
[[document]]
id = "law"
title = "某法"
verified = true
checked_on = 2026-11-22
source = "原文"
"""
_RULE = """
[[rule]]
id = "{id}"
title = "{title}"
title_en = "Rule"
kind = "{kind}"
layer = "{layer}"
origin = "statute"
effect_verified = true
office = "主管部门"
priority = {priority}
checked_on = 2026-11-22
remedy = "避让。"
{params}
basis = [{{ document = "law", article = "第一条", verified = true }}]
text = {{ clear = "{clear}", hit = "{hit}" }}
{tables}
"""
_CELLS = """
zone_names = { A = "甲", B = "乙" }
[[rule.cells]]
zones = ["A"]
uses = ["10"]
verdict = "permitted"
phrase = "工业"
origin = "plan"
[[rule.cells]]
zones = ["B"]
uses = ["10"]
verdict = "prohibited"
phrase = "工业"
origin = "plan"
"""


def _rule(id_: str, kind: str, layer: str, params: str, tables: str = "", parts: str = "") -> str:
    said = {"clear": parts or "未涉及。", "hit": parts or "涉及。"}
    number = 1 + len(id_)
    return _RULE.format(
        id=id_, title=id_, kind=kind, layer=layer, params=params, tables=tables, priority=number,
        **said,
    )  # fmt: skip


_DISTANCE = """outcome = "fail"
edge = "边"
plausible_half_width_m = 0.0
distance_m = { near = 7.0, far = 17.0 }"""
_USE = 'outside = "fail"\nunlisted = "没有规定"'


def _off(cls: str, outcome: str) -> str:
    params = f'classes = ["{cls}"]\noutcome = "{outcome}"'
    return _rule(f"t.{cls}", "forbid_overlap", "block", params)


_BOOK = "\n".join(
    [
        _DOCUMENT,
        _off("red", "fail"),
        _off("grey", "undetermined"),
        _off("yellow", "conditional"),
        _rule("t.within", "require_within", "within", 'outside = "fail"'),
        _rule("t.line", "min_distance", "line", _DISTANCE),
        _rule("t.use", "use_permitted", "zones", _USE, _CELLS, "{parts}"),
    ]
)


def square(row: int, col: int, rows: int = 1, cols: int = 1) -> Polygon:
    """A rectangle of cells; rows count northwards, columns eastwards."""
    west, south = EAST + col * CELL, NORTH + row * CELL
    return box(west, south, west + cols * CELL, south + rows * CELL)


def _side(rectangle: Polygon) -> shapely.LineString:
    """Return the eastern side of a rectangle, as a line."""
    return shapely.LineString(list(rectangle.exterior.coords)[:2])


def write(root: Path) -> Path:
    """Write the package, one feature in each layer."""
    root.mkdir()
    layers = "".join(
        _LAYER.format(id=n, title=title, role=role, geometry=kind, more=more)
        for n, (title, role, kind, more) in _LAYERS.items()
    )
    (root / "plan.toml").write_text(_HEAD + layers, encoding="utf-8")
    (root / "book.toml").write_text(_BOOK, encoding="utf-8")
    for name, (_, _, kind, _) in _LAYERS.items():
        shape = square(0, 0) if kind == "polygon" else _side(square(0, 0))
        frame = geopandas.GeoDataFrame({"c": ["x"], "w": [0.0]}, geometry=[shape], crs=4548)
        frame.to_file(root / f"{name}.gpkg", driver="GPKG", engine="pyogrio")
    return root


@dataclass(frozen=True)
class Squares:
    """What lies where: per layer (class, row, col, rows, cols), and which rules are in force."""

    rows: int
    cols: int
    layers: Mapping[str, Sequence[tuple[str, int, int, int, int]]]
    rules: frozenset[str]


def plan_of(base: Plan, world: Squares) -> Plan:
    """Return the plan with these squares in its layers."""
    drawn = {"area": [("a", 0, 0, world.rows, world.cols)], **world.layers}
    layers = {
        name: replace(layer, index=_index(layer.index, drawn.get(name, ())))
        for name, layer in base.layers.items()
    }
    return replace(base, layers=layers, rulebook=base.rulebook.part(world.rules))


def _index(old: LayerIndex, features: Sequence[tuple[str, int, int, int, int]]) -> LayerIndex:
    shapes = [square(*sides) for _, *sides in features]
    if old.info.geometry == "line":
        shapes = [_side(s) for s in shapes]
    ids = np.array([str(n) for n in range(len(shapes))], dtype=object)
    return replace(
        old,
        ids=ids,
        classes=np.array([cls for cls, *_ in features], dtype=object),
        names=np.full(len(shapes), None, dtype=object),
        half_widths=np.full(len(shapes), 0.0 if old.info.geometry == "line" else np.nan),
        geometries=np.array(shapes, dtype=object),
        values={},
        content_sha256=str(hash(tuple(features))),
    )  # fmt: skip


def load(root: Path) -> Plan:
    """Open the package."""
    return load_plan(root)


# --- brute force ---------------------------------------------------------------------------------


def site_of(outline: Polygon) -> Site:
    """Return an outline as a site."""
    area = Area(ellipsoidal_area(outline, 4548), float(outline.area))
    return Site("地块", outline, area, CrsDecision(4548, 4548, "given"), Source("test", "", ""))


def family(
    rows: int, cols: int, width: int, least: int, most: int
) -> Iterator[frozenset[tuple[int, int]]]:
    """Yield every connected set of squares of a width with at least and at most so many cells.

    Squares are connected when they are one step apart. Larger sets than the smallest that suffice
    have one of these inside them, on which no rule here can say worse.
    """
    starts = {(r, c) for r in range(rows - width + 1) for c in range(cols - width + 1)}
    seen: set[frozenset[tuple[int, int]]] = set()
    shapes: set[frozenset[tuple[int, int]]] = set()
    stack = [frozenset([s]) for s in starts]
    while stack:
        own = stack.pop()
        if own in seen:
            continue
        seen.add(own)
        cells = frozenset(
            (r + i, c + j) for r, c in own for i in range(width) for j in range(width)
        )
        if len(cells) >= least:
            if len(cells) <= most and cells not in shapes:
                shapes.add(cells)
                yield cells
            continue
        for r, c in own:
            for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                if near in starts and near not in own:
                    stack.append(own | {near})


def outline_of(cells: frozenset[tuple[int, int]]) -> Polygon:
    """Return cells as one polygon."""
    return shapely.union_all([square(r, c) for r, c in sorted(cells)])


def exists(plan: Plan, world: Squares, width: int, least: int) -> bool:
    """Whether any outline of the family passes ``check_site`` or is conditional."""
    for cells in family(world.rows, world.cols, width, least, least + 2 * width):
        check = check_site(
            site_of(outline_of(cells)), plan, use=USE, as_of=DAY, remedies=False, geometry=False
        )
        if check.verdict.value in ("pass", "conditional"):
            return True
    return False
