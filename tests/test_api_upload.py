"""How a body may be sent: content types, forms, names, and what a raw connection can do wrong."""

import asyncio
import contextlib
import json
import re
import socket
import threading

import pytest
import uvicorn
from starlette.testclient import TestClient

from api.app import create_app
from api.schemas import Problem
from api.settings import Settings
from api.upload import FILE_TYPES, JSON_TYPES, TEXT_TYPES
from gis.intake.read import read_site

RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
GEOJSON = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()
WKT = ("POLYGON((" + ",".join(f"{x} {y}" for x, y in RING) + "))").encode()
URL = "/v1/site-checks?as_of=2026-11-22"


@pytest.fixture(scope="module")
def app(plan, tmp_path_factory):
    settings = Settings(
        db=tmp_path_factory.mktemp("db") / "r.sqlite", body_limit_bytes=100_000, body_deadline_s=1
    )
    return create_app(settings, plan=plan)


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


def post(client, body, kind, **more):
    headers = [("Content-Type", kind), *((k.replace("_", "-"), v) for k, v in more.items())]
    return client.post(URL, content=body, headers=headers)


def problem(answer, status):
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    document = Problem.model_validate(answer.json())
    assert re.search(r"[\u4e00-\u9fff]", document.detail)
    return document


def form(*parts, boundary=b"xx"):
    """A multipart body; each part is the parameters of its disposition and its content."""
    head = b"--" + boundary + b"\r\nContent-Disposition: form-data; "
    rows = [head + parameters + b"\r\n\r\n" + content + b"\r\n" for parameters, content in parts]
    return b"".join(rows) + b"--" + boundary + b"--\r\n"


def send_form(client, *parts, kind="multipart/form-data; boundary=xx"):
    return post(client, form(*parts), kind)


# --- content types -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*JSON_TYPES, *TEXT_TYPES, *FILE_TYPES])
@pytest.mark.parametrize("body", [GEOJSON, WKT])
def test_the_content_decides_whatever_type_it_is_sent_as(client, kind, body):
    assert post(client, body, kind).status_code == 200
    assert post(client, body, f"{kind.upper()} ; x=y").status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["application/xml", "image/png", "text/html", "multipart/mixed; boundary=xx", "json", "", ";"],
)
def test_any_other_type_is_named(client, kind):
    found = problem(post(client, GEOJSON, kind), 415)
    assert found.code == "media_type"
    assert found.errors[0].where == "请求头 Content-Type"


def test_no_type_and_two_types_are_refused(client):
    assert "未声明" in problem(client.post(URL, content=GEOJSON), 415).detail
    two = [("Content-Type", "text/plain"), ("Content-Type", "application/json")]
    problem(client.post(URL, content=GEOJSON, headers=two), 415)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x"])
def test_a_compressed_body_is_refused(client, coding):
    assert (
        coding[:4]
        in problem(post(client, GEOJSON, "text/plain", Content_Encoding=coding), 415).detail
    )


def test_identity_is_no_compression(client):
    assert post(client, GEOJSON, "text/plain", Content_Encoding="identity").status_code == 200


def named(name, codec):
    row = {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(GEOJSON)}
    return json.dumps(row, ensure_ascii=False).encode(codec)


