"""Opening layers: absent, broken, repaired, hashed."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas as pd
import pytest
import shapely

from gis.model import LayerState
from gis.plan.catalogue import Layer, open_layer
from gis.plan.schema import LayerEntry

BOX = shapely.box(400_000, 4_020_000, 400_100, 4_020_100)
BOUNDS = shapely.box(350_000, 3_990_000, 450_000, 4_050_000)


def entry(**changes: object) -> LayerEntry:
    values = {
        "id": "l",
        "title": "图层",
        "path": "l.shp",
        "role": "other",
        "geometry": "polygon",
        "fields": {"id": "BSM", "class": "LX", "name": "MC"},
        "vintage": "2026",
        "status": "draft",
    }
    return LayerEntry.model_validate(values | changes)


def write(tmp_path: Path, shapes, crs: str | None = "EPSG:4548", **columns) -> None:
    count = len(shapes)
    data = {
        "BSM": [f"{i:03}" for i in range(count)],
        "LX": ["a"] * count,
        "MC": ["名称"] * count,
    } | columns
    frame = geopandas.GeoDataFrame(data, geometry=shapes, crs=crs)
    frame.to_file(tmp_path / "l.shp", encoding="UTF-8")


def opened(tmp_path: Path, **changes: object) -> Layer:
    return open_layer(entry(**changes), tmp_path, 4548, BOUNDS)


def test_an_absent_file_is_no_data_and_names_the_file(tmp_path: Path) -> None:
    layer = opened(tmp_path)
    assert layer.state is LayerState.NO_DATA
    assert "l.shp" in layer.reason
    assert layer.content_sha256 is None


def test_a_damaged_file_is_failed(tmp_path: Path) -> None:
    (tmp_path / "l.shp").write_bytes(b"not a shapefile")
    assert opened(tmp_path).state is LayerState.FAILED


def test_a_missing_dbf_is_failed_and_not_a_layer_without_classes(tmp_path: Path) -> None:
    write(tmp_path, [BOX])
    (tmp_path / "l.dbf").unlink()
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "BSM" in layer.reason


def test_a_missing_crs_is_failed(tmp_path: Path) -> None:
    write(tmp_path, [BOX])
    (tmp_path / "l.prj").unlink()
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert ".prj" in layer.reason


def test_a_feature_without_geometry_is_failed(tmp_path: Path) -> None:
    write(tmp_path, [BOX, None])
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "没有图形" in layer.reason


def test_doubled_ids_are_failed(tmp_path: Path) -> None:
    write(tmp_path, [BOX, BOX], BSM=["1", "1"])
    assert "重复" in opened(tmp_path).reason


def test_another_crs_is_brought_into_the_work_crs(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"BSM": ["1"], "LX": ["a"], "MC": ["x"]}, geometry=[BOX], crs="EPSG:4548"
    )
    frame.to_crs(4490).to_file(tmp_path / "l.shp", encoding="UTF-8")
    layer = opened(tmp_path)
    assert layer.state is LayerState.CHECKED
    assert layer.frame.geometry[0].area == pytest.approx(10_000, abs=0.01)


def test_a_bow_tie_that_a_repair_would_change_is_failed(tmp_path: Path) -> None:
    bow = shapely.Polygon([(4e5, 4e6), (4e5 + 100, 4e6 + 100), (4e5 + 100, 4e6), (4e5, 4e6 + 100)])
    write(tmp_path, [bow])
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "自相交" in layer.reason


def test_a_crossing_by_rounding_is_repaired_and_said(tmp_path: Path) -> None:
    # The last vertex steps 1 mm over its neighbour: invalid, but the area is the drawn one.
    nick = shapely.Polygon(
        [
            (4e5, 4e6),
            (4e5 + 100, 4e6),
            (4e5 + 100, 4e6 + 100),
            (4e5, 4e6 + 100),
            (4e5, 4e6 + 50),
            (4e5 + 0.001, 4e6 + 50.001),
            (4e5 - 0.001, 4e6 + 50.0005),
        ]
    )
    assert not nick.is_valid
    write(tmp_path, [nick])
    layer = opened(tmp_path)
    assert layer.state is LayerState.CHECKED
    assert "修复了 1 个" in layer.reason
    assert layer.frame.geometry.is_valid.all()


def test_the_hash_sees_content_and_not_order_or_ring_direction(tmp_path: Path) -> None:
    other = shapely.box(400_200, 4_020_000, 400_300, 4_020_100)
    write(tmp_path, [BOX, other], BSM=["1", "2"], LX=["a", "b"])
    first = opened(tmp_path).content_sha256
    write(tmp_path, [shapely.reverse(other), shapely.reverse(BOX)], BSM=["2", "1"], LX=["b", "a"])
    assert opened(tmp_path).content_sha256 == first
    write(tmp_path, [BOX, other], BSM=["1", "2"], LX=["a", "c"])
    assert opened(tmp_path).content_sha256 != first


def test_the_hash_sees_a_move_of_a_millimetre(tmp_path: Path) -> None:
    write(tmp_path, [BOX])
    first = opened(tmp_path).content_sha256
    write(tmp_path, [shapely.affinity.translate(BOX, 0.001, 0)])
    assert opened(tmp_path).content_sha256 != first


def test_numbers_as_codes_lose_no_zero_and_gain_no_decimal_point(tmp_path: Path) -> None:
    write(tmp_path, [BOX], LX=[15.0])
    assert list(opened(tmp_path).frame["cls"]) == ["15"]


def test_a_half_width_of_zero_is_not_known(tmp_path: Path) -> None:
    line = shapely.LineString([(4e5, 4e6), (4e5 + 10, 4e6)])
    write(tmp_path, [line, line], BKD=[0.0, 12.5])
    fields = {"id": "BSM", "half_width": "BKD"}
    layer = opened(tmp_path, geometry="line", fields=fields)
    assert list(layer.index.half_widths)[1] == 12.5
    assert layer.index.half_widths[0] != layer.index.half_widths[0]  # NaN


def test_polygons_in_a_line_layer_are_failed(tmp_path: Path) -> None:
    write(tmp_path, [BOX])
    assert "不是线" in opened(tmp_path, geometry="line").reason


def test_a_land_class_layer_without_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="分类体系"):
        entry(role="landuse")


def test_a_layer_that_lies_wholly_elsewhere_is_failed(tmp_path: Path) -> None:
    # The numbers of the 117 E zone under the name of the 114 E zone: 270 km off, no error anywhere.
    write(tmp_path, [BOX], crs="EPSG:4547")
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "规划范围之外" in layer.reason


@pytest.mark.parametrize("code", [2384, 2436])
def test_a_layer_in_an_old_datum_is_failed_and_not_shifted_by_nothing(tmp_path, code: int) -> None:
    write(tmp_path, [BOX], crs=f"EPSG:{code}")
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "旧基准" in layer.reason


@pytest.mark.parametrize("part", ["shx", "dbf"])
def test_a_shapefile_that_hides_features_is_failed(tmp_path: Path, part: str) -> None:
    boxes = [shapely.box(4e5 + i, 4e6 + 2e4, 4e5 + i + 1, 4e6 + 20_001) for i in range(5)]
    write(tmp_path, boxes)
    file = tmp_path / f"l.{part}"
    data = bytearray(file.read_bytes())
    if part == "shx":  # index of one record, with a header that agrees
        data = data[:108]
        data[24:28] = (54).to_bytes(4, "big")
    else:
        data[4:8] = (1).to_bytes(4, "little")
    file.write_bytes(data)
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert "记录数不一致" in layer.reason


@pytest.mark.parametrize("part", ["shp", "shx", "dbf"])
@pytest.mark.parametrize("kept", [0, 3, 7, 90])
def test_a_shapefile_of_which_hardly_anything_is_left_is_failed(
    tmp_path: Path, part: str, kept: int
) -> None:
    write(tmp_path, [BOX])
    file = tmp_path / f"l.{part}"
    file.write_bytes(file.read_bytes()[:kept])
    layer = opened(tmp_path)
    assert layer.state is LayerState.FAILED
    assert layer.reason


def test_features_without_ids_are_numbered_alike_in_any_order(tmp_path: Path) -> None:
    other = shapely.box(400_200, 4_020_000, 400_300, 4_020_100)
    fields = {"class": "LX"}
    write(tmp_path, [BOX, other], LX=["a", "b"])
    first = opened(tmp_path, fields=fields)
    write(tmp_path, [other, BOX], LX=["b", "a"])
    second = opened(tmp_path, fields=fields)
    assert first.content_sha256 == second.content_sha256
    assert list(first.frame["cls"]) == list(second.frame["cls"])


PARCEL = {"id": "BSM", "values": {"plot_ratio_max": "RJLSX", "note": "BZ"}}


def test_further_fields_are_numbers_or_words_or_nothing(tmp_path: Path) -> None:
    other = shapely.box(400_200, 4_020_000, 400_300, 4_020_100)
    write(tmp_path, [BOX, other], RJLSX=[1.5, float("nan")], BZ=["  村镇 ", ""])
    index = opened(tmp_path, fields=PARCEL).index
    assert list(index.values["plot_ratio_max"]) == [1.5, None]
    assert list(index.values["note"]) == ["村镇", None]


def test_whole_numbers_are_numbers_as_well(tmp_path: Path) -> None:
    write(tmp_path, [BOX], RJLSX=[24], BZ=["24"])
    index = opened(tmp_path, fields=PARCEL).index
    assert (index.values["plot_ratio_max"][0], index.values["note"][0]) == (24.0, "24")


def test_further_fields_stay_with_their_feature_when_ids_are_sorted(tmp_path: Path) -> None:
    other = shapely.box(400_200, 4_020_000, 400_300, 4_020_100)
    write(tmp_path, [BOX, other], BSM=["2", "1"], RJLSX=[2.0, 1.0], BZ=["b", "a"])
    index = opened(tmp_path, fields=PARCEL).index
    assert list(index.ids) == ["1", "2"]
    assert list(index.values["plot_ratio_max"]) == [1.0, 2.0]
    assert index.geometries[0].equals(other)


def test_the_frame_is_made_when_asked_for_and_says_what_the_index_says(tmp_path: Path) -> None:
    other = shapely.box(400_200, 4_020_000, 400_300, 4_020_100)
    write(tmp_path, [BOX, other], BSM=["2", "1"], LX=[None, "b"], RJLSX=[2.0, 1.0], BZ=["b", ""])
    layer = opened(tmp_path, fields={**PARCEL, "class": "LX"})
    frame, index = layer.frame, layer.index
    assert layer.frame is frame
    assert frame.crs.to_epsg() == 4548
    assert list(frame["id"]) == ["1", "2"]
    assert frame["cls"].isna().tolist() == [False, True]
    assert list(frame["value:plot_ratio_max"]) == [1.0, 2.0]
    assert list(frame["value:note"]) == [None, "b"]
    assert frame.geometry.to_numpy().tolist() == index.geometries.tolist()
    assert shapely.equals(index.geometries, [other, BOX]).all()
    assert opened(tmp_path / "none").frame is None


def test_dates_and_numbers_in_fields_are_read_as_the_words_that_stand_there(tmp_path: Path) -> None:
    boxes = [shapely.box(4e5 + i, 4_020_000, 4e5 + i + 1, 4_020_001) for i in range(3)]
    days = ["2026-11-22", None, "2025-01-31"]
    data = {"BSM": [7, 8, 9], "LX": [101.0, float("nan"), 12.5], "MC": pd.to_datetime(days)}
    geopandas.GeoDataFrame(data, geometry=boxes, crs=4548).to_file(tmp_path / "l.gpkg")
    index = opened(tmp_path, path="l.gpkg").index
    assert list(index.ids) == ["7", "8", "9"]
    assert list(index.classes) == ["101", None, "12.5"]
    assert list(index.names) == ["2026-11-22 00:00:00", None, "2025-01-31 00:00:00"]


def test_a_further_field_that_the_file_lacks_makes_the_layer_failed(tmp_path: Path) -> None:
    write(tmp_path, [BOX], RJLSX=[1.5])
    layer = opened(tmp_path, fields=PARCEL)
    assert layer.state is LayerState.FAILED
    assert "BZ" in layer.reason


def test_the_hash_sees_further_fields_only_where_the_plan_names_them(tmp_path: Path) -> None:
    plain, hashes = {"id": "BSM"}, []
    for ratio, note in ((1.5, "a"), (1.6, "a"), (1.5, "b"), (float("nan"), "a")):
        write(tmp_path, [BOX], RJLSX=[ratio], BZ=[note])
        hashes.append(opened(tmp_path, fields=PARCEL).content_sha256)
        assert opened(tmp_path, fields=plain).content_sha256 not in hashes
    assert len(set(hashes)) == 4
    write(tmp_path, [BOX])
    bare = opened(tmp_path, fields=plain).content_sha256
    write(tmp_path, [BOX], RJLSX=[1.5], BZ=["a"])
    assert opened(tmp_path, fields=plain).content_sha256 == bare
