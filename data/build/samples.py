"""Write the sample sites, each in the form in which such a site arrives at a bureau."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import shapely
from frame import EPSG, area  # first: it makes the package importable from a checkout
from pyproj import Transformer
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from write import Field, write_shapefile

from gis.intake.boundary.write import Plot, write_boundary_txt


@dataclass(frozen=True)
class Note:
    """One sample: its file, the claims of its project and what it is meant to show."""

    file: str
    name: str
    use: str
    site: str
    note: str
    width_m: float | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)


NOTES = (
    Note(
        "yizhong_xinxiao.txt",
        "聊城一中新校",
        "080403",
        "yizhong",
        "勘测定界界址点文件（GBK）；已建学校用地",
    ),
    Note(
        "yixiao_sanguan.zip",
        "聊城市“一校三馆”",
        "0803",
        "sanguan",
        "GBK编码shapefile，无.cpg；东侧部分现状为水浇地",
    ),
    Note(
        "jiankang_kejiyuan.geojson",
        "聊城健康科技园",
        "0802",
        "health",
        "位于Z2，集中建设区内，现状均为建设用地",
    ),
    Note(
        "zhongyao_yuanqu.geojson",
        "现代中药园区",
        "100101",
        "herbal",
        "位于Z3，未申报排放等级；现状多为耕地",
    ),
    Note(
        "mingzhu_guangchang.geojson",
        "现代·明珠广场",
        "0901",
        "mingzhu",
        "广场地块及穿越梧桐路、清泽路规划绿带的道路",
    ),
    Note(
        "theme_park_2000mu.geojson",
        "两千亩主题公园（假想）",
        "0903",
        "theme",
        "参照齐河动物王国规模的假想项目，位于南部农田",
    ),
    Note(
        "mingzhu_roads.geojson",
        "现代·明珠广场进出道路",
        "1207",
        "mingzhu_roads",
        "两段道路中心线，按16米宽检测；穿越规划绿带，现状为耕地",
        width_m=16.0,
    ),
    Note(
        "fire_station.geojson",
        "消防站（假想）",
        "1310",
        "fire",
        "详细规划地块B0512，0.564公顷，按地块规划条件申报",
        attributes={
            "plot_ratio": 0.8,
            "building_density": 0.2,
            "green_rate": 0.25,
            "height_m": 12.0,
        },
    ),
)


def write_samples(folder: Path, sites: dict[str, BaseGeometry]) -> None:
    """Write all sample files and samples.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    for note in NOTES:
        site = sites[note.site]
        if note.file.endswith(".txt"):
            _write_txt(folder / note.file, note.name, site)
        elif note.file.endswith(".zip"):
            _write_zip(folder / note.file, note.name, note.use, site)
        else:
            _write_geojson(folder / note.file, note.name, note.use, site)
    head = "# Sample sites in the order of the tour; all outlines are schematic.\n"
    head += "as_of = 2026-11-22\n\n"
    content = head + "\n".join(_block(note) for note in NOTES)
    (folder / "samples.toml").write_text(content, encoding="utf-8", newline="\n")


def _block(note: Note) -> str:
    """Return one [[sample]] block."""
    lines = [f'file = "{note.file}"', f'name = "{note.name}"', f'use = "{note.use}"']
    if note.width_m is not None:
        lines.append(f"width = {note.width_m}")
    if note.attributes:
        claims = ", ".join(f"{key} = {value}" for key, value in note.attributes.items())
        lines.append(f"attrs = {{ {claims} }}")
    return "\n".join(["[[sample]]", *lines, f'note = "{note.note}"']) + "\n"


def _write_txt(path: Path, name: str, site: BaseGeometry) -> None:
    """Write the boundary-point file in zone 39, whose eastings carry the zone prefix."""
    prefixed = shapely.transform(site, lambda xy: np.add(xy, (39_000_000, 0)))
    plot = Plot(name, "1", prefixed, use_text="中小学用地")
    write_boundary_txt(path, [plot], epsg=4527, unit="示意数据", produced_on=date(2026, 11, 22))


def _write_zip(path: Path, name: str, use: str, site: BaseGeometry) -> None:
    """Pack a GBK shapefile without .cpg, language byte 0: what an office tool leaves behind."""
    fields = [Field("XMMC", 60), Field("YDXZ", 30), Field("YDDM", 10), Field("YDMJ_MU", 12, 2)]
    row = [name, "文化用地", use, round(area(site) * 15 / 10000, 2)]
    with tempfile.TemporaryDirectory() as work:
        files = write_shapefile(
            Path(work) / path.stem, "polygon", fields, [row], [site], encoding="gbk"
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                info = zipfile.ZipInfo(file.name, (2026, 11, 22, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 0
                archive.writestr(info, file.read_bytes())


def _write_geojson(path: Path, name: str, use: str, site: BaseGeometry) -> None:
    """Write lon-lat with ten decimals: 0.01 mm, so that the solved area survives."""
    to_degrees = Transformer.from_crs(EPSG, 4490, always_xy=True)
    turned = shapely.orient_polygons(site) if shapely.get_dimensions(site) == 2 else site
    degrees = shapely.transform(turned, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    geometry = json.loads(json.dumps(mapping(degrees)), parse_float=lambda s: round(float(s), 10))
    feature = {"type": "Feature", "properties": {"name": name, "use": use}, "geometry": geometry}
    content = json.dumps(feature, ensure_ascii=False, indent=1) + "\n"
    path.write_text(content, encoding="utf-8", newline="\n")
