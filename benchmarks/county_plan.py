"""The plan package of a county: ``plan.toml``, the layers as GeoPackages, and a rule book.

The rules are made up, of eight kinds, so that whole checks have the work of a real plan: they
cite no law, and their numbers mean nothing outside this folder.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
from pyproj import Transformer

# Role and geometry of each layer; the rest of plan.toml says the same of all.
ROLES = {
    "landuse": "landuse",
    "zones": "zone",
    "farmland": "farmland",
    "dev_boundary": "dev_boundary",
    "redline": "redline",
    "rivers": "water",
    "rivers_setback": "river_range",
    "lakes": "water",
    "lakes_setback": "control_line",
    "flood_belt": "other",
    "heritage": "control_line",
    "road_corridor": "control_line",
    "roads": "road",
}
_HEADER = """[plan]
id = "bench-county"
version = "1"
title = "基准测试县（随机生成）"
status = "schematic"
status_note = "随机生成，仅用于测速。"
work_crs = "EPSG:{epsg}"
accepted_crs = ["EPSG:4490", "EPSG:{epsg}"]
bounds = [{bounds}]
rulebooks = ["rules.toml"]
"""
_LAYER = """
[[layer]]
id = "{name}"
title = "{name}"
path = "{name}.gpkg"
role = "{role}"
geometry = "{geometry}"
fields = {{ {fields} }}
vintage = "2026-11"
status = "schematic"
"""
_DOCUMENT = """[[document]]
id = "bench"
title = "基准测试规则"
valid_from = 2020-01-01
verified = true
checked_on = 2026-11-22
source = "随机生成的测试数据，不是法规"
"""
_RULE = """
[[rule]]
id = "bench.{name}"
title = "{name}"
title_en = "{name}"
{body}
origin = "plan"
effect_verified = true
office = "测试"
priority = {priority}
valid_from = 2020-01-01
checked_on = 2026-11-22
remedy = "调整范围。"
text = {{ clear = "{clear}", hit = "{hit}" }}
basis = [{{ document = "bench", article = "第{priority}条", verified = true }}]
"""


def _off(layer: str, outcome: str = "fail") -> tuple[str, str, str]:
    body = f'kind = "forbid_overlap"\nlayer = "{layer}"\noutcome = "{outcome}"'
    return body, "未占用。", "占用 {area}"


RULES: dict[str, tuple[str, str, str]] = {
    "farmland": _off("farmland"),
    "redline": _off("redline"),
    "rivers-setback": _off("rivers_setback"),
    "lakes-setback": _off("lakes_setback", "conditional"),
    "flood-belt": _off("flood_belt", "conditional"),
    "heritage": _off("heritage"),
    "road-corridor": _off("road_corridor", "conditional"),
    "dev-boundary": (
        'kind = "require_within"\nlayer = "dev_boundary"\noutside = "conditional"',
        "位于边界内。",
        "位于边界外 {area}",
    ),
    "rivers": (
        'kind = "share_limit"\nlayer = "rivers"\nat_most = 0.1\noutcome = "conditional"',
        "水面占 {share}。",
        "水面占 {share}，限值 {limit}",
    ),
    "lakes": (
        'kind = "share_limit"\nlayer = "lakes"\nat_most = 0.2\noutcome = "fail"',
        "水面占 {share}。",
        "水面占 {share}，限值 {limit}",
    ),
    "roads": (
        'kind = "min_distance"\nlayer = "roads"\nedge = "公路用地外缘"\n'
        'distance_m = { "国道" = 20.0, "省道" = 15.0, "县道" = 10.0 }\n'
        'plausible_half_width_m = 40.0\noutcome = "fail"',
        "距离 {distance}。",
        "距离 {distance}，应不小于 {required}",
    ),
    "zones": (
        'kind = "use_permitted"\nlayer = "zones"\noutside = "pass"\n'
        'cells = [{ zones = ["Z1", "Z2"], uses = ["0803"], verdict = "permitted", '
        'phrase = "公共服务", origin = "plan" }, { zones = ["Z3"], uses = ["0803"], '
        'verdict = "prohibited", phrase = "生态", origin = "plan" }]',
        "准入：{cells}",
        "所在分区：{parts}",
    ),
    "cultivated": (
        'kind = "convert"\nlayer = "landuse"\nscheme = "三调"\nedition = "2019"\n'
        'groups = [{ label = "耕地", classes = ["01"], '
        'above = [{ area_m2 = 100000.0, procedure = "另行报批" }] }]',
        "未占用耕地。",
        "占用耕地 {area}",
    ),
    "survey": (
        'kind = "document_required"\ndocuments = [{ title = "勘探报告", office = "测试", '
        'when = [{ site = "area_m2", at_least = 20000.0 }] }]',
        "不需要勘探。",
        "须有{documents}",
    ),
}


def write(folder: Path, layers: dict[str, geopandas.GeoDataFrame], epsg: int) -> None:
    """Write layers, ``plan.toml`` and rules into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = [_HEADER.format(epsg=epsg, bounds=_bounds(layers["landuse"], epsg))]
    for name, frame in layers.items():
        stored = frame.assign(fid_text=[f"{name}-{n:06d}" for n in range(len(frame))])
        stored.to_file(folder / f"{name}.gpkg")
        fields = 'id = "fid_text", class = "cls"'
        fields += ', half_width = "half_width"' if name == "roads" else ""
        geometry = "line" if name == "roads" else "polygon"
        entry = _LAYER.format(name=name, role=ROLES[name], geometry=geometry, fields=fields)
        scheme = 'scheme = "三调"\nedition = "2019"\n' if name == "landuse" else ""
        text.append(entry + scheme)
    (folder / "rules.toml").write_text(rules(), encoding="utf-8")
    (folder / "plan.toml").write_text("".join(text), encoding="utf-8")


def rules() -> str:
    """Return the rule book as TOML."""
    made = [
        _RULE.format(name=name, body=body, clear=clear, hit=hit, priority=10 + n)
        for n, (name, (body, clear, hit)) in enumerate(RULES.items())
    ]
    return _DOCUMENT + "".join(made)


def _bounds(frame: geopandas.GeoDataFrame, epsg: int) -> str:
    """Return the bounds in degrees, with some room."""
    west, south, east, north = frame.total_bounds
    to_degrees = Transformer.from_crs(epsg, 4490, always_xy=True)
    x, y = to_degrees.transform([west, west, east, east], [south, north, south, north])
    room = 0.005
    box = (np.min(x) - room, np.min(y) - room, np.max(x) + room, np.max(y) + room)
    return ", ".join(f"{v:.4f}" for v in box)
