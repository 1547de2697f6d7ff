"""Bad input through HTTP: always a 4xx problem document in Chinese, never a 5xx, never a leak."""

import asyncio
import io
import json
import random
import re
import zipfile
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import STATUS, BodyError, BodyTimeoutError, problem_of, status_of
from api.schemas import Problem
from api.settings import MEGABYTE, Settings
from api.upload import read_upload
from gis.errors import (
    ClaimError,
    CrsError,
    GeometryError,
    LimitError,
    NotFoundError,
    PlanError,
    RuleBookError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    WuquError,
)

CHECKOUT = Path(__file__).resolve().parents[1]
RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
GEO, TEXT = "application/geo+json", "text/plain"
PATHS = "|".join(re.escape(str(p)) for p in (CHECKOUT, Path.home()))
LEAK = re.compile(
    rf"Traceback|File \"|/srv/|/home/|/tmp/|{PATHS}|site-packages|\.py\b|sqlite3|GEOS|Error\b"
)


def polygon(ring=None, **more):
    return json.dumps({"type": "Polygon", "coordinates": [ring or RING], **more}).encode()


def with_number(text):
    return polygon().replace(b"115.971", text)


def feature(**properties):
    geometry = {"type": "Polygon", "coordinates": [RING]}
    row = {"type": "Feature", "properties": properties, "geometry": geometry}
    return json.dumps(row).encode()


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def assert_problem(answer, *statuses):
    assert answer.status_code in (statuses or (400, 408, 413, 415, 422)), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    Problem.model_validate(document)
    assert document["status"] == answer.status_code
    assert re.search(r"[\u4e00-\u9fff]", document["title"])
    assert re.search(r"[\u4e00-\u9fff]", document["detail"])
    assert not LEAK.search(answer.text), answer.text
    assert str(CHECKOUT) not in answer.text
    return document


def random_ring(count):
    rng = random.Random(1)
    points = [[115.97 + rng.random() / 100, 36.37 + rng.random() / 100] for _ in range(count)]
    return [*points, points[0]]


VRT = (
    b"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource>"
    b"</OGRVRTLayer></OGRVRTDataSource>"
)

