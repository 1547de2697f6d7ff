"""GeoJSON from outside: every malformed variant is named by its path, nothing is taken for area."""

import json

import pytest
from shapely.geometry import box, mapping

from gis.crs import CrsPolicy, transform
from gis.errors import (
    ClaimError,
    CrsError,
    FormatError,
    GeometryError,
    LimitError,
    SeveralSitesError,
)
from gis.intake.read import read_site, read_sites

POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
SQUARE = box(408498.27, 4030411.11, 408698.27, 4030511.11)
LONLAT = transform(SQUARE, 4548, 4490)


def polygon(ring):
    return {"type": "Polygon", "coordinates": [ring]}


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def codes(remarks):
    return {remark.code for remark in remarks}


def faults(error):
    return [(fault.where, fault.message) for fault in error.value.faults]


RING = [list(point) for point in LONLAT.exterior.coords]


def test_geometry_feature_and_collection_give_the_same_site():
    shapes = [mapping(LONLAT), feature(mapping(LONLAT)), collection(feature(mapping(LONLAT)))]
    sites = [read_site(shape, POLICY) for shape in shapes]
    assert len({site.geometry.wkb for site in sites}) == 1
    assert sites[0].area.planar_m2 == pytest.approx(20_000, abs=1e-4)
    assert sites[0].crs.source_epsg == 4490
    assert sites[0].warnings == ()


def test_mapping_text_and_bytes_mean_the_same():
    text = json.dumps(mapping(LONLAT))
    sites = [read_site(source, POLICY) for source in (mapping(LONLAT), text, text.encode())]
    assert len({site.geometry.wkb for site in sites}) == 1
    assert sites[1].source.sha256 == sites[2].source.sha256


def test_name_use_and_attributes_come_from_the_properties():
    shape = feature(
        mapping(LONLAT),
        项目名称="一中新校",
        use="080403",
        plot_ratio=0.8,
        key_project=True,
        备注="x",
    )
    site = read_site(shape, POLICY)
    assert (site.name, site.use) == ("一中新校", "080403")
    assert site.claims == {"plot_ratio": 0.8, "key_project": True}


@pytest.mark.parametrize(
    ("key", "value"),
    [("plot_ratio", "0.8"), ("plot_ratio", True), ("storeys", [3]), ("public_interest", 1)],
)
def test_an_attribute_of_the_wrong_type_is_left_out_with_a_warning(key, value):
    site = read_site(feature(mapping(LONLAT), **{key: value}), POLICY)
    assert site.claims == {}
    assert codes(site.warnings) == {"attribute_ignored"}


def test_a_lone_surrogate_in_a_name_is_replaced_with_a_warning():
    data = json.dumps(feature(mapping(LONLAT), name="甲\ud800")).encode()
    site = read_site(data, POLICY)
    assert site.name == "甲\ufffd"
    assert codes(site.warnings) == {"text_replaced"}


def test_a_multipolygon_is_one_site():
    other = transform(box(409000, 4030411, 409100, 4030511), 4548, 4490)
    shape = {
        "type": "MultiPolygon",
        "coordinates": [mapping(LONLAT)["coordinates"], mapping(other)["coordinates"]],
    }
    assert read_site(shape, POLICY).area.planar_m2 == pytest.approx(30_000, abs=1e-3)
    together = {"type": "GeometryCollection", "geometries": [mapping(LONLAT), mapping(other)]}
    assert read_site(together, POLICY).area.planar_m2 == pytest.approx(30_000, abs=1e-3)


def test_several_features_are_listed_and_one_can_be_picked():
    shapes = collection(feature(mapping(LONLAT), name="甲"), feature(mapping(LONLAT)))
    with pytest.raises(SeveralSitesError) as error:
        read_site(shapes, POLICY)
    assert error.value.names == ("甲", "地块 2")
    assert read_site(shapes, POLICY, which=2).name == "地块 2"
    assert [s.name for s in read_sites(shapes, POLICY)] == ["甲", "地块 2"]


