"""Draw the rasters of the bundled plan from the current land use: a map of land cover, two images.

The map takes the class under each pixel centre, and gets some parcels wrong, as maps made from
images do. The images mix 3 x 3 such pixels; one has a corner of unmarked zeros, one a cloud. All of
it is schematic and says so in its tags.
"""

from __future__ import annotations

import csv
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from frame import EPSG, HERE, at, rng
from layers import STATUS, Table
from rasterio.features import rasterize
from rasterio.transform import from_origin

from gis.model import class_matches

# Stored number = reflectance / 0.002, so that 0 to 255 hold reflectance up to 0.51.
SCALE = 0.002
FINE = 16
BANDS = ("blue", "green", "red", "nir")
# Ground beyond the drawn land use: fields without name.
ELSEWHERE = "0102"
STORAGE = {
    "compress": "deflate",
    "zlevel": 9,
    "tiled": True,
    "blockxsize": 256,
    "blockysize": 256,
}


@lru_cache(maxsize=1)
def _wanted() -> dict[str, Any]:
    with (HERE / "rasters.toml").open("rb") as file:
        return tomllib.load(file)


class Sheet:
    """The land use under each pixel: the number of the parcel, -1 beyond the drawing."""

    def __init__(self, table: Table) -> None:
        grid = _wanted()["grid"]
        self.pixel, self.factor = grid["pixel_m"], grid["image_factor"]
        shapes = np.array(table.shapes, dtype=object)
        step, margin = self.pixel * self.factor, grid["margin_m"]
        bounds = np.array([shape.bounds for shape in shapes])
        low = np.floor((bounds[:, :2].min(axis=0) - margin) / step) * step
        high = np.ceil((bounds[:, 2:].max(axis=0) + margin) / step) * step
        self.origin = float(low[0]), float(high[1])
        cols, rows = ((high - low) / self.pixel).astype(int)
        self.parcel = rasterize(
            zip(shapes, range(len(shapes)), strict=True),
            (int(rows), int(cols)),
            fill=-1,
            transform=self.transform(self.pixel),
            dtype="int32",
        )
        at_code = [field.name for field in table.fields].index("DLBM")
        self.codes = [str(row[at_code]) for row in table.rows]

    def transform(self, pixel: float) -> rasterio.Affine:
        """Return the position of a grid with a pixel size in metres."""
        return from_origin(*self.origin, pixel, pixel)

    def paint(self, of_parcel: np.ndarray, elsewhere: object) -> np.ndarray:
        """Return the value of the parcel under each pixel."""
        return np.append(of_parcel, elsewhere).astype(of_parcel.dtype)[self.parcel]


def write_rasters(folder: Path, landuse: Table) -> None:
    """Write landcover.tif with its code table, and one image per date."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = Sheet(landuse)
    _write_table(folder / "landcover.csv")
    _write_cover(folder / "landcover.tif", sheet)
    for image in _wanted()["image"]:
        _write_image(folder / f"image_{image['date']:%Y%m%d}.tif", sheet, image)


def _write_table(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["value", "name", "colour", "counted_as", "classes"])
        for row in _wanted()["cover"]:
            cells = [row["value"], row["name"], row["colour"], row.get("counted_as", "")]
            out.writerow([*cells, " ".join(row["classes"])])


def _write_cover(path: Path, sheet: Sheet) -> None:
    values = np.array([_cover_value(code) for code in sheet.codes], dtype=np.uint8)
    luck = rng("landcover").random(len(values))
    codes = np.array(sheet.codes)
    for mistake in _wanted()["mistake"]:
        values[(codes == mistake["class"]) & (luck < mistake["share"])] = mistake["value"]
    pixels = sheet.paint(values, 0)
    with _new(path, sheet.transform(sheet.pixel), pixels[None], nodata=0) as out:
        out.write(pixels, 1)
        out.write_colormap(1, {row["value"]: _rgb(row["colour"]) for row in _wanted()["cover"]})
        out.update_tags(STATUS=STATUS, TITLE="土地覆盖（示意，由示意地类图斑推绘）")


def _new(path: Path, transform: rasterio.Affine, pixels: np.ndarray, **options: Any) -> Any:
    """Open a new GeoTIFF for the pixels, tiled and deflated."""
    count, height, width = pixels.shape
    size = {"count": count, "height": height, "width": width, "dtype": "uint8"}
    return rasterio.open(
        path, "w", driver="GTiff", crs=EPSG, transform=transform, **size, **STORAGE, **options
    )


def _cover_value(code: str) -> int:
    return int(next(r["value"] for r in _wanted()["cover"] if class_matches(code, r["classes"])))


def _rgb(colour: str) -> tuple[int, ...]:
    return (*bytes.fromhex(colour[1:]), 255)


def _write_image(path: Path, sheet: Sheet, image: dict[str, Any]) -> None:
    seed = rng(path.stem)
    spectra = np.array([_spectrum(code, image) for code in [*sheet.codes, ELSEWHERE]])
    # Fields of one class differ in growth: more near infrared goes with less red.
    vigour = seed.integers(-12, 13, len(sheet.codes) + 1)
    growth = np.outer(vigour, (0.0, 0.0, -0.15, 0.6)) * (spectra[:, 3:] > spectra[:, 2:3])
    # Whole numbers from here on: a mean of floats may round differently on another machine.
    ground = np.round((spectra / SCALE + growth) * FINE).astype(np.int64)
    fine = [sheet.paint(ground[:-1, n], ground[-1, n]) for n in range(len(BANDS))]
    pixels = np.stack([_averaged(band, sheet.factor) for band in fine])
    pixels += seed.choice((-1, 0, 0, 0, 0, 1), pixels.shape)
    pixels = np.clip(pixels, 1, 254)
    if "cloud" in image:
        _cover_with_cloud(pixels, sheet, image["cloud"])
    if image.get("shadow"):
        row, col = np.indices(pixels.shape[1:])
        pixels[:, 3 * col + row[::-1] < 400] = 0  # the south-west corner, some of it in the area
    place = sheet.transform(sheet.pixel * sheet.factor)
    # Four bands are taken for red, green, blue and transparency unless told otherwise.
    with _new(path, place, pixels, interleave="band", photometric="MINISBLACK") as out:
        out.write(pixels.astype(np.uint8))
        out.descriptions = BANDS
        out.scales = [SCALE] * len(BANDS)
        out.update_tags(STATUS=STATUS, TITLE="多光谱影像（示意，由示意地类图斑合成）")


def _spectrum(code: str, image: dict[str, Any]) -> list[float]:
    return next(row["bands"] for row in image["ground"] if class_matches(code, row["classes"]))


def _averaged(band: np.ndarray, factor: int) -> np.ndarray:
    """Return the rounded means of squares of fine pixels, which hold FINE times the number."""
    rows, cols = (size // factor for size in band.shape)
    whole = FINE * factor**2
    return (band.reshape(rows, factor, cols, factor).sum(axis=(1, 3)) + whole // 2) // whole


def _cover_with_cloud(pixels: np.ndarray, sheet: Sheet, cloud: dict[str, Any]) -> None:
    """Draw a round cloud; its core is brighter than the visible bands can hold."""
    row, col = np.indices(pixels.shape[1:]) + 0.5
    x, y = at(*cloud["at"])
    step = sheet.pixel * sheet.factor
    metres = np.hypot(sheet.origin[0] + col * step - x, sheet.origin[1] - row * step - y)
    inside = metres < cloud["radius_m"]
    pixels[:, inside] = np.maximum(pixels[:, inside], 215)
    pixels[:3, metres < cloud["radius_m"] / 2] = 255