BODIES = {
    "NaN": (GEO, with_number(b"NaN")),
    "Infinity": (GEO, with_number(b"Infinity")),
    "1e999": (GEO, with_number(b"1e999")),
    "1e308": (GEO, with_number(b"1e308")),
    "a number of 5000 digits": (GEO, with_number(b"1" * 5000)),
    "a number as text": (GEO, with_number(b'"115.971"')),
    "true as a number": (GEO, with_number(b"true")),
    "null as a number": (GEO, with_number(b"null")),
    "wrong nesting": (GEO, b'{"type":"Polygon","coordinates":[115.97,36.37]}'),
    "swapped axes": (GEO, polygon([[y, x] for x, y in RING])),
    "metres without CRS far away": (TEXT, b"POLYGON((1 1,2 1,2 2,1 2,1 1))"),
    "web mercator": (
        TEXT,
        b"POLYGON((12910000 4350000,12910100 4350000,12910100 4350100,12910000 4350000))",
    ),
    "bow-tie": (GEO, polygon([RING[0], RING[2], RING[1], RING[3], RING[0]])),
    "500 random vertices": (GEO, polygon(random_ring(500))),
    "250,000 vertices": (GEO, polygon([*([115.97, 36.37] for _ in range(250_000)), *RING])),
    "crs of type link": (
        GEO,
        polygon(crs={"type": "link", "properties": {"href": "http://127.0.0.1:9/crs"}}),
    ),
    "crs named by a URL": (
        GEO,
        polygon(crs={"type": "name", "properties": {"name": "http://127.0.0.1:9/crs"}}),
    ),
    "Xian 1980": (GEO, polygon(crs={"type": "name", "properties": {"name": "EPSG:4610"}})),
    "empty body": (GEO, b""),
    "blanks only": (TEXT, b" \r\n "),
    "no JSON": (GEO, b"{"),
    "a JSON list": (GEO, b"[1, 2]"),
    "no UTF-8": (GEO, b"\xff\xfe\xfa"),
    "100,000 nested lists": (GEO, b'{"type":"Polygon","coordinates":' + b"[" * 100_000),
    "closed deep nesting": (GEO, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "deep WKT": (TEXT, b"GEOMETRYCOLLECTION(" * 50_000),
    "broken WKT": (TEXT, b"POLYGON((1 2,3"),
    "NaN in WKT": (TEXT, b"POLYGON((nan 36,116 36,116 37,nan 36))"),
    "POLYGON EMPTY": (TEXT, b"POLYGON EMPTY"),
    "a point": (GEO, b'{"type":"Point","coordinates":[115.97,36.37]}'),
    "a line without width": (TEXT, b"LINESTRING(115.97 36.37,115.98 36.37)"),
    "a null geometry": (GEO, b'{"type":"Feature","properties":{},"geometry":null}'),
    "no features": (GEO, b'{"type":"FeatureCollection","features":[]}'),
    "outside the plan": (TEXT, b"POLYGON((2 48,2.01 48,2.01 48.01,2 48.01,2 48))"),
    "unknown use": (GEO, feature(use="9999")),
    "lone surrogate as use": (GEO, feature(use="\ud800")),
    "VRT as text": (TEXT, VRT),
    "wrong content type": ("application/xml", VRT),
    "no content type": (None, polygon()),
    "a plain form": ("application/x-www-form-urlencoded", b"a=b"),
    "multipart without boundary": ("multipart/form-data", b"x"),
    "multipart cut off": ("multipart/form-data; boundary=a", b"--a\r\nContent-Dispo"),
    "multipart of another boundary": ("multipart/form-data; boundary=b", b"--a\r\n\r\n--a--"),
    "an empty multipart": ("multipart/form-data; boundary=a", b"--a--\r\n"),
}

FILES = {
    "zip traversal": zipped(**{"../../x.shp": b"a"}),
    "zip bomb": zipped(**{"a.shp": bytes(30_000_000), "a.shx": b"", "a.dbf": b""}),
    "zip in a zip": zipped(**{"a.zip": zipped(a=b"x")}),
    "VRT named .shp in a zip": zipped(**{"a.shp": VRT, "a.shx": b"", "a.dbf": b""}),
    "truncated zip": zipped(a=b"x" * 100)[:40],
    "empty zip": zipped(),
    "VRT": VRT,
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "GeoPackage": b"SQLite format 3\0" + bytes(1000),
    "zero bytes": b"",
    "only NUL": bytes(1000),
    "TXT in Xian 1980": "[属性描述]\n坐标系=1980西安坐标系\n[地块坐标]\n".encode("gbk"),
}

QUERIES = [
    *("use=9999", "use=%ed%a0%80", "use=0802%00", "use=0802&use=0803", "usee=0802"),
    *("attr=nope:1", "attr=plot_ratio", "attr=plot_ratio:x", "attr=height_m:1e999", "attr=%00:1"),
    *("attr=plot_ratio:1&attr=plot_ratio:2", "attr=green_rate:1.5", "attr=start_date:soon"),
    *("as_of=2026-13-01", "as_of=yesterday", "width_m=nan", "width_m=1e999", "width_m=-1"),
    *("repair=maybe", "which=0", "which=2", "which=%C2%B2", "which=first"),
    *("crs=4610", "crs=http://127.0.0.1:9/", "crs=99999", "crs=3857", "crs=" + "9" * 300),
]


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_cannot_be_judged_is_a_problem(client, case):
    kind, body = BODIES[case]
    headers = {"Content-Type": kind} if kind else {}
    assert_problem(client.post("/v1/site-checks", content=body, headers=headers))


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_judged_is_a_problem(client, case):
    assert_problem(client.post("/v1/site-checks", files={"file": (case, FILES[case])}))


@pytest.mark.parametrize("query", QUERIES)
def test_a_wrong_option_is_a_problem(client, query):
    url = f"/v1/site-checks?{query}"
    assert_problem(client.post(url, content=polygon(), headers={"Content-Type": GEO}), 422)


@pytest.mark.parametrize(
    "name", ["\ud800", "a\x00b", "<img src=x onerror=alert(1)>", "{{ 7*7 }}", "=1+1", "长" * 9999]
)
def test_a_strange_name_is_answered_and_stored(client, name):
    answer = client.post(
        "/v1/site-checks", content=feature(name=name), headers={"Content-Type": GEO}
    )
    assert answer.status_code == 200
    for suffix in ("", ".geojson", ".html"):
        assert client.get(f"/v1/site-checks/{answer.json()['id']}{suffix}").status_code == 200
    assert client.get("/v1/site-checks").status_code == 200


def test_the_place_of_a_fault_is_told(client):
    headers = {"Content-Type": GEO}
    document = client.post("/v1/site-checks", content=with_number(b"NaN"), headers=headers).json()
    assert document["errors"][0]["where"] == "$.coordinates[0][1][0]"


def test_the_crossing_point_of_a_bow_tie_is_told(client):
    kind, body = BODIES["bow-tie"]
    answer = client.post("/v1/site-checks", content=body, headers={"Content-Type": kind})
    document = assert_problem(answer, 422)
    # The diagonals of the square cross in its middle.
    assert "115.9705" in document["detail"]
    assert "36.3705" in document["detail"]


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(client):
    answer = client.post("/v1/site-checks?useage=0802", content=polygon())
    document = assert_problem(answer, 422)
    assert "useage" in document["detail"]
    for name in ("use", "attr", "width_m", "as_of", "repair", "which", "crs"):
        assert name in document["detail"]


def test_an_unknown_form_field_is_refused(client):
    answer = client.post("/v1/site-checks", files={"file": ("a", polygon())}, data={"usee": "1"})
    assert "usee" in assert_problem(answer, 422)["detail"]


@pytest.mark.parametrize("files", [{"other": ("a", b"x")}, [("file", ("a", b"x"))] * 2])
def test_a_form_with_another_or_a_second_file_is_refused(client, files):
    assert_problem(client.post("/v1/site-checks", files=files), 400)


# --- size ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_client(plan, tmp_path_factory):
    settings = Settings(
        db=tmp_path_factory.mktemp("db") / "r.sqlite", body_limit_bytes=100_000, body_deadline_s=5
    )
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        yield opened


def chunks(count):
    for _ in range(count):
        yield b" " * 10_000


def test_the_limit_is_twenty_megabytes_unless_set_otherwise():
    assert Settings().body_limit_bytes == 20 * MEGABYTE


@pytest.mark.parametrize("kind", [GEO, TEXT])
def test_a_body_over_the_limit_is_refused_announced_or_chunked(small_client, kind):
    headers = {"Content-Type": kind}
    announced = small_client.post("/v1/site-checks", content=bytes(100_001), headers=headers)
    assert assert_problem(announced, 413)["code"] == "body_limit"
    chunked = small_client.post("/v1/site-checks", content=chunks(11), headers=headers)
    assert assert_problem(chunked, 413)["code"] == "body_limit"


def test_a_file_over_the_limit_is_refused(small_client):
    answer = small_client.post("/v1/site-checks", files={"file": ("a", bytes(200_000))})
    assert assert_problem(answer, 413)["code"] == "body_limit"


def test_a_body_at_the_limit_is_read_to_its_end(small_client):
    body = polygon() + b" " * (100_000 - len(polygon()))
    answer = small_client.post("/v1/site-checks", content=body, headers={"Content-Type": GEO})
    assert answer.status_code == 200


def incoming(receive):
    headers = [(b"content-type", b"text/plain")]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def test_a_body_that_never_arrives_ends_at_the_deadline():
    async def receive():
        await asyncio.Event().wait()

    with pytest.raises(BodyTimeoutError, match="没有到齐") as caught:
        asyncio.run(read_upload(incoming(receive), 0.01))
    assert status_of(caught.value) == 408


def test_a_client_that_leaves_while_sending_is_no_defect():
    async def receive():
        return {"type": "http.disconnect"}

    with pytest.raises(BodyError, match="断开"):
        asyncio.run(read_upload(incoming(receive), 5))


# --- everything else -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/nope", 404),
        ("/v1/site-checks/0123456789abcdef0123456789abcdef", 404),
        ("/v1/site-checks/%00", 404),
        ("/v1/site-checks/..%2f..%2fetc", 404),
        ("/v1/site-checks/x.geojson", 404),
        ("/v1/site-checks/x.html", 404),
        ("/v1/site-checks/" + "a" * 5000, 422),
        ("/v1/site-checks?limit=0", 422),
        ("/v1/site-checks?limit=1e9", 422),
        ("/maps/site-checks/x.html", 404),
        ("/maps/plan.html?x=1", 422),
        ("/v1/layers/nope", 404),
        ("/v1/layers/zones?limit=0", 422),
        ("/v1/layers/zones?offset=-1", 422),
        ("/v1/layers/zones?offset=99999999999999999999", 422),
        ("/v1/layers/zones?bbox=1,2,3", 422),
        ("/v1/layers/zones?bbox=nan,0,1,1", 422),
        ("/v1/layers/zones?bbox=1e999,0,1,1", 422),
        ("/v1/layers/zones?bbox=36.3,115.9,36.4,116.0", 422),
        ("/v1/plan?pretty=1", 422),
        ("/v1/plan/balance?area=nope", 404),
        ("/v1/plan/balance?definition=Q", 404),
        ("/v1/rules?as_of=soon", 422),
        ("/v1/rules/nope", 404),
        ("/v1/zones?geometry=perhaps", 422),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/%2e%2e/app.py", 404),
        ("/vendor/nope.js", 404),
        ("/samples/0", 404),
        ("/samples/x", 422),
    ],
)
def test_a_wrong_address_or_parameter_is_a_problem(client, url, status):
    assert_problem(client.get(url), status)


