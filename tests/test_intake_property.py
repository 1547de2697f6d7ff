"""Whatever is sent: sites that can be judged or an InputError; through HTTP the same, never a 5xx.

Bodies are near-valid texts of every kind with some damage. ``WUQU_EXAMPLES`` sets the number of
examples; then they are random.
"""

import io
import json
import zipfile

import pytest
import shapely
from examples import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.schemas import Problem, SiteCheckOut, SiteChecksOut
from api.upload import FILE_TYPES, JSON_TYPES, TEXT_TYPES
from gis.errors import InputError, as_problem
from gis.intake.read import read_sites

EXAMPLES = examples(50)
CHECKED = settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
)
URL = "/v1/site-checks"

# --- near-valid bodies ---------------------------------------------------------------------------

LON, LAT = st.floats(115.9, 116.1), st.floats(36.3, 36.42)
EAST, NORTH = st.floats(39_402_000, 39_418_000), st.floats(4_022_000, 4_036_000)
ODD_NUMBERS = st.sampled_from(
    [0, -1, 181, 1e6, 1e15, 1e16, 1e308, 10**400, -0.0, 5e-324, True, None, "115.9", "", [], {}]
)
NAMES = st.text(max_size=12) | st.sampled_from(
    [
        "\ud800",
        "a\x00b",
        "<img src=x onerror=alert(1)>",
        "{{ 7*7 }}",
        "${1}",
        "`",
        "=1+1",
        "长" * 500,
    ]
)
_WORDS = r'NaN 1e999 " { [ ] } , : null ( ) < > <!DOCTYPE &lt; @ EMPTY Z - . = ， 【 \ud800'
_SIGNS = ("\x00", "\r", "\n", "\t", "\x1a", "\ufeff", "9" * 400, "")
TOKENS = st.sampled_from([*_WORDS.split(), *_SIGNS]).map(str.encode) | st.sampled_from(
    [b"\xff", b"\xed"]
)


def often(usual, *others):
    """Mostly the usual value."""
    return st.sampled_from([usual] * 6 + list(others))


def rings(x, y, wild=ODD_NUMBERS):
    """Rings of a few points, mostly around a middle so that they are valid."""

    @st.composite
    def made(draw):
        cx, cy = draw(x), draw(y)
        reach = draw(often(1e-3, 0.0, 1e-6, 1e-2, 1.0)) * (1 if cx < 1000 else 1e5)
        points = draw(
            st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=0, max_size=9)
        )
        corners = draw(often([[0, 0], [1, 0], [1, 1], [0, 1]], points))
        ring = [[cx + reach * u, cy + reach * v] for u, v in corners]
        if ring and draw(st.booleans()):
            ring.append(list(ring[0]))
        if ring and draw(often(False, True)):
            ring[draw(st.integers(0, len(ring) - 1))][draw(st.integers(0, 1))] = draw(wild)
        return ring

    return made()


@st.composite
def geojson(draw):
    """A geometry, a feature or a collection, as an object."""
    ring = rings(LON, LAT) | rings(EAST, NORTH)
    lists = {
        "Polygon": ring.map(lambda r: [r]) | st.lists(ring, max_size=3),
        "MultiPolygon": st.lists(ring.map(lambda r: [r]), max_size=3),
        "LineString": ring,
        "MultiLineString": st.lists(ring, max_size=2),
        "Point": st.just([115.97, 36.37]),
        "Circle": st.none(),
    }
    kind = draw(often("Polygon", *lists))
    geometry = {"type": kind, "coordinates": draw(lists[kind])}
    if draw(st.booleans()):
        return geometry
    names = st.sampled_from(["name", "use", "plot_ratio", "key_project", "crs", "x"])
    properties = st.dictionaries(names | NAMES, NAMES | ODD_NUMBERS, max_size=2)
    codes = st.sampled_from(["EPSG:4490", "EPSG:4527", "EPSG:4610", "urn:x", "EPSG:99999", "BD-09"])
    crs = {"type": "name", "properties": {"name": draw(codes | NAMES)}}
    feature = {"type": "Feature", "geometry": geometry, "properties": draw(properties)}
    if draw(often(False, True)):
        feature["properties"] = draw(ODD_NUMBERS)
    if draw(st.booleans()):
        return {**feature, **({"crs": crs} if draw(st.booleans()) else {})}
    return {"type": "FeatureCollection", "features": [feature] * draw(st.integers(0, 3))}


