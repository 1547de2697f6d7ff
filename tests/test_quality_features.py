"""Layer quality: faults of features are found with their place and size, and nothing else is."""

from __future__ import annotations

import dirty_features
import numpy as np
import pytest
import shapely
from dirty_package import M2_PER, Package, drawn
from quality_checks import checked, confirm_alone, confirm_alone_planted, found

from gis.model import LayerState
from gis.plan.quality import attributes
from gis.plan.quality.layer_data import FileFacts, LayerData, Surroundings, TextFacts
from gis.plan.schema import LayerEntry

# --- gaps, overlaps, slivers ---------------------------------------------------------------------


@pytest.mark.parametrize(("number", "width"), [(0, 0.01), (5, 0.05), (9, 0.09), (2, 0.6), (7, 4.0)])
def test_a_gap_between_parcels_is_measured_and_located(parcels, number, width) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_gap, "planned_use", number, width)


@pytest.mark.parametrize(("number", "width"), [(1, 0.01), (4, 0.08), (3, 0.7), (8, 5.0)])
def test_an_overlap_names_both_parcels(parcels, number, width) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_overlap, "planned_use", number, width)


@pytest.mark.parametrize(("row", "size"), [(10, 2.0), (200, 6.0)])
def test_a_hole_in_a_parcel_is_a_gap(parcels, row, size) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_hole, "planned_use", row, size)


@pytest.mark.parametrize("row", [3, 300, 561])
def test_a_lost_parcel_is_a_gap_of_its_size(parcels, row) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_lost_parcel, "planned_use", row)


def test_a_gap_around_an_island_is_the_ring_and_not_the_island(tmp_path) -> None:
    outer = shapely.box(0, 0, 300, 300).difference(shapely.box(100, 100, 200, 200))
    package = drawn(tmp_path, {"zones": ("zone", [outer, shapely.box(110, 110, 190, 190)])})
    (finding,) = checked(package).findings
    assert finding.code == "gap"
    # 100² - 80² m² in the plane; some 200 ppm less on the ellipsoid.
    assert finding.value == pytest.approx(3600, rel=3e-4)
    assert finding.location.area == pytest.approx(3600, abs=1)


def test_zones_are_a_coverage_too(package) -> None:
    confirm_alone_planted(package, dirty_features.plant_hole, "zones", 1, 50.0)


@pytest.mark.parametrize(("number", "width"), [(0, 0.03), (6, 0.09)])
def test_a_feature_too_narrow_to_be_land_is_told(parcels, number, width) -> None:
    confirm_alone_planted(
        parcels, dirty_features.plant_sliver_feature, "planned_use", number, width
    )


@pytest.mark.parametrize(("number", "depth"), [(0, 3.0), (4, 40.0), (2, 0.05)])
def test_a_parcel_beyond_the_coverage_is_located(parcels, number, depth) -> None:
    confirm_alone_planted(
        parcels, dirty_features.plant_outside, "planned_use", "core", number, depth
    )


@pytest.mark.parametrize(("layer", "row"), [("planned_use", 20), ("green_line", 3), ("roads", 100)])
def test_an_outline_drawn_twice_is_told_once(package, layer, row) -> None:
    confirm_alone_planted(package, dirty_features.plant_duplicate, layer, row)


# --- geometries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "size"), [(0, 1.0), (6, 3.0), (11, 6.0)])
def test_a_bow_tie_is_located_where_the_outline_crosses(parcels, number, size) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_bow_tie, "planned_use", number, size)


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
    confirm_alone_planted(package, dirty_features.plant_null_geometry, layer, row)


def test_a_line_without_length_is_named(package) -> None:
    confirm_alone_planted(package, dirty_features.plant_zero_length, "roads", 12)


def test_an_unknown_half_width_is_only_a_note_where_no_rule_measures_from_the_line(
    tmp_path,
) -> None:
    package = drawn(tmp_path, {"roads": ("road", [shapely.LineString([(0, 0), (500, 90)])])})
    (finding,) = checked(package).findings
    assert (finding.code, finding.severity.value) == ("half_width_missing", "note")


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
    fault = dirty_features.plant_value(package, layer, what, row, value, code, severity)
    report = checked(package)
    confirm_alone(report, fault)
    assert found(report, fault).field == package.field(layer, what)


