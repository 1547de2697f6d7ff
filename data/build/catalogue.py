"""Write plan.toml: what each layer or raster is, how far it reaches, how much it may be trusted.

The entries stand in catalogue.toml; here they get what they have in common: status, date, licence.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from frame import HERE, facts

ACCEPTED = (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509)
HEAD = """\
# Plan package of the bundled, schematic plan. Written by data/build; edit the files there.

[plan]
id = "liaocheng-jbsc"
version = "2026.11"
title = "聊城江北水城旅游度假区空间规划（示意）"
status = "schematic"
status_note = "示意数据，依据公开资料推绘，不是法定成果，不能作为行政审批依据。"
work_crs = "EPSG:4548"
accepted_crs = [{accepted}]
bounds = [115.80, 36.22, 116.18, 36.47]
rulebooks = [
  "cn", "rules/zones.toml", "rules/works.toml", "rules/shandong.toml", "rules/canal.toml",
  "rules/local.toml",
]
out_of_scope = [
{scope}
]
"""
STATED_AREAS = {
    # id of the figure and of its layer: title, fact, half of the last printed digit
    ("resort_area", "resort"): ("度假区总面积", "resort_km2", 0.5),
    ("core_area", "core"): ("规划核心区面积", "core_km2", 0.05),
    ("approval_area", "approval_area"): ("省批范围面积", "approval_km2", 0.05),
}
SOURCES = {
    "resort_km2": "2022年6月推介材料：度假区总面积",
    "core_km2": "2022年6月推介材料：规划核心区",
    "approval_km2": "鲁政字〔2014〕148号（2022年6月推介材料转引）",
}
SHARE = """
[[stated]]
id = "green_water_share"
title = "绿地和水域占比"
value = {value}
unit = "share"
measure = "green_water_share"
layer = "planned_use"
within = "core"
definition = "B"
tolerance = 0.005
source = "2022年6月推介材料：绿地和水域面积占总用地面积；分母按规划核心区理解（推断）"
"""
COMMON = """\
vintage = "2026-11"
status = "schematic"
law_status = "in_force"
secrecy = "public"
licence = "CC0-1.0"
"""
RASTER_COMMON = """\
status = "schematic"
secrecy = "public"
licence = "CC0-1.0"
"""


def read_entries() -> dict[str, Any]:
    """Return catalogue.toml."""
    with (HERE / "catalogue.toml").open("rb") as file:
        return tomllib.load(file)


def write_plan(path: Path) -> None:
    """Write the whole catalogue."""
    entries = read_entries()
    topics = [f"  {_value(entry)}," for entry in entries["out_of_scope"]]
    accepted = ", ".join(f'"EPSG:{code}"' for code in ACCEPTED)
    blocks = [HEAD.format(accepted=accepted, scope="\n".join(topics)), *_stated()]
    blocks += [_layer(entry) for entry in entries["layer"]]
    blocks += [_raster(entry) for entry in entries["raster"]]
    path.write_text("".join(blocks), encoding="utf-8", newline="\n")


def _stated() -> list[str]:
    """Return the figures that public documents state, with the layer that answers each."""
    out = []
    for (name, layer), (title, key, tolerance) in STATED_AREAS.items():
        out.append(
            f'\n[[stated]]\nid = "{name}"\ntitle = "{title}"\n'
            f'value = {facts()["areas"][key]["value"]}\nunit = "km2"\nmeasure = "area"\n'
            f'layer = "{layer}"\ntolerance = {tolerance}\n'
            f'source = "{SOURCES[key]}"\n'
        )
    return [*out, SHARE.format(value=facts()["areas"]["green_water_share"]["value"])]


def _layer(entry: dict[str, Any]) -> str:
    """Return one [[layer]] block."""
    shown = {**entry, "path": f"shapefiles/{entry['file']}.shp"}
    del shown["file"]
    lines = [f"{key} = {_value(value)}" for key, value in shown.items()]
    return "\n[[layer]]\n" + "\n".join(lines) + "\n" + COMMON


def _raster(entry: dict[str, Any]) -> str:
    """Return one [[raster]] block."""
    lines = [f"{key} = {_value(value)}" for key, value in entry.items()]
    return "\n[[raster]]\n" + "\n".join(lines) + "\n" + RASTER_COMMON


def _value(value: object) -> str:
    """Return a text, number, date or flat table as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(own)}" for key, own in value.items()) + " }"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
