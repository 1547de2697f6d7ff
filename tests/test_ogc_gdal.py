"""GDAL as a client of the running service: layers, boxes, Chinese attributes, coordinates."""

from __future__ import annotations

import json
from urllib.parse import quote

import geopandas
import httpx2
import numpy as np
import pyogrio
import pytest
import shapely
from access_service import SITE
from pyproj import Transformer
from running_service import running

TOLERANCE_M = 0.01


@pytest.fixture(scope="module")
def served(plan, tmp_path_factory):
    """A service in a process of its own: GDAL waits for it without letting other threads run."""
    folder = tmp_path_factory.mktemp("ogc-gdal")
    with running(folder, "--plan", str(plan.root)) as service:
        answer = service.post("/v1/site-checks?as_of=2026-11-22&remedies=false", SITE)
        assert answer.status_code == 200
        service.check_id = answer.json()["id"]
        yield service


@pytest.fixture(scope="module")
def source(served) -> str:
    return f"OAPIF:{served.url}/ogc"


def read(source, layer, **options):
    return geopandas.read_file(source, layer=layer, engine="pyogrio", **options)


def moved(shapes, epsg):
    moving = Transformer.from_crs(4548, epsg, always_xy=True)
    return shapely.transform(shapes, lambda xy: np.column_stack(moving.transform(*xy.T)))


def test_the_collections_are_listed(source, served) -> None:
    names = set(pyogrio.list_layers(source)[:, 0])
    collections = served.get("/ogc/collections").json()["collections"]
    assert names == {c["id"] for c in collections}
    assert {"zones", "landuse", "projects", "records"} <= names


def test_chinese_attributes_arrive_whole(source, plan) -> None:
    index = plan.layers["zones"].index
    zones = read(source, "zones").set_index("id")
    assert zones.index.tolist() == index.ids.tolist()
    assert zones["name"].tolist() == index.names.tolist()
    assert zones["class"].tolist() == index.classes.tolist()


def test_all_pages_of_a_large_layer_are_read(source, plan) -> None:
    index = plan.layers["landuse"].index
    read_back = read(source, "landuse")
    assert len(index) > 5000
    assert read_back["id"].tolist() == index.ids.tolist()
    assert read_back["name"].tolist() == index.names.tolist()


@pytest.mark.parametrize("epsg", [4527, 4548, 4547, 4526])
@pytest.mark.parametrize("layer", ["zones", "roads"])
def test_a_negotiated_system_lands_where_proj_puts_it(source, plan, epsg, layer) -> None:
    there = read(source, layer, CRS=f"EPSG:{epsg}")
    assert there.crs.to_epsg() == epsg
    expected = moved(plan.layers[layer].index.geometries, epsg)
    far = np.abs(
        shapely.get_coordinates(there.geometry.to_numpy()) - shapely.get_coordinates(expected)
    )
    assert far.max() < TOLERANCE_M
    # East before north, as GDAL holds it: the zone number stands before the easting only.
    assert (there.total_bounds[0] > 39_000_000) == (epsg == 4527)


def test_degrees_land_where_proj_puts_them(source, plan) -> None:
    expected = moved(plan.layers["zones"].index.geometries, 4490)
    for name in ("EPSG:4490", "OGC:CRS84"):
        there = read(source, "zones", CRS=name)
        far = np.abs(
            shapely.get_coordinates(there.geometry.to_numpy()) - shapely.get_coordinates(expected)
        )
        assert far.max() < 1e-7


@pytest.mark.parametrize("epsg", [4548, 4527])
def test_a_box_finds_what_meets_it(source, plan, epsg) -> None:
    index = plan.layers["landuse"].index
    square = shapely.box(404_000, 4_022_000, 406_000, 4_024_000)
    expected = index.ids[shapely.intersects(index.geometries, square)].tolist()
    (box,) = moved(np.array([square]), epsg)
    there = read(source, "landuse", bbox=box.bounds, CRS=f"EPSG:{epsg}")
    assert there["id"].tolist() == expected
    assert 50 < len(expected) < 1000


@pytest.mark.parametrize(
    ("where", "test"),
    [
        ("class = '1003'", lambda cls, _name: cls == "1003"),
        ("NOT (class = '0102')", lambda cls, _name: cls != "0102"),
        ("name LIKE '水%' AND class <> '0102'", lambda c, n: n.startswith("水") and c != "0102"),
    ],
)
def test_a_condition_finds_what_it_says(source, plan, where, test) -> None:
    index = plan.layers["landuse"].index
    expected = [
        id_
        for id_, cls, name in zip(index.ids, index.classes, index.names, strict=True)
        if test(cls, name)
    ]
    there = read(source, "landuse", where=where, read_geometry=False)
    assert there["id"].tolist() == expected
    assert 0 < len(expected) < len(index)


def test_records_are_a_layer_with_their_verdicts(source, served) -> None:
    records = read(source, "records", CRS="EPSG:4548")
    assert records["id"].tolist() == [served.check_id]
    assert records["verdict_label"].iloc[0] in ("符合", "有条件符合", "需核实", "不符合")
    drawn = np.array(json.loads(SITE)["coordinates"][0])
    moving = Transformer.from_crs(4490, 4548, always_xy=True)
    expected = np.column_stack(moving.transform(*drawn.T))
    told = shapely.get_coordinates(records.geometry.to_numpy())
    assert np.abs(told - expected).max() < TOLERANCE_M


def test_the_log_shows_neither_boxes_nor_conditions(source, served) -> None:
    read(source, "zones", bbox=(404_321.5, 4_022_000, 406_000, 4_024_000))
    httpx2.get(
        f"{served.url}/ogc/collections/zones/items?filter={quote('name = 秘密')}", timeout=60
    )
    text = served.log.read_text(encoding="utf-8")
    assert "/ogc/collections/{collection_id}/items" in text
    assert "404321" not in text
    assert "秘密" not in text
    assert quote("秘密") not in text
