"""The wheel carries the bundled plan, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, repo: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=repo, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_has_data_rules_assets_and_no_generator(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "gis/_data/plan.toml",
        "gis/_data/shapefiles/DLTB.shp",
        "gis/_data/samples/yizhong_xinxiao.txt",
        "gis/_data/rules/zones.toml",
        "gis/_data/rasters/landcover.tif",
        "gis/rulebook/cn/documents.toml",
        "gis/output/maps/vendor/manifest.json",
        "gis/output/records/migrations/env.py",
        "gis/output/records/migrations/versions/v0002_hash_chain.py",
        "gis/output/report/report.typ",
        "gis/output/report/fonts/WuquSansSC-Regular.otf",
        "gis/output/report/fonts/OFL.txt",
        "gis/output/maps/vendor/protomaps-leaflet.js",
        "gis/output/maps/static/large.js",
        "gis/py.typed",
    ):
        assert wanted in names
    assert not [n for n in names if "build" in n.split("/") or n.startswith(("tests", "data/"))]


def test_the_packed_plan_is_found_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import gis, pathlib; p = gis.load_plan();"
        "print(p.root.name, len(p.layers), pathlib.Path(gis.__file__).parent == p.root.parent)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "WUQU_PLAN"}
    environment["PYTHONPATH"] = str(tmp_path)
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.split() == ["_data", "39", "True"]
