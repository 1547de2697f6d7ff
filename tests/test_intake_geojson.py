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


def test_an_outline_drawn_by_hand_is_no_survey():
    drawn = read_site(feature(mapping(LONLAT), drawn=True), POLICY)
    assert drawn.doubt is not None
    assert codes(drawn.warnings) == {"not_survey_grade"}
    assert "手绘" in drawn.warnings[0].message
    assert drawn.geometry.equals(read_site(mapping(LONLAT), POLICY).geometry)
    for other in ("true", 1, None, False):
        assert read_site(feature(mapping(LONLAT), drawn=other), POLICY).doubt is None


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


def test_the_line_of_broken_json_is_that_of_the_file():
    with pytest.raises(FormatError) as error:
        read_site(b"\xef\xbb\xbf\r\n\r\n{\n  oops}", POLICY)
    assert faults(error)[0][0] == "第 4 行第 3 列"


# --- strict JSON ----------------------------------------------------------------------------------

GOOD = json.dumps(polygon(RING))


@pytest.mark.parametrize("more", ["x", "{}", "]", "\x00", "\n\n,", GOOD])
def test_anything_behind_the_json_is_refused(more):
    with pytest.raises(FormatError, match="后面还有内容"):
        read_site(GOOD + more, POLICY)


@pytest.mark.parametrize("word", ["01", "+1", ".5", "1.", "0x1F", "1_0", "１", "nan", "-NaN", "1e"])
def test_numbers_that_json_does_not_know_are_refused(word):
    with pytest.raises(FormatError, match="不是有效的 JSON"):
        read_site(GOOD.replace(repr(RING[1][0]), word, 1), POLICY)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"type":"Polygon","type":"Polygon","coordinates":[]}', "$.type"),
        (GOOD[:-1] + ',"coordinates":[]}', "$.coordinates"),
        (
            '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,'
            '"properties":{"name":"a","a b":{"x":1,"x":1}}}]}',
            '$.features[0].properties["a b"].x',
        ),
        ('{"type":"Feature","geometry":{"a":[{"b":1,"b":2}]},"geometry":null}', "$.geometry"),
        ('{"a":1,"\\u0061":2}', "$.a"),
    ],
)
def test_a_repeated_key_is_refused_with_its_path(text, path):
    with pytest.raises(FormatError, match="键重复出现") as error:
        read_site(text, POLICY)
    assert path in [where for where, _ in faults(error)]


def test_a_key_that_repeats_inside_a_lost_value_is_told_as_well():
    text = '{"type":"Feature","geometry":{"b":1,"b":2},"geometry":null}'
    with pytest.raises(FormatError) as error:
        read_site(text, POLICY)
    assert [where for where, _ in faults(error)] == ["$.geometry.b", "$.geometry"]


def test_equal_keys_of_different_objects_are_no_repetition():
    shapes = collection(feature(mapping(LONLAT), name="甲"), feature(mapping(LONLAT), name="乙"))
    assert len(read_sites(json.dumps(shapes), POLICY)) == 2


@pytest.mark.parametrize("word", ["NaN", "-Infinity"])
def test_what_is_no_number_in_the_properties_is_told_with_its_path(word):
    text = json.dumps(feature(mapping(LONLAT), deep={"备注": [1, 2]})).replace("1, 2", f"1, {word}")
    with pytest.raises(FormatError) as error:
        read_site(text, POLICY)
    assert faults(error) == [("$.properties.deep.备注[1]", f"{word} 不是可用的数值")]


def test_more_oddities_than_are_listed_are_counted():
    text = GOOD.replace(repr(RING[1][0]), "[" + "NaN," * 999 + "NaN]", 1)
    with pytest.raises(FormatError, match="共 1001 处") as error:
        read_site(text, POLICY)
    assert len(error.value.faults) == 50


