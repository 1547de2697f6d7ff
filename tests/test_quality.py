"""Layer quality: every planted fault is found with its features, place and size, and nothing else.

Places and sizes are worked out by the generator ``dirty_layers.py`` with shapely and pyproj.Geod.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gis.plan import Plan, load_plan
from gis.plan.quality import PlanQuality, check_plan, figure_faults, quality
from gis.plan.quality import report as report_module
from gis.plan.quality.encodings import is_garbled
from gis.plan.quality.findings import Finding, Severity, in_short
from gis.plan.quality.report import placed_layers
from gis.plan.quality.shifts import unshift
from gis.rulebook import land_classes

_SPEC = importlib.util.spec_from_file_location(
    "dirty_layers", Path(__file__).with_name("dirty_layers.py")
)
dirty = importlib.util.module_from_spec(_SPEC)
sys.modules["dirty_layers"] = dirty
_SPEC.loader.exec_module(dirty)
Package, Planted = dirty.Package, dirty.Planted

LAYERS = ("resort", "core", "zones", "planned_use", "green_line", "water", "roads")
# How far from the planted place a fault may be found.
PLACE_M = 1.0


@pytest.fixture(scope="session")
def clean(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled package with a few of its layers."""
    return dirty.reduced(plan.root, tmp_path_factory.mktemp("clean") / "plan", LAYERS)


