"""What the layers of a file say about their coordinates, whatever the format."""

import numpy as np
import pytest
from pyproj import CRS
from pyproj.crs import CompoundCRS

from gis.crs import CrsPolicy
from gis.errors import CrsError, LimitError
from gis.intake.draft import Faults, Hints, Ring, Shape, ShapeKind
from gis.intake.outside.answer import LayerRows
from gis.intake.outside.features import (
    Gathering,
    Layer,
    check_layers,
    declared_crs,
    is_finite,
    layers_with_features,
)

HINTS = Hints(CrsPolicy(4548, (4490, 4326, 4527, 4548), (115.80, 36.22, 116.18, 36.47)))


@pytest.mark.parametrize("epsg", [4490, 4326, 4527, 4548, 4509])
@pytest.mark.parametrize("form", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_every_spelling_of_a_crs_gives_its_code(epsg, form):
    declared = declared_crs(CRS(epsg).to_wkt(form), "图层", HINTS)
    assert declared.epsgs == (epsg,)


def test_a_code_that_contradicts_its_own_parameters_is_not_believed():
    text = CRS(4549).to_wkt("WKT1_GDAL").replace('"EPSG","4549"', '"EPSG","4548"')
    assert declared_crs(text, "图层", HINTS).epsgs != (4548,)


@pytest.mark.parametrize("text", ["EPSG:4548", "epsg:4548", "\ufeffEPSG:4548\x00"])
def test_a_code_is_a_declaration(text):
    assert declared_crs(text, "图层", HINTS).epsgs == (4548,)


def test_a_height_beside_the_plane_is_left_aside():
    both = CompoundCRS("x", [CRS(4548), CRS(5737)])
    assert declared_crs(both.to_wkt(), "图层", HINTS).epsgs == (4548,)
    assert declared_crs(CRS(4480).to_wkt(), "图层", HINTS).epsgs == (4490,)


@pytest.mark.parametrize("text", ["", " \r\n", "\x00\x00", "\ufeff"])
def test_nothing_said_is_no_declaration(text):
    assert declared_crs(text, "图层", HINTS) is None


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "EPSG:x",
        "EPSG:999999",
        "EPSG:2385",
        CRS(4610).to_wkt(),
        "PROJCS[" * 5_000,
        "[" * 50,
    ],
)
def test_what_is_not_understood_is_refused_unless_the_user_names_the_crs(text):
    with pytest.raises(CrsError):
        declared_crs(text, "图层 a ", HINTS)
    assert declared_crs(text, "图层 a ", Hints(HINTS.policy, crs_given=True)) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CRS(2363).to_wkt("WKT1_ESRI"), "Xian_1980_3_Degree_GK_Zone_39"),
        (CRS(4610).to_wkt(), "Xian 1980"),
        ("EPSG:2385", "EPSG:2385"),
    ],
)
def test_an_old_datum_is_told_by_its_name_and_layer(text, name):
    with pytest.raises(CrsError) as error:
        declared_crs(text, "图层 a ", HINTS)
    assert error.value.found == f"图层 a 的坐标系“{name}”是旧基准（1980西安或1954北京）"


def test_a_text_is_never_taken_for_a_file_or_an_address():
    for text in ("/etc/passwd", "http://127.0.0.1:9/x.wkt", "+proj=longlat +nadgrids=/etc/passwd"):
        with pytest.raises(CrsError):
            declared_crs(text, "图层", HINTS)


def test_every_vertex_that_is_no_number_is_told():
    xy = np.array([[0.0, 0.0], [np.nan, 1.0], [1.0, np.inf]])
    shape = Shape(ShapeKind.AREA, "x", ((Ring(xy, lambda i: f"第 {i + 1} 点"),),))
    faults = Faults()
    assert not is_finite(shape, faults)
    assert [fault.where for fault in faults.rows] == ["第 2 点", "第 3 点"]


def test_every_feature_without_a_geometry_is_told():
    gathering = Gathering(several=False)
    gathering.add(Layer("a", LayerRows("a", [None, b"x", None], rows=[(), (), ()])))
    assert [fault.where for fault in gathering.document("x").faults] == [
        "a 第 1 个要素",
        "a 第 2 个要素",
        "a 第 3 个要素",
    ]


def test_empty_layers_are_named_once():
    rows = [LayerRows("空", []), LayerRows("点", [], points=3), LayerRows("面", [b"x"])]
    full, notes = layers_with_features(rows)
    assert [layer.name for layer in full] == ["点", "面"]
    assert "空" in notes[0].message


def test_the_number_of_layers_is_limited():
    check_layers(20, 20)
    with pytest.raises(LimitError):
        check_layers(21, 20)