@pytest.mark.parametrize("which", [0, 3, -1, True])
def test_a_number_that_names_no_site_is_refused(which):
    shapes = collection(feature(mapping(LONLAT)), feature(mapping(LONLAT)))
    with pytest.raises(ValueError, match="which"):
        read_site(shapes, POLICY, which=which)


# --- the traps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["NaN", "Infinity", "-Infinity", "1e999", '"115.98"', "true", "null", "[1]", "{}"]
)
def test_what_is_no_finite_number_is_refused_with_its_path(word):
    text = json.dumps(polygon(RING)).replace(repr(RING[1][0]), word, 1)
    assert word in text
    with pytest.raises(FormatError) as error:
        read_site(text, POLICY)
    assert faults(error)[0][0] == "$.coordinates[0][1][0]"


def test_nan_elsewhere_in_the_text_is_refused_too():
    text = json.dumps(feature(mapping(LONLAT), plot_ratio=1)).replace(": 1}", ": NaN}")
    with pytest.raises(FormatError, match="NaN"):
        read_site(text, POLICY)


def test_all_faults_are_told_at_once_at_most_fifty():
    bad = collection(
        feature(polygon([["a", 1], [2]])), feature(polygon([[None, 1]] * 100)), {"type": "X"}
    )
    with pytest.raises(FormatError, match="共 103 处") as error:
        read_site(bad, POLICY)
    places = [where for where, _ in faults(error)]
    assert places[:2] == [
        "$.features[0].geometry.coordinates[0][0][0]",
        "$.features[0].geometry.coordinates[0][1]",
    ]
    assert len(places) == 50


@pytest.mark.parametrize(
    "coordinates",
    [RING, [[RING]], [[]], [[RING[0][0], RING[0][1]]], "x", None, 7, {}, [[[1, 2, 3, 4, 5]]]],
)
def test_wrong_nesting_is_refused(coordinates):
    with pytest.raises((FormatError, GeometryError)):
        read_site({"type": "Polygon", "coordinates": coordinates}, POLICY)


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "Point", "coordinates": [115.98, 36.4]},
        {"type": "MultiPoint", "coordinates": [[115.98, 36.4]]},
        {"type": "LineString", "coordinates": [[115.98, 36.4], [115.99, 36.4]]},
        {"type": "Polygon", "coordinates": []},
        {"type": "MultiPolygon", "coordinates": []},
        {"type": "GeometryCollection", "geometries": []},
        {"type": "Feature", "properties": {}, "geometry": None},
    ],
)
def test_what_has_no_area_is_refused(shape):
    with pytest.raises(GeometryError):
        read_site(shape, POLICY)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"type": "Topology"},
        {"type": 5},
        {"rings": [RING], "spatialReference": {"wkid": 4490}},
        {"type": "FeatureCollection"},
        {"type": "FeatureCollection", "features": []},
        {"type": "FeatureCollection", "features": {}},
        {"type": "FeatureCollection", "features": [None]},
        {"type": "Feature", "geometry": {"type": "Circle"}, "properties": None},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}]},
    ],
)
def test_json_that_is_no_geojson_is_refused(shape):
    with pytest.raises(FormatError):
        read_site(shape, POLICY)


@pytest.mark.parametrize("text", ["{", '{"type":', "{]}", '{"type": "Polygon" "x"}', "{'a': 1}"])
def test_broken_json_is_refused_with_line_and_column(text):
    with pytest.raises(FormatError, match="第 1 行第"):
        read_site(text, POLICY)


def test_deep_nesting_is_a_limit_not_a_crash():
    with pytest.raises(LimitError):
        read_site('{"a":' + "[" * 200_000, POLICY)
    deep = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(LimitError):
        read_site({"type": "Polygon", "coordinates": deep}, POLICY)


def test_an_integer_of_five_thousand_digits_is_refused():
    text = json.dumps(polygon(RING)).replace(repr(RING[1][0]), "9" * 5_000, 1)
    with pytest.raises(FormatError):
        read_site(text, POLICY)


