"""Write the six sample sites, each in the form in which such a site arrives at a bureau."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import shapely
from frame import EPSG, area, facts  # first: it makes the package importable from a checkout
from pyproj import Transformer
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from write import Field, write_shapefile

from gis.intake.boundary.write import Plot, write_boundary_txt

COLUMNS = [
    "id",
    "name",
    "town",
    "zone",
    "investment_wan",
    "scale",
    "period",
    "content",
    "status_2022",
    "problem_class",
    "problem",
    "land_approval",
    "planning_permit",
    "building_permit",
    "site_file",
    "source",
]
NOTES = [
    (
        "yizhong_xinxiao.txt",
        "聊城一中新校",
        "080403",
        "yizhong",
        "勘测定界界址点文件（GBK）；已建学校用地",
    ),
    (
        "yixiao_sanguan.zip",
        "聊城市“一校三馆”",
        "0803",
        "sanguan",
        "GBK编码shapefile，无.cpg；东侧部分现状为水浇地",
    ),
    (
        "jiankang_kejiyuan.geojson",
        "聊城健康科技园",
        "0802",
        "health",
        "位于Z2，集中建设区内，现状均为建设用地",
    ),
    (
        "zhongyao_yuanqu.geojson",
        "现代中药园区",
        "100101",
        "herbal",
        "位于Z3，未申报排放等级；现状多为耕地",
    ),
    (
        "mingzhu_guangchang.geojson",
        "现代·明珠广场",
        "0901",
        "mingzhu",
        "广场地块及穿越梧桐路、清泽路规划绿带的道路",
    ),
    (
        "theme_park_2000mu.geojson",
        "两千亩主题公园（假想）",
        "0903",
        "theme",
        "参照齐河动物王国规模的假想项目，位于南部农田",
    ),
]


def write_samples(folder: Path, sites: dict[str, BaseGeometry]) -> None:
    """Write all sample files and samples.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, name, use, key, _ in NOTES:
        if file.endswith(".txt"):
            _write_txt(folder / file, name, sites[key])
        elif file.endswith(".zip"):
            _write_zip(folder / file, name, use, sites[key])
        else:
            _write_geojson(folder / file, name, use, sites[key])
    blocks = [
        f'[[sample]]\nfile = "{file}"\nname = "{name}"\nuse = "{use}"\nnote = "{note}"\n'
        for file, name, use, _, note in NOTES
    ]
    head = "# Sample sites in the order of the tour; all outlines are schematic.\n"
    head += "as_of = 2026-11-22\n\n"
    (folder / "samples.toml").write_text(head + "\n".join(blocks), encoding="utf-8", newline="\n")


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
    turned = shapely.orient_polygons(site)
    degrees = shapely.transform(turned, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    geometry = json.loads(json.dumps(mapping(degrees)), parse_float=lambda s: round(float(s), 10))
    feature = {"type": "Feature", "properties": {"name": name, "use": use}, "geometry": geometry}
    content = json.dumps(feature, ensure_ascii=False, indent=1) + "\n"
    path.write_text(content, encoding="utf-8", newline="\n")


def write_projects(path: Path) -> None:
    """Write the project register; empty cells mean that the deck states nothing."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for item in facts()["project"]:
        writer.writerow({**item, "source": facts()["projects"]["source"]})
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="\n")