@pytest.mark.parametrize(("method", "url"), [("PUT", "/v1/site-checks"), ("DELETE", "/v1/plan")])
def test_a_wrong_method_is_a_problem(client, method, url):
    answer = client.request(method, url)
    assert_problem(answer, 405)
    assert "allow" in answer.headers


def test_a_defect_is_a_problem_without_details_and_with_security_headers(client, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("secret detail in /srv/somewhere.py")

    monkeypatch.setattr("api.judging.checking", broken)
    answer = client.post("/v1/site-checks", content=polygon(), headers={"Content-Type": GEO})
    document = assert_problem(answer, 500)
    assert document["code"] == "defect"
    assert "secret" not in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_a_store_that_cannot_write_is_unavailable_and_gives_no_verdict(client, monkeypatch):
    def full(*_args, **_kwargs):
        raise StoreFullError("没有空间")

    monkeypatch.setattr(client.app.state.wuqu.store, "save_uploads", full)
    answer = client.post("/v1/site-checks", content=polygon(), headers={"Content-Type": GEO})
    assert assert_problem(answer, 507)["code"] == "store_full"
    assert "verdict" not in answer.json()


def test_json_nested_deeper_than_python_can_read_is_a_problem(client, monkeypatch):
    def too_deep(*_args, **_kwargs):
        raise RecursionError

    monkeypatch.setattr("api.reading.read_sites", too_deep)
    answer = client.post("/v1/site-checks", content=polygon(), headers={"Content-Type": GEO})
    assert assert_problem(answer, 422)["code"] == "format"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GeometryError("x"), 422),
        (CrsError("x"), 422),
        (ClaimError("x"), 422),
        (LimitError("x"), 413),
        (NotFoundError("x"), 404),
        (PlanError("x"), 503),
        (RuleBookError("x"), 503),
        (StoreError("x"), 503),
        (StoreFullError("x"), 507),
        (StoreDamagedError("x"), 503),
        (RuntimeError("x"), 500),
    ],
)
def test_an_error_has_the_status_of_its_nearest_class(error, status):
    assert status_of(error) == status


