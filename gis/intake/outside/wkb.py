"""Which rings does a WKB hold?

Strict: every count is compared with the bytes that are left, curves and surfaces are named instead
of guessed at, rings stay as they stand, closed or not. ISO and extended codes for Z, M and SRID are
understood. It judges no geometry.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from gis.intake.draft import FloatArray, Ring, Shape, ShapeKind, check_vertices

_POINT, _LINE, _POLYGON = 1, 2, 3
_COLLECTIONS = (4, 5, 6, 7)
_CURVES = range(8, 15)
_SURFACES = range(15, 18)
_MAX_DEPTH = 4
_EXTENDED_Z, _EXTENDED_M, _EXTENDED_SRID = 0x80000000, 0x40000000, 0x20000000


class WkbError(ValueError):
    """The bytes are no geometry that can be a site; the message says why, for people."""


def shape_of(wkb: bytes, where: str) -> Shape:
    """Return the geometry as plain rings; ``where`` names the feature for people.

    Raises
    ------
    WkbError
        Damaged, curved, a surface, or areas mixed with lines or points.
    LimitError
        Too many vertices.
    """
    reader = _Reader(wkb)
    try:
        reader.geometry()
    except (struct.error, IndexError):
        raise WkbError("图形数据不完整") from None
    if reader.at != len(wkb):
        raise WkbError("图形数据的长度不对")
    if sum(map(bool, (reader.polygons, reader.lines, reader.points))) > 1:
        raise WkbError("一个要素里混有面、线或点")
    if reader.polygons:
        kind, parts = ShapeKind.AREA, _areas(reader.polygons, where)
    elif reader.lines:
        kind, parts = ShapeKind.LINE, _lines(reader.lines, where)
    else:
        return Shape(ShapeKind.POINT if reader.points else ShapeKind.EMPTY, where)
    return Shape(kind, where, parts, has_z=reader.has_z, has_m=reader.has_m)


def _areas(polygons: list[tuple[FloatArray, ...]], where: str) -> tuple[tuple[Ring, ...], ...]:
    return tuple(
        tuple(
            Ring(xy, _place(f"{where}第 {p} 个面第 {n} 环")) for n, xy in enumerate(rings, start=1)
        )
        for p, rings in enumerate(polygons, start=1)
    )


def _lines(lines: list[FloatArray], where: str) -> tuple[tuple[Ring, ...], ...]:
    return tuple((Ring(xy, _place(f"{where}第 {n} 条线")),) for n, xy in enumerate(lines, start=1))


def _place(where: str) -> Callable[[int], str]:
    return lambda i: f"{where}第 {i + 1} 点"


# --- the bytes ------------------------------------------------------------------------------------


class _Reader:
    """Reads one geometry from its first byte on and keeps what it draws."""

    def __init__(self, wkb: bytes) -> None:
        self.wkb = wkb
        self.at = 0
        self.polygons: list[tuple[FloatArray, ...]] = []
        self.lines: list[FloatArray] = []
        self.points = 0
        self.vertices = 0
        self.has_z = self.has_m = False

    def geometry(self, depth: int = 0) -> None:
        if depth > _MAX_DEPTH:
            raise WkbError("图形嵌套过深")
        order = {0: ">", 1: "<"}.get(self.wkb[self.at])
        if order is None:
            raise WkbError("图形数据已损坏")
        self.at += 1
        kind, size = self.kind(order)
        if kind == _POINT:
            # An empty point is written as NaN.
            self.points += int(not np.isnan(self.coordinates(1, size, order)).all())
            return
        if kind not in (_LINE, _POLYGON, *_COLLECTIONS):
            raise WkbError(_name_of(kind))
        count = self.number(order)
        if kind == _LINE:
            self.lines += [self.coordinates(count, size, order)] if count else []
        elif kind == _POLYGON:
            self.polygon(count, size, order)
        else:
            for _ in range(count):
                self.geometry(depth + 1)

    def kind(self, order: str) -> tuple[int, int]:
        """Return the kind of geometry and the numbers per vertex."""
        code = self.number(order)
        if code & _EXTENDED_SRID:
            self.at += 4
        kind, dimension = code & 0x0FFFFFFF, 0
        if kind >= 1000:
            dimension, kind = divmod(kind, 1000)
        if dimension > 3:
            raise WkbError("图形数据已损坏")
        has_z = bool(code & _EXTENDED_Z) or dimension in (1, 3)
        has_m = bool(code & _EXTENDED_M) or dimension in (2, 3)
        self.has_z, self.has_m = self.has_z or has_z, self.has_m or has_m
        return kind, 2 + has_z + has_m

    def polygon(self, count: int, size: int, order: str) -> None:
        rings: list[FloatArray] = []
        for _ in range(count):
            rings.append(self.coordinates(self.number(order), size, order))
        if rings and len(rings[0]):
            self.polygons.append(tuple(xy for xy in rings if len(xy)))

    def number(self, order: str) -> int:
        value: int = struct.unpack_from(f"{order}I", self.wkb, self.at)[0]
        self.at += 4
        return value

    def coordinates(self, count: int, size: int, order: str) -> FloatArray:
        end = self.at + count * size * 8
        if end > len(self.wkb):
            raise WkbError("图形数据不完整")
        self.vertices += count
        check_vertices(self.vertices)
        numbers = np.frombuffer(self.wkb, f"{order}f8", count=count * size, offset=self.at)
        self.at = end
        return numbers.reshape(count, size)[:, :2].astype(np.float64)


def _name_of(kind: int) -> str:
    if kind in _CURVES:
        return "图形含曲线（圆弧），请先转换为折线"
    return "图形是三维曲面，不是平面上的面" if kind in _SURFACES else "图形数据已损坏"