@st.composite
def wkt(draw):
    """WKT, one or several geometries."""
    bare = st.sampled_from(["nan", "1e999", "x", "", "1 2 3", "inf", 0, 1e15, 1e308])
    ring = draw(rings(LON, LAT, bare) | rings(EAST, NORTH, bare))
    points = ",".join(" ".join(str(n) for n in point) for point in ring)
    form = draw(
        st.sampled_from(["POLYGON(({}))", "SRID=4490;POLYGON (({}))", "MULTIPOLYGON((({})))"])
        | st.sampled_from(
            ["LINESTRING({})", "POLYGON Z (({}))", "POLYGON(({0}),({0}))", "POINT({})"]
        )
    )
    return form.format(points) * draw(st.integers(1, 2))


@st.composite
def boundary_txt(draw):
    """A boundary-point TXT."""
    bare = st.sampled_from(["nan", "1e999", "x", "", "１２", "4030411，11", 0, 1e15])
    ring = draw(rings(EAST, NORTH, bare) | rings(LON, LAT, bare))
    lines = [f"J{i},{draw(often(1, 0, 2))},{y},{x}" for i, (x, y) in enumerate(ring, start=1)]
    head = "[属性描述]\n坐标系={}\n几度分带={}\n带号={}\n[地块坐标]\n"
    datum = often("2000国家大地坐标系", "1980西安坐标系", "", "WGS84")
    told = head.format(draw(datum), draw(often(3, 6, "", "x")), draw(often(39, 20, "")))
    area = draw(often("", "1", "1.2345", "-1", "1e9", "x"))
    plot = f"{len(ring)},{area},{draw(st.sampled_from(['1', '']))},{draw(NAMES)},面,,,,@"
    return "\n".join([told + plot, *lines]).encode("utf-8", "replace").decode()


@st.composite
def kml(draw):
    """KML with one placemark."""
    bare = st.sampled_from(["nan", "1e999", "x", "", 0, 1e15])
    points = " ".join(",".join(str(n) for n in p) for p in draw(rings(LON, LAT, bare)))
    ring = f"<LinearRing><coordinates>{points}</coordinates></LinearRing>"
    shape = f"<Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    head = draw(often("", '<?xml version="1.0"?>', "<!DOCTYPE kml SYSTEM 'x'>"))
    name = draw(st.sampled_from(["", "<name>a</name>", "<name>&#x41;</name>", "<NetworkLink/>"]))
    return f'{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark>{name}{shape}</Placemark></kml>'


@st.composite
def table(draw):
    """Rows of points as comma-separated values."""
    ring = draw(rings(EAST, NORTH) | rings(LON, LAT))
    mark = draw(st.sampled_from([",", "\t", ";", " ", "，"]))
    head = draw(st.sampled_from([["点号", "X", "Y"], ["x", "y"], ["经度", "纬度"], []]))
    return "\n".join(mark.join(map(str, row)) for row in [head, *ring] if row)


