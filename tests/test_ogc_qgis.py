"""QGIS of the system as a client of the running service; too large to be asked for everywhere.

Runs where the Debian packages ``python3-qgis`` and ``qgis-providers`` are installed, and fails
without them only where ``WUQU_QGIS=1``; see docs/ogc.md.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from running_service import running

from api.access.keys import KeyStore
from api.access.roles import Role

PYTHON = Path("/usr/bin/python3")
PLACES = ("/usr/lib/python3/dist-packages/qgis/core", "/usr/lib/qgis/plugins")
BOX = (115.95, 36.33, 115.97, 36.35)
TOLERANCE_M = 0.01


def environment(home: Path) -> dict[str, str]:
    """The system's Python must not see packages of this one, nor QGIS anybody's profile."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}


@pytest.fixture(scope="module")
def seen(plan, tmp_path_factory) -> dict:
    """What QGIS says about the collection of the current land use."""
    if not (PYTHON.exists() and all(Path(place).exists() for place in PLACES)):
        if os.environ.get("WUQU_QGIS") == "1":
            pytest.fail("QGIS is required here and was not found")
        pytest.skip("python3-qgis and qgis-providers are not installed")
    client = Path(__file__).with_name("ogc_qgis_client.py")
    folder, home = tmp_path_factory.mktemp("ogc-qgis"), tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    _, key = KeyStore(folder / "keys.json").add("qgis", Role.clerk)
    with running(folder, "--plan", str(plan.root)) as service:
        words = [f"{service.url}/ogc", key, "landuse", *map(str, BOX), "4548"]
        done = subprocess.run(
            [PYTHON, client, *words], env=environment(home), capture_output=True, timeout=240
        )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    secret = key[-20:].encode()
    return {
        **json.loads(done.stdout.splitlines()[-1]),
        "leaked": secret in service.log.read_bytes(),
    }


def test_qgis_lists_the_collections_by_their_chinese_titles(seen, plan) -> None:
    assert seen["valid"]
    titles = {layer.info.title for layer in plan.layers.values()}
    assert titles <= set(seen["collections"])
    assert "检测记录" in seen["collections"]


def test_qgis_signs_in_with_a_key_as_its_password_and_no_log_shows_it(seen) -> None:
    assert seen["valid"]
    assert not seen["leaked"]


def test_qgis_reads_every_feature_with_its_chinese_name(seen, plan) -> None:
    index = plan.layers["landuse"].index
    told = {id_: row["name"] for id_, row in seen["features"].items()}
    assert told == dict(zip(index.ids, index.names, strict=True))
    assert "水浇地" in told.values()


def test_qgis_filters_by_a_box(seen, plan) -> None:
    index = plan.layers["landuse"].index
    moving = Transformer.from_crs(4490, 4548, always_xy=True)
    image = shapely.transform(
        shapely.box(*BOX).segmentize(1e-4), lambda xy: np.column_stack(moving.transform(*xy.T))
    )
    expected = index.ids[shapely.intersects(index.geometries, image)].tolist()
    assert sorted(seen["within"]) == sorted(expected)
    assert 50 < len(expected) < 1000


def test_qgis_lands_in_the_right_place_after_its_own_reprojection(seen, plan) -> None:
    index = plan.layers["landuse"].index
    told = np.array([seen["features"][id_]["bounds"] for id_ in index.ids])
    far = np.abs(told - shapely.bounds(index.geometries)).max()
    print(f"QGIS {seen['version']}: {len(told)} features, at most {far:.2e} m off")
    assert far < TOLERANCE_M
