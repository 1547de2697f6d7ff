"""What is each pixel of a raster: no data, unmarked fill, a class, or an index above its threshold?

Turns windows of stored numbers into small codes that can be counted. A pixel is judged once, and
what cannot be judged has a code of its own, so that nothing disappears and nothing reads as zero.

Unmarked fill is ground that a scene does not show although nothing says so (the black corners of a
reprojected image): every band has the same number there, and it is the smallest or largest of the
type, or a number that fills a stretch of the raster's border.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gis.engine.grid import Window
from gis.engine.index import Array
from gis.engine.spectral import BINS, INDICES, histogram, normalised_difference
from gis.errors import NotFoundError, PlanError
from gis.plan.raster.file import Form, Pixels, Raster, fill_bands, read_pixels

NO_DATA, UNDEFINED, BELOW, ABOVE, BELOW_SATURATED, ABOVE_SATURATED, FIRST_FILL = range(7)
# All bands alike over this many pixels in a row does not happen in a picture of the ground.
_BORDER_RUN = 16
# An index that is the threshold but for the rounding of a scale is not above it.
_TIE = 1e-9
# A class raster has some dozens of classes; more values than this are no classes.
_MOST_VALUES = 1000
_BYTE_CODES = 255  # codes from 1 that a byte can hold
_CHUNK_ROWS_PIXELS = 1_000_000


# --- class rasters -------------------------------------------------------------------------------


class ClassCoder:
    """Gives each value of a class raster a code from 1, as values turn up; no data is 0."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.values: list[float] = []
        self._narrow = np.iinfo(dtype).bits <= 16 if dtype.kind in "iu" else False
        self._low = int(np.iinfo(dtype).min) if self._narrow else 0
        self._table = np.zeros(1 << 16 if self._narrow else 0, dtype=np.int16)

    def encode(self, pixels: Pixels) -> Array:
        """Return the codes of a window.

        Raises
        ------
        PlanError
            The values are no classes: fractions, or thousands of different ones.
        """
        values, masked = pixels.values[0], pixels.masked
        if values.dtype == np.uint8 and len(self.values) < _BYTE_CODES:
            codes = self._byte_codes(values, masked)
        elif self._narrow:
            codes = self._narrow_codes(values, masked)
        else:
            codes = self._codes(values, masked)
        if masked.any():
            codes[masked] = NO_DATA
        return codes

    def _byte_codes(self, values: Array, masked: Array) -> Array:
        """Return the codes as bytes; with nearly all of the 256 values they may not fit."""
        codes = self._translated(values)
        if not codes.all():
            fresh = (codes == 0) & ~masked
            for value in np.unique(values[fresh]):
                self._table[value] = self._new(float(value))
            if len(self.values) > _BYTE_CODES:
                return self._narrow_codes(values, masked)
            codes = self._translated(values) if fresh.any() else codes
        return codes

    def _translated(self, values: Array) -> Array:
        # Several times quicker than an index into an array.
        table = self._table[:256].astype(np.uint8).tobytes()
        text = bytearray(values.tobytes().translate(table))
        return np.frombuffer(text, dtype=np.uint8).reshape(values.shape)

    def _narrow_codes(self, values: Array, masked: Array) -> Array:
        index = values if self._low == 0 else values.astype(np.int32) - self._low
        codes: Array = self._table[index]
        fresh = (codes == 0) & ~masked
        if fresh.any():
            for value in np.unique(index[fresh]):
                self._table[value] = self._new(float(value) + self._low)
            codes = self._table[index]
        return codes

    def _codes(self, values: Array, masked: Array) -> Array:
        codes = np.zeros(values.shape, dtype=np.int16)
        found, inverse = np.unique(values[~masked], return_inverse=True)
        known = {value: code for code, value in enumerate(self.values, start=1)}
        own = [known.get(float(v)) or self._new(float(v)) for v in found]
        codes[~masked] = np.array(own, dtype=np.int16)[inverse]
        return codes

    def _new(self, value: float) -> int:
        if not value.is_integer():
            raise PlanError(f"分类栅格中有小数值 {value:g}", expected="整数的类别编码")
        if len(self.values) == _MOST_VALUES:
            raise PlanError(f"分类栅格中有 {_MOST_VALUES} 种以上取值", expected="类别编码")
        self.values.append(value)
        return len(self.values)