@pytest.mark.parametrize(("layer", "row", "other"), [("planned_use", 5, 500), ("roads", 1, 2)])
def test_an_id_used_twice_is_located_at_both(package, layer, row, other) -> None:
    confirm_alone_planted(package, dirty_features.plant_duplicate_id, layer, row, other)


def test_as_many_wrong_ids_and_codes_as_features_are_all_told() -> None:
    # Comparing each with each would take a minute.
    count = 20_000
    entry = LayerEntry.model_validate(
        {
            "id": "landuse", "title": "l", "path": "l.shp", "role": "landuse", "vintage": "2026",
            "geometry": "point", "status": "draft", "scheme": "三调", "edition": "2019",
            "fields": {"id": "BSM", "class": "DLBM"},
        }
    )  # fmt: skip
    points = shapely.points(np.column_stack([np.arange(count) + 408_000.0, np.full(count, 4.03e6)]))
    columns = {
        "BSM": np.array([str(n // 2) for n in range(count)], dtype=object),
        "DLBM": np.array([f"X{n}" for n in range(count)], dtype=object),
    }
    data = LayerData(
        entry, LayerState.CHECKED, "", columns["BSM"], columns, points, None, FileFacts(),
        TextFacts(), 4548, points,
    )  # fmt: skip
    around = Surroundings({}, None)
    assert len(list(attributes.id_findings(data, around))) == count // 2
    assert len(list(attributes.code_findings(data, around))) == count


@pytest.mark.parametrize("what", ["id", "class", "area"])
def test_a_field_that_is_not_there_is_named(parcels, what) -> None:
    fault = dirty_features.plant_lost_field(parcels, "planned_use", what)
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
        (range(563), MU, 2),
        (range(563), HA, 4),
        (range(563), KM2, 8),
    ],
)
def test_a_stated_area_in_another_unit_is_no_mismatch(parcels, rows, factor, decimals) -> None:
    confirm_alone_planted(parcels, dirty_features.plant_area, "planned_use", rows, factor, decimals)


@pytest.mark.parametrize(("declared", "factor"), [("mu", 1.0), ("ha", MU), ("km2", HA)])
def test_the_declared_unit_is_what_counts(parcels, declared, factor) -> None:
    old = 'class = "YDYHFLDM", name = "YDYHFLMC", area = "TBMJ"'
    parcels.toml = parcels.toml.replace(old, f'{old}, area_unit = "{declared}"')
    fault = dirty_features.plant_area(parcels, "planned_use", range(563), factor, 8)
    finding = found(checked(parcels), fault)
    wanted = factor * M2_PER[declared]
    assert finding.value == pytest.approx(wanted, rel=0.01)
    assert len(finding.feature_ids) == 563


def test_areas_in_the_declared_unit_are_right(parcels) -> None:
    old = 'class = "YDYHFLDM", name = "YDYHFLMC", area = "TBMJ"'
    parcels.toml = parcels.toml.replace(old, f'{old}, area_unit = "ha"')
    dirty_features.plant_area(parcels, "planned_use", range(563), HA, 4)
    assert checked(parcels).findings == ()


@pytest.mark.parametrize("share", [0.03, -0.02, 0.5, 0.004, -0.001])
def test_a_stated_area_that_is_wrong_is_measured(parcels, share) -> None:
    frame = parcels.read("planned_use")
    row = int(frame.geometry.area.argmax())
    confirm_alone_planted(parcels, dirty_features.plant_area_off, "planned_use", row, share)


def test_a_small_share_is_not_told_as_none(package) -> None:
    fault = dirty_features.plant_area_off(package, "resort", 0, 2e-5)
    assert "（20 ppm）" in found(checked(package), fault).message


@pytest.mark.parametrize("text", ["10,000.00", "9998 m2", "-9998"])
def test_an_area_that_is_no_number_is_not_told_as_empty(package, text) -> None:
    fault = dirty_features.plant_value(
        package, "green_line", "area", 1, text, "area_missing", "warning"
    )
    assert "不是正数" in found(checked(package), fault).message


@pytest.mark.parametrize("layer", ["planned_use", "zones", "resort"])
def test_planar_areas_are_a_note_and_no_fault(package, layer) -> None:
    fault = dirty_features.plant_planar(package, layer)
    report = checked(package)
    confirm_alone(report, fault)
    assert not report.has_faults
