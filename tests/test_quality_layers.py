"""Layer quality: where layers lie, and what is wrong with their files and tables."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import dirty_features
import dirty_layers
import dirty_package
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from quality_checks import PLACE_M, checked, confirm, confirm_alone, confirm_alone_planted, found

from gis.plan import Plan
from gis.plan.quality.encodings import is_garbled
from gis.plan.quality.findings import Severity
from gis.plan.quality.report import placed_layers
from gis.plan.quality.shifts import unshift
from gis.rulebook import land_classes

# --- positions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epsg", "code"),
    [
        (4547, "crs_wrong"),
        (4549, "crs_wrong"),
        (4526, "crs_wrong"),
        (4527, "zone_prefix"),
        (4498, "zone_prefix"),
        (4490, "crs_wrong"),
        (3857, "crs_wrong"),
        (None, "crs_missing"),
        (2384, "crs_old"),
        (2436, "crs_old"),
    ],
)
def test_a_prj_that_does_not_belong_is_told_with_the_right_one(parcels, epsg, code) -> None:
    fault = dirty_layers.plant_prj(parcels, "planned_use", epsg, code)
    report = checked(parcels)
    confirm_alone(report, fault)
    if code != "crs_old":
        assert "4548" in found(report, fault).message


def _prefixed(xy):
    return xy + np.array([39e6, 0])


def _into(epsg: int):
    """Convert coordinates without telling the .prj."""
    move = Transformer.from_crs(4548, epsg, always_xy=True)
    return lambda xy: np.column_stack(move.transform(*xy.T))


@pytest.mark.parametrize(
    ("layer", "change", "code"),
    [
        ("planned_use", lambda xy: xy[:, ::-1], "axes_swapped"),
        ("roads", lambda xy: xy[:, ::-1], "axes_swapped"),
        ("resort", _prefixed, "zone_prefix"),
        ("roads", lambda xy: _prefixed(_prefixed(xy)), "zone_prefix"),
        ("zones", lambda xy: _prefixed(xy) + np.array([3_900_000_000, 0]), "zone_prefix"),
        ("planned_use", lambda xy: _prefixed(xy)[:, ::-1], "axes_swapped"),
        ("planned_use", _into(4490), "crs_wrong"),
        ("roads", _into(4490), "crs_wrong"),
        ("planned_use", _into(4547), "crs_wrong"),
        ("green_line", _into(4549), "crs_wrong"),
    ],
)
def test_numbers_that_do_not_fit_the_prj_are_explained(package, layer, change, code) -> None:
    confirm_alone_planted(package, dirty_layers.plant_numbers, layer, change, code)


@pytest.mark.parametrize(
    ("layer", "epsg"),
    [
        ("planned_use", 4547),
        ("resort", 4547),
        ("roads", 4527),
        ("planned_use", 4490),
        ("zones", 4326),
    ],
)
def test_another_crs_that_is_right_is_a_note(package, layer, epsg) -> None:
    fault = dirty_layers.plant_other_crs(package, layer, epsg)
    report = checked(package)
    confirm(report, fault)
    assert {f.severity.value for f in report.findings} == {"note"}
    assert not report.has_faults


@pytest.mark.parametrize("move", [dirty_layers.gcj02, dirty_layers.bd09], ids=["GCJ-02", "BD-09"])
@pytest.mark.parametrize("layer", ["planned_use", "resort", "roads"])
def test_a_web_map_shift_is_named_and_measured(package, layer, move) -> None:
    fault = dirty_layers.plant_shift(package, layer, move)
    report = checked(package)
    confirm_alone(report, fault)
    assert ("GCJ-02" if move is dirty_layers.gcj02 else "BD-09") in found(report, fault).message


@pytest.fixture(scope="session")
def placed(plan: Plan):
    """Every layer of the bundled plan as the checks see it."""
    layers, findings = placed_layers(plan)
    assert findings == []
    return layers


# Outlines of projects lie inside districts and share no vertex with anything: nothing tells their
# place, and that is said in the docstring of gis.plan.quality.shifts.
_TELLING = [
    "resort", "towns", "core", "approval_area", "zones", "dev_boundary", "farmland", "redline",
    "landuse", "planned_use", "green_line", "blue_line", "purple_line", "yellow_line", "water",
    "river_range", "built_up", "roads", "railways", "power_lines",
]  # fmt: skip


@pytest.mark.parametrize("layer", _TELLING)
def test_every_layer_shows_a_web_map_shift_and_only_that_layer_is_accused(placed, layer) -> None:
    move = dirty_layers.bd09 if len(layer) % 2 else dirty_layers.gcj02
    placed = {k: v for k, v in placed.items() if k == layer or k not in ("landuse", "farmland")}
    true = placed[layer].placed
    shifted = replace(placed[layer], placed=shapely.transform(true, move))
    layers, findings = unshift({**placed, layer: shifted}, 4548)
    assert [(f.layer, f.code) for f in findings] == [(layer, "shifted")]
    back = shapely.get_coordinates(layers[layer].placed) - shapely.get_coordinates(true)
    assert np.abs(back).max() < 0.01


@pytest.mark.parametrize(
    ("layer", "step"),
    [
        ("planned_use", (-55.31, 12.74)),
        ("zones", (0.8, -0.4)),
        ("water", (300.0, 640.0)),
        ("resort", (12.0, 7.5)),
    ],
)
def test_a_rigid_shift_is_measured(package, layer, step) -> None:
    confirm_alone_planted(package, dirty_layers.plant_shift, layer, lambda xy: xy + step)


# What keeps a distance on purpose: edges on both sides of roads, points in the middle of squares,
# setback lines inside parcels.
_ROADS = [shapely.LineString([(0, y), (2000, y)]) for y in range(0, 2000, 200)]
_ROADS += [shapely.LineString([(x, 5), (x, 1900)]) for x in range(37, 2000, 200)]
_SQUARES = [
    shapely.box(x, y, x + 500, y + 500) for x in range(0, 5000, 500) for y in range(0, 5000, 500)
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_ROADS, [road.buffer(15, cap_style="flat") for road in _ROADS]),
        (_ROADS, [edge for r in _ROADS for d in (-9, 9) for edge in [r.offset_curve(d)]]),
        (_SQUARES, [square.centroid for square in _SQUARES]),
        (_SQUARES, [square.buffer(-10, join_style="mitre") for square in _SQUARES]),
    ],
    ids=["corridors", "edges", "centres", "setbacks"],
)
def test_a_distance_kept_on_several_sides_is_no_shift(tmp_path, one, other) -> None:
    package = dirty_package.drawn(tmp_path, {"one": ("other", one), "other": ("other", other)})
    assert "shifted" not in {f.code for f in checked(package).findings}


def test_a_shift_of_regular_squares_is_found_all_the_same(tmp_path) -> None:
    package = dirty_package.drawn(
        tmp_path, {"one": ("other", _SQUARES), "other": ("other", _SQUARES[:40])}
    )
    fault = dirty_layers.plant_shift(package, "other", lambda xy: xy + np.array([-55.31, 12.74]))
    finding = found(checked(package), fault)
    assert finding.value == pytest.approx(np.hypot(55.31, 12.74), abs=0.1)


_ORIGIN = np.array([400_000.0, 4_030_000.0])


def _points(placed, name: str, xy):
    """A layer of points, made from another one."""
    entry = placed["water"].entry.model_copy(update={"id": name, "geometry": "point"})
    points, ids = shapely.points(xy), np.arange(len(xy)).astype(str).astype(object)
    return replace(placed["water"], entry=entry, ids=ids, shapes=points, placed=points, columns={})


def test_what_meets_dense_parcels_by_chance_is_no_shift(placed) -> None:
    rng = np.random.default_rng(19)
    layers = {"dense": _points(placed, "dense", rng.uniform(0, 2000, (80_000, 2)) + _ORIGIN)}
    for n in range(4):
        xy = rng.uniform(700, 1300, (1000, 2)) + _ORIGIN
        layers[f"loose{n}"] = _points(placed, f"loose{n}", xy)
    assert unshift(layers, 4548)[1] == ()


def test_a_search_among_dense_vertices_stays_within_memory(placed) -> None:
    rng = np.random.default_rng(1)
    dense = rng.uniform(0, 600, (150_000, 2)) + _ORIGIN
    layers = {
        "dense": _points(placed, "dense", dense),
        "loose": _points(placed, "loose", dense[:400] + np.array([1.7, 0.9])),
    }
    tracemalloc.start()
    _, findings = unshift(layers, 4548)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [f.layer for f in findings] == ["loose"]
    assert findings[0].value == pytest.approx(np.hypot(1.7, 0.9), abs=0.1)
    # 300 vertices and all others within 1 km are 45 million steps, some 3 GB.
    assert peak < 600e6


def test_a_layer_that_no_reading_brings_here_is_told(package) -> None:
    package.change("water", lambda frame: frame.set_geometry(frame.translate(0, 500_000)))
    report = checked(package)
    assert {(f.layer, f.code) for f in report.findings} == {
        ("water", "outside_plan"),
        ("water", "layer_failed"),
    }


def test_an_old_datum_is_found_by_its_own_shift_too(package) -> None:
    shift = dirty_layers.plant_shift(
        package, "planned_use", lambda xy: xy + np.array([-60.0, 30.0])
    )
    old = dirty_layers.plant_prj(package, "planned_use", 2384, "crs_old")
    report = checked(package)
    confirm(report, old)
    confirm(report, shift)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda xy: xy[:, ::-1], "对调"),
        (lambda xy: xy + np.array([39e6, 0]), "4527"),
        (lambda xy: xy * 0, ""),
    ],
)
def test_a_single_stray_feature_spoils_no_other_check(package, change, hint) -> None:
    off = dirty_features.plant_area_off(package, "green_line", 3, 0.2)
    stray = dirty_layers.plant_stray(package, "green_line", 7, change)
    report = checked(package)
    confirm(report, stray)
    confirm(report, off)
    assert hint in found(report, stray).message
    assert {f.code for f in report.findings} <= {
        stray.code,
        off.code,
        "geometry_invalid",
        "layer_failed",
    }


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "written", "declared", "code"),
    [
        ("planned_use", "GBK", None, "encoding_undeclared"),
        ("roads", "GBK", None, "encoding_undeclared"),
        ("zones", "UTF-8", None, "encoding_undeclared"),
        ("planned_use", "GBK", "UTF-8", "encoding_wrong"),
        ("resort", "GBK", "UTF-8", "encoding_wrong"),
        ("roads", "GBK", "ISO-8859-1", "encoding_wrong"),
        ("planned_use", "UTF-8", "GBK", "encoding_wrong"),
        ("zones", "UTF-8", "ISO-8859-1", "encoding_wrong"),
        ("roads", "UTF-8", "1252", "encoding_wrong"),
        ("planned_use", "GBK", "OEM 936", "encoding_unknown"),
        ("roads", "UTF-8", "FOO", "encoding_unknown"),
    ],
)
def test_an_encoding_that_is_not_said_is_told(package, layer, written, declared, code) -> None:
    fault = dirty_layers.plant_encoding(package, layer, written, declared, code)
    report = checked(package)
    confirm_alone(report, fault)
    assert ("GBK" if written == "GBK" else "UTF-8") in found(report, fault).message


@pytest.mark.parametrize("declared", ["GBK", "936", "GB18030"])
def test_an_encoding_that_is_said_is_no_fault(parcels, declared) -> None:
    dirty_layers.plant_encoding(parcels, "planned_use", "GBK", declared, "")
    assert checked(parcels).findings == ()


@pytest.mark.parametrize(("layer", "row"), [("planned_use", 77), ("roads", 9)])
def test_a_single_text_that_cannot_be_read_is_located(package, layer, row) -> None:
    confirm_alone_planted(package, dirty_layers.plant_broken_text, layer, row)


def test_names_in_good_chinese_are_not_garbled() -> None:
    scheme = land_classes.scheme("用地用海", "2023")
    names = [c.name for c in scheme.classes.values()]
    names += [
        "浜北",
        "沭阳县",
        "鄄城县",
        "亳州市",
        "渑池县",
        "涿州市",
        "濉溪县",
        "Forêt à préserver",
        "Ü-Straße",
    ]
    assert [name for name in names if is_garbled(name)] == []


@pytest.mark.parametrize(("layer", "kept"), [("planned_use", 500), ("roads", 232), ("zones", 1)])
def test_features_that_a_short_index_hides_are_named_and_located(package, layer, kept) -> None:
    confirm_alone_planted(package, dirty_layers.plant_short_index, layer, kept)


@pytest.mark.parametrize(
    ("suffix", "code"),
    [(".shp", "file_missing"), (".shx", "file_part_missing"), (".dbf", "file_part_missing")],
)
def test_an_absent_part_is_named(package, suffix, code) -> None:
    package.file("green_line", suffix).unlink()
    report = checked(package)
    (finding,) = [f for f in report.findings if f.code == code]
    assert finding.severity is Severity.ERROR
    assert (suffix if code == "file_part_missing" else "ZXCQCSLVX.shp") in finding.message
    assert {f.layer for f in report.findings} == {"green_line"}
    if suffix == ".shp":
        # What is not there has no fields to miss.
        assert len(report.findings) == 1
    row = next(r for r in report.layers if r.id == "green_line")
    assert row.faults
    assert row.state == ("no_data" if suffix == ".shp" else "failed")


@pytest.mark.parametrize("whole", [True, False], ids=["all", "all but .shp"])
def test_suffixes_in_capitals_are_the_same_files(package, whole) -> None:
    path = package.file("green_line")
    for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")[0 if whole else 1 :]:
        path.with_suffix(suffix).rename(path.with_suffix(suffix.upper()))
    if whole:
        package.toml = package.toml.replace(path.name, path.with_suffix(".SHP").name)
    report = checked(package)
    assert report.findings == ()
    assert {row.state for row in report.layers} == {"checked"}


def test_features_are_checked_even_without_an_index(package) -> None:
    fault = dirty_features.plant_area_off(package, "green_line", 3, 0.2)
    package.file("green_line", ".shx").unlink()
    confirm(checked(package), fault)


def test_a_shp_that_ends_too_early_is_told(package) -> None:
    file = package.file("green_line")
    file.write_bytes(file.read_bytes()[:-500])
    codes = {f.code for f in checked(package).findings}
    assert {"file_truncated", "layer_failed"} <= codes


@pytest.mark.parametrize("content", [b"", b"not a shapefile", b"\x00\x00\x27\x0a" + bytes(200)])
def test_garbage_is_one_error_and_no_crash(package, content) -> None:
    package.file("green_line").write_bytes(content)
    report = checked(package)
    assert {f.layer for f in report.findings} == {"green_line"}
    assert "layer_failed" in {f.code for f in report.findings}
    assert "check_failed" not in {f.code for f in report.findings}


def test_a_layer_without_features_is_told(package) -> None:
    package.change("green_line", lambda frame: frame.iloc[:0])
    report = checked(package)
    assert [(f.layer, f.code) for f in report.findings] == [("green_line", "no_features")]


def test_a_coverage_without_data_is_unknown_and_not_empty(package) -> None:
    package.file("core").unlink()
    codes = {(f.layer, f.code) for f in checked(package).findings}
    assert ("core", "file_missing") in codes
    assert ("planned_use", "coverage_unknown") in codes
    assert ("planned_use", "outside_coverage") not in codes


# --- other formats -------------------------------------------------------------------------------


def as_geojson(package, layer: str, features: list[dict]) -> None:
    """Store a layer as GeoJSON in the work CRS instead."""
    old = package.entry(layer)["path"]
    new = old.replace(".shp", ".geojson")
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4548"}}
    text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": features})
    (package.root / new).write_text(text, encoding="utf-8")
    package.toml = package.toml.replace(old, new)


def geojson_features(package, layer: str) -> list[dict]:
    return json.loads(package.read(layer).to_json())["features"]


def test_a_geojson_layer_is_checked_like_a_shapefile(package) -> None:
    as_geojson(package, "green_line", geojson_features(package, "green_line"))
    assert checked(package).findings == ()


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [406000, 4025000]},
        {"type": "LineString", "coordinates": [[406000, 4025000], [406010, 4025000]]},
    ],
)
def test_a_geometry_of_another_kind_is_located(package, geometry) -> None:
    features = geojson_features(package, "green_line")
    features[4]["geometry"] = geometry
    as_geojson(package, "green_line", features)
    report = checked(package)
    (finding,) = [f for f in report.findings if f.code == "geometry_dimension"]
    assert finding.feature_ids == (features[4]["properties"]["BSM"],)
    assert finding.location.distance(shapely.geometry.shape(geometry)) < PLACE_M


def test_an_empty_geometry_counts_as_none(package) -> None:
    features = geojson_features(package, "green_line")
    features[0]["geometry"] = {"type": "Polygon", "coordinates": []}
    as_geojson(package, "green_line", features)
    codes = {f.code for f in checked(package).findings}
    assert codes == {"geometry_missing", "layer_failed"}
