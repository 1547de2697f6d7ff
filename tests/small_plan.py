"""A plan of one rule: no building on the redline, a box of 30 m x 200 m, so far east of a site.

The site is a box of 100 m x 100 m on the central meridian, 10,000.00 m² by hand.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas
from shapely.geometry import box

from gis.plan.releases.publishing import Published, publish

TODAY = date(2026, 11, 22)

EAST, NORTH = 500_000.0, 4_020_000.0
SITE = (
    "SRID=4548;POLYGON((500000 4020000,500100 4020000,500100 4020100,"
    "500000 4020100,500000 4020000))"
)
RULE = "\n".join(
    [
        '[[document]]\nid = "law"\ntitle = "某法"\nverified = true\nchecked_on = 2026-11-22',
        'source = "原文"\n[[rule]]\nid = "x.redline"\ntitle = "红线"\ntitle_en = "Redline"',
        'kind = "forbid_overlap"\nlayer = "redline"\noutcome = "fail"\norigin = "statute"',
        'effect_verified = true\noffice = "主管部门"\npriority = 1\nchecked_on = 2026-11-22',
        'remedy = "避让。"\ntext = { clear = "未占用。", hit = "占用 {area}" }',
        'basis = [{ document = "law", article = "第一条", verified = true }]',
    ]
)
HEAD = """
[plan]
id = "small"
version = "{version}"
title = "小规划"
status = "approved"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [116.9, 36.2, 117.1, 36.5]
rulebooks = ["book.toml"]
"""
LAYER = """
[[layer]]
id = "{id}"
title = "红线"
path = "{id}.gpkg"
role = "redline"
geometry = "polygon"
vintage = "2026"
status = "approved"
{more}
"""
DRAFT = 'law_status = "changing"\nreplaces = "redline"'


def package(root: Path, layers: dict[str, tuple[float, str]], version: str = "1") -> Path:
    """Write a plan whose layers are each one box, 30 m wide, starting so far east of the site."""
    root.mkdir()
    text = HEAD.format(version=version) + "".join(
        LAYER.format(id=n, more=more) for n, (_, more) in layers.items()
    )
    (root / "plan.toml").write_text(text, encoding="utf-8")
    (root / "book.toml").write_text(RULE, encoding="utf-8")
    for name, (east, _) in layers.items():
        outline = box(EAST + east, NORTH - 50, EAST + east + 30, NORTH + 150)
        frame = geopandas.GeoDataFrame({"n": [1]}, geometry=[outline], crs=4548)
        frame.to_file(root / f"{name}.gpkg", driver="GPKG", engine="pyogrio")
    return root


class ReleaseWorld:
    """A folder of releases, and packages to publish in it."""

    def __init__(self, tmp: Path) -> None:
        self.tmp, self.folder = tmp, tmp / "releases"

    def make(self, version: str, east: float = 500) -> Path:
        """A package whose redline lies so far east of the site: at 0 the site fails."""
        root = self.tmp / f"package{len(list(self.tmp.iterdir()))}"
        return package(root, {"redline": (east, "")}, version)

    def put(self, source: Path, **options) -> Published:
        return publish(source, self.folder, **({"by": "张三", "today": TODAY} | options))