# --- images --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IndexReader:
    """Reads an index from an image.

    ``bands`` are the band numbers to read; ``plus`` and ``minus`` their positions among these
    (``minus`` None: the band holds the finished index). ``fills`` are the numbers that mean fill.
    """

    raster: Raster
    bands: tuple[int, ...]
    used: tuple[int, ...]
    plus: int
    minus: int | None
    fills: tuple[float, ...]

    def codes(self, pixels: Pixels, threshold: float) -> Array:
        """Return the codes of a window; fill number i has the code ``FIRST_FILL + i``."""
        out = np.empty(pixels.masked.shape, dtype=np.uint8)
        for rows in _chunks(pixels.window):
            out[rows] = self._codes(pixels.values[:, rows], pixels.masked[rows], threshold)
        return out

    def counts(self, pixels: Pixels) -> Array:
        """Return the histogram of the index over the valid pixels of a window."""
        total = np.zeros(BINS, dtype=np.int64)
        for rows in _chunks(pixels.window):
            values, masked = pixels.values[:, rows], pixels.masked[rows]
            valid = ~masked & (self._fill(values) < 0)
            total += histogram(self._index(values)[valid])
        return total

    def _codes(self, values: Array, masked: Array, threshold: float) -> Array:
        index = self._index(values)
        codes = np.where(index > threshold + _TIE, ABOVE, BELOW).astype(np.uint8)
        codes[self._saturated(values)] += BELOW_SATURATED - BELOW
        codes[np.isnan(index)] = UNDEFINED
        fill = self._fill(values)
        codes[fill >= 0] = FIRST_FILL + fill[fill >= 0]
        codes[masked] = NO_DATA
        return codes

    def _index(self, values: Array) -> Array:
        if self.minus is None:
            finished = self._physical(values, self.plus)
            # Beyond -1 to 1 it is no index: a scale was forgotten, or a mark of no data.
            return np.where(np.abs(finished) <= 1, finished, np.nan).astype(finished.dtype)
        return normalised_difference(
            self._physical(values, self.plus), self._physical(values, self.minus)
        )

    def _physical(self, values: Array, at: int) -> Array:
        """Return a band as reflectance or index, calibrated by plan.toml or else by the file."""
        entry, form, band = self.raster.entry, self.raster.checked, self.bands[at]
        scale = form.scale[band - 1] if entry.scale is None else entry.scale
        offset = form.offset[band - 1] if entry.offset is None else entry.offset
        own: Array = values[at]
        if (scale, offset) == (1.0, 0.0) and own.dtype.kind == "f":
            return own  # as precise as it is stored: 0.3 of 32 bits is not above 0.3
        return own.astype(np.float64) * scale + offset

    def _saturated(self, values: Array) -> Array:
        if values.dtype.kind == "f" or self.minus is None:
            return np.zeros(values.shape[1:], dtype=bool)
        saturated: Array = (values == np.iinfo(values.dtype).max).any(axis=0)
        return saturated

    def _fill(self, values: Array) -> Array:
        """Return the position in ``fills`` of each pixel, -1 where it shows the ground."""
        found = np.full(values.shape[1:], -1, dtype=np.int16)
        if self.fills:
            alike = (values == values[0]).all(axis=0)
            for number, fill in enumerate(self.fills):
                found[alike & (values[0] == fill)] = number
        return found


def index_reader(raster: Raster, index: str) -> IndexReader:
    """Return what reads an index from an image.

    Raises
    ------
    NotFoundError
        The bands for it are not named in ``plan.toml``, or there is no such index.
    PlanError
        The raster is not ``checked``.
    """
    named = raster.entry.bands
    used = _bands_for(raster, index)
    bands = tuple(sorted({*used, *fill_bands(raster, used)})) if len(used) > 1 else used
    fills = fill_values(raster, bands)
    if index in named:
        return IndexReader(raster, bands, used, 0, None, fills)
    return IndexReader(raster, bands, used, bands.index(used[0]), bands.index(used[1]), fills)


def available_indices(raster: Raster) -> list[str]:
    """Return the indices that the named bands of an image give."""
    named = set(raster.entry.bands)
    return [i for i, pair in INDICES.items() if i in named or set(pair) <= named]


def _bands_for(raster: Raster, index: str) -> tuple[int, ...]:
    named: dict[str, int] = {str(k): v for k, v in raster.entry.bands.items()}
    if index in named:
        return (named[index],)
    if index not in INDICES:
        raise NotFoundError(f"没有指数“{index}”", expected="、".join(INDICES))
    lacking = [band for band in INDICES[index] if band not in named]
    if raster.entry.kind != "bands" or lacking:
        raise NotFoundError(
            f"栅格 {raster.entry.id} 没有写明 {index.upper()} 所需的波段 {'、'.join(lacking)}",
            advice="在 plan.toml 的 bands 中写明",
        )
    plus, minus = INDICES[index]
    return (named[plus], named[minus])


def _chunks(window: Window) -> Iterator[slice]:
    """Yield rows of a window such that the floats of one step stay small."""
    rows = max(_CHUNK_ROWS_PIXELS // max(window.cols, 1), 1)
    for start in range(0, window.rows, rows):
        yield slice(start, min(start + rows, window.rows))


# --- fill ----------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def fill_values(raster: Raster, bands: tuple[int, ...]) -> tuple[float, ...]:
    """Return the numbers that mean fill when all bands have them, sorted; found once per raster.

    With several bands these are the ends of the type, and every number that all bands share over
    16 pixels in a row of the border. In a single band only what fills a stretch of the border, and
    in whole numbers only the ends of the type: a lake, too, may have one value.
    """
    form = raster.checked
    ends = _ends(form)
    border = _border_numbers(raster, bands)
    if len(bands) == 1:
        return tuple(sorted(border & ends if form.dtype.kind in "iu" else border))
    return tuple(sorted(border | ends))


def _ends(form: Form) -> set[float]:
    info = np.iinfo(form.dtype) if form.dtype.kind in "iu" else np.finfo(form.dtype)
    return {float(info.min), float(info.max)}


def _border_numbers(raster: Raster, bands: tuple[int, ...]) -> set[float]:
    rows, cols = raster.checked.grid.rows, raster.checked.grid.cols
    sides = [
        Window(0, 0, 1, cols),
        Window(rows - 1, 0, 1, cols),
        Window(0, 0, rows, 1),
        Window(0, cols - 1, rows, 1),
    ]
    found: set[float] = set()
    for pixels in read_pixels(raster, bands, windows=sides):
        line = pixels.values.reshape(len(bands), -1)
        alike = (line == line[0]).all(axis=0) & ~pixels.masked.ravel()
        found |= _long_runs(line[0], alike)
    return found


def _long_runs(line: Array, alike: Array) -> set[float]:
    """Return the numbers that stand for at least 16 pixels one after the other."""
    breaks = np.flatnonzero((line[1:] != line[:-1]) | (alike[1:] != alike[:-1])) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.diff(np.concatenate([starts, [len(line)]]))
    return {float(line[s]) for s in starts[(lengths >= _BORDER_RUN) & alike[starts]]}