def zipped(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", text)
    return stream.getvalue()


@st.composite
def bodies(draw):
    """One of these as bytes, mostly with a little damage."""
    text = draw(
        st.one_of(
            geojson().map(lambda value: json.dumps(value, ensure_ascii=False)),
            wkt(),
            boundary_txt(),
            kml(),
            table(),
            st.text(max_size=60),
        )
    )
    data = text.encode(draw(st.sampled_from(["utf-8"] * 4 + ["gb18030", "utf-16"])), "replace")
    for _ in range(draw(often(0, 1, 2, 3, 3))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.sampled_from([0, 0, 1, 5, 50]))
        data = data[:at] + draw(TOKENS) + data[end:]
    return zipped(data) if draw(st.integers(0, 15)) == 0 else data


# --- through Python ------------------------------------------------------------------------------


def outcome(data, plan, **options):
    """The sites, or the error as a service tells it."""
    try:
        return read_sites(data, plan, **options)
    except InputError as error:
        return json.loads(json.dumps(as_problem(error), allow_nan=False))


@CHECKED
@given(data=bodies(), repair=st.booleans(), width=st.sampled_from([None, 1.0, 1000.0]))
@example(data=b"[" * 100_000, repair=False, width=None)
@example(data=b'{"a":' * 100_000, repair=False, width=None)
def test_every_input_gives_judgeable_sites_or_an_input_error(plan, data, repair, width):
    found = outcome(data, plan, repair=repair, width_m=width)
    if isinstance(found, dict):
        return
    assert found
    bounds = plan.bounds_polygon
    for site in found:
        assert site.geometry.geom_type in ("Polygon", "MultiPolygon")
        assert shapely.is_valid(site.geometry)
        assert site.area.ellipsoidal_m2 > 0
        assert site.area.planar_m2 == pytest.approx(site.area.ellipsoidal_m2, rel=1e-3)
        assert site.geometry.distance(bounds) < 1
        assert "\x00" not in site.name
        site.name.encode()


@CHECKED
@given(value=geojson())
def test_an_object_its_text_and_its_bytes_are_the_same_input(plan, value):
    text = json.dumps(value)
    results = [outcome(source, plan) for source in (value, text, text.encode())]
    for other in results[1:]:
        if isinstance(results[0], dict):
            assert other == results[0]
        else:
            assert [s.geometry.wkb for s in other] == [s.geometry.wkb for s in results[0]]
            assert [s.warnings for s in other] == [s.warnings for s in results[0]]


# --- through HTTP --------------------------------------------------------------------------------


def assert_answer(answer):
    """A full answer or a problem document."""
    if answer.status_code == 200:
        document = answer.json()
        (SiteChecksOut if "checks" in document else SiteCheckOut).model_validate(document)
        return
    assert 400 <= answer.status_code < 500, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert Problem.model_validate(answer.json()).status == answer.status_code


@CHECKED
@given(data=bodies(), kind=st.sampled_from([*JSON_TYPES, *TEXT_TYPES, *FILE_TYPES]))
def test_http_tells_the_same_as_the_python_call(client, plan, data, kind):
    answer = client.post(URL, content=data, headers={"Content-Type": kind})
    assert_answer(answer)
    found = outcome(data, plan)
    if isinstance(found, dict) and data.strip():
        told = answer.json()
        assert {key: told[key] for key in found} == found
    elif answer.status_code == 200:
        assert answer.json()["site"]["name"] == found[0].name


OPTIONS = st.dictionaries(
    st.sampled_from(["use", "attr", "width_m", "as_of", "repair", "which", "crs", "encoding", "x"]),
    st.sampled_from(["", "0803", "9999", "all", "1", "2", "true", "2026-11-22", "10", "1e999"])
    | st.sampled_from(
        ["EPSG:4527", "4490", "BD-09", "4610", "gbk", "utf-16", "plot_ratio:1", "nan"]
    )
    | NAMES,
    max_size=4,
)


@CHECKED
@given(data=bodies(), query=OPTIONS, fields=OPTIONS, name=NAMES)
def test_any_form_with_any_options_is_answered(client, data, query, fields, name):
    clean = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
    fields = {key: value.encode("utf-8", "replace").decode() for key, value in fields.items()}
    name = name.encode("utf-8", "replace").decode()
    assert_answer(client.post(URL, params=clean, files={"file": (name, data)}, data=fields))


@CHECKED
@given(
    data=st.binary(max_size=300) | bodies(),
    kind=st.text(max_size=40) | st.just("multipart/form-data; boundary=a"),
)
@example(data=b"--a\r\n" * 50, kind="multipart/form-data; boundary=a")
def test_any_bytes_under_any_content_type_are_answered(client, data, kind):
    headers = {"Content-Type": kind.encode("latin-1", "ignore").translate(None, b"\r\n\x00")}
    assert_answer(client.post(URL, content=data, headers=headers))