def test_every_domain_error_has_a_status_of_its_own():
    def leaves(cls):
        return [cls, *(leaf for sub in cls.__subclasses__() for leaf in leaves(sub))]

    assert all(any(base in STATUS for base in cls.__mro__) for cls in leaves(WuquError)[1:])


def test_half_a_surrogate_pair_in_a_message_does_not_break_the_problem():
    assert "?" in json.loads(problem_of(ClaimError("\ud800")).body)["detail"]


def test_openapi_declares_problems_under_their_content_type(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    kinds = list(answer["content"])
                    assert kinds == ["application/problem+json"], (path, status)
    declared = set(paths["/v1/site-checks"]["post"]["responses"])
    assert {"200", "400", "408", "413", "415", "422", "503"} <= declared


def test_openapi_declares_the_ways_in_and_the_refusals_of_every_closed_route(client):
    document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert {(row["type"], row.get("in")) for row in schemes.values()} == {
        ("http", None), ("apiKey", "header"), ("apiKey", "cookie"),
    }  # fmt: skip
    for path, operations in document["paths"].items():
        for operation in operations.values():
            statuses = set(operation["responses"])
            if path in ("/healthz", "/readyz"):
                assert operation["security"] == []
                assert not statuses & {"401", "403", "429"}
                continue
            assert {name for way in operation["security"] for name in way} == set(schemes)
            assert {"401", "403", "429", "503"} <= statuses, path
            assert "最低角色：" in operation["description"]
            for status in ("401", "403", "429"):
                answer = operation["responses"][status]
                (content,) = answer["content"].values()
                Problem.model_validate(content["example"])
                assert content["example"]["status"] == int(status)
                assert ("Retry-After" in answer.get("headers", {})) is (status == "429")


def test_openapi_shows_the_body_with_chinese_examples(client):
    post = client.get("/openapi.json").json()["paths"]["/v1/site-checks"]["post"]
    body = post["requestBody"]["content"]
    assert set(body) >= {"application/geo+json", "text/plain", "multipart/form-data"}
    assert body["application/geo+json"]["example"]["properties"]["name"] == "中学新校区"


@pytest.mark.parametrize("kind", [GEO, "application/json", TEXT])
def test_the_example_of_the_documentation_can_be_checked(client, kind):
    post = client.get("/openapi.json").json()["paths"]["/v1/site-checks"]["post"]
    example = post["requestBody"]["content"][kind]["example"]
    body = example if isinstance(example, str) else json.dumps(example)
    headers = {"Content-Type": kind}
    answer = client.post("/v1/site-checks", content=body.encode(), headers=headers)
    assert answer.status_code == 200


def test_all_wrong_options_are_told_at_once(client):
    query = (
        "use=9999&width_m=-1&as_of=x&which=0&crs=foo&repair=maybe&encoding=nope&attr=plot_ratio:99"
    )
    document = assert_problem(client.post(f"/v1/site-checks?{query}", content=polygon()), 422)
    assert document["code"] == "claim"
    assert [fault["where"] for fault in document["errors"]] == [
        *("参数 use", "plot_ratio", "参数 width_m", "参数 as_of", "参数 repair", "参数 which"),
        *("参数 crs", "参数 encoding"),
    ]
    for text in ("9999", "-1", "“x”", "maybe", "“0”", "foo", "nope"):
        assert text in document["detail"]


def test_unknown_repeated_and_wrong_options_of_a_form_are_told_together(client):
    fields = {"usee": "1", "which": ["1", "2"], "width_m": "x"}
    answer = client.post("/v1/site-checks", files={"file": ("a", polygon())}, data=fields)
    told = [(f["where"], f["message"][:6]) for f in assert_problem(answer, 422)["errors"]]
    assert told == [
        ("参数 usee", "未知的参数"),
        ("参数 which", "重复"),
        ("参数 width_m", "为“x”，应"),
    ]


@pytest.mark.parametrize("query", ["width_m=1_0", "as_of=20261122", "as_of=2026-W47-7"])
def test_what_only_python_would_read_as_a_number_or_day_is_a_problem(client, query):
    document = assert_problem(client.post(f"/v1/site-checks?{query}", content=polygon()), 422)
    assert document["errors"][0]["where"] == f"参数 {query.partition('=')[0]}"
