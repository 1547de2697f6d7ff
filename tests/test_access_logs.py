"""What is written about requests, and that no secret is ever in it; headers of every answer."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import re

import pytest
from access_service import SITE, WRONG, add_ended, asked_by, service
from hypothesis import given
from hypothesis import strategies as st

from api.access.audit import AuditLog
from api.access.roles import Role
from api.access.visit import ON_THIS_MACHINE, RECORD_ID, Caller, Visit, begin
from api.logs import JsonFormatter, TextFormatter, guard_loggers, log_config, without_secrets

PROXY = "10.0.0.5"


@pytest.fixture(scope="module")
def running(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    with service(
        plan, folder, audit=folder / "audit.jsonl", trusted_proxies=PROXY, proxy_roles="g=clerk",
        rate_per_minute=60_000,
    ) as made:  # fmt: skip
        for role in ("viewer", "clerk", "reviewer", "admin"):
            made.add(role, role)
        add_ended(made)
        yield made


@pytest.fixture
def opened(running):
    running.client.cookies.clear()
    running.access.wrong_keys._wrong.clear()
    return running


@pytest.fixture
def log():
    """Everything that is logged, as the service writes it, at the lowest level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    names = ("wuqu", "uvicorn", "uvicorn.access", "wuqu.access", "wuqu.audit")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def audit_of(made) -> list[dict]:
    return [json.loads(line) for line in made.settings.audit.read_text().splitlines()]


# --- audit ---------------------------------------------------------------------------------------


def test_a_check_and_a_look_at_its_record_are_in_the_audit_log(opened) -> None:
    record = opened.check("clerk").json()["id"]
    opened.get(f"/v1/site-checks/{record}.geojson", "reviewer", params={})
    made, seen = audit_of(opened)[-2:]
    assert made == {
        "time": made["time"], "request_id": made["request_id"], "who": "clerk", "kind": "key",
        "key_id": opened.keys["clerk"].split("_")[1], "role": "clerk", "office": "",
        "from": "testclient", "method": "POST", "route": "/v1/site-checks", "records": [record],
        "status": 200, "result": "ok",
    }  # fmt: skip
    assert (seen["who"], seen["route"]) == ("reviewer", "/v1/site-checks/{check_id}.geojson")
    assert seen["records"] == [record]


def test_the_request_id_of_the_answer_is_that_of_the_audit_line_and_of_the_record(opened) -> None:
    answer = opened.client.post(
        "/v1/site-checks?remedies=false", content=SITE,
        headers=opened.headers("clerk", **{"X-Request-ID": "abc-1", "Content-Type": "text/plain"}),
    )  # fmt: skip
    assert answer.headers["x-request-id"] == "abc-1"
    assert audit_of(opened)[-1]["request_id"] == "abc-1"
    store = opened.client.app.state.wuqu.store
    record = store.get(answer.json()["id"])
    assert (record.request_id, record.owner) == ("abc-1", "key:clerk")


@pytest.mark.parametrize(
    ("who", "method", "url", "status", "result"),
    [
        (None, "GET", "/v1/plan", 401, "denied"),
        ("wrong", "GET", "/v1/plan", 401, "denied"),
        ("revoked", "GET", "/v1/plan", 401, "denied"),
        ("viewer", "POST", "/v1/site-checks", 403, "denied"),
        ("clerk", "GET", f"/v1/site-checks/{'0' * 32}", 404, "refused"),
        ("admin", "POST", "/v1/keys", 422, "refused"),
        ("admin", "GET", "/v1/plan", 200, "ok"),
    ],
)
def test_refusals_are_in_the_audit_log_with_their_result(
    opened, who, method, url, status, result
) -> None:
    opened.client.request(method, url, headers=opened.headers(who))
    row = audit_of(opened)[-1]
    assert (row["status"], row["result"]) == (status, result)
    assert row["who"] == ("" if status == 401 else who)


def test_signing_in_and_out_is_in_the_audit_log(opened) -> None:
    opened.client.post("/sign-in", data={"key": opened.keys["clerk"]})
    opened.client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    opened.client.post("/sign-in", data={"key": WRONG})
    rows = [(row["who"], row["result"]) for row in audit_of(opened)[-3:]]
    assert rows == [("clerk", "signed_in"), ("clerk", "signed_out"), ("", "denied")]


@pytest.mark.parametrize("url", ["/healthz", "/static/desk.css", "/sign-in"])
def test_what_is_the_same_for_everybody_is_not_in_the_audit_log(opened, url) -> None:
    before = len(audit_of(opened))
    assert opened.get(url, None).status_code == 200
    assert len(audit_of(opened)) == before


def test_a_flood_of_refusals_is_one_line(plan, tmp_path) -> None:
    with service(plan, tmp_path, audit=tmp_path / "a.jsonl", rate_per_minute=60) as made:
        made.add("a", "viewer")
        for _ in range(50):
            made.get("/v1/me", "a")
        results = [row["result"] for row in audit_of(made)]
        assert results.count("limited") == 1
        assert results.count("ok") == 10


