"""Layer quality: where layers lie, and what is wrong with their files and tables."""

from __future__ import annotations

import json

import dirty_features
import dirty_layers
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from quality_checks import PLACE_M, checked, confirm, confirm_alone, confirm_alone_planted, found

from gis.plan.quality.encodings import is_garbled
from gis.plan.quality.findings import Severity
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


def test_a_layer_in_which_nothing_was_found_is_no_slip_unless_it_has_features(package) -> None:
    entry = 'id = "green_line"'
    package.toml = package.toml.replace(entry, f"{entry}\nempty = true")
    assert [(f.layer, f.code) for f in checked(package).findings] == [("green_line", "not_empty")]
    package.change("green_line", lambda frame: frame.iloc[:0])
    assert checked(package).findings == ()


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
