"""The bundled plan: stated areas, true coverages, samples, and the same bytes on every build.

All tests but the last read what is committed under data/; the last one builds it again.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from gis.crs import ellipsoidal_area
from gis.units import m2_to_mu

DATA = Path(__file__).resolve().parents[1] / "data"
WORK = "EPSG:4548"
PLAN = tomllib.loads((DATA / "plan.toml").read_text(encoding="utf-8"))
LAYERS = {entry["id"]: entry for entry in PLAN["layer"]}
SAMPLES = tomllib.loads((DATA / "samples" / "samples.toml").read_text(encoding="utf-8"))["sample"]
SANDIAO = {
    "0101",
    "0102",
    "0103",
    "0201",
    "0301",
    "0307",
    "0404",
    "0508",
    "0601",
    "0602",
    "0701",
    "0702",
    "08H1",
    "08H2",
    "0809",
    "0810",
    "0810A",
    "05H1",
    "1001",
    "1003",
    "1004",
    "1005",
    "1006",
    "1101",
    "1103",
    "1104",
    "1107",
    "1107A",
    "1109",
    "1202",
}
WITHOUT_FEATURES = {
    "water_sources",
    "protected_areas",
    "wetlands",
    "geo_hazards",
    "minerals",
    "comprehensive_areas",
    "unlawful_plots",
    "checked_sites",
    "soil_sites",
}
# The published table of the eight parcels has gaps; a gap is no zero.
NOT_PUBLISHED = {"detailed_parcels": ["XBH", "RJLSX", "JZMDSX", "LDLXX", "JZGDSX"]}


@cache
def layer(name: str) -> gpd.GeoDataFrame:
    """Read one layer through plan.toml."""
    return gpd.read_file(DATA / LAYERS[name]["path"])


@cache
def whole(name: str) -> shapely.Geometry:
    """Return the union of a layer."""
    return shapely.union_all(layer(name).geometry.to_numpy())


def area(geometry: shapely.Geometry) -> float:
    """Return the legal area in m²."""
    return ellipsoidal_area(geometry, WORK)


def classes(site: shapely.Geometry, name: str, column: str) -> dict[str, float]:
    """Return the share of a site per class of a layer."""
    frame = layer(name)
    hit = frame[frame.intersects(site)]
    parts = hit.geometry.intersection(site).area.groupby(hit[column]).sum() / site.area
    return {str(key): float(value) for key, value in parts.items() if value > 0}


@cache
def sample(file: str) -> shapely.Geometry:
    """Read a sample site into the work CRS with plain tools, not with the intake under test."""
    path = DATA / "samples" / file
    if path.suffix == ".txt":
        points = [
            line.split(",") for line in path.read_text("gbk").splitlines() if line.startswith("J")
        ]
        return shapely.Polygon([(float(p[3]) - 39_000_000, float(p[2])) for p in points])
    if path.suffix == ".zip":
        return gpd.read_file(path, encoding="gbk").geometry.iloc[0]
    feature = json.loads(path.read_text(encoding="utf-8"))
    to_work = Transformer.from_crs(4490, 4548, always_xy=True)
    shape = shapely.from_geojson(json.dumps(feature["geometry"]))
    return shapely.transform(shape, lambda xy: np.column_stack(to_work.transform(*xy.T)))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_complete_valid_and_numbered_once(name: str) -> None:
    frame, entry = layer(name), LAYERS[name]
    assert frame.crs.to_epsg() == 4548
    assert frame.geometry.is_valid.all()
    assert not frame.drop(columns=NOT_PUBLISHED.get(name, [])).isna().any().any()
    assert frame["BSM"].is_unique
    assert set(frame["ZT"]) == (set() if name in WITHOUT_FEATURES else {"示意"})
    fields = dict(entry["fields"])
    further = fields.pop("values", {})
    assert {*fields.values(), *further.values()} <= set(frame.columns)
    assert all(column.isascii() and len(column) <= 10 for column in frame.columns)
    info = pyogrio.read_info(DATA / entry["path"])
    assert info["encoding"] == "UTF-8"


@pytest.mark.parametrize("name", LAYERS)
def test_coordinates_lie_on_the_millimetre_grid(name: str) -> None:
    xy = shapely.get_coordinates(layer(name).geometry.to_numpy())
    assert len(xy) > 0 or name in WITHOUT_FEATURES
    assert np.abs(xy - np.round(xy, 3)).max(initial=0) == 0


@pytest.mark.parametrize(
    ("name", "km2"),
    [("resort", 226.0), ("core", 38.3), ("approval_area", 9.6), ("zones", 226.0), ("towns", 226.0)],
)
def test_stated_areas_come_out_within_ten_square_metres(name: str, km2: float) -> None:
    assert sum(area(g) for g in layer(name).geometry) == pytest.approx(km2 * 1e6, abs=10)


def test_printed_areas_are_ellipsoidal() -> None:
    for name, column in (
        ("towns", "MJ"),
        ("zones", "MJ"),
        ("farmland", "YJJBNTMJ"),
        ("water", "MJ"),
        ("planned_use", "TBMJ"),
        ("yellow_line", "MJ"),
        ("ownership", "MJ"),
        ("detailed_parcels", "DKMJ"),
        ("grand_canal", "MJ"),
    ):
        frame = layer(name)
        assert [area(g) for g in frame.geometry] == pytest.approx(list(frame[column]), abs=0.006)


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("landuse", "resort"),
        ("towns", "resort"),
        ("zones", "resort"),
        ("ownership", "resort"),
        ("planned_use", "core"),
    ],
)
def test_a_partition_has_neither_gap_nor_overlap(name: str, of: str) -> None:
    shapes = layer(name).geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert abs(shapely.area(shapes).sum() - whole(name).area) < 1e-3
    assert shapely.symmetric_difference(whole(name), whole(of)).area < 1e-3


def test_green_and_water_are_52_percent_of_the_core() -> None:
    frame = layer("planned_use")
    chosen = frame["YDYHFLDM"].str[:2].isin(["14", "17"])
    share = sum(area(g) for g in frame.geometry[chosen]) / area(whole("core"))
    assert share == pytest.approx(0.52, abs=1e-5)


@pytest.mark.parametrize(("name", "km2"), [("望岳湖", 3.257), ("谭庄水库", 1.455)])
def test_lakes_have_their_stated_area(name: str, km2: float) -> None:
    frame = layer("water")
    lake = frame.geometry[frame["MC"] == name].union_all()
    assert area(lake) == pytest.approx(km2 * 1e6, abs=10)


def test_the_yusha_road_has_its_stated_length_inside_the_resort() -> None:
    frame = layer("roads")
    assert frame.geometry[frame["DLMC"] == "于沙路"].length.sum() == pytest.approx(21158, abs=0.5)


def test_current_land_use_is_a_plain_with_villages() -> None:
    frame = layer("landuse")
    assert 4000 <= len(frame) <= 9000
    assert set(frame["DLBM"]) <= SANDIAO
    assert set(frame["QSXZ"]) == {"20", "30"}
    total = frame["TBMJ"].groupby(frame["DLBM"]).sum() / frame["TBMJ"].sum()
    assert 0.5 < total["0102"] < 0.7
    assert 0.06 < total["0702"] < 0.12
    villages = shapely.get_parts(frame.geometry[frame["DLBM"].isin(["0702", "1004"])].union_all())
    assert 130 <= (shapely.area(villages) > 20000).sum() <= 200


def test_farmland_is_cultivated_land_outside_the_development_boundary() -> None:
    parcels = layer("landuse")
    cultivated = parcels.geometry[parcels["DLBM"].str.startswith("01")].union_all()
    outside = cultivated.difference(whole("dev_boundary")).area
    assert whole("farmland").difference(cultivated).area < 1e-3
    assert whole("farmland").intersection(whole("dev_boundary")).area < 1e-3
    assert 0.70 <= whole("farmland").area / outside <= 0.80
    assert 300 <= len(layer("farmland")) <= 999


def test_the_core_and_the_approval_area_lie_inside_the_resort() -> None:
    assert whole("core").difference(whole("resort")).area < 1e-3
    assert whole("approval_area").difference(whole("core")).area < 1e-3


def test_towns_hold_their_stations_and_touch_as_stated() -> None:
    facts = tomllib.loads((DATA / "build" / "facts.toml").read_text(encoding="utf-8"))
    to_work = Transformer.from_crs(4490, 4548, always_xy=True)
    towns = layer("towns").set_index("XZQMC").geometry
    for item in facts["towns"]["list"]:
        place = facts["points"][item["station"]]
        assert towns[item["name"]].contains(
            shapely.Point(to_work.transform(place["lon"], place["lat"]))
        )
        assert area(towns[item["name"]]) == pytest.approx(item["km2"] * 1e6, abs=10)
    assert towns["湖西街道"].distance(towns["于集镇"]) > 500
    _, lat = Transformer.from_crs(4548, 4490, always_xy=True).transform(
        *shapely.get_coordinates(whole("resort")).T
    )
    assert min(lat) > 36.255
    assert max(lat) < 36.430


def test_zones_and_road_classes_are_complete() -> None:
    assert list(layer("zones")["GNFQDM"]) == ["Z1", "Z2", "Z3", "Z4", "Z5"]
    known = {
        "高速公路",
        "国道",
        "省道",
        "县道",
        "乡道",
        "城市主干路",
        "城市次干路",
        "城市支路",
        "村道",
    }
    assert set(layer("roads")["DLDJ"]) == known
    widths = layer("roads").set_index("DLMC")["BKD"]
    assert (widths["弘山路"], widths["清泽路"], widths["松桂大街"]) == (20.0, 22.5, 25.0)
    assert set(layer("dev_boundary")["GHFQDM"]) == {"410", "420", "430"}


MU = {
    "yizhong_xinxiao.txt": (419.17, 0.005),
    "yixiao_sanguan.zip": (260.0, 0.005),
    "jiankang_kejiyuan.geojson": (121.0, 0.01),
    "theme_park_2000mu.geojson": (2000.0, 0.01),
}


@pytest.mark.parametrize("file", MU)
def test_samples_have_their_stated_area(file: str) -> None:
    mu, tolerance = MU[file]
    assert m2_to_mu(area(sample(file))) == pytest.approx(mu, abs=tolerance)


def test_samples_are_listed_in_the_order_of_the_tour() -> None:
    assert [entry["file"] for entry in SAMPLES] == [
        "yizhong_xinxiao.txt",
        "yixiao_sanguan.zip",
        "jiankang_kejiyuan.geojson",
        "zhongyao_yuanqu.geojson",
        "mingzhu_guangchang.geojson",
        "theme_park_2000mu.geojson",
        "mingzhu_roads.geojson",
        "fire_station.geojson",
    ]
    assert [path.name for path in (DATA / "samples").glob("*.txt")] == ["yizhong_xinxiao.txt"]
    assert all(sample(entry["file"]).is_valid for entry in SAMPLES)


def test_the_school_is_clear_of_everything() -> None:
    site = sample("yizhong_xinxiao.txt")
    assert classes(site, "zones", "GNFQDM") == {"Z5": pytest.approx(1)}
    assert classes(site, "dev_boundary", "GHFQDM") == {"410": pytest.approx(1)}
    assert classes(site, "landuse", "DLBM") == {"08H2": pytest.approx(1)}
    assert classes(site, "planned_use", "YDYHFLDM") == {"080403": pytest.approx(1)}
    for name in (
        "farmland",
        "redline",
        "green_line",
        "blue_line",
        "purple_line",
        "yellow_line",
        "water",
        "river_range",
    ):
        assert not layer(name).intersects(site).any(), name
    roads = layer("roads")
    assert (roads.distance(site) - roads["BKD"]).min() > 1


def test_the_museum_site_still_holds_some_hectares_of_fields() -> None:
    site = sample("yixiao_sanguan.zip")
    now = classes(site, "landuse", "DLBM")
    assert set(now) == {"0102", "08H2"}
    assert 3 < now["0102"] * site.area / 10000 < 8
    assert classes(site, "zones", "GNFQDM") == {"Z5": pytest.approx(1)}
    assert classes(site, "dev_boundary", "GHFQDM") == {"410": pytest.approx(1)}
    assert not layer("green_line").intersects(site).any()


def test_the_museum_shapefile_is_gbk_without_a_code_page() -> None:
    with zipfile.ZipFile(DATA / "samples" / "yixiao_sanguan.zip") as archive:
        suffixes = sorted(Path(name).suffix for name in archive.namelist())
        table = archive.read("yixiao_sanguan.dbf")
    assert suffixes == [".dbf", ".prj", ".shp", ".shx"]
    assert table[29] == 0
    assert "一校三馆".encode("gbk") in table


def test_the_school_file_is_gbk_with_zone_prefix() -> None:
    raw = (DATA / "samples" / "yizhong_xinxiao.txt").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") > 15
    lines = raw.decode("gbk").splitlines()
    head = next(line for line in lines if line.endswith("@"))
    assert head.split(",")[1] == "27.9447"
    assert all(len(line.split(",")[3].split(".")[0]) == 8 for line in lines if line.startswith("J"))


def test_the_other_samples_meet_what_they_were_drawn_for() -> None:
    health = sample("jiankang_kejiyuan.geojson")
    assert set(classes(health, "landuse", "DLBM")) == {"08H2"}
    assert classes(health, "zones", "GNFQDM") == {"Z2": pytest.approx(1)}
    herbal = sample("zhongyao_yuanqu.geojson")
    assert classes(herbal, "zones", "GNFQDM") == {"Z3": pytest.approx(1)}
    assert classes(herbal, "dev_boundary", "GHFQDM") == {"410": pytest.approx(1)}
    assert classes(herbal, "landuse", "DLBM")["0102"] > 0.6
    assert not layer("farmland").intersects(herbal).any()
    plaza = sample("mingzhu_guangchang.geojson")
    belts = layer("green_line")
    crossed = belts[belts.intersection(plaza).area > 100]
    assert set(crossed["MC"]) == {"清泽路绿带", "梧桐路绿带"}
    for part in shapely.get_parts(plaza)[1:]:
        assert set(classes(part, "landuse", "DLBM")) == {"0102"}
    park = sample("theme_park_2000mu.geojson")
    assert park.intersection(whole("farmland")).area > 0.5 * park.area
    assert park.intersection(whole("dev_boundary")).area == 0


# The published table before the change of 2025: ha, plot ratio, density, green rate, height.
PARCELS = {
    "B0505": (0.76, 3.0, 0.25, 0.30, 100),
    "B0506": (7.27, None, None, None, None),
    "B0507": (0.47, None, None, None, None),
    "B0508": (5.44, 2.2, 0.22, 0.35, 80),
    "B0509": (0.57, 1.5, 0.40, 0.30, 24),
    "B0510": (0.56, 0.65, 0.25, 0.35, 20),
    "B0511": (2.48, 3.0, 0.25, 0.35, 80),
    "B0512": (0.564, 0.8, 0.20, 0.25, 12),
}


def test_the_eight_parcels_have_their_published_areas_and_limits() -> None:
    frame = layer("detailed_parcels").set_index("DKBH")
    assert list(frame.index) == list(PARCELS)
    for code, (hectares, *limits) in PARCELS.items():
        row = frame.loc[code]
        assert area(row.geometry) == pytest.approx(hectares * 10_000, abs=0.11)
        given = [row[name] for name in ("RJLSX", "JZMDSX", "LDLXX", "JZGDSX")]
        assert [None if np.isnan(v) else v for v in given] == limits
    assert sum(area(g) for g in frame.geometry) == pytest.approx(181_140, abs=0.5)
    assert frame.loc["B0505", "XBH"] == "LC-DJQ-Ahn-01"


def test_the_parcels_lie_south_of_hunan_road_apart_from_each_other_and_from_the_samples() -> None:
    shapes = layer("detailed_parcels").geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(whole("detailed_parcels").area, abs=1e-6)
    roads = layer("roads").set_index("DLMC")
    road = roads.geometry["湖南路"]
    assert all(1 < road.distance(s) - roads["BKD"]["湖南路"] < 700 for s in shapes)
    assert all(s.centroid.y < road.interpolate(road.project(s.centroid)).y for s in shapes)
    for entry in SAMPLES:
        if entry["file"] != "fire_station.geojson":
            assert not whole("detailed_parcels").intersects(sample(entry["file"])), entry["file"]


def test_the_fire_station_stands_on_its_parcel_and_on_land_planned_for_it() -> None:
    site = sample("fire_station.geojson")
    parcels = layer("detailed_parcels").set_index("DKBH").geometry
    assert shapely.symmetric_difference(site, parcels["B0512"]).area < 0.01
    assert classes(site, "planned_use", "YDYHFLDM") == {"1310": pytest.approx(1)}
    assert classes(site, "dev_boundary", "GHFQDM") == {"410": pytest.approx(1)}
    assert classes(site, "ownership", "QSXZ") == {"国有": pytest.approx(1)}
    assert set(classes(site, "landuse", "DLBM")) == {"0701"}
    for name in ("green_line", "yellow_line", "pipelines", "approvals", "idle_plots"):
        assert not layer(name).intersects(site).any(), name
    # Farther from the border than any rule looks: beyond it no layer knows anything.
    assert whole("resort").boundary.distance(site) > 200


def test_the_roads_of_the_plaza_are_lines_across_planned_belts_on_cultivated_land() -> None:
    line = sample("mingzhu_roads.geojson")
    assert line.geom_type == "MultiLineString"
    assert line.length == pytest.approx(29.5 + 29, abs=0.01)
    belts = layer("green_line").set_index("MC").geometry
    # Both belts are 30 m wide; the ways start half a metre inside.
    assert belts["清泽路绿带"].intersection(line).length == pytest.approx(29.5, abs=0.01)
    assert belts["梧桐路绿带"].intersection(line).length == pytest.approx(29, abs=0.01)
    parcels = layer("landuse")
    ground = parcels[parcels.intersection(line).length > 0.01]
    assert set(ground["DLBM"]) == {"0102"}


def test_ownership_follows_the_current_land_use_and_towns() -> None:
    parcels = layer("landuse")
    owned = layer("ownership")
    by_kind = owned.geometry.area.groupby(owned["QSXZ"]).sum()
    surveyed = parcels.geometry.area.groupby(parcels["QSXZ"]).sum()
    # Borders of ownership leave out vertices that stand less than a hand off a straight edge.
    assert by_kind["国有"] == pytest.approx(surveyed["20"], abs=2000)
    assert by_kind["集体"] == pytest.approx(surveyed["30"], abs=2000)
    state = shapely.union_all(owned.geometry[owned["QSXZ"] == "国有"].to_numpy())
    drawn = shapely.union_all(parcels.geometry[parcels["QSXZ"] == "20"].to_numpy())
    assert shapely.symmetric_difference(state, drawn).area < 1e-4 * drawn.area
    assert all("示意村" in name for name in owned["QSDWMC"][owned["QSXZ"] == "集体"])


def test_half_of_the_core_lies_within_two_kilometres_of_the_canal() -> None:
    # Worked out on the control points before anything was drawn: 20.7 km² of the core (54 %).
    canal = whole("grand_canal")
    assert canal.buffer(2000).intersection(whole("core")).area / 1e6 == pytest.approx(20.7, abs=1)
    west, south, _, north = layer("grand_canal").to_crs(4490).total_bounds
    assert (south, north) == (
        pytest.approx(PLAN["plan"]["bounds"][1], abs=0.003),
        pytest.approx(PLAN["plan"]["bounds"][3], abs=0.003),
    )
    assert west > PLAN["plan"]["bounds"][0]


def test_the_canal_holds_the_management_range_of_its_river() -> None:
    ranges = layer("river_range").set_index("MC").geometry
    # Inside the resort, ranges meet other layers on the millimetre grid.
    assert ranges["小运河管理范围"].difference(whole("grand_canal")).area < 5


def test_canals_and_rivers_have_different_management_ranges() -> None:
    ranges = layer("river_range")
    assert set(ranges["MC"][ranges["LX"] == "渠道"]) == {"二干渠管理范围", "孙堂干渠管理范围"}
    assert set(ranges["LX"]) == {"河道", "渠道"}
    works = layer("water_works")
    assert set(works["LX"]) == {"灌区干渠", "平原水库"}
    waters = layer("water").set_index("MC").geometry
    for row in layer("water_protection").itertuples():
        assert shapely.symmetric_difference(row.geometry, waters[row.MC]).area < 1e-6


def test_the_railway_is_cut_where_the_city_ends() -> None:
    rail = layer("railways")
    assert set(rail["QD"]) == {"城市市区", "其他"}
    city = rail.geometry[rail["QD"] == "城市市区"].union_all()
    core_ground = layer("built_up")
    town = core_ground.geometry[core_ground["LX"] == "城区"].union_all()
    assert city.difference(town.buffer(60)).length < 120


def test_pipes_lie_inside_the_land_of_built_roads() -> None:
    roads = layer("roads")
    land = shapely.union_all(roads.geometry.buffer(roads["BKD"], cap_style="flat").to_numpy())
    for row in layer("pipelines").itertuples():
        assert row.geometry.difference(land).length < 0.1 * row.geometry.length, row.MC
        assert 0.05 <= row.BKD <= 0.5


def test_projects_and_register_agree() -> None:
    with (DATA / "projects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    frame = layer("projects").set_index("MC").geometry
    zones, towns = layer("zones"), layer("towns")
    assert [row["name"] for row in rows] == list(frame.index)
    for row in rows:
        place = frame[row["name"]].representative_point()
        assert list(zones["GNFQDM"][zones.contains(place)]) == [row["zone"]], row["name"]
        assert list(towns["XZQMC"][towns.contains(place)]) == [row["town"]], row["name"]
        assert not row["site_file"] or (DATA / row["site_file"]).exists()


def test_projects_do_not_overlap() -> None:
    shapes = layer("projects").geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(whole("projects").area, abs=0.1)


def test_lihaiwu_touches_the_phoenix_notch_for_about_3600_m() -> None:
    towns = layer("towns").set_index("XZQMC").geometry
    outer = towns["李海务街道"].boundary.intersection(whole("resort").boundary)
    assert shapely.clip_by_rect(outer, 409500, 4023700, 412200, 4026400).length == pytest.approx(
        3600, abs=100
    )


def test_a_second_build_writes_the_same_bytes(tmp_path: Path) -> None:
    script = DATA / "build" / "build.py"
    subprocess.run(
        [sys.executable, str(script), "--out", str(tmp_path)], check=True, capture_output=True
    )
    built = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    rasters = {
        Path(entry[key]) for entry in PLAN["raster"] for key in ("path", "table") if key in entry
    }
    assert rasters <= built
    assert len(built) == 5 * len(LAYERS) + len(SAMPLES) + len(rasters) + 4
    for path in sorted(built):
        assert (tmp_path / path).read_bytes() == (DATA / path).read_bytes(), str(path)
