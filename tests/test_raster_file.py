"""Opening rasters and judging their pixels: no data, unmarked fill, unknown values, bad files."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import shapely

from gis.engine.grid import Window
from gis.errors import ClaimError, CrsError, GeometryError, NotFoundError, PlanError
from gis.model import LayerState
from gis.plan.raster.codes import ClassCoder
from gis.plan.raster.file import Pixels, open_raster
from gis.plan.raster.share import class_shares, index_shares
from gis.plan.schema import RasterEntry

CODES = "value,name,colour,counted_as,classes\n1,草地,#00ff00,green,\n2,水体,,water,\n3,房屋,,,\n"
BANDS = {"green": 1, "red": 2, "nir": 3}
ALL = shapely.box(400_000, 4_029_800, 400_200, 4_030_000)  # 20 x 20 pixels of 10 m


def scene(dtype=np.uint8, rows=20, cols=20) -> np.ndarray:
    """Green, red and near infrared: plants (NDVI 0.6) in the west, soil (0.1) in the east."""
    pixels = np.empty((3, rows, cols), dtype=dtype)
    pixels[:, :, : cols // 2] = np.array([30, 20, 80])[:, None, None]
    pixels[:, :, cols // 2 :] = np.array([50, 45, 55])[:, None, None]
    return pixels


def ndvi(raster, shape=ALL, **options):
    options = {"threshold": 0.3} | options
    return index_shares(raster, [shape], crs=4548, index="ndvi", **options)[0]


# --- opening -------------------------------------------------------------------------------------


def test_a_missing_file_is_no_data_and_says_so(tmp_path: Path) -> None:
    values = {"id": "r", "title": "r", "path": "gone.tif", "kind": "bands", "date": "2026-01-01"}
    entry = RasterEntry.model_validate(values | {"bands": BANDS, "status": "draft"})
    raster = open_raster(entry, tmp_path)
    assert raster.state is LayerState.NO_DATA
    assert "gone.tif" in raster.reason
    with pytest.raises(PlanError, match=r"gone\.tif"):
        ndvi(raster)


@pytest.mark.parametrize("content", [b"", b"not a raster", b"II*\x00" + bytes(60)])
def test_something_else_than_a_geotiff_is_failed(make_raster, tmp_path, content: bytes) -> None:
    entry = make_raster(scene(), bands=BANDS).entry
    (tmp_path / "r.tif").write_bytes(content)
    raster = open_raster(entry, tmp_path)
    assert raster.state is LayerState.FAILED
    assert "GeoTIFF" in raster.reason


def test_a_file_cut_short_is_an_error_and_no_number(make_raster, tmp_path) -> None:
    rng = np.random.default_rng(0)
    raster = make_raster(rng.integers(1, 99, (3, 300, 300), dtype=np.uint8), bands=BANDS)
    whole = (tmp_path / "r.tif").read_bytes()
    (tmp_path / "r.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PlanError):
        ndvi(open_raster(raster.entry, tmp_path), ALL.buffer(500))


def without_warning(make, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rasterio warns when such a file is written
        return make(*args, **options)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"crs": None}, "坐标系"),
        ({"transform": None}, "地理参考"),
        ({"crs": "EPSG:2343"}, "旧基准"),
        ({"bands": {"red": 2, "nir": 7}}, "没有波段 7"),
    ],
)
def test_what_cannot_be_placed_is_failed_with_the_reason(make_raster, change, reason) -> None:
    raster = without_warning(make_raster, scene(), **({"bands": BANDS} | change))
    assert raster.state is LayerState.FAILED
    assert reason in raster.reason


def test_a_drawing_without_a_place_on_earth_is_failed(make_raster) -> None:
    raster = make_raster(scene(), bands=BANDS, crs='LOCAL_CS["mine",UNIT["metre",1]]')
    assert raster.state is LayerState.FAILED
    assert "坐标系" in raster.reason


def test_a_projection_without_a_code_is_measured_on_the_ellipsoid(make_raster) -> None:
    # A transverse Mercator of a survey's own, with the origin in the middle of the raster.
    own = "+proj=tmerc +lat_0=36.4 +lon_0=116 +k=0.9999 +x_0=500 +y_0=500 +ellps=GRS80 +units=m"
    raster = make_raster(scene(), bands=BANDS, crs=own, transform=(10, 0, 400, 0, -10, 600))
    found = index_shares(raster, [shapely.box(400, 400, 600, 600)], crs=raster.form.crs)[0]
    assert found.share == pytest.approx(0.5)
    assert found.m2 == pytest.approx(200 * 200 / 0.9999**2, abs=0.01)


def test_a_raster_of_another_celestial_body_is_failed(make_raster, plan, tmp_path) -> None:
    moon = (
        'GEOGCRS["Moon",DATUM["D_Moon",ELLIPSOID["Moon",1737400,0]],CS[ellipsoidal,2],'
        'AXIS["lat",north],AXIS["lon",east],UNIT["degree",0.0174532925199433]]'
    )
    place = (0.001, 0, 115.9, 0, -0.001, 36.5)
    entry = make_raster(scene(), bands=BANDS, crs=moon, transform=place).entry
    raster = open_raster(entry, tmp_path, bounds=plan.bounds_polygon, epsg=4548)
    assert raster.state is LayerState.FAILED
    assert "坐标系" in raster.reason


def test_a_picture_in_colours_is_no_class_raster(make_raster) -> None:
    # Its first band is the red of the colours; 1, 2 and 3 occur in it, too.
    raster = make_raster(np.ones((3, 20, 20), dtype=np.uint8), codes=CODES)
    assert raster.state is LayerState.FAILED
    assert "3 个数据波段" in raster.reason
    mask = np.full((20, 20), 255, dtype=np.uint8)
    with_alpha = np.stack([np.ones((20, 20), dtype=np.uint8), mask])
    assert classes(make_raster(with_alpha, codes=CODES, creation={"alpha": "yes"})).share == 1.0


@pytest.mark.parametrize(("dtype", "nodata"), [("uint8", -9999), ("int16", 65535), ("uint8", 0.5)])
def test_a_no_data_number_that_no_pixel_can_hold_is_a_mistake(make_raster, dtype, nodata) -> None:
    raster = make_raster(scene(dtype), bands=BANDS, nodata=nodata)
    assert raster.state is LayerState.FAILED
    assert f"nodata = {nodata}" in raster.reason
    assert make_raster(scene(np.float32), bands=BANDS, nodata=nodata).state is LayerState.CHECKED
    assert make_raster(scene(dtype), bands=BANDS, nodata=7).state is LayerState.CHECKED


def test_blocks_are_kept_in_memory_up_to_a_bound(make_raster) -> None:
    from rasterio.env import getenv

    from gis.plan.raster.file import read_pixels

    for _ in read_pixels(make_raster(scene(), bands=BANDS), (1,)):
        assert getenv()["GDAL_CACHEMAX"] == 64 * 1024 * 1024  # the unit of rasterio is one byte


def test_complex_numbers_are_refused(make_raster) -> None:
    raster = make_raster(scene().astype(np.complex64), bands=BANDS)
    assert raster.state is LayerState.FAILED


def test_a_raster_of_another_place_is_failed(make_raster, plan, tmp_path) -> None:
    raster = make_raster(scene(), bands=BANDS, transform=(10, 0, 700_000, 0, -10, 3_000_000))
    moved = open_raster(raster.entry, tmp_path, bounds=plan.bounds_polygon, epsg=4548)
    assert moved.state is LayerState.FAILED
    assert "规划范围之外" in moved.reason


def test_the_hash_follows_the_pixels_and_not_the_storage(make_raster) -> None:
    options = {"compress": "deflate", "tiled": True, "blockxsize": 16, "blockysize": 16}
    plain, packed = (
        make_raster(scene(), bands=BANDS, name=f"{n}.tif", creation=c)
        for n, c in (("a", {}), ("b", options))
    )
    other = scene()
    other[0, 3, 3] += 1
    assert plain.content_sha256 == packed.content_sha256
    assert make_raster(other, bands=BANDS, name="c.tif").content_sha256 != plain.content_sha256


# --- no data -------------------------------------------------------------------------------------


def test_declared_no_data_mask_and_alpha_all_count_as_no_data(make_raster) -> None:
    pixels = scene()
    pixels[:, :5] = 7
    mask = np.full((20, 20), 255, dtype=np.uint8)
    mask[:5] = 0
    alpha = np.concatenate([scene(), mask[None]])
    rgba = {"photometric": "RGB", "alpha": "yes"}
    rasters = [
        make_raster(pixels, bands=BANDS, name="a.tif", creation={"nodata": 7}),
        make_raster(pixels, bands=BANDS, name="b.tif", nodata=7),
        make_raster(pixels, bands=BANDS, name="c.tif", mask=mask),
        make_raster(alpha, bands=BANDS, name="d.tif", creation=rgba),
    ]
    for raster in rasters:
        found = ndvi(raster)
        assert found.seen.nodata_share == pytest.approx(0.25)
        assert found.seen.valid_share == pytest.approx(0.75)
        assert found.share == pytest.approx(0.5)


def test_a_near_infrared_band_that_a_writer_took_for_transparency_is_data(make_raster) -> None:
    # GDAL marks the fourth band of four as alpha unless told otherwise.
    pixels = np.concatenate([scene()[:1], scene()])
    pixels[3, :5] = 0
    raster = make_raster(
        pixels, bands={"red": 3, "nir": 4}, creation={"photometric": "RGB", "alpha": "yes"}
    )
    found = ndvi(raster)
    assert found.seen.valid_share == 1.0
    assert found.share == pytest.approx(0.375)  # the five rows without nir are no plants


def test_nan_is_no_data_declared_or_not(make_raster) -> None:
    pixels = scene(np.float32)
    pixels[:, :, :4] = np.nan
    for creation in ({}, {"nodata": np.nan}):
        found = ndvi(make_raster(pixels, bands=BANDS, creation=creation))
        assert found.seen.nodata_share == pytest.approx(0.2)
        assert found.share == pytest.approx(6 / 16)


def test_no_data_in_one_used_band_is_enough(make_raster) -> None:
    pixels = scene()
    pixels[1, :2] = 0  # red only
    found = ndvi(make_raster(pixels, bands=BANDS, creation={"nodata": 0}))
    assert found.seen.nodata_share == pytest.approx(0.1)


def test_a_raster_without_any_data_has_no_share(make_raster) -> None:
    blank = make_raster(np.zeros((3, 20, 20), np.uint8), bands=BANDS, creation={"nodata": 0})
    found = ndvi(blank)
    assert found.share is None
    assert found.seen.valid_share == 0
    assert found.seen.nodata_share == pytest.approx(1)
    with pytest.raises(PlanError, match="大津法"):
        ndvi(blank, threshold="otsu")


def test_what_lies_beyond_the_raster_is_no_data(make_raster) -> None:
    wide = shapely.box(399_900, 4_029_800, 400_200, 4_030_000)
    for exact in (True, False):
        found = ndvi(make_raster(scene(), bands=BANDS), wide, exact=exact)
        assert found.seen.outside_share == pytest.approx(1 / 3)
        assert found.seen.nodata_share == pytest.approx(1 / 3)
        assert found.share == pytest.approx(0.5)
    beside = ndvi(make_raster(scene(), bands=BANDS), shapely.box(0, 0, 50, 50))
    assert beside.share is None
    assert beside.seen.outside_share == pytest.approx(1)


# --- unmarked fill -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0, 255])
def test_the_ends_of_the_type_in_all_bands_are_fill_wherever_they_lie(make_raster, value) -> None:
    pixels = scene()
    pixels[:, 5:9, 5:9] = value
    found = ndvi(make_raster(pixels, bands=BANDS))
    assert found.seen.fill_share == pytest.approx(16 / 400)
    assert found.seen.fill_value == value
    assert found.share == pytest.approx((200 - 16) / 384 if value else 184 / 384)


def test_one_number_along_the_border_is_fill(make_raster) -> None:
    pixels = scene(np.int16)
    pixels[:, np.tri(20, 20, -3, dtype=bool)] = -77  # a corner, as a reprojected scene has it
    found = ndvi(make_raster(pixels, bands=BANDS))
    corner = int(np.tri(20, 20, -3).sum())
    assert found.seen.fill_value == -77
    assert found.seen.fill_share == pytest.approx(corner / 400)


def test_grey_ground_inside_the_scene_is_not_fill(make_raster) -> None:
    pixels = scene()
    pixels[:, 4:14, 4:14] = 90  # a roof: all bands alike, but not at the border
    found = ndvi(make_raster(pixels, bands=BANDS))
    assert found.seen.fill_share == 0
    assert found.share == pytest.approx((200 - 60) / 400)


def test_dark_water_in_one_band_is_not_fill(make_raster) -> None:
    pixels = scene()
    pixels[2, :6] = 0
    assert ndvi(make_raster(pixels, bands=BANDS)).seen.valid_share == 1.0


def test_saturated_pixels_are_counted_and_kept(make_raster) -> None:
    pixels = scene()
    pixels[0, 0, :7] = 255
    found = ndvi(make_raster(pixels, bands=BANDS))
    assert found.saturated_pixels == pytest.approx(7)
    assert found.seen.valid_share == 1.0


# --- indices -------------------------------------------------------------------------------------


def test_zero_in_both_bands_is_undefined_and_not_soil(make_raster) -> None:
    pixels = scene()
    pixels[1:, :4] = 0
    found = ndvi(make_raster(pixels, bands=BANDS))
    assert found.seen.unexplained_share == pytest.approx(0.2)
    assert found.share == pytest.approx(0.5)


def test_an_offset_changes_the_index_and_is_honoured(make_raster) -> None:
    # Stored 1,100 and 1,400 with offset -0.1 and scale 0.0001: reflectance 0.01 and 0.04, NDVI 0.6;
    # without the offset it would be 0.12.
    pixels = np.empty((2, 20, 20), dtype=np.uint16)
    pixels[0], pixels[1] = 1100, 1400
    tags = {"scales": (1e-4, 1e-4), "offsets": (-0.1, -0.1)}
    bands = {"red": 1, "nir": 2}
    assert ndvi(make_raster(pixels, bands=bands)).share == 0
    assert ndvi(make_raster(pixels, bands=bands, tags=tags)).share == 1
    assert ndvi(make_raster(pixels, bands=bands, scale=1e-4, offset=-0.1)).share == 1


def test_an_index_at_the_threshold_is_not_pushed_over_it_by_the_scale(make_raster) -> None:
    # (70 - 30) / 100 is 0.4; with both bands times 0.002 it comes out a little above.
    assert (70 * 0.002 - 30 * 0.002) / (70 * 0.002 + 30 * 0.002) > 0.4
    pixels = np.empty((2, 20, 20), dtype=np.uint8)
    pixels[0], pixels[1] = 30, 70
    raster = make_raster(pixels, bands={"red": 1, "nir": 2}, tags={"scales": (0.002, 0.002)})
    assert ndvi(raster, threshold=0.4).share == 0
    assert ndvi(raster, threshold=0.399).share == 1
    finished = np.full((20, 20), 0.3, dtype=np.float32)  # as a double it is 0.3 + 1.2e-8
    finished[np.indices((20, 20)).sum(axis=0) % 2 == 0] = 0.9  # no stretch of one value
    assert ndvi(make_raster(finished, bands={"ndvi": 1}), threshold=0.3).share == 0.5
    stored = np.full((20, 20), 3000, dtype=np.int16)
    assert ndvi(make_raster(stored, bands={"ndvi": 1}, scale=1e-4), threshold=0.3).share == 0


def test_a_finished_index_is_read_with_its_scale(make_raster) -> None:
    stored = np.full((20, 20), 6000, dtype=np.int16)
    stored[:, :5] = 1000
    stored[0] = -32768
    raster = make_raster(stored, bands={"ndvi": 1}, scale=1e-4, creation={"nodata": -32768})
    found = ndvi(raster)
    assert found.share == pytest.approx(0.75)
    assert found.seen.nodata_share == pytest.approx(0.05)


def test_a_finished_index_without_its_scale_is_no_index(make_raster) -> None:
    raster = make_raster(np.full((20, 20), 6000, dtype=np.int16), bands={"ndvi": 1})
    found = ndvi(raster)
    assert found.share is None  # and not 100 %
    assert found.seen.unexplained_share == 1


def test_otsu_splits_plants_from_soil(make_raster) -> None:
    found = ndvi(make_raster(scene(), bands=BANDS), threshold="otsu")
    assert found.threshold == pytest.approx((0.6 + 0.1) / 2, abs=0.001)
    assert found.share == pytest.approx(0.5)
    assert "Otsu" in found.method


def test_the_threshold_comes_from_the_caller_the_plan_or_the_author(make_raster) -> None:
    raster = make_raster(scene(), bands=BANDS, thresholds={"ndvi": 0.05})
    assert ndvi(raster, threshold=None).share == 1
    assert "规划数据包" in ndvi(raster, threshold=None).method
    assert ndvi(raster, threshold=0.3).share == pytest.approx(0.5)
    water = index_shares(raster, [ALL], crs=4548, index="ndwi")[0]
    assert (water.threshold, water.share) == (0.0, 0.0)
    assert "McFeeters" in water.method


@pytest.mark.parametrize("threshold", [1.5, -1, float("nan"), "otzu"])
def test_a_threshold_that_means_nothing_is_refused(make_raster, threshold) -> None:
    with pytest.raises(ClaimError, match="阈值"):
        ndvi(make_raster(scene(), bands=BANDS), threshold=threshold)


def test_an_index_without_its_bands_is_refused(make_raster) -> None:
    raster = make_raster(scene(), bands={"green": 1, "red": 2})
    with pytest.raises(NotFoundError, match="nir"):
        ndvi(raster)
    with pytest.raises(NotFoundError, match="evi"):
        index_shares(raster, [ALL], crs=4548, index="evi")


# --- classes -------------------------------------------------------------------------------------


def classes(raster, shape=ALL, **options):
    return class_shares(raster, [shape], crs=4548, **options)[0]


def test_values_of_the_table_are_counted_and_others_reported(make_raster) -> None:
    pixels = np.repeat(np.array([1, 2, 3, 9], dtype=np.uint8), 5)[None, :].repeat(20, axis=0)
    found = classes(make_raster(pixels, codes=CODES))
    assert [(c.name, c.share) for c in found.classes] == [
        ("草地", pytest.approx(1 / 3)),
        ("水体", pytest.approx(1 / 3)),
        ("房屋", pytest.approx(1 / 3)),
    ]
    assert found.share == pytest.approx(2 / 3)
    assert [(u.value, u.pixels) for u in found.unknown] == [(9, 100)]
    assert found.seen.unexplained_share == pytest.approx(0.25)
    assert found.seen.valid_share == pytest.approx(0.75)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "float32"])
def test_any_type_of_number_holds_classes(make_raster, dtype: str) -> None:
    pixels = np.full((20, 20), 1, dtype=dtype)
    pixels[:5] = 3
    pixels[5:7] = 0
    found = classes(make_raster(pixels, codes=CODES, creation={"nodata": 0}))
    assert found.share_of("green") == pytest.approx(13 / 18)
    assert found.seen.nodata_share == pytest.approx(0.1)
    assert found.unknown == ()


def test_fractions_and_heights_are_no_classes(make_raster) -> None:
    heights = np.linspace(30, 40, 400, dtype=np.float32).reshape(20, 20)
    with pytest.raises(PlanError, match="小数"):
        classes(make_raster(heights, codes=CODES))
    many = np.arange(2500, dtype=np.int32).reshape(50, 50)
    with pytest.raises(PlanError, match="1000"):
        classes(make_raster(many, codes=CODES), ALL.buffer(300))


def test_zero_is_a_class_when_the_table_says_so(make_raster) -> None:
    # A class raster has no unmarked fill: every value is explained or reported.
    codes = "value,name,counted_as\n0,林地,green\n1,其他,\n"
    pixels = np.zeros((20, 20), dtype=np.uint8)
    pixels[:, :5] = 1
    assert classes(make_raster(pixels, codes=codes)).share == pytest.approx(0.75)


def test_codes_of_a_scheme_explain_themselves(make_raster) -> None:
    pixels = np.full((20, 20), 1101, dtype=np.uint16)  # a river in 三调, a warehouse in 用地用海
    pixels[:, :5] = 102
    for scheme, edition, water in (("三调", "2019", 0.75), ("用地用海", "2023", 0.0)):
        raster = make_raster(pixels, kind="classes", scheme=scheme, edition=edition)
        found = classes(raster)
        assert found.share_of("water") == pytest.approx(water)
        assert [c.value for c in found.classes] == [102, 1101]
        assert raster.table.definition


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ("value,name\n1,a\n1,b\n", "第 3 行：取值重复"),
        ("value,name\nx,a\n", "不是整数"),
        ("value,name\n1,\n", "name 为空"),
        ("value,name,counted_as\n1,a,blue\n", "counted_as"),
        ("value,name,colour\n1,a,red\n", "#rrggbb"),
        ("value,label\n1,a\n", "列应为"),
        ("value,name\n", "没有内容"),
        ("value,name,classes\n1,a,01*\n", "没有写明 scheme"),
    ],
)
def test_a_bad_code_table_is_named_with_its_line(make_raster, codes: str, fault: str) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=codes)
    assert raster.state is LayerState.FAILED
    assert fault in raster.reason


def test_one_land_class_cannot_stand_for_two_values(make_raster) -> None:
    codes = "value,name,classes\n1,a,01* 02*\n2,b,02*\n"
    pixels = np.ones((20, 20), dtype=np.uint8)
    raster = make_raster(pixels, codes=codes, scheme="三调", edition="2019")
    assert "02*" in raster.reason
    unknown = make_raster(pixels, codes=codes, scheme="三调", edition="1999")
    assert "1999" in unknown.reason


def test_an_image_is_not_counted_as_classes(make_raster) -> None:
    with pytest.raises(PlanError, match="不是分类栅格"):
        classes(make_raster(scene(), bands=BANDS))


# --- polygons ------------------------------------------------------------------------------------


def test_polygons_need_a_crs_and_an_area(make_raster) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=CODES)
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    with pytest.raises(CrsError, match="没有坐标系"):
        class_shares(raster, [ALL])
    with pytest.raises(CrsError, match="旧基准"):
        class_shares(raster, [ALL], crs=2343)
    for bad in (shapely.Polygon(), bow, shapely.Point(1, 1), None):
        with pytest.raises(GeometryError, match="第 2 个"):
            class_shares(raster, [ALL, bad], crs=4548)
    assert class_shares(raster, [], crs=4548) == ()


def test_degrees_that_are_none_are_refused(make_raster) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=CODES)
    for crs in (4326, 4490):
        with pytest.raises(CrsError, match="经纬度"):
            class_shares(raster, [ALL], crs=crs)
        with pytest.raises(CrsError, match="经纬度"):
            class_shares(raster, [shapely.box(400, 36, 410, 37)], crs=crs)


def test_a_polygon_on_another_continent_is_outside_and_spoils_no_other(make_raster) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=CODES)
    far = shapely.box(-3_000_000, 1_000_000, -2_900_000, 1_100_000)
    here, there = class_shares(raster, [ALL, far], crs=4548)
    alone = class_shares(raster, [ALL], crs=4548)[0]
    assert (here.share, here.seen) == (alone.share, alone.seen)
    assert here.m2 == pytest.approx(alone.m2, abs=0.001)
    assert there.share is None
    assert there.seen.outside_share == 1.0
    assert class_shares(raster, [shapely.box(-120, -40, -110, -30)], crs=4326)[0].share is None


def test_a_frame_brings_its_own_crs(make_raster) -> None:
    import geopandas

    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=CODES)
    frame = geopandas.GeoDataFrame({"n": [1]}, geometry=[ALL], crs=4548)
    assert class_shares(raster, frame.to_crs(4490))[0].share == 1.0
    assert class_shares(raster, frame.geometry)[0].share == 1.0
    with pytest.raises(CrsError):
        class_shares(raster, frame.set_crs(None, allow_override=True))


def test_a_sliver_between_all_centres_has_no_share_by_the_centre_rule(make_raster) -> None:
    raster = make_raster(np.ones((20, 20), dtype=np.uint8), codes=CODES)
    sliver = shapely.box(400_010, 4_029_891, 400_150, 4_029_894)
    assert classes(raster, sliver).share == 1.0
    found = classes(raster, sliver, exact=False)
    assert found.share is None
    assert found.seen.nodata_share == 1


def test_pixels_that_differ_too_much_in_size_are_refused(make_raster) -> None:
    # Degrees, turned: rows do not run along parallels. Mercator's sister, 1,500 km wide: pixels
    # grow with the distance from the central meridian, along every row.
    pixels = np.ones((20, 20), dtype=np.uint8)
    turned = make_raster(
        pixels, codes=CODES, crs="EPSG:4490", transform=(0.05, 0.02, 116, 0.02, -0.05, 37)
    )
    wide = make_raster(
        pixels, codes=CODES, name="w.tif", transform=(75_000, 0, 0, 0, -5_000, 4_100_000)
    )
    for raster, area in (
        (turned, (4490, shapely.box(116.2, 36.4, 117, 36.9))),
        (wide, (4548, shapely.box(100_000, 4_020_000, 1_400_000, 4_090_000))),
    ):
        with pytest.raises(CrsError, match="重投影"):
            class_shares(raster, [area[1]], crs=area[0])


# --- the entry -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"kind": "bands"}, "必须用 bands"),
        ({"kind": "bands", "bands": {"red": 1, "nir": 1}}, "同一波段"),
        ({"kind": "bands", "bands": {"red": 0}}, "greater than"),
        ({"kind": "classes"}, "table"),
        ({"kind": "classes", "scheme": "三调"}, "一起写明"),
        ({"kind": "bands", "bands": {"red": 1}, "thresholds": {"ndvi": 2}}, "thresholds"),
        ({"kind": "bands", "bands": {"red": 1}, "scale": 0}, "scale"),
        # What could not be used must not look as if it were.
        ({"kind": "bands", "bands": {"ndvi": 1}, "thresholds": {"ndwi": 0.1}}, "ndwi 的阈值"),
        ({"kind": "bands", "bands": {"red": 1}, "table": "c.csv"}, "影像不用 table"),
        ({"kind": "bands", "bands": {"red": 1}, "scheme": "三调", "edition": "2019"}, "scheme"),
        ({"kind": "classes", "table": "c.csv", "bands": {"red": 1}}, "分类栅格不用 bands"),
        ({"kind": "classes", "table": "c.csv", "thresholds": {"ndvi": 0.1}}, "thresholds"),
        ({"kind": "classes", "table": "c.csv", "scale": 2}, "scale"),
        ({"kind": "classes", "table": "c.csv", "offset": 2}, "offset"),
        ({"kind": "classes", "table": "c.csv", "series": "s"}, "series"),
    ],
)
def test_an_entry_that_explains_too_little_is_refused(values, fault: str) -> None:
    base = {"id": "r", "title": "r", "path": "r.tif", "date": "2026-01-01", "status": "draft"}
    with pytest.raises(ValueError, match=fault):
        RasterEntry.model_validate(base | values)


# --- values to codes -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32"])
def test_every_value_has_one_code_whatever_its_type_and_window(dtype: str) -> None:
    # All 256 values that a byte can hold, some at first, the others window by window; 7 is masked.
    low = np.iinfo(dtype).min if np.dtype(dtype).kind == "i" else 0
    low = max(low, -128)
    values = (np.random.default_rng(1).permutation(256) + low).astype(dtype).reshape(1, 16, 16)
    values[0, 8:] = values[0, :8][::-1]
    every = np.arange(low, low + 256).astype(dtype).reshape(1, 16, 16)
    coder = ClassCoder(np.dtype(dtype))
    for window in (values[:, :3], values[:, 2:11], values, every, values):
        masked = window[0] == 7
        place = Window(0, 0, *window.shape[1:])
        codes = coder.encode(Pixels(place, window, masked))
        assert (codes[masked] == 0).all()
        meant = np.array([np.nan, *coder.values])[codes]
        assert (meant[~masked] == window[0][~masked]).all()
    assert sorted(coder.values) == [v for v in range(low, low + 256) if v != 7]


def test_a_byte_raster_with_all_of_its_256_values_loses_none() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    coder, none = ClassCoder(values.dtype), np.zeros((16, 16), dtype=bool)
    for _ in range(2):
        codes = coder.encode(Pixels(Window(0, 0, 16, 16), values, none))
        assert sorted(codes.ravel().tolist()) == list(range(1, 257))
        assert coder.values == list(range(256))