def test_the_user_of_a_proxy_is_named_with_the_address_before_the_proxy(opened) -> None:
    headers = {
        "X-Forwarded-User": "张三".encode(),
        "X-Forwarded-Groups": b"g",
        "X-Forwarded-For": b"6.6.6.6, 10.3.3.3",
    }
    asked_by(opened.client.app, PROXY).get("/v1/plan", headers=headers)
    row = audit_of(opened)[-1]
    assert (row["who"], row["kind"], row["from"]) == ("张三", "user", "10.3.3.3")


def test_no_path_query_body_or_coordinate_is_in_an_audit_line(opened) -> None:
    opened.get("/v1/layers/zones?bbox=115.9,36.3,116.0,36.4", "viewer")
    opened.get("/v1/site-checks/secret-name-of-a-project", "clerk")
    opened.client.post(
        "/v1/site-checks", headers=opened.headers("clerk", **{"Content-Type": "text/plain"}),
        content="POLYGON((115.97 36.37,115.971 36.37,115.971 36.371,115.97 36.37))",
    )  # fmt: skip
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in audit_of(opened)[-3:])
    assert not re.search(r"115\.9|36\.3|secret-name|bbox", text)


def test_a_log_that_is_moved_away_is_made_anew(tmp_path) -> None:
    path = tmp_path / "deep" / "audit.jsonl"
    log = AuditLog(path)
    log.write({"n": 1})
    path.rename(path.with_suffix(".1"))
    log.write({"n": 2})
    assert [json.loads(p.read_text())["n"] for p in (path.with_suffix(".1"), path)] == [1, 2]
    assert path.stat().st_mode & 0o077 == 0
    log.close()


def test_a_log_that_cannot_be_written_is_told_once_and_shows_in_readiness(tmp_path, log) -> None:
    audit = AuditLog(tmp_path)  # a folder
    for _ in range(3):
        audit.write({"n": 1})
    assert audit.fault
    assert log.getvalue().count("audit log cannot be written") == 1


def test_without_a_file_audit_lines_go_to_their_logger(log) -> None:
    audit = AuditLog(None)
    audit.of_visit(Visit("r1", caller=Caller("key", "a", Role.clerk)), "GET", 200)
    # On an open machine there is nobody whom a line could name.
    audit.of_visit(Visit("r2", caller=ON_THIS_MACHINE), "GET", 200)
    (line,) = log.getvalue().splitlines()
    row = json.loads(line)
    assert (row["logger"], row["who"], row["request_id"]) == ("wuqu.audit", "a", "r1")


# --- request ids ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given_id", ["a", "A-1.b_2", "f" * 64, "3f9a01bc-0000-4000-8000-00000000000a"]
)
def test_a_harmless_request_id_is_kept(opened, given_id) -> None:
    answer = opened.client.get("/healthz", headers={"X-Request-ID": given_id})
    assert answer.headers["x-request-id"] == given_id


@pytest.mark.parametrize("given_id", ["", "a b", "f" * 65, "x\ty", "é", '"}', WRONG, "a;b", "a/b"])
def test_any_other_request_id_is_replaced(opened, given_id) -> None:
    answer = opened.client.get("/healthz", headers={"X-Request-ID": given_id.encode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


def test_two_request_ids_are_none(opened) -> None:
    headers = [("X-Request-ID", "a"), ("X-Request-ID", "b")]
    assert len(opened.client.get("/healthz", headers=headers).headers["x-request-id"]) == 16


@given(st.text(max_size=70))
def test_whatever_is_sent_a_request_id_is_short_and_plain(text) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", begin({}, text).request_id)


@given(st.text(max_size=40))
def test_only_ids_of_records_are_noted(text) -> None:
    visit = Visit("r")
    visit.note(text)
    assert not visit.records or RECORD_ID.fullmatch(text)


# --- secrets -------------------------------------------------------------------------------------


def every_way(opened) -> list[str]:
    """Send secrets in every place of a request where one could stand; return the secrets."""
    key, other = opened.keys["clerk"], opened.keys["admin"]
    client = opened.client
    answer = client.post("/sign-in", data={"key": key})
    token = answer.cookies["wuqu_session"]
    client.get("/", headers={"Cookie": f"wuqu_session={token}"})
    for url in (
        f"/v1/plan?key={other}", f"/{other}", f"/v1/site-checks/{other}", f"/v1/keys/{other}",
        f"/maps/assets/{other}", f"/sign-in?next={other}", f"/v1/layers/{other}?limit={other}",
    ):  # fmt: skip
        for headers in (
            {"Authorization": f"Bearer {key}"},
            {"X-API-Key": key, "X-Request-ID": other, "User-Agent": other, "Referer": other},
            {"Authorization": f"Bearer {key[:-1]}"},
            {"Authorization": f"Basic {key}", "Cookie": f"wuqu_session={token}; a={other}"},
        ):
            client.get(url, headers=headers)
            client.post(url, headers=headers, content=other)
    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "1.2.3.4:5", "GET", f"/v1/plan?key={other}", "1.1", 401
    )
    logging.getLogger("uvicorn.error").error("broken header Authorization: Bearer %s", key)
    try:
        raise RuntimeError(f"postgresql://gis:geheim@db/wuqu {key}")
    except RuntimeError:
        logging.getLogger("wuqu").exception("a defect with %s", token)
    # The secret part of a key may have an underscore of its own.
    return [key[-20:], key, other, token, token[-20:], "geheim"]


def test_no_secret_of_a_header_cookie_or_address_reaches_any_log(opened, log) -> None:
    guard_loggers()
    opened.client.app.add_api_route("/v1/broken", _broken)
    secrets = every_way(opened)
    opened.client.get("/v1/broken", headers=opened.headers("admin"))
    written = log.getvalue() + opened.settings.audit.read_text()
    assert "/v1/plan" in written
    assert "RuntimeError" in written
    assert len(log.getvalue().splitlines()) > 50
    assert [secret for secret in secrets if secret in written] == []


def _broken() -> None:
    raise RuntimeError("wuqu_0a0a0a0a_" + "s" * 43)


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_both_ways_of_writing_blot_secrets_out_of_text_and_traceback(formatter) -> None:
    secret = "wuqu_0a0a0a0a_" + "s" * 43
    try:
        raise RuntimeError(secret)
    except RuntimeError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "with %s", (secret,), info)
    line = formatter.format(record)
    assert "s" * 20 not in line
    assert "RuntimeError" in line