def test_faults_of_one_feature_are_told_together_with_a_crossing_in_another():
    bow_tie = polygon([RING[0], RING[2], RING[1], RING[3], RING[0]])
    bad = polygon([*RING[:2], [RING[2][0], "36.4"], *RING[3:]])
    with pytest.raises(FormatError) as error:
        read_sites(collection(feature(bad), feature(bow_tie)), POLICY)
    first, second = error.value.faults
    assert (first.where, first.ring, first.vertex) == (
        "$.features[0].geometry.coordinates[0][2][1]",
        1,
        3,
    )
    assert second.where.startswith("$.features[1].geometry.coordinates[0]")
    assert second.marker is not None


def test_ring_and_vertex_of_a_fault_count_through_the_whole_site():
    hole = [[x, y] for x, y in RING]
    hole[1] = [True, None]
    other = {"type": "MultiPolygon", "coordinates": [[RING], [RING, hole]]}
    with pytest.raises(FormatError) as error:
        read_site(other, POLICY)
    assert [(f.where, f.ring, f.vertex) for f in error.value.faults] == [
        ("$.coordinates[1][1][1][0]", 3, 2),
        ("$.coordinates[1][1][1][1]", 3, 2),
    ]


@pytest.mark.parametrize("properties", [5, [], "x", True])
def test_properties_that_are_no_object_are_refused(properties):
    shape = {"type": "Feature", "geometry": mapping(LONLAT), "properties": properties}
    with pytest.raises(FormatError, match=r"\$\.properties"):
        read_site(shape, POLICY)


@pytest.mark.parametrize(
    ("codec", "given"), [("utf-8-sig", None), ("utf-16", None), ("utf-16-be", "utf-16-be")]
)
def test_json_with_a_byte_order_mark_or_a_named_encoding_is_read(codec, given):
    text = json.dumps(feature(mapping(LONLAT), name="聊城一中"), ensure_ascii=False)
    assert read_site(text.encode(codec), POLICY, encoding=given).name == "聊城一中"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-32-le", "utf-32", "utf-16-be", "utf-32-be"])
def test_json_in_sixteen_or_thirty_two_bits_without_a_mark_is_refused(codec):
    with pytest.raises(FormatError):
        read_site(GOOD.encode(codec), POLICY)


def test_sixteen_bits_without_a_mark_are_named():
    with pytest.raises(FormatError, match="utf-16-le"):
        read_site(GOOD.encode("utf-16-le"), POLICY)


@pytest.mark.parametrize(
    "key", ["\ud800", "\x00", "name\ud800", "__proto__", "constructor", "", "a" * 10_000]
)
def test_a_strange_key_changes_nothing(key):
    site = read_site(json.dumps(feature(mapping(LONLAT), **{key: "x"})).encode(), POLICY)
    assert site.claims == {}
    assert site.area == read_site(mapping(LONLAT), POLICY).area


def nested(depth):
    """The square in a feature whose properties bring the whole text to this depth."""
    inner = 1
    for _ in range(depth - 2):  # the feature and its properties
        inner = [inner]
    return feature(mapping(LONLAT), deep=inner)


def test_a_depth_of_sixty_four_is_read_and_sixty_five_is_a_limit():
    for source in (nested(64), json.dumps(nested(64)), json.dumps(nested(64)).encode()):
        assert read_site(source, POLICY).area.planar_m2 == pytest.approx(20_000, abs=1e-4)
    for source in (nested(65), json.dumps(nested(65)), json.dumps(nested(65)).encode()):
        with pytest.raises(LimitError, match="64 层"):
            read_site(source, POLICY)


@pytest.mark.parametrize("text", ["[[[[" * 99, '\\"' + "[" * 99, "\\\\", '{"a":[' * 99])
def test_brackets_inside_a_text_are_no_depth(text):
    site = read_site(json.dumps(feature(mapping(LONLAT), note=text, name=text[:20])), POLICY)
    assert site.area.planar_m2 == pytest.approx(20_000, abs=1e-4)


