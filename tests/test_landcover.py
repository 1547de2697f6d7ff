"""What the rasters of a plan say of its areas, beside computations that use none of this code.

The bundled rasters are counted again with ``rasterio.features.geometry_mask`` and numpy, small
parcels with the squares of single pixels and shapely, geographic rasters with ``pyproj.Geod``.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Geod
from rasterio.features import geometry_mask
from rich.console import Console
from shapely import affinity

from gis.console.plan import print_rasters
from gis.errors import NotFoundError, PlanError
from gis.plan import Plan, landcover, load_plan
from gis.plan.raster import codes, file, share, threshold
from gis.plan.raster.agreement import label_agreement
from gis.plan.raster.file import find_raster
from gis.plan.raster.share import class_shares, index_shares

AREAS = ["resort", "core", "approval", "Z1", "Z2", "Z3", "Z4", "Z5"]
GREEN, WATER = (3, 4, 6), (5,)  # values of landcover.csv


def outline(plan: Plan, area: str):
    """The polygon of an area, read from the shapefiles with plain tools."""
    layers = {entry.id: entry.path for entry in plan.file.layer}
    if area.startswith("Z"):
        frame = geopandas.read_file(plan.root / layers["zones"])
        return frame.geometry[frame["GNFQDM"] == area].union_all()
    name = {"approval": "approval_area"}.get(area, area)
    return geopandas.read_file(plan.root / layers[name]).geometry.union_all()


def pixels_in(plan: Plan, raster_id: str, shape) -> np.ndarray:
    """All bands of the pixels whose centre lies in the polygon, by GDAL."""
    path = next(e.path for e in plan.file.raster if e.id == raster_id)
    with rasterio.open(plan.root / path, driver="GTiff") as source:
        inside = ~geometry_mask([shape], source.shape, source.transform)
        return source.read()[:, inside]


# --- the bundled rasters -------------------------------------------------------------------------


@pytest.mark.parametrize("area", AREAS)
def test_land_cover_shares_equal_an_independent_count(plan: Plan, area: str) -> None:
    found = landcover.raster_share(plan, "landcover", area, exact=False).shares
    values = pixels_in(plan, "landcover", outline(plan, area))[0]
    assert found.seen.valid_share == 1.0
    assert found.share_of("green") == pytest.approx(np.isin(values, GREEN).mean(), abs=1e-6)
    assert found.share_of("water") == pytest.approx(np.isin(values, WATER).mean(), abs=1e-6)
    for row in found.classes:
        assert row.share == pytest.approx((values == row.value).mean(), abs=1e-6)
    assert found.m2 == pytest.approx(sum(c.area_m2 for c in found.classes), rel=2e-3)


@pytest.mark.parametrize("area", AREAS)
def test_the_rule_that_is_chosen_by_size_stays_at_the_count(plan: Plan, area: str) -> None:
    # Every area of the plan has more than 5,000 pixels of 10 m, so the count is the answer.
    found = landcover.raster_share(plan, "landcover", area).shares
    values = pixels_in(plan, "landcover", outline(plan, area))[0]
    assert found.rule == "pixel_centre"
    assert found.share == pytest.approx(np.isin(values, GREEN + WATER).mean(), abs=1e-6)


@pytest.mark.parametrize("raster_id", ["image_april", "image_june"])
@pytest.mark.parametrize("area", AREAS)
def test_index_shares_equal_an_independent_count(plan: Plan, raster_id: str, area: str) -> None:
    _, green, red, nir = pixels_in(plan, raster_id, outline(plan, area)).astype(float)
    shown = green + red + nir > 0  # the scene of April ends in zeros
    for index, plus, minus, limit in (("ndvi", nir, red, 0.4), ("ndwi", green, nir, 0.0)):
        options = {"index": index, "exact": False}
        found = landcover.index_share(plan, raster_id, area, **options).shares
        value = (plus[shown] - minus[shown]) / (plus[shown] + minus[shown])
        assert found.threshold == limit
        assert found.share == pytest.approx((value > limit).mean(), abs=1e-6)
        assert found.seen.fill_share == pytest.approx(1 - shown.mean(), abs=1e-6)
        assert found.seen.valid_share == pytest.approx(shown.mean(), abs=1e-6)


def test_the_unmarked_corner_of_april_lies_in_the_resort_and_not_in_its_core(plan: Plan) -> None:
    resort = landcover.index_share(plan, "image_april", "resort").shares
    assert 0.02 < resort.seen.fill_share < 0.04
    assert resort.seen.fill_value == 0
    assert landcover.index_share(plan, "image_april", "core").shares.seen.fill_share == 0


def test_many_areas_are_read_at_once_and_give_the_same(plan: Plan) -> None:
    every = {found.area.id: found.shares for found in landcover.cover_by_area(plan, "landcover")}
    assert {"resort", "core", "approval_area", "Z1"} <= set(every)
    assert every["core"] == landcover.raster_share(plan, "landcover", "core").shares
    zones = landcover.index_by_area(plan, "image_june", ["Z1", "Z2"], index="ndwi")
    alone = landcover.index_share(plan, "image_june", "Z2", index="ndwi", exact=None)
    assert zones[1].shares.share == pytest.approx(alone.shares.share)


# --- parcels of half a hectare -------------------------------------------------------------------


def parcels(plan: Plan, count: int) -> list[shapely.Polygon]:
    """Random five-sided parcels of 0.5 ha in the resort."""
    rng, area, out = np.random.default_rng(7), outline(plan, "resort").buffer(-200), []
    west, south, east, north = area.bounds
    while len(out) < count:
        turn = np.sort(rng.uniform(0, 2 * np.pi, 5))
        ring = np.column_stack([np.cos(turn), np.sin(turn)]) * rng.uniform(0.6, 1.4, (5, 1))
        shape = shapely.Polygon(ring)
        if not shape.is_valid or shape.area < 0.8:
            continue
        ring = shapely.get_coordinates(shape) * np.sqrt(5_000 / shape.area)
        shape = affinity.translate(
            shapely.Polygon(ring), rng.uniform(west, east), rng.uniform(south, north)
        )
        if area.contains(shape):
            out.append(shape)
    return out


def truth(plan: Plan, shape: shapely.Polygon) -> float:
    """The share of green and water from the squares of the pixels, cut by shapely."""
    with rasterio.open(plan.root / "rasters" / "landcover.tif", driver="GTiff") as source:
        west, south, east, north = shape.bounds
        top, left = source.index(west, north)
        bottom, right = source.index(east, south)
        values = source.read(1)[top : bottom + 1, left : right + 1]
        row, col = np.indices(values.shape)
        x, y = source.transform.c + 10.0 * (col + left), source.transform.f - 10.0 * (row + top)
    cut = shapely.area(shapely.intersection(shapely.box(x, y - 10, x + 10, y), shape))
    return float(cut[np.isin(values, GREEN + WATER)].sum() / shape.area)


def test_parcels_of_half_a_hectare_are_exact_where_pixel_centres_are_not(plan: Plan) -> None:
    shapes = parcels(plan, 150)
    raster = find_raster(plan, "landcover")
    exact = class_shares(raster, shapes, crs=4548)
    centre = class_shares(raster, shapes, crs=4548, exact=False)
    assert {found.rule for found in exact} == {"exact_coverage"}
    expected = [truth(plan, shape) for shape in shapes]
    mixed = [0.02 < share < 0.98 for share in expected]
    assert sum(mixed) > 15
    assert [f.share for f in exact] == pytest.approx(expected, abs=1e-9)
    # The centre rule misses by up to several percentage points: that is why it is not used here.
    assert max(abs(f.share - e) for f, e in zip(centre, expected, strict=True)) > 0.02


def test_classes_of_a_parcel_add_up_to_its_ellipsoidal_area(plan: Plan) -> None:
    # Planar and ellipsoidal area differ by some 200 ppm here (Geod, edges of at most 10 m).
    shape = parcels(plan, 1)[0]
    to_degrees = geopandas.GeoSeries([shapely.segmentize(shape, 10)], crs=4548).to_crs(4490)
    m2 = abs(Geod(ellps="GRS80").geometry_area_perimeter(to_degrees[0])[0])
    found = class_shares(find_raster(plan, "landcover"), [shape], crs=4548)[0]
    assert found.m2 == pytest.approx(m2, abs=0.01)
    assert sum(c.area_m2 for c in found.classes) == pytest.approx(m2, abs=0.01)
    assert sum(c.share for c in found.classes) == pytest.approx(1)


# --- other coordinate systems --------------------------------------------------------------------


@pytest.mark.parametrize("epsg", [4490, 4326, 4527, 4547, 3857, 32650])
def test_polygons_in_another_crs_give_the_same_shares(plan: Plan, epsg: int) -> None:
    shapes = geopandas.GeoSeries([*parcels(plan, 20), outline(plan, "Z2")], crs=4548)
    raster = find_raster(plan, "landcover")
    here, there = class_shares(raster, shapes), class_shares(raster, shapes.to_crs(epsg))
    assert [f.share for f in there] == pytest.approx([f.share for f in here], abs=2e-4)
    # The corners are the same points, but edges of Z2 (1 km) are straight in another CRS.
    assert [f.m2 for f in there] == pytest.approx([f.m2 for f in here], rel=1e-5)


def test_rows_of_a_geographic_raster_weigh_what_they_are_on_the_ellipsoid(make_raster) -> None:
    # Two degrees of latitude, the northern one value 1: its rows are shorter by some 2.5 %.
    pixels = np.ones((200, 100), dtype=np.uint8)
    pixels[100:] = 2
    raster = make_raster(
        pixels, crs="EPSG:4490", transform=(0.01, 0, 116, 0, -0.01, 38),
        codes="value,name,counted_as\n1,a,green\n2,b,\n",
    )  # fmt: skip
    area = shapely.box(116.1, 36.2, 116.9, 37.9)
    geod = Geod(ellps="GRS80")
    north, south = (
        abs(geod.geometry_area_perimeter(shapely.segmentize(shapely.box(*box), 0.001))[0])
        for box in ((116.1, 37, 116.9, 37.9), (116.1, 36.2, 116.9, 37))
    )
    expected = north / (north + south)
    assert abs(expected - 0.9 / 1.7) > 1e-3  # what counting pixels would say
    for exact in (True, False):
        found = class_shares(raster, [area], crs=4490, exact=exact)[0]
        assert found.share == pytest.approx(expected, abs=1e-6)
        assert found.classes[0].area_m2 == pytest.approx(north, rel=1e-5)


def test_rows_of_a_mercator_raster_are_weighted_too(make_raster) -> None:
    # At 36 and 38 degrees the scale of the projection is 1 / cos of the latitude.
    pixels = np.ones((300, 50), dtype=np.uint8)
    pixels[150:] = 2
    raster = make_raster(
        pixels, crs="EPSG:3857", transform=(1000, 0, 12_900_000, 0, -1000, 4_600_000),
        codes="value,name,counted_as\n1,a,green\n2,b,\n",
    )  # fmt: skip
    area = shapely.box(12_905_000, 4_310_000, 12_940_000, 4_590_000)
    split = 4_450_000
    frame = geopandas.GeoSeries(
        [
            shapely.segmentize(shapely.box(12_905_000, a, 12_940_000, b), 500)
            for a, b in ((split, 4_590_000), (4_310_000, split))
        ],
        crs=3857,
    ).to_crs(4326)
    north, south = (abs(Geod(ellps="WGS84").geometry_area_perimeter(g)[0]) for g in frame)
    found = class_shares(raster, [area], crs=3857)[0]
    assert found.share == pytest.approx(north / (north + south), abs=1e-6)
    assert found.share < 0.497


def test_a_rotated_raster_gives_the_shares_of_the_straight_one(make_raster) -> None:
    # The same picture turned by 30 degrees, and the parcel with it.
    rng = np.random.default_rng(5)
    pixels = rng.integers(1, 3, (40, 40), dtype=np.uint8)
    codes = "value,name,counted_as\n1,a,green\n2,b,\n"
    c, s = 8.660254037844386, 5.0  # 10 m at 30 degrees
    straight = make_raster(pixels, name="a.tif", codes=codes)
    turned = make_raster(
        pixels, name="b.tif", codes=codes, transform=(c, s, 400_000, s, -c, 4_030_000)
    )
    plot = np.array([(4.2, 7.7), (18.9, 9.1), (15.5, 30.3), (3.1, 22.0)])
    own = shapely.Polygon(plot * [10, -10] + [400_000, 4_030_000])
    x, y = plot.T
    with_it = shapely.Polygon(np.column_stack([c * x + s * y + 400_000, s * x - c * y + 4_030_000]))
    first = class_shares(straight, [own], crs=4548)[0].share
    second = class_shares(turned, [with_it], crs=4548)[0].share
    assert second == pytest.approx(first, abs=1e-9)


# --- vector and raster ---------------------------------------------------------------------------


@pytest.mark.parametrize("area", ["core", "Z3"])
def test_the_vector_share_beside_the_raster_is_that_of_the_balance(plan: Plan, area: str) -> None:
    # The code table counts as definition D does, so the land balance must say the same.
    row = landcover.raster_rows(plan, area)[0]
    agreement = row["agreement"]
    balance = plan.land_balance(area, definition="D")
    assert agreement["vector_layer"] == "landuse"
    assert agreement["vector_share"] == pytest.approx(balance.green_water_share, abs=2e-6)
    assert agreement["raster_share"] == row["share"]
    assert agreement["difference"] == pytest.approx(
        agreement["raster_share"] - agreement["vector_share"], abs=2e-6
    )
    assert abs(agreement["difference_points"]) < 3
    for side in ("raster_share", "vector_share"):
        assert sum(c[side] for c in agreement["classes"]) == pytest.approx(1, abs=1e-5)


def test_land_classes_that_no_value_stands_for_are_listed(package: Path) -> None:
    table = package / "rasters" / "landcover.csv"
    text = table.read_text(encoding="utf-8").replace(",10*", ",")
    table.write_text(text, encoding="utf-8")
    rows = landcover.raster_rows(load_plan(package), "core")[0]["agreement"]["classes"]
    assert rows[-1]["value"] is None
    assert set(rows[-1]["vector_classes"]) <= {"1001", "1003", "1004", "1005", "1006"}
    assert rows[-1]["vector_share"] > 0


def test_parcels_as_labels_agree_pixel_by_pixel(plan: Plan) -> None:
    index = plan.layers["landuse"].index
    raster = find_raster(plan, "landcover")
    found = label_agreement(raster, index.geometries, index.classes, crs=4548)
    # Again with GDAL: the class of the parcel under each centre against the map.
    values = dict.fromkeys(index.classes)
    for row in raster.table.codes.values():
        for cls in values:
            if any(re.fullmatch(p.replace("*", ".*"), cls) for p in row.classes):
                values[cls] = int(row.value)
    pairs = zip(index.geometries, (values[c] for c in index.classes), strict=True)
    with rasterio.open(raster.path, driver="GTiff") as source:
        drawn = rasterio.features.rasterize(
            pairs, source.shape, transform=source.transform, dtype="uint8"
        )
        shown = source.read(1)
    agreed = (drawn == shown)[drawn > 0].mean()
    assert 0.95 < agreed < 0.99  # some parcels of the map are wrong on purpose
    assert found.agreement == pytest.approx(agreed, abs=2e-5)
    assert found.unmatched == {}
    assert found.of_label("0102") > 0.98
    assert found.of_label("1202") < 0.8
    assert 0.9 < found.of_value(3.0) < 1  # some orchards are shown as woods


def test_labels_that_mean_nothing_are_listed_and_not_compared(make_raster) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes="value,name\n1,草地\n")
    boxes = [
        shapely.box(400_000 + 50 * n, 4_029_900, 400_050 + 50 * n, 4_030_000) for n in (0, 1, 2)
    ]
    found = label_agreement(raster, boxes, ["草地", 1.0, "沙漠"], crs=4548)
    assert found.agreement == 1.0
    assert found.matched == {"草地": 1.0, "1": 1.0}
    assert list(found.unmatched) == ["沙漠"]
    assert found.unmatched["沙漠"] == pytest.approx(5_000, rel=5e-4)


# --- rows of the balance -------------------------------------------------------------------------


def rows_of(plan: Plan, area: str | None = None) -> dict[str, dict]:
    return {row["id"]: row for row in landcover.raster_rows(plan, area)}


def test_rows_carry_what_a_reader_needs(plan: Plan) -> None:
    rows = rows_of(plan)
    assert list(rows) == [
        "landcover",
        "image_april:ndvi",
        "image_april:ndwi",
        "image_june:ndvi",
        "image_june:ndwi",
    ]
    for row in rows.values():
        assert row["state"] == "checked"
        assert row["area"]["id"] == "core"
        assert row["date"] in {"2026-04-20", "2026-06-18"}
        assert row["definition"]
        assert row["source"]
        assert row["status"] == "schematic"
        assert any("示意" in note for note in row["notes"])
        parts = ("valid_share", "nodata_share", "fill_share", "unexplained_share")
        assert sum(row[part] for part in parts) == pytest.approx(1)
    assert rows["landcover"]["pixel_size"] == [10.0, 10.0]
    assert rows["image_june:ndvi"]["threshold"] == 0.4
    assert "规划数据包" in rows["image_june:ndvi"]["method"]
    json.dumps(list(rows.values()), allow_nan=False)


def test_an_index_is_never_named_as_the_planned_share(plan: Plan) -> None:
    rows = rows_of(plan)
    ndvi = rows["image_april:ndvi"]
    assert ndvi["kind"] == "indicator"
    assert ndvi["sentence"] == "NDVI 植被占比，是 2026-04-20 的遥感指标，不是规划绿地和水域占比"
    assert "遥感土地覆盖" in rows["landcover"]["sentence"]
    assert "2026-04-20" in rows["landcover"]["sentence"]
    assert "green_water_share" not in json.dumps(list(rows.values()))
    kinds = {landcover.raster_share(plan, "landcover").kind}
    kinds |= {landcover.index_share(plan, "image_june").kind}
    assert kinds == {"landcover", "indicator"}


def test_the_series_states_its_range_and_not_one_value(plan: Plan) -> None:
    # Winter wheat is green in April and harvested in June.
    april, june = (rows_of(plan, "Z4")[f"image_{m}:ndvi"] for m in ("april", "june"))
    found = april["series"]
    assert found == june["series"]
    assert found["min"] == {"date": "2026-06-18", "share": june["share"]}
    assert found["max"] == {"date": "2026-04-20", "share": april["share"]}
    assert found["max"]["share"] - found["min"]["share"] > 0.5
    assert found["median"] == pytest.approx((april["share"] + june["share"]) / 2, abs=1e-6)
    assert "2026-04-20" in found["sentence"]
    assert landcover.index_series(plan, "spring_2026", "Z4").median == pytest.approx(
        found["median"], abs=1e-6
    )


def test_dates_that_show_too_little_are_listed_and_left_out(plan: Plan) -> None:
    # A square in the corner that April does not show.
    corner = shapely.box(398_000, 4_019_300, 398_600, 4_019_900)
    assert outline(plan, "resort").intersects(corner)
    found = landcover.index_series(plan, "spring_2026", corner, valid_limit=0.99)
    april, june = found.dates
    assert not april.used
    assert "有效像元" in april.reason
    assert june.used
    assert found.lowest == found.highest == june


def test_balance_carries_the_rasters(plan: Plan) -> None:
    from gis.plan.figures import balance_document

    assert balance_document(plan, "core", "B")["rasters"] == landcover.raster_rows(plan, "core")


@pytest.fixture
def package(plan: Plan, tmp_path: Path) -> Path:
    root = tmp_path / "plan"
    shutil.copytree(plan.root, root, ignore=shutil.ignore_patterns("build", "samples"))
    return root


def test_a_missing_or_damaged_raster_is_a_row_with_its_reason(package: Path) -> None:
    (package / "rasters" / "landcover.tif").unlink()
    (package / "rasters" / "image_20260420.tif").write_bytes(b"II*\x00")
    whole = (package / "rasters" / "image_20260618.tif").read_bytes()
    (package / "rasters" / "image_20260618.tif").write_bytes(whole[: len(whole) // 2])
    rows = rows_of(load_plan(package))
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {
        "landcover": "no_data",
        "image_april:ndvi": "failed",
        "image_april:ndwi": "failed",
        "image_june:ndvi": "failed",
        "image_june:ndwi": "failed",
    }
    assert all(row["reason"] and row["share"] is None for row in rows.values())
    assert rows["image_april:ndvi"]["series"]["min"] is None
    assert [d["used"] for d in rows["image_june:ndvi"]["series"]["dates"]] == [False, False]


def test_an_area_that_a_raster_does_not_show_is_no_data(package: Path) -> None:
    path = package / "rasters" / "image_20260618.tif"
    with rasterio.open(path, "r+", driver="GTiff") as source:
        source.write(np.zeros((4, *source.shape), dtype=np.uint8))
    row = rows_of(load_plan(package))["image_june:ndvi"]
    assert row["state"] == "no_data"
    assert row["share"] is None
    assert row["area_m2"] is None
    assert row["fill_share"] == 1


def test_bands_that_give_no_index_are_a_row_with_its_reason(package: Path) -> None:
    file = package / "plan.toml"
    text = file.read_text(encoding="utf-8").replace(
        "bands = { blue = 1, green = 2, red = 3, nir = 4 }", "bands = { blue = 1, green = 2 }"
    )
    text = text.replace("thresholds = { ndvi = 0.4, ndwi = 0.0 }\n", "")
    file.write_text(text, encoding="utf-8")
    row = rows_of(load_plan(package))["image_june"]
    assert row["state"] == "failed"
    assert "波段" in row["reason"]
    assert "绿地" not in row["title"] + row["sentence"]  # it would have been an index, no map
    assert "2026-06-18" in row["sentence"]


def test_a_named_area_is_measured_once_and_its_rows_are_the_callers_own(
    package: Path, monkeypatch
) -> None:
    read: list[str] = []
    real = file.read_pixels

    def counting(raster, *args, **options):
        read.append(raster.entry.id)
        return real(raster, *args, **options)

    for module in (codes, share, threshold):
        monkeypatch.setattr(module, "read_pixels", counting)
    opened = load_plan(package)
    first = landcover.raster_rows(opened, "Z4")
    assert set(read) == {"landcover", "image_april", "image_june"}
    expected = json.dumps(first)
    for row in first:
        row.clear()
    read.clear()
    assert json.dumps(landcover.raster_rows(opened, "Z4")) == expected
    assert read == []
    assert json.dumps(landcover.raster_rows(load_plan(package), "Z4")) == expected
    assert read


def test_the_threshold_of_an_image_is_found_once_for_all_polygons(make_raster, monkeypatch) -> None:
    rng = np.random.default_rng(5)
    raster = make_raster(rng.integers(1, 99, (2, 20, 20), np.uint8), bands={"red": 1, "nir": 2})
    real, windows = threshold.read_pixels, []

    def counting(*args, **options):
        windows.append(args)
        return real(*args, **options)

    monkeypatch.setattr(threshold, "read_pixels", counting)
    boxes = [shapely.box(400_000, 4_029_800, 400_100 + n, 4_030_000) for n in range(3)]
    found = [index_shares(raster, [b], crs=4548, threshold="otsu")[0].threshold for b in boxes]
    assert len(set(found)) == 1
    assert len(windows) == 1


def test_a_file_that_is_exchanged_while_the_plan_is_open_is_an_error(package: Path) -> None:
    opened = load_plan(package)
    raster = find_raster(opened, "landcover")
    shutil.copy(package / "rasters" / "image_20260618.tif", raster.path)
    with pytest.raises(PlanError, match="重新打开"):
        landcover.raster_share(opened, "landcover")


def test_threads_that_share_a_plan_get_the_same_rows(package: Path) -> None:
    opened = load_plan(package)
    shapes = [outline(opened, area) for area in ("Z1", "Z2", "Z4")]
    expected = [landcover.raster_rows(load_plan(package), shape) for shape in shapes]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda shape: landcover.raster_rows(opened, shape), shapes * 3))
    assert found == expected * 3


def test_a_plan_without_rasters_or_areas_has_its_balance(package: Path) -> None:
    file = package / "plan.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("[[raster]]")], encoding="utf-8")
    assert landcover.raster_rows(load_plan(package)) == []
    for name in ("HXQ", "GHFW"):
        for part in (package / "shapefiles").glob(f"{name}.*"):
            part.unlink()
    file.write_text(text, encoding="utf-8")
    rows = landcover.raster_rows(load_plan(package))
    assert {row["state"] for row in rows} == {"no_data"}
    with pytest.raises(NotFoundError):
        landcover.raster_rows(load_plan(package), "core")


def test_the_console_says_what_a_share_leaves_out(package: Path) -> None:
    path = package / "rasters" / "landcover.tif"
    with rasterio.open(path, "r+", driver="GTiff") as source:
        pixels = source.read(1)
        pixels[:, ::2] = 77  # a value that no table explains, on half of the ground
        source.write(pixels, 1)
    rows = landcover.raster_rows(load_plan(package))
    out = io.StringIO()
    print_rasters(Console(file=out, width=400), rows)
    text = out.getvalue()
    assert "取值 77 没有编码说明，占 50" in text
    assert "有效像元仅占" in text


def test_unknown_names_are_refused_with_the_known_ones(plan: Plan) -> None:
    with pytest.raises(NotFoundError, match="landcover"):
        landcover.raster_share(plan, "cover")
    with pytest.raises(NotFoundError, match="spring_2026"):
        landcover.index_series(plan, "autumn")
    with pytest.raises(NotFoundError):
        landcover.raster_share(plan, "landcover", "Z9")
    with pytest.raises(PlanError, match="不是分类栅格"):
        landcover.raster_share(plan, "image_june")
    with pytest.raises(NotFoundError, match="波段"):
        landcover.index_share(plan, "landcover")


def test_opening_a_plan_reads_no_raster() -> None:
    code = (
        "import sys, gis\n"
        "plan = gis.load_plan()\n"
        "import gis.plan.landcover, gis.check\n"
        "print('rasterio' in sys.modules)\n"
        "gis.plan.landcover.open_rasters(plan)\n"
        "print('rasterio' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "True"]


# --- the files -----------------------------------------------------------------------------------


def test_the_bundled_rasters_say_that_they_are_schematic(plan: Plan) -> None:
    entries = tomllib.loads((plan.root / "plan.toml").read_text(encoding="utf-8"))["raster"]
    size = 0
    for entry in entries:
        assert entry["status"] == "schematic"
        with rasterio.open(plan.root / entry["path"], driver="GTiff") as source:
            assert source.tags()["STATUS"] == "示意"
            assert "示意" in source.tags()["TITLE"]
            assert source.crs.to_epsg() == 4548
            assert source.profile["tiled"]
            assert source.profile["compress"] == "deflate"
            assert (source.nodata == 0) == (entry["kind"] == "classes")
        size += (plan.root / entry["path"]).stat().st_size
    assert size < 1_500_000


def test_the_bundled_map_knows_every_value_and_has_unmarked_ground_nowhere(plan: Plan) -> None:
    raster = find_raster(plan, "landcover")
    whole = class_shares(raster, [outline(plan, "resort")], crs=4548)[0]
    assert whole.unknown == ()
    assert {c.name for c in whole.classes} == {c.name for c in raster.table.codes.values()}
    assert (
        index_shares(find_raster(plan, "image_june"), [outline(plan, "Z4")], crs=4548)[
            0
        ].saturated_pixels
        > 100
    )  # the core of the cloud