@pytest.mark.parametrize(
    "text",
    [
        "GET /v1/plan 200 12 ms",
        "地块 3 的面积为 12.5 亩",
        "http://127.0.0.1:8000/docs",
        "cookie",
        "a: b@c",
    ],
)
def test_lines_without_secrets_stay_as_they_are(text) -> None:
    assert without_secrets(text) == text


@given(st.text(alphabet=st.sampled_from("ABCxyz019-_"), min_size=43, max_size=43))
def test_every_key_is_blotted_out_wherever_it_stands(secret) -> None:
    for text in (
        f"wuqu_01234567_{secret}",
        f"x=wuqu_01234567_{secret}&y",
        f"(wuqu_01234567_{secret})",
    ):
        assert secret not in without_secrets(text)


def test_the_configuration_of_the_log_is_one_that_can_be_used(capsys) -> None:
    for how in ("text", "json", "auto"):
        config = log_config(how)
        assert config["handlers"]["stderr"]["stream"] == "ext://sys.stderr"
        logging.config.DictConfigurator(config)
    assert capsys.readouterr().err == ""


# --- headers -------------------------------------------------------------------------------------

ALWAYS = (
    "content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options",
    "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy",
    "x-request-id",
)  # fmt: skip


@pytest.mark.parametrize(
    ("who", "method", "url", "status"),
    [
        (None, "GET", "/healthz", 200), ("viewer", "GET", "/v1/plan", 200),
        ("viewer", "GET", "/", 200), ("viewer", "PUT", "/v1/plan", 405),
        (None, "GET", "/v1/plan", 401), ("viewer", "POST", "/v1/site-checks", 403),
        ("viewer", "GET", "/nope", 404), ("admin", "GET", "/nope", 404),
        ("clerk", "POST", "/v1/site-checks", 415), ("viewer", "GET", "/v1/plan?x=1", 422),
        ("admin", "GET", "/v1/defect", 500), (None, "GET", "/static/nope", 404),
    ],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(opened, who, method, url, status) -> None:
    opened.client.app.add_api_route("/v1/defect", _broken)
    answer = opened.client.request(method, url, headers=opened.headers(who))
    assert answer.status_code == status
    assert [name for name in ALWAYS if name not in answer.headers] == []
    assert "strict-transport-security" not in answer.headers
    private = not url.startswith(("/healthz", "/static"))
    assert (answer.headers.get("cache-control") == "no-store") is private


@pytest.mark.parametrize("url", ["/healthz", "/v1/plan", "/v1/defect", "/nope"])
def test_https_is_asked_for_only_where_the_client_came_by_https(opened, url) -> None:
    opened.client.app.add_api_route("/v1/defect", _broken)
    headers = opened.headers("admin", **{"X-Forwarded-Proto": "https"})
    behind = asked_by(opened.client.app, PROXY).get(url, headers=headers)
    assert behind.headers["strict-transport-security"].startswith("max-age=")
    spoofed = opened.client.get(url, headers=headers)
    assert "strict-transport-security" not in spoofed.headers


def test_files_of_a_map_may_be_kept_by_its_reader_only(opened, plan, tmp_path) -> None:
    kept = opened.get("/maps/assets/leaflet.js", "viewer").headers["cache-control"]
    assert kept.startswith("private, max-age=")
    with service(plan, tmp_path) as free:
        assert (
            free.get("/maps/assets/leaflet.js", None).headers["cache-control"].startswith("public")
        )