def test_an_object_that_json_cannot_carry_is_refused():
    with pytest.raises(FormatError):
        read_site({"type": "Polygon", "coordinates": {1, 2}}, POLICY)


def test_too_many_features_vertices_or_rings_are_limits():
    with pytest.raises(LimitError):
        read_site(collection(*[feature(None)] * 1_001), POLICY)
    with pytest.raises(LimitError):
        read_site(polygon([[1, 2]] * 200_001), POLICY)
    with pytest.raises(LimitError):
        read_site({"type": "Polygon", "coordinates": [RING] * 1_001}, POLICY)


# --- crs ------------------------------------------------------------------------------------------


def with_crs(geometry, crs):
    return {**feature(mapping(geometry)), "crs": crs}


def named(name):
    return {"type": "name", "properties": {"name": name}}


@pytest.mark.parametrize(
    "name",
    ["EPSG:4548", "urn:ogc:def:crs:EPSG::4548", "http://www.opengis.net/def/crs/EPSG/0/4548"],
)
def test_a_crs_member_with_a_name_is_understood(name):
    site = read_site(with_crs(SQUARE, named(name)), POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")


@pytest.mark.parametrize("name", ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"])
def test_wgs84_is_taken_as_cgcs2000_with_a_note(name):
    site = read_site(with_crs(LONLAT, named(name)), POLICY)
    assert site.crs.source_epsg == 4490
    assert "wgs84_as_cgcs2000" in codes(site.notes)
    assert site.warnings == ()


def test_a_link_is_refused_and_never_followed(monkeypatch):
    def no_network(*_args, **_options):
        raise AssertionError("something was fetched")

    monkeypatch.setattr("socket.socket.connect", no_network)
    link = {"type": "link", "properties": {"href": "http://127.0.0.1:9/crs", "type": "proj4"}}
    with pytest.raises(CrsError, match="不访问任何链接"):
        read_site(with_crs(SQUARE, link), POLICY)


@pytest.mark.parametrize(
    "crs", [7, [], {}, {"type": "name"}, named(5), named("x"), named("file:///etc/passwd")]
)
def test_any_other_crs_member_is_refused(crs):
    with pytest.raises(CrsError):
        read_site(with_crs(SQUARE, crs), POLICY)


@pytest.mark.parametrize(
    "name", ["EPSG:3857", "EPSG:4549", "EPSG:32650", "EPSG:4610", "EPSG:2385", "EPSG:2436"]
)
def test_codes_that_the_plan_does_not_list_are_refused(name):
    with pytest.raises(CrsError):
        read_site(with_crs(SQUARE, named(name)), POLICY)


def test_a_null_crs_member_means_nothing():
    assert read_site(with_crs(LONLAT, None), POLICY).crs.source_epsg == 4490


def test_z_is_a_note_and_m_is_a_warning():
    z = [[x, y, 30.0] for x, y in RING]
    assert "z_dropped" in codes(read_site(polygon(z), POLICY).notes)
    zm = [[x, y, 30.0, 1.0] for x, y in RING]
    assert "m_dropped" in codes(read_site(polygon(zm), POLICY).warnings)
    assert not read_site(polygon(z), POLICY).geometry.has_z


def test_gbk_geojson_is_read():
    text = json.dumps(feature(mapping(LONLAT), name="聊城一中"), ensure_ascii=False)
    site = read_site(text.encode("gbk"), POLICY)
    assert site.name == "聊城一中"


@pytest.mark.parametrize("use", [["0803"], {"code": "0803"}, True, 803.5])
def test_a_use_that_is_no_code_is_refused_and_not_lost(use: object) -> None:
    square = [[115.96, 36.40], [115.961, 36.40], [115.961, 36.401], [115.96, 36.40]]
    feature = {
        "type": "Feature",
        "properties": {"use": use},
        "geometry": {"type": "Polygon", "coordinates": [square]},
    }
    with pytest.raises(ClaimError, match="use"):
        read_site(feature, POLICY)