@pytest.mark.parametrize(
    ("codec", "charset"),
    [
        ("utf-8", "utf-8"),
        # Many clients announce these without looking at the text.
        ("gbk", "utf-8"),
        ("utf-8", "iso-8859-1"),
        ("gbk", "us-ascii"),
        # Where the charset names another codec it is what the text is in.
        ("gbk", '"GBK"'),
        ("big5", "big5"),
        ("utf-16-le", "UTF-16LE"),
    ],
)
def test_the_charset_of_a_text_counts_where_it_means_something(client, codec, charset):
    body = named("聊城一中", codec)
    answer = post(client, body, f"text/plain; charset={charset}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["site"]["name"] == "聊城一中"


def test_the_option_goes_before_the_charset(client):
    headers = {"Content-Type": "text/plain; charset=utf-16"}
    answer = client.post(f"{URL}&encoding=big5", content=named("聊城", "big5"), headers=headers)
    assert answer.json()["site"]["name"] == "聊城"


@pytest.mark.parametrize("charset", ["klingon", "zlib", "undefined", "idna", "unicode_escape"])
def test_a_charset_that_is_none_is_refused(client, charset):
    problem(post(client, GEOJSON, f"text/plain; charset={charset}"), 415)


@pytest.mark.parametrize("name", ["klingon", "zlib", "undefined", "punycode", "%00", "a" * 150])
def test_an_encoding_that_is_none_is_refused(client, name):
    headers = {"Content-Type": "text/plain"}
    problem(client.post(f"{URL}&encoding={name}", content=GEOJSON, headers=headers), 422)


# --- forms ---------------------------------------------------------------------------------------

FILE = b'name="file"; filename="%s"'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../../x.json", "x.json"),
        (b"/etc/passwd", "passwd"),
        (b"C:\\\\windows\\\\x.json", "x.json"),
        (b"..", ".."),
        (b"CON", "CON"),
        (b"", ""),
        (b"<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        (b"=1+1.csv", "=1+1.csv"),
        (b"{{7*7}}", "{{7*7}}"),
        (b"a\x00b", "a\ufffdb"),
        ("\u202egpj.exe".encode(), "\ufffdgpj.exe"),
        ("长".encode() * 1000, "长" * 120),
    ],
)
def test_a_file_name_is_shown_and_never_used(client, tmp_path, monkeypatch, name, shown):
    monkeypatch.chdir(tmp_path)
    answer = send_form(client, (FILE % name, GEOJSON))
    assert answer.status_code == 200, answer.text
    assert answer.json()["site"]["source"]["name"] == shown
    changed = "\ufffd" in shown or len(shown) == 120
    assert ("text_replaced" in [w["code"] for w in answer.json()["warnings"]]) is changed
    assert list(tmp_path.iterdir()) == []
    assert client.get(f"/v1/site-checks/{answer.json()['id']}.html").status_code == 200


def test_a_file_name_longer_than_a_header_may_be_is_a_problem(client):
    problem(send_form(client, (FILE % (b"x" * 10_000), GEOJSON)), 400)


def test_a_name_in_half_a_surrogate_pair_is_shown_somehow(client):
    assert send_form(client, (FILE % b"\xed\xa0\x80", GEOJSON)).status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        [(FILE % b"a", GEOJSON), (FILE % b"b", GEOJSON)],
        [(b'name="file"', GEOJSON), (b'name="file"', GEOJSON)],
        [(FILE % b"a", GEOJSON), (b'name="file"', GEOJSON)],
        [(b'name="other"; filename="a"', GEOJSON)],
        [(b'filename="a"', GEOJSON)],
        [(b'name="use"', b"0803")],
        [(b'name="file"', b" " * 90_000 + GEOJSON), *[(b'name="attr"', b"x")] * 70],
        [],
    ],
)
def test_a_form_without_exactly_one_file_is_a_problem(client, parts):
    assert problem(send_form(client, *parts), 400).code == "body"


@pytest.mark.parametrize(
    "boundary", ["", ";boundary", ";boundary=", ';boundary=""', ";boundary=yy", ";boundary=é"]
)
def test_a_form_without_its_boundary_is_a_problem(client, boundary):
    kind = f"multipart/form-data{boundary}".encode("latin-1")
    problem(post(client, form((FILE % b"a", GEOJSON)), kind), 400)


@pytest.mark.parametrize("charset", ["undefined", "utf-16", "zlib", "idna", "punycode"])
def test_a_strange_charset_of_a_form_is_no_defect(client, charset):
    kind = f"multipart/form-data; boundary=xx; charset={charset}"
    answer = send_form(client, (FILE % b"\xff.txt", GEOJSON), kind=kind)
    assert answer.status_code in (200, 400), answer.text


# Starlette leaves the file of a part without an end to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_form_cut_off_anywhere_is_a_problem(client):
    whole = form((FILE % b"a", GEOJSON), (b'name="use"', b"0803"))
    assert post(client, whole, "multipart/form-data; boundary=xx").status_code == 200
    for end in range(0, len(whole) - 8, 17):
        problem(post(client, whole[:end], "multipart/form-data; boundary=xx"), 400)


@pytest.mark.parametrize("field", ["width_m", "as_of", "repair", "which"])
def test_the_place_of_a_wrong_option_is_told(client, field):
    url = "/v1/site-checks"
    answer = client.post(url, files={"file": ("a", GEOJSON)}, data={field: "?"})
    assert [fault.where for fault in problem(answer, 422).errors] == [f"参数 {field}"]