@pytest.fixture(scope="session")
def clean_parcels(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parcels of the core alone, with what they have to cover."""
    layers = ("resort", "core", "planned_use")
    return dirty.reduced(plan.root, tmp_path_factory.mktemp("parcels") / "plan", layers)


@pytest.fixture
def parcels(clean_parcels: Path, tmp_path: Path):
    root = tmp_path / "parcels"
    shutil.copytree(clean_parcels, root)
    return Package(root)


@pytest.fixture
def package(clean: Path, tmp_path: Path):
    root = tmp_path / "plan"
    shutil.copytree(clean, root)
    return Package(root)


def checked(package) -> PlanQuality:
    report = check_plan(load_plan(package.root))
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def found(report: PlanQuality, planted):
    """The one finding of a planted fault."""
    same = [f for f in report.findings if (f.layer, f.code) == (planted.layer, planted.code)]
    if planted.features:
        same = [f for f in same if set(planted.features) <= set(f.feature_ids)]
    assert len(same) == 1, [(f.layer, f.code, f.message) for f in report.findings]
    return same[0]


def confirm(report: PlanQuality, planted) -> None:
    """The fault is found where and as large as it was planted."""
    finding = found(report, planted)
    assert finding.severity.value == planted.severity
    if planted.features is not None:
        assert set(finding.feature_ids) == set(planted.features)
    if planted.value is not None:
        assert finding.value == pytest.approx(planted.value, rel=0.01)
    if planted.place is not None:
        assert_at(finding, planted.place)


def assert_at(finding, place) -> None:
    """Pieces lie where they were planted; points lie inside the feature, lines end in the place."""
    location = finding.location
    assert location is not None
    if finding.code in ("crs_wrong", "zone_prefix", "axes_swapped"):
        end = shapely.Point(shapely.get_coordinates(location)[-1])
        assert end.distance(place) < PLACE_M
    elif location.geom_type == "MultiPoint":
        assert location.distance(place) < PLACE_M
        assert location.difference(place.buffer(PLACE_M)).is_empty
    else:
        assert shapely.hausdorff_distance(location, place) < PLACE_M


def confirm_alone_planted(package, plant: Callable, *args) -> None:
    """Plant one fault, check, and confirm that it alone is found."""
    fault = plant(package, *args)
    confirm_alone(checked(package), fault)


def confirm_alone(report: PlanQuality, planted) -> None:
    """The fault is found, and besides it only what follows from it, in its layer alone."""
    confirm(report, planted)
    codes = {f.code for f in report.findings if f.severity.value != "note"} - {planted.code}
    assert codes <= planted.also, [(f.layer, f.code, f.message) for f in report.findings]
    assert {f.layer for f in report.findings} == {planted.layer}


# --- clean data ----------------------------------------------------------------------------------


def test_the_bundled_plan_has_no_finding_at_all(plan: Plan) -> None:
    report = check_plan(plan)
    assert report.findings == ()
    assert not report.has_faults
    assert {row.faults for row in report.layers} == {()}
    assert max(row.counted_twice_m2 or 0 for row in report.layers) < 1e-3


def test_the_reduced_plan_has_no_finding_either(clean: Path) -> None:
    assert check_plan(load_plan(clean)).findings == ()


# --- gaps, overlaps, slivers ---------------------------------------------------------------------


@pytest.mark.parametrize(("number", "width"), [(0, 0.01), (5, 0.05), (9, 0.09), (2, 0.6), (7, 4.0)])
def test_a_gap_between_parcels_is_measured_and_located(parcels, number, width) -> None:
    confirm_alone_planted(parcels, dirty.plant_gap, "planned_use", number, width)


@pytest.mark.parametrize(("number", "width"), [(1, 0.01), (4, 0.08), (3, 0.7), (8, 5.0)])
def test_an_overlap_names_both_parcels(parcels, number, width) -> None:
    confirm_alone_planted(parcels, dirty.plant_overlap, "planned_use", number, width)


@pytest.mark.parametrize(("row", "size"), [(10, 2.0), (200, 6.0)])
def test_a_hole_in_a_parcel_is_a_gap(parcels, row, size) -> None:
    confirm_alone_planted(parcels, dirty.plant_hole, "planned_use", row, size)


@pytest.mark.parametrize("row", [3, 300, 561])
def test_a_lost_parcel_is_a_gap_of_its_size(parcels, row) -> None:
    confirm_alone_planted(parcels, dirty.plant_lost_parcel, "planned_use", row)


def test_zones_are_a_coverage_too(package) -> None:
    confirm_alone_planted(package, dirty.plant_hole, "zones", 1, 50.0)


@pytest.mark.parametrize(("number", "width"), [(0, 0.03), (6, 0.09)])
def test_a_feature_too_narrow_to_be_land_is_told(parcels, number, width) -> None:
    confirm_alone_planted(parcels, dirty.plant_sliver_feature, "planned_use", number, width)


@pytest.mark.parametrize(("number", "depth"), [(0, 3.0), (4, 40.0), (2, 0.05)])
def test_a_parcel_beyond_the_coverage_is_located(parcels, number, depth) -> None:
    confirm_alone_planted(parcels, dirty.plant_outside, "planned_use", "core", number, depth)


@pytest.mark.parametrize(("layer", "row"), [("planned_use", 20), ("green_line", 3), ("roads", 100)])
def test_an_outline_drawn_twice_is_told_once(package, layer, row) -> None:
    confirm_alone_planted(package, dirty.plant_duplicate, layer, row)


# --- geometries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "size"), [(0, 1.0), (6, 3.0), (11, 6.0)])
def test_a_bow_tie_is_located_where_the_outline_crosses(parcels, number, size) -> None:
    confirm_alone_planted(parcels, dirty.plant_bow_tie, "planned_use", number, size)


def test_every_crossing_of_one_outline_is_located(package) -> None:
    # A ribbon of three squares, drawn as one line there and one back that cross between them.
    west, south = 406_000.0, 4_025_000.0
    there = [(west + 100 * n, south + (100 if n % 2 else 0)) for n in range(4)]
    back = [(west + 100 * n, south + (0 if n % 2 else 100)) for n in range(3, -1, -1)]
    package.set_shape("green_line", 0, shapely.Polygon([*there, *back]))
    (finding,) = [f for f in checked(package).findings if f.code == "geometry_invalid"]
    places = [(west + 100 * n + 50, south + 50) for n in range(3)]
    found_at = np.unique(shapely.get_coordinates(finding.location).round(3), axis=0)
    assert found_at.tolist() == [list(place) for place in places]


@pytest.mark.parametrize(("layer", "row"), [("planned_use", 0), ("green_line", 34), ("roads", 7)])
def test_a_feature_without_geometry_is_named(package, layer, row) -> None:
    confirm_alone_planted(package, dirty.plant_null_geometry, layer, row)


def test_a_line_without_length_is_named(package) -> None:
    confirm_alone_planted(package, dirty.plant_zero_length, "roads", 12)


# --- attributes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "row", "what", "value", "code", "severity"),
    [
        ("planned_use", 4, "class", None, "class_missing", "error"),
        ("planned_use", 2, "class", "  ", "class_missing", "error"),
        ("zones", 3, "name", None, "name_missing", "warning"),
        ("planned_use", 1, "class", "9999", "code_unknown", "error"),
        ("planned_use", 0, "class", "0101X", "code_unknown", "error"),
        ("zones", 4, "class", "Z9", "class_without_rule", "note"),
        ("roads", 2, "half_width", 0.0, "half_width_missing", "warning"),
        ("roads", 3, "half_width", None, "half_width_missing", "warning"),
        ("green_line", 1, "area", 0.0, "area_missing", "warning"),
        ("planned_use", 0, "name", "鍟嗕笟鐢ㄥ湴", "text_garbled", "warning"),
        ("planned_use", 4, "name", "å•†ä¸šç”¨åœ°", "text_garbled", "warning"),
        ("planned_use", 2, "name", "公园\ufffd\ufffd地", "text_garbled", "warning"),
        ("planned_use", 3, "name", "????", "text_garbled", "warning"),
        ("planned_use", 1, "name", "锟斤拷", "text_garbled", "warning"),
    ],
)
def test_a_wrong_value_is_located(package, layer, row, what, value, code, severity) -> None:
    fault = dirty.plant_value(package, layer, what, row, value, code, severity)
    report = checked(package)
    confirm_alone(report, fault)
    assert found(report, fault).field == package.field(layer, what)


@pytest.mark.parametrize(("layer", "row", "other"), [("planned_use", 5, 500), ("roads", 1, 2)])
def test_an_id_used_twice_is_located_at_both(package, layer, row, other) -> None:
    confirm_alone_planted(package, dirty.plant_duplicate_id, layer, row, other)


@pytest.mark.parametrize("what", ["id", "class", "area"])
def test_a_field_that_is_not_there_is_named(parcels, what) -> None:
    fault = dirty.plant_lost_field(parcels, "planned_use", what)
    field = Package(parcels.root).field("planned_use", what)
    report = checked(parcels)
    confirm_alone(report, fault)
    assert field in found(report, fault).message


# --- stated areas --------------------------------------------------------------------------------

MU, HA, KM2 = 15 / 10000, 1e-4, 1e-6


@pytest.mark.parametrize(
    ("rows", "factor", "decimals"),
    [
        ([7], MU, 4),
        ([8], HA, 4),
        ([9], KM2, 6),
        (range(562), MU, 2),
        (range(562), HA, 4),
        (range(562), KM2, 8),
    ],
)
def test_a_stated_area_in_another_unit_is_no_mismatch(parcels, rows, factor, decimals) -> None:
    confirm_alone_planted(parcels, dirty.plant_area, "planned_use", rows, factor, decimals)


@pytest.mark.parametrize(("declared", "factor"), [("mu", 1.0), ("ha", MU), ("km2", HA)])
def test_the_declared_unit_is_what_counts(parcels, declared, factor) -> None:
    old = 'class = "YDYHFLDM", name = "YDYHFLMC", area = "TBMJ"'
    parcels.toml = parcels.toml.replace(old, f'{old}, area_unit = "{declared}"')
    fault = dirty.plant_area(parcels, "planned_use", range(562), factor, 8)
    finding = found(checked(parcels), fault)
    wanted = factor * dirty.M2_PER[declared]
    assert finding.value == pytest.approx(wanted, rel=0.01)
    assert len(finding.feature_ids) == 562


def test_areas_in_the_declared_unit_are_right(parcels) -> None:
    old = 'class = "YDYHFLDM", name = "YDYHFLMC", area = "TBMJ"'
    parcels.toml = parcels.toml.replace(old, f'{old}, area_unit = "ha"')
    dirty.plant_area(parcels, "planned_use", range(562), HA, 4)
    assert checked(parcels).findings == ()


@pytest.mark.parametrize("share", [0.03, -0.02, 0.5, 0.004, -0.001])
def test_a_stated_area_that_is_wrong_is_measured(parcels, share) -> None:
    frame = parcels.read("planned_use")
    row = int(frame.geometry.area.argmax())
    confirm_alone_planted(parcels, dirty.plant_area_off, "planned_use", row, share)


@pytest.mark.parametrize("layer", ["planned_use", "zones", "resort"])
def test_planar_areas_are_a_note_and_no_fault(package, layer) -> None:
    fault = dirty.plant_planar(package, layer)
    report = checked(package)
    confirm_alone(report, fault)
    assert not report.has_faults


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
    fault = dirty.plant_prj(parcels, "planned_use", epsg, code)
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
    confirm_alone_planted(package, dirty.plant_numbers, layer, change, code)


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
    fault = dirty.plant_other_crs(package, layer, epsg)
    report = checked(package)
    confirm(report, fault)
    assert {f.severity.value for f in report.findings} == {"note"}
    assert not report.has_faults


@pytest.mark.parametrize("move", [dirty.gcj02, dirty.bd09], ids=["GCJ-02", "BD-09"])
@pytest.mark.parametrize("layer", ["planned_use", "resort", "roads"])
def test_a_web_map_shift_is_named_and_measured(package, layer, move) -> None:
    fault = dirty.plant_shift(package, layer, move)
    report = checked(package)
    confirm_alone(report, fault)
    assert ("GCJ-02" if move is dirty.gcj02 else "BD-09") in found(report, fault).message


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
    move = dirty.bd09 if len(layer) % 2 else dirty.gcj02
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
    confirm_alone_planted(package, dirty.plant_shift, layer, lambda xy: xy + step)


def test_a_layer_that_no_reading_brings_here_is_told(package) -> None:
    package.change("water", lambda frame: frame.set_geometry(frame.translate(0, 500_000)))
    report = checked(package)
    assert {(f.layer, f.code) for f in report.findings} == {
        ("water", "outside_plan"),
        ("water", "layer_failed"),
    }


def test_an_old_datum_is_found_by_its_own_shift_too(package) -> None:
    shift = dirty.plant_shift(package, "planned_use", lambda xy: xy + np.array([-60.0, 30.0]))
    old = dirty.plant_prj(package, "planned_use", 2384, "crs_old")
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
    off = dirty.plant_area_off(package, "green_line", 3, 0.2)
    stray = dirty.plant_stray(package, "green_line", 7, change)
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
    fault = dirty.plant_encoding(package, layer, written, declared, code)
    report = checked(package)
    confirm_alone(report, fault)
    assert ("GBK" if written == "GBK" else "UTF-8") in found(report, fault).message


@pytest.mark.parametrize("declared", ["GBK", "936", "GB18030"])
def test_an_encoding_that_is_said_is_no_fault(parcels, declared) -> None:
    dirty.plant_encoding(parcels, "planned_use", "GBK", declared, "")
    assert checked(parcels).findings == ()


@pytest.mark.parametrize(("layer", "row"), [("planned_use", 77), ("roads", 9)])
def test_a_single_text_that_cannot_be_read_is_located(package, layer, row) -> None:
    confirm_alone_planted(package, dirty.plant_broken_text, layer, row)


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
    confirm_alone_planted(package, dirty.plant_short_index, layer, kept)


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
    row = next(r for r in report.layers if r.id == "green_line")
    assert row.faults
    assert row.state == ("no_data" if suffix == ".shp" else "failed")


def test_features_are_checked_even_without_an_index(package) -> None:
    fault = dirty.plant_area_off(package, "green_line", 3, 0.2)
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


# --- many faults at once -------------------------------------------------------------------------

# Each in features and fields of its own, so that none hides another.
FAULTS: dict[str, Callable] = {
    "gap": lambda p: dirty.plant_gap(p, "planned_use", 0, 0.6),
    "gap sliver": lambda p: dirty.plant_gap(p, "planned_use", 30, 0.05),
    "overlap": lambda p: dirty.plant_overlap(p, "planned_use", 60, 0.7),
    "overlap sliver": lambda p: dirty.plant_overlap(p, "planned_use", 90, 0.04),
    "code": lambda p: dirty.plant_value(
        p, "planned_use", "class", 444, "9999", "code_unknown", "error"
    ),
    "mu": lambda p: dirty.plant_area(p, "planned_use", [500], MU, 4),
    "area": lambda p: dirty.plant_area_off(p, "planned_use", 505, 0.03),
    "bow-tie": lambda p: dirty.plant_bow_tie(p, "zones", 0, 3.0),
    "id": lambda p: dirty.plant_duplicate_id(p, "green_line", 2, 9),
    "null": lambda p: dirty.plant_null_geometry(p, "green_line", 20),
    "twice": lambda p: dirty.plant_duplicate(p, "green_line", 5),
    "half width": lambda p: dirty.plant_value(
        p, "roads", "half_width", 40, 0.0, "half_width_missing", "warning"
    ),
    "length": lambda p: dirty.plant_zero_length(p, "roads", 50),
    # Whole layers last: they are written anew by what comes before.
    "zone": lambda p: dirty.plant_prj(p, "planned_use", 4547, "crs_wrong"),
    "shift": lambda p: dirty.plant_shift(p, "water", dirty.gcj02),
    "encoding": lambda p: dirty.plant_encoding(p, "roads", "GBK", None, "encoding_undeclared"),
    "index": lambda p: dirty.plant_short_index(p, "green_line", 30),
}


@settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chosen=st.sets(st.sampled_from(sorted(FAULTS)), min_size=3))
def test_any_faults_planted_together_are_all_found(clean, tmp_path_factory, chosen) -> None:
    root = tmp_path_factory.mktemp("many") / "plan"
    shutil.copytree(clean, root)
    package = Package(root)
    planted = [FAULTS[name](package) for name in FAULTS if name in chosen]
    report = checked(package)
    for fault in planted:
        confirm(report, fault)


# --- what the numbers mean -----------------------------------------------------------------------


def test_land_counted_twice_is_the_sum_without_the_union(parcels) -> None:
    fault = dirty.plant_overlap(parcels, "planned_use", 8, 5.0)
    row = next(r for r in checked(parcels).layers if r.id == "planned_use")
    assert row.counted_twice_m2 == pytest.approx(fault.value, rel=1e-3)
    union = shapely.union_all(parcels.read("planned_use").geometry.to_numpy())
    assert row.area_m2 == pytest.approx(dirty.ellipsoidal(union), abs=0.1)


def test_overlaps_where_layers_may_overlap_are_one_note(package) -> None:
    frame = package.read("green_line")
    shape = frame.geometry[3]
    grown = shape.union(shapely.box(*shape.bounds).buffer(200))
    package.set_shape("green_line", 3, grown)
    others = frame.geometry.drop(index=3)
    hit = others[others.intersects(grown)].intersection(grown)
    (finding,) = [f for f in checked(package).findings if f.code == "overlap"]
    assert finding.severity is Severity.NOTE
    # Independent: planar areas of the same intersections; the ellipsoid is 0.02 % smaller.
    assert finding.value == pytest.approx(hit.area.sum(), rel=3e-4)


def test_a_layer_measured_on_another_projection_is_one_finding(parcels) -> None:
    frame = parcels.read("planned_use")
    # UTM zone 50 has the same meridian and the scale 0.9996.
    frame["TBMJ"] = frame.to_crs(32650).area.round(2)
    parcels.write("planned_use", frame)
    report = checked(parcels)
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("area_differs", Severity.WARNING)
    # (0.9996² · 1.000216 - 1) is some -584 ppm in the core.
    assert "-58" in finding.message


def test_findings_without_end_are_told_in_short() -> None:
    many = [Finding("l", "gap", Severity.ERROR, str(n), (str(n),), 10.0, "m2") for n in range(50)]
    short = in_short(many, most=10)
    assert len(short) == 11
    assert short[-1].value == pytest.approx(400.0)
    assert set(short[-1].feature_ids) == {str(n) for n in range(10, 50)}


def test_a_check_that_fails_stops_no_other(package, monkeypatch) -> None:
    fault = dirty.plant_gap(package, "planned_use", 2, 1.0)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(report_module.CHECKS, "编号", broken)
    report = checked(package)
    confirm(report, fault)
    failed = [f for f in report.findings if f.code == "check_failed"]
    assert len(failed) == len(LAYERS)
    assert report.has_faults


def test_a_plan_that_cannot_be_balanced_still_gets_its_report(plan: Plan, tmp_path: Path) -> None:
    root = tmp_path / "plan"
    shutil.copytree(plan.root, root, ignore=shutil.ignore_patterns("build", "samples"))
    package = Package(root)
    fault = dirty.plant_value(package, "planned_use", "class", 1, "9999", "code_unknown", "error")
    report = checked(package)
    confirm(report, fault)
    assert figure_faults(load_plan(root)) == report.figures


# --- the French plan -----------------------------------------------------------------------------


def test_the_french_plan_shows_its_real_faults(french_plan_dir: Path) -> None:
    report = check_plan(load_plan(french_plan_dir))
    raw = pyogrio.read_dataframe(
        french_plan_dir / "layers" / "30014_ZONE_URBA_20171013.shp"
    ).geometry
    pairs = [
        part
        for i in range(len(raw))
        for j in raw.sindex.query(raw[i], predicate="intersects")
        if j > i
        for part in [raw[i].intersection(raw[j]).area]
        if part > 0.1
    ]
    overlaps = [f for f in report.findings if f.layer == "zones" and f.code.startswith("overlap")]
    assert sorted(f.value for f in overlaps) == pytest.approx(sorted(pairs), rel=5e-3)
    rows = {row.id: row for row in report.layers}
    # The published file overlaps itself by 8,367 m².
    assert rows["zones"].counted_twice_m2 == pytest.approx(8367, abs=1)
    assert rows["heritage_points"].faults == ()
    assert {f.code for f in report.findings} == {
        "overlap", "overlap_sliver", "gap_sliver", "rounding", "outside_coverage",
    }  # fmt: skip


# --- how it is told ------------------------------------------------------------------------------


def test_the_command_line_answers_with_json_a_geopackage_and_exit_3(package, wuqu) -> None:
    gap = dirty.plant_gap(package, "planned_use", 2, 1.0)
    half = dirty.plant_value(
        package, "roads", "half_width", 3, None, "half_width_missing", "warning"
    )
    dirty.plant_lost_field(package, "zones", "area")
    gpkg = package.root / "out" / "findings.gpkg"
    code, out, _ = wuqu("data", "check", "--plan", package.root, "--gpkg", gpkg, "--format", "json")
    assert code == 3
    document = json.loads(out)
    assert set(document) == {"layers", "figures", "findings"}
    told = next(f for f in document["findings"] if f["code"] == "gap")
    assert told["location"]["type"] == "MultiPolygon"
    assert shapely.Point(told["at"]).distance(gap.place) < PLACE_M
    row = next(r for r in document["layers"] if r["id"] == "planned_use")
    assert (row["errors"], row["warnings"], row["state"]) == (1, 0, "checked")
    assert "空白" in row["faults"][0]

    polygons = geopandas.read_file(gpkg, layer="findings_polygon")
    assert polygons.crs.to_epsg() == 4548
    assert polygons.geometry[0].symmetric_difference(gap.place).area < 0.1
    lines = geopandas.read_file(gpkg, layer="findings_line")
    assert list(lines["code"]) == ["half_width_missing"]
    assert lines["feature_ids"][0] == half.features[0]
    assert len(geopandas.read_file(gpkg, layer="findings_point")) == 0
    assert dict(pyogrio.list_layers(gpkg)) == {
        "findings_polygon": "MultiPolygon",
        "findings_line": "MultiLineString",
        "findings_point": "MultiPoint",
        "findings_layer": None,
    }
    table = pyogrio.read_dataframe(gpkg, layer="findings_layer")
    assert list(table["code"]) == ["field_missing"]


def test_equal_findings_give_an_equal_geopackage(parcels, wuqu, tmp_path: Path) -> None:
    dirty.plant_gap(parcels, "planned_use", 2, 1.0)
    files = [tmp_path / "one.gpkg", tmp_path / "two.gpkg"]
    for file in files:
        wuqu("data", "check", "--plan", parcels.root, "--gpkg", file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_only_notes_are_exit_0(package, wuqu) -> None:
    dirty.plant_planar(package, "zones")
    code, out, _ = wuqu("data", "check", "--plan", package.root)
    assert code == 0
    assert "平面面积" in out


def test_the_terminal_shows_counts_the_worst_and_where_they_are(parcels, wuqu) -> None:
    gap = dirty.plant_gap(parcels, "planned_use", 2, 1.0)
    code, out, _ = wuqu("data", "check", "--plan", parcels.root)
    assert code == 3
    assert "空白" in out
    x, _ = gap.place.representative_point().coords[0]
    assert f"{x:.0f}"[:5] in out


def test_a_clean_plan_says_so(clean: Path, wuqu) -> None:
    code, out, _ = wuqu("data", "check", "--plan", clean)
    assert code == 0
    assert "没有发现问题" in out


def test_a_secret_layer_gives_no_place_unless_the_ceiling_says_so(parcels, wuqu) -> None:
    dirty.plant_gap(parcels, "planned_use", 2, 1.0)
    head, tail = parcels.toml.split('id = "planned_use"')
    parcels.toml = head + 'id = "planned_use"' + tail.replace('"public"', '"restricted"', 1)
    gpkg = parcels.root / "findings.gpkg"
    _, out, _ = wuqu("data", "check", "--plan", parcels.root, "--gpkg", gpkg, "--format", "json")
    (hidden,) = json.loads(out)["findings"]
    assert hidden["value"] > 1
    assert (hidden["location"], hidden["at"]) == (None, None)
    assert len(geopandas.read_file(gpkg, layer="findings_polygon")) == 0
    assert len(pyogrio.read_dataframe(gpkg, layer="findings_layer")) == 1
    _, out, _ = wuqu(
        "data", "check", "--plan", parcels.root, "--ceiling", "restricted", "--format", "json"
    )
    (shown,) = json.loads(out)["findings"]
    assert shown["location"]["type"] == "MultiPolygon"


def test_a_gap_along_a_secret_coverage_gives_no_place_either(parcels) -> None:
    # The gap has the outline of the core on one side.
    dirty.plant_gap(parcels, "planned_use", 2, 1.0)
    head, tail = parcels.toml.split('id = "core"')
    parcels.toml = head + 'id = "core"' + tail.replace('"public"', '"internal"', 1)
    plan = load_plan(parcels.root)
    assert check_plan(plan).findings[0].location is None
    assert check_plan(plan, ceiling="internal").findings[0].location is not None


def test_an_unknown_ceiling_is_refused(wuqu, clean: Path) -> None:
    with pytest.raises(ValueError, match="ceiling"):
        check_plan(load_plan(clean), ceiling="secret")
    code, _, _ = wuqu("data", "check", "--plan", clean, "--ceiling", "secret")
    assert code == 2


def test_quality_returns_the_rows_alone(clean: Path) -> None:
    rows = quality(load_plan(clean))
    assert [row.id for row in rows] == list(LAYERS)
    assert all(row.features > 0 for row in rows)
