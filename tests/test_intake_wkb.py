"""WKB as plain rings, compared with shapely; damaged bytes give an error and never a wrong ring."""

import struct

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import LimitError
from gis.intake.draft import ShapeKind
from gis.intake.outside.wkb import WkbError, shape_of

SQUARE = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))"
GOOD = [
    (SQUARE, ShapeKind.AREA, 1, 2),
    (f"MULTIPOLYGON ({SQUARE[8:]}, ((9 9, 10 9, 10 10, 9 9)))", ShapeKind.AREA, 2, 3),
    (f"GEOMETRYCOLLECTION ({SQUARE}, {SQUARE})", ShapeKind.AREA, 2, 4),
    ("LINESTRING (0 0, 1 1)", ShapeKind.LINE, 1, 1),
    ("MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 4))", ShapeKind.LINE, 2, 2),
    ("POINT (1 2)", ShapeKind.POINT, 0, 0),
    ("MULTIPOINT (1 2, 3 4)", ShapeKind.POINT, 0, 0),
    ("POLYGON EMPTY", ShapeKind.EMPTY, 0, 0),
    ("MULTIPOLYGON EMPTY", ShapeKind.EMPTY, 0, 0),
    ("POINT EMPTY", ShapeKind.EMPTY, 0, 0),
    ("GEOMETRYCOLLECTION EMPTY", ShapeKind.EMPTY, 0, 0),
]


@pytest.mark.parametrize(("wkt", "kind", "parts", "rings"), GOOD)
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("flavor", ["iso", "extended"])
def test_every_kind_is_read_as_shapely_reads_it(wkt, kind, parts, rings, order, flavor):
    geometry = shapely.from_wkt(wkt)
    wkb = shapely.to_wkb(geometry, byte_order=order, flavor=flavor)
    shape = shape_of(wkb, "x")
    assert (shape.kind, len(shape.parts), len(shape.rings)) == (kind, parts, rings)
    if shape.rings:
        assert np.array_equal(shape.xy, shapely.get_coordinates(geometry))


@pytest.mark.parametrize("flavor", ["iso", "extended"])
@pytest.mark.parametrize(
    ("dimension", "z", "m"), [("Z", True, False), ("M", False, True), ("ZM", True, True)]
)
def test_heights_and_measures_are_seen_and_left_out(flavor, dimension, z, m):
    numbers = " ".join(["7"] * len(dimension))
    geometry = shapely.from_wkt(f"LINESTRING {dimension} (0 1 {numbers}, 2 3 {numbers})")
    shape = shape_of(shapely.to_wkb(geometry, output_dimension=4, flavor=flavor), "x")
    assert (shape.has_z, shape.has_m) == (z, m)
    assert shape.xy.tolist() == [[0, 1], [2, 3]]


def test_a_reference_number_in_front_is_skipped():
    geometry = shapely.set_srid(shapely.from_wkt(SQUARE), 4548)
    shape = shape_of(shapely.to_wkb(geometry, include_srid=True, flavor="extended"), "x")
    assert shape.kind is ShapeKind.AREA


def test_rings_stay_as_they_are_closed_or_not():
    wkb = struct.pack("<BIII6d", 1, 3, 1, 3, 0, 0, 1, 0, 1, 1)
    assert shape_of(wkb, "x").xy.tolist() == [[0, 0], [1, 0], [1, 1]]


@pytest.mark.parametrize(
    ("wkb", "words"),
    [
        (struct.pack("<BII", 1, 10, 0), "曲线"),
        (struct.pack("<BII", 1, 1012, 0), "曲线"),
        (struct.pack("<BII", 1, 16, 0), "曲面"),
        (shapely.to_wkb(shapely.from_wkt(f"GEOMETRYCOLLECTION ({SQUARE}, POINT (1 1))")), "混有"),
        (struct.pack("<BII", 1, 7, 1) * 10 + struct.pack("<BII", 1, 7, 0), "嵌套"),
        (b"", "不完整"),
        (b"\x02" + bytes(8), "损坏"),
        (struct.pack("<BII", 1, 3, 0xFFFFFFFF), "不完整"),
        (struct.pack("<BII", 1, 2, 0xFFFFFFFF), "不完整"),
        (struct.pack("<BII", 1, 99, 0), "损坏"),
        (struct.pack("<BII", 1, 5003, 0), "损坏"),
        (struct.pack("<BII", 1, 3, 0) + b"x", "长度"),
    ],
)
def test_what_can_be_no_site_is_named(wkb, words):
    with pytest.raises(WkbError, match=words):
        shape_of(wkb, "x")


def test_vertices_are_counted_while_reading():
    with pytest.raises(LimitError):
        shape_of(struct.pack("<BII", 1, 2, 200_001) + bytes(200_001 * 16), "x")


@settings(max_examples=50)
@given(st.data())
def test_damage_gives_an_error_or_rings_within_the_bytes(data):
    wkb = bytearray(shapely.to_wkb(shapely.from_wkt(data.draw(st.sampled_from(GOOD))[0])))
    for _ in range(data.draw(st.integers(1, 5))):
        wkb[data.draw(st.integers(0, len(wkb) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(wkb[: data.draw(st.integers(0, len(wkb)))])
    try:
        shape = shape_of(cut, "x")
    except WkbError:
        return
    assert sum(len(ring.xy) for ring in shape.rings) * 16 <= len(cut)