def test_the_depth_needs_no_recursion(monkeypatch):
    def crash(*_args, **_options):
        raise AssertionError("the parser saw a text that is too deep")

    monkeypatch.setattr("gis.intake.strict_json.json.loads", crash)
    monkeypatch.setattr("gis.intake.strict_json.json.dumps", crash)
    for text in ('{"a":' + "[" * 200_000, '{"a":' * 65, GOOD[:-1] + ',"b":' + "[" * 64 + "]" * 64):
        with pytest.raises(LimitError):
            read_site(text, POLICY)
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(LimitError):
        read_site({"type": "Polygon", "coordinates": deep}, POLICY)


def test_an_object_that_holds_itself_is_a_limit():
    shape = feature(mapping(LONLAT))
    shape["properties"]["self"] = shape
    with pytest.raises(LimitError):
        read_site(shape, POLICY)


def test_millions_of_small_arrays_are_a_limit_before_they_are_built():
    with pytest.raises(LimitError, match="400001 个"):
        read_site('{"a":[' + "[]," * 399_998 + "[]]}", POLICY)


@pytest.mark.parametrize("digits", [16, 400, 401, 5_000])
def test_an_integer_that_is_too_long_is_refused_with_its_path(digits):
    text = GOOD.replace(repr(RING[1][0]), "9" * digits, 1)
    with pytest.raises(FormatError) as error:
        read_site(text, POLICY)
    assert [where for where, _ in faults(error)] == ["$.coordinates[0][1][0]"]


def test_a_number_with_millions_of_digits_is_read_in_no_time():
    text = GOOD.replace(repr(RING[1][0]), repr(RING[1][0]) + "0" * 5_000_000, 1)
    assert read_site(text, POLICY).area.planar_m2 == pytest.approx(20_000, abs=1e-4)


@pytest.mark.parametrize("ring", [[*RING[:2], [116, 36.4]], [[*p, 1] for p in RING], RING])
def test_all_positions_at_once_are_the_same_as_one_by_one(ring, monkeypatch):
    def outcome():
        try:
            return read_site(polygon(ring), POLICY).geometry.wkb
        except GeometryError as error:
            return [f.to_dict() for f in error.faults]

    at_once = outcome()
    monkeypatch.setattr("gis.intake.geojson._plain_numbers", lambda *_: None)
    assert outcome() == at_once


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


def in_geometry(geometry, crs):
    return feature({**mapping(geometry), "crs": crs})


def test_the_crs_of_a_geometry_inside_a_feature_is_understood():
    # PostGIS: ST_AsGeoJSON(geom, 9, 2) writes the member into the geometry.
    site = read_site(in_geometry(SQUARE, named("EPSG:4548")), POLICY)
    assert (site.crs.source_epsg, site.crs.how) == (4548, "declared")
    both = collection(in_geometry(SQUARE, named("EPSG:4548")), feature(mapping(LONLAT)))
    assert [s.crs.source_epsg for s in read_sites(both, POLICY)] == [4548, 4490]


@pytest.mark.parametrize(
    "crs", [{"type": "link", "properties": {"href": "http://127.0.0.1:9/"}}, named("EPSG:4610"), 7]
)
def test_a_crs_inside_a_feature_is_judged_like_one_at_the_top(crs):
    members = {"type": "GeometryCollection", "geometries": [{**mapping(LONLAT), "crs": crs}]}
    for shape in (in_geometry(LONLAT, crs), feature(members), members):
        with pytest.raises(CrsError):
            read_site(shape, POLICY)


def test_two_crs_in_one_site_are_refused():
    members = [
        {**mapping(SQUARE), "crs": named("EPSG:4548")},
        {**mapping(LONLAT), "crs": named("EPSG:4490")},
    ]
    with pytest.raises(CrsError, match="不同的坐标系"):
        read_site({"type": "GeometryCollection", "geometries": members}, POLICY)


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


def test_a_use_that_is_no_code_concerns_its_own_site_only():
    good, bad = feature(polygon(RING)), feature(polygon(RING))
    good["properties"], bad["properties"] = {"use": "080403"}, {"use": ["080403"]}
    assert read_site(collection(good, bad), POLICY, which=1).use == "080403"
    with pytest.raises(ClaimError, match="use") as error:
        read_sites(collection(good, bad), POLICY)
    assert [f.where for f in error.value.faults] == ["$.features[1]"]