# --- the same through Python ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        GEOJSON.replace(b"115.971", b"NaN"),
        GEOJSON.replace(b'{"type"', b'{"type": "x", "type"'),
        GEOJSON + b"}",
        GEOJSON[:-1],
        b'{"a":' * 65,
        json.dumps({"type": "Polygon", "coordinates": [[*RING[:2], *RING[1::-1]]]}).encode(),
        json.dumps(
            {"type": "Polygon", "coordinates": [[RING[i] for i in (0, 2, 1, 3, 0)]]}
        ).encode(),
    ],
)
def test_http_tells_the_same_faults_as_the_python_call(client, plan, body):
    with pytest.raises(ValueError, match=r"\S") as error:
        read_site(body, plan)
    answer = post(client, body, "application/geo+json").json()
    expected = json.loads(json.dumps([fault.to_dict() for fault in error.value.faults]))
    assert (answer["code"], answer["detail"]) == (error.value.code, error.value.detail)
    assert answer["errors"] == expected


def test_a_crossing_is_told_with_ring_vertex_coordinate_and_marker(client):
    bow_tie = {"type": "Polygon", "coordinates": [[RING[i] for i in (0, 2, 1, 3, 0)]]}
    found = problem(post(client, json.dumps(bow_tie).encode(), "application/json"), 422)
    fault = found.errors[0]
    assert (fault.ring, fault.vertex) == (1, 1)
    # The diagonals of the square cross in its middle.
    assert fault.coordinate == pytest.approx((115.9705, 36.3705))
    assert fault.marker["coordinates"] == pytest.approx([115.9705, 36.3705])
    assert found.outline["coordinates"] == bow_tie["coordinates"]


# --- a real connection ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def port(app):
    """The service behind a real socket on this machine."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="on", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(20)


def talk(port, *pieces, hang_up=False):
    """Send the pieces, and return everything that comes back until the connection ends.

    A server that answers before it has read everything resets the connection when it closes it;
    what it said before is the answer.
    """
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
        contextlib.suppress(ConnectionError),
    ):
        for piece in pieces:
            connection.sendall(piece)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        while received := connection.recv(65536):
            answer += received
    return answer


def request(*headers, kind=b"application/json"):
    rows = [b"POST " + URL.encode() + b" HTTP/1.1", b"Host: x", b"Content-Type: " + kind, *headers]
    return b"\r\n".join([*rows, b"", b""])


def length(body):
    return b"Content-Length: %d" % len(body)


CLOSE = b"Connection: close"


def test_a_chunked_body_is_read(port):
    chunks = [b"%x\r\n%s\r\n" % (len(c), c) for c in (GEOJSON[:7], GEOJSON[7:])]
    answer = talk(port, request(b"Transfer-Encoding: chunked", CLOSE), *chunks, b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


def test_an_endless_chunked_body_is_refused_at_the_limit(port):
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    answer = talk(port, request(b"Transfer-Encoding: chunked", CLOSE), *[chunk] * 7)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer


def test_who_announces_too_much_is_refused_before_sending(port):
    header = request(b"Content-Length: 100001", b"Expect: 100-continue", CLOSE)
    answer = talk(port, header)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer


def test_who_asks_before_sending_may_go_on(port):
    header = request(length(GEOJSON), b"Expect: 100-continue", CLOSE)
    answer = talk(port, header, GEOJSON)
    assert answer.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 200" in answer


def test_a_body_shorter_than_announced_ends_at_the_deadline(port):
    answer = talk(port, request(b"Content-Length: 5000", CLOSE), GEOJSON)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer


def test_who_hangs_up_in_the_middle_does_no_harm(port):
    assert talk(port, request(b"Content-Length: 5000"), GEOJSON, hang_up=True) == b""
    assert talk(port, request(length(GEOJSON), CLOSE), GEOJSON).startswith(b"HTTP/1.1 200")


def test_what_follows_a_shorter_announced_body_is_no_part_of_it(port):
    answer = talk(port, request(b"Content-Length: 10", CLOSE), GEOJSON)
    assert answer.startswith(b"HTTP/1.1 422")


@pytest.mark.parametrize("announced", [b"-1", b"x", b"1_0", b"9" * 400, b"5, 6"])
def test_a_length_that_is_none_is_a_client_error(port, announced):
    answer = talk(port, request(b"Content-Length: " + announced, CLOSE), GEOJSON)
    assert answer.startswith(b"HTTP/1.1 4")
