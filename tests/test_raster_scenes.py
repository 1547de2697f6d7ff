"""Real images: a Landsat scene without any no-data mark, and a Sentinel-2 series with labels.

Expected values are counted with numpy on the stored arrays. The Landsat scene (349 x 352 pixels,
six bands, uint8) has exactly one pixel with 255 in all bands and 27 with 255 in at least one.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.warp import Resampling, reproject

from gis.plan.raster.agreement import label_agreement
from gis.plan.raster.file import Raster, open_raster
from gis.plan.raster.place import moved
from gis.plan.raster.print import series_row
from gis.plan.raster.series import series_ranges
from gis.plan.raster.share import class_shares, index_shares
from gis.plan.schema import RasterEntry

LANDSAT = {"blue": 1, "green": 2, "red": 3, "nir": 4}
LIMIT = 0.3


def entry(path: str, **values: object) -> RasterEntry:
    base = {"id": "r", "title": "r", "path": path, "kind": "bands", "date": "2002-01-01"}
    return RasterEntry.model_validate(base | {"status": "draft"} | values)


def extent(raster: Raster) -> shapely.Polygon:
    grid = raster.checked.grid
    corners = np.array([(0, 0), (grid.cols, 0), (grid.cols, grid.rows), (0, grid.rows)])
    return shapely.Polygon(np.column_stack(grid.to_coordinates(*corners.T)))


# --- Landsat -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def landsat(shared_data: Path) -> Raster:
    return open_raster(entry("landsat7_olinda.tif", bands=LANDSAT), shared_data / "rasters")


def stored(raster: Raster) -> np.ndarray:
    with rasterio.open(raster.path, driver="GTiff") as source:
        return source.read()


def test_the_scene_counts_without_its_one_fill_pixel(landsat: Raster) -> None:
    bands = stored(landsat)
    fill = (bands == 255).all(axis=0)
    assert (int(fill.sum()), int((bands == 255).any(axis=0).sum())) == (1, 27)
    red, nir = bands[2:4].astype(float)
    expected = ((nir - red) / (nir + red) > LIMIT)[~fill].mean()
    found = index_shares(landsat, [extent(landsat)], crs=landsat.form.crs, threshold=LIMIT)[0]
    assert found.share == pytest.approx(expected, abs=1e-9)
    assert found.seen.fill_share == pytest.approx(1 / fill.size)
    assert found.seen.fill_value == 255
    assert found.saturated_pixels == pytest.approx(26)


@pytest.fixture(scope="module")
def reprojected(landsat: Raster, tmp_path_factory: pytest.TempPathFactory) -> Raster:
    """The scene in degrees: it leans by the meridian, and its corners become unmarked zeros."""
    folder = tmp_path_factory.mktemp("landsat")
    grid, crs = landsat.checked.grid, landsat.checked.crs
    outline = moved(np.array([extent(landsat)]), crs, rasterio_crs(4674))[0]
    west, south, east, north = outline.bounds
    step = 0.000258  # about 28.5 m
    rows, cols = int((north - south) / step) + 1, int((east - west) / step) + 1
    place = rasterio.Affine(step, 0, west, 0, -step, north)
    pixels = np.zeros((6, rows, cols), dtype=np.uint8)
    reproject(
        stored(landsat),
        pixels,
        src_transform=rasterio.Affine(*grid.transform),
        src_crs=crs.to_wkt(),
        dst_transform=place,
        dst_crs="EPSG:4674",
        resampling=Resampling.nearest,
    )
    profile = {"driver": "GTiff", "width": cols, "height": rows, "count": 6, "dtype": "uint8"}
    with rasterio.open(
        folder / "moved.tif", "w", crs="EPSG:4674", transform=place, **profile
    ) as out:
        out.write(pixels)
    return open_raster(entry("moved.tif", bands=LANDSAT), folder)


def rasterio_crs(epsg: int):
    from pyproj import CRS

    return CRS.from_epsg(epsg)


def test_black_corners_of_a_reprojected_scene_do_not_move_the_share(
    landsat: Raster, reprojected: Raster
) -> None:
    before = index_shares(landsat, [extent(landsat)], crs=landsat.form.crs, threshold=LIMIT)[0]
    after = index_shares(reprojected, [extent(reprojected)], crs=4674, threshold=LIMIT)[0]
    bands = stored(reprojected).astype(float)
    with np.errstate(invalid="ignore"):
        naive = ((bands[3] - bands[2]) / (bands[3] + bands[2]) > LIMIT).mean()
    corners = (bands == 0).all(axis=0).mean()
    assert corners > 0.005
    assert after.seen.fill_value == 0
    assert after.seen.fill_share == pytest.approx(corners, abs=2e-5)
    assert after.share == pytest.approx(before.share, abs=3e-4)
    assert abs(naive - before.share) > 1e-3


def test_the_same_polygon_in_its_own_crs_agrees_on_both_scenes(
    landsat: Raster, reprojected: Raster
) -> None:
    part = extent(landsat).buffer(-2_500).simplify(1)
    here, there = (
        index_shares(raster, [part], crs=landsat.form.crs, threshold=LIMIT)[0]
        for raster in (landsat, reprojected)
    )
    assert there.seen.fill_share < 1e-4
    assert there.share == pytest.approx(here.share, abs=2e-3)
    assert there.m2 == here.m2


# --- Sentinel-2 ----------------------------------------------------------------------------------


class Series:
    """The arrays of the series, and the square kilometre that they show."""

    def __init__(self, folder: Path, out: Path) -> None:
        self.folder, self.out = folder, out
        self.ndvi, self.valid = (np.load(folder / f"{n}.npy")[..., 0] for n in ("NDVI", "IS_VALID"))
        stamps = json.loads((folder / "timestamps.json").read_text(encoding="utf-8"))
        self.days = [date.fromisoformat(stamp[:10]) for stamp in stamps]
        ring = json.loads((folder / "bbox.geojson").read_text(encoding="utf-8"))["coordinates"][0]
        self.square = shapely.Polygon(ring)
        west, south, east, north = self.square.bounds
        _, rows, cols = self.ndvi.shape
        self.profile = {
            "driver": "GTiff",
            "height": rows,
            "width": cols,
            "count": 1,
            "crs": "EPSG:32633",
            "transform": rasterio.Affine(
                (east - west) / cols, 0, west, 0, (south - north) / rows, north
            ),
        }

    def write(self, name: str, pixels: np.ndarray, valid: np.ndarray | None = None) -> None:
        with rasterio.open(self.out / name, "w", dtype=pixels.dtype, **self.profile) as out:
            out.write(pixels, 1)
            if valid is not None:
                out.write_mask(valid.astype(np.uint8) * 255)


@pytest.fixture(scope="module")
def sentinel(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Series:
    return Series(shared_data / "rasters" / "eolearn", tmp_path_factory.mktemp("sentinel"))


@pytest.fixture(scope="module")
def images(sentinel: Series) -> list[Raster]:
    found = []
    for n, day in enumerate(sentinel.days):
        sentinel.write(f"{n}.tif", sentinel.ndvi[n], sentinel.valid[n])
        values = {"id": f"d{n}", "bands": {"ndvi": 1}, "series": "s2", "date": day}
        found.append(open_raster(entry(f"{n}.tif", **values), sentinel.out))
    return found


def test_the_season_is_a_range_and_cloudy_dates_do_not_count(sentinel, images) -> None:
    found = series_ranges(images, [sentinel.square], crs=32633, threshold=LIMIT)[0]
    seen = sentinel.valid.mean(axis=(1, 2))
    clear = [n for n in range(len(images)) if seen[n] >= 0.8]
    shares = [(sentinel.ndvi[n] > LIMIT)[sentinel.valid[n]].mean() for n in clear]
    assert [d.raster for d in found.used] == [f"d{n}" for n in clear]
    assert [d.share for d in found.used] == pytest.approx(shares, abs=1e-9)
    assert found.lowest.share == pytest.approx(min(shares))
    assert found.highest.share == pytest.approx(max(shares))
    assert found.median == pytest.approx(float(np.median(shares)))
    assert len(found.dates) == 68
    for left in (d for d in found.dates if not d.used):
        assert left.reason
        assert left.valid_share == pytest.approx(seen[int(left.raster[1:])], abs=1e-9)


def test_within_one_year_the_same_ground_is_five_to_a_hundred_percent_green(
    sentinel, images
) -> None:
    year = [r for r in images if r.entry.date.year == 2016]
    found = series_ranges(year, [sentinel.square], crs=32633, threshold=LIMIT)[0]
    assert found.lowest.share < 0.06
    assert found.highest.share > 0.99
    # A cloudy date would have said something else again, and is not taken.
    assert any(d.share not in (None, 0.0) for d in found.dates if not d.used)


def test_a_threshold_of_its_own_for_each_date_is_not_taken_for_the_season(sentinel, images) -> None:
    # Otsu divides a wholly green image, too: 45 % to 90 % here, where one threshold says 5 to 100.
    year = [r for r in images if r.entry.date.year == 2016]
    apart = series_ranges(year, [sentinel.square], crs=32633)[0]
    assert apart.lowest.share > 0.4
    assert len({d.threshold for d in apart.used}) > 5
    assert not apart.is_comparable
    row = series_row(apart)
    assert "随季节变化" not in row["sentence"]
    assert "阈值不同" in row["sentence"]
    assert row["threshold"] is None
    assert all(d["threshold"] is not None for d in row["dates"] if d["used"])
    one = series_row(series_ranges(year, [sentinel.square], crs=32633, threshold=LIMIT)[0])
    assert "随季节变化" in one["sentence"]
    assert one["threshold"] == LIMIT


@pytest.fixture(scope="module")
def land_cover(sentinel: Series) -> Raster:
    pixels = np.load(sentinel.folder / "LULC.npy")[..., 0]
    sentinel.write("lulc.tif", pixels)
    lines = [f"{v},类 {v},{'green' if v in (2, 3) else ''}" for v in np.unique(pixels)]
    text = "\n".join(["value,name,counted_as", *lines]) + "\n"
    (sentinel.out / "lulc.csv").write_text(text, encoding="utf-8")
    values = {"kind": "classes", "table": "lulc.csv", "date": "2017-12-14"}
    return open_raster(entry("lulc.tif", **values), sentinel.out)


def test_labels_agree_with_the_map_that_was_made_from_them(sentinel, land_cover) -> None:
    labels = geopandas.read_file(sentinel.folder / "LULC.gpkg")
    found = label_agreement(land_cover, labels, labels["LULC_ID"])
    assert found.agreement == 1.0
    assert found.unmatched == {}
    # One label moved to another class is found again.
    wrong = labels["LULC_ID"].where(labels["LULC_ID"] != 8, 3)
    worse = label_agreement(land_cover, labels, wrong)
    share = (np.load(sentinel.folder / "LULC.npy") == 8).mean()
    assert worse.agreement == pytest.approx(1 - share, abs=1e-4)


@pytest.mark.parametrize("epsg", [4326, 3857, 32634])
def test_labels_in_another_crs_give_the_same_shares(sentinel, land_cover, images, epsg) -> None:
    labels = geopandas.read_file(sentinel.folder / "LULC.gpkg")
    there = labels.to_crs(epsg)
    assert label_agreement(land_cover, there, there["LULC_ID"]).agreement > 0.9999
    pairs = zip(class_shares(land_cover, labels), class_shares(land_cover, there), strict=True)
    for own, other in pairs:
        assert other.seen.valid_share == pytest.approx(own.seen.valid_share, abs=1e-5)
        assert other.share == pytest.approx(own.share, abs=1e-5) if own.has_data else True
    image = images[4]
    pairs = zip(
        index_shares(image, labels, threshold=0.5),
        index_shares(image, there, threshold=0.5),
        strict=True,
    )
    assert all(
        own.share == pytest.approx(other.share, abs=1e-4) for own, other in pairs if own.share
    )
