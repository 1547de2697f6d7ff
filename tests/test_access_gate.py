"""The door: who is let in, by what, and what nobody may see of others."""

from __future__ import annotations

import asyncio
import threading

import pytest
from access_service import SITE, WRONG, add_ended, asked_by, door, service
from starlette.websockets import WebSocketDisconnect

from api.access.control import COOKIE, SECURE_COOKIE
from api.access.errors import OverloadError
from api.access.peers import Proxies
from api.access.roles import LONG, ROUTES, Role
from api.access.visit import Caller, Visit
from gis.errors import ClaimError

SUFFIXES = (
    "",
    ".json",
    ".geojson",
    ".html",
    ".pdf",
    ".docx",
    ".gpkg",
    ".xlsx",
    ".csv",
    ".txt",
    ".png",
)


@pytest.fixture(scope="module")
def running(plan, tmp_path_factory):
    """A service with keys of each role and of two offices."""
    with service(plan, tmp_path_factory.mktemp("gate"), rate_per_minute=0) as made:
        for role in ("viewer", "reviewer", "admin"):
            made.add(role, role)
        made.add("own", "clerk")
        made.add("other", "clerk")
        made.add("office-1", "clerk", office="用途管制科")
        made.add("office-2", "clerk", office="用途管制科")
        # The office is no name, and a key named like it is no office.
        made.add("用途管制科", "clerk")
        add_ended(made)
        yield made


@pytest.fixture
def opened(running):
    """The same, with a browser that nobody has used yet."""
    running.client.cookies.clear()
    running.access.wrong_keys._wrong.clear()
    return running


@pytest.fixture(scope="module")
def free(plan, tmp_path_factory):
    """A service without keys."""
    folder = tmp_path_factory.mktemp("free")
    with service(plan, folder, hosts="map.example.org") as made:
        yield made


# --- open, and closed ----------------------------------------------------------------------------


def test_on_this_machine_without_keys_everything_is_open_as_ever(free) -> None:
    assert free.get("/v1/me", None).json()["kind"] == "open"
    record = free.check(None).json()["id"]
    for url in ("/", "/docs", "/metrics", "/v1/plan", f"/v1/site-checks/{record}"):
        assert free.get(url, None).status_code == 200
    assert [row["id"] for row in free.get("/v1/site-checks", None).json()["checks"]] == [record]


def test_the_first_key_closes_a_running_service_at_once(tmp_path) -> None:
    made = door(tmp_path)
    assert made.get("/v1/me", None).status_code == 200
    made.add("a", "admin")
    assert made.get("/v1/me", None).status_code == 401
    assert made.get("/v1/me", "a").status_code == 200


@pytest.mark.parametrize("how", ["revoked", "removed"])
def test_without_its_last_key_a_closed_service_stays_closed(tmp_path, how) -> None:
    made = door(tmp_path)
    made.add("a", "admin")
    assert made.get("/v1/me", None).status_code == 401
    if how == "revoked":
        made.access.keys.revoke("a")
    else:
        made.settings.key_file.unlink()
    assert made.get("/v1/me", None).status_code == 401


@pytest.mark.parametrize("content", ["{", "", '{"version": 9, "keys": []}'])
def test_a_broken_file_of_keys_closes_the_service_with_a_reason(tmp_path, content) -> None:
    made = door(tmp_path)
    made.settings.key_file.write_text(content)
    answer = made.get("/v1/me", None)
    assert (answer.status_code, answer.json()["code"]) == (503, "access_file")
    assert str(tmp_path) not in answer.text
    assert made.get("/healthz", None).status_code == 200


@pytest.mark.parametrize("address", ["192.168.1.5", "8.8.8.8", "2001:db8::1", "::ffff:10.0.0.1"])
def test_open_is_never_open_to_another_machine_however_the_server_was_started(
    tmp_path, address
) -> None:
    made = door(tmp_path, peer=address)
    assert made.get("/v1/me", None).status_code == 401
    assert made.get("/healthz", None).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.8"])
def test_on_another_address_this_machine_needs_a_key_too(tmp_path, host) -> None:
    assert door(tmp_path, peer="127.0.0.1").get("/v1/me", None).status_code == 200
    closed = door(tmp_path, peer="127.0.0.1", host=host)
    assert closed.get("/v1/me", None).status_code == 401


def test_while_open_keys_are_not_made_over_http(free) -> None:
    answer = free.client.post("/v1/keys", json={"name": "a", "role": "admin"})
    assert answer.status_code == 403
    assert "wuqu keys add" in answer.json()["detail"]
    assert not free.settings.key_file.exists()


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("127.0.0.1", 200), ("[::1]:8000", 200), ("desk", 200),
     ("map.example.org", 200), ("evil.example.com", 403), ("127.0.0.1.evil.com:8000", 403)],
)  # fmt: skip
def test_a_page_whose_name_was_made_to_mean_this_machine_is_refused(free, host, status) -> None:
    assert free.client.get("/v1/me", headers={"Host": host}).status_code == status


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [("Authorization", "Bearer {}"), ("authorization", "bearer  {}"), ("X-API-Key", "{}")],
)
def test_a_key_is_taken_from_either_header(opened, header) -> None:
    name, form = header
    answer = opened.client.get("/v1/me", headers={name: form.format(opened.keys["own"])})
    assert answer.json() == {
        "kind": "key", "name": "own", "role": "clerk", "role_label": "经办", "office": "",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "token", "authorization"])
def test_no_key_is_taken_from_an_address(opened, name) -> None:
    assert opened.client.get(f"/v1/me?{name}={opened.keys['admin']}").status_code == 401


def test_two_different_keys_are_none(opened) -> None:
    headers = [("X-API-Key", opened.keys["admin"]), ("X-API-Key", WRONG)]
    assert opened.client.get("/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic {}", "{}", "Bearer x", "Bearer \xff"]
)
def test_what_is_no_key_is_refused_with_the_way_in(opened, header) -> None:
    value = header.format(opened.keys["admin"]).encode("latin-1")
    answer = opened.client.get("/v1/me", headers={"Authorization": value})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="wuqu"'
    assert answer.json()["code"] in ("key_needed", "key_wrong")


def test_the_holder_of_an_ended_key_is_told_why(opened) -> None:
    for name, word in (("expired", "到期"), ("revoked", "吊销")):
        answer = opened.get("/v1/me", name)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_ended")
        assert word in answer.json()["detail"]


def test_a_wrong_key_beside_a_good_session_lets_nobody_in(opened) -> None:
    sign_in(opened, "own")
    assert opened.client.get("/v1/me").status_code == 200
    assert opened.client.get("/v1/me", headers={"X-API-Key": WRONG}).status_code == 401


def test_an_administrator_makes_renews_and_revokes_keys_over_http(opened) -> None:
    wanted = {"name": "新窗口", "role": "clerk", "office": "耕保科", "expires_on": "2099-12-31"}
    made = opened.client.post("/v1/keys", json=wanted, headers=opened.headers("admin"))
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    opened.keys["new"] = made.json()["key"]
    assert opened.get("/v1/me", "new").json()["office"] == "耕保科"
    url = "/v1/keys/新窗口"
    renewed = opened.client.post(f"{url}/rotate", headers=opened.headers("admin")).json()
    assert opened.get("/v1/me", "new").status_code == 401
    opened.keys["new"] = renewed["key"]
    assert opened.get("/v1/me", "new").status_code == 200
    assert opened.client.delete(url, headers=opened.headers("admin")).json()["state"] == "revoked"
    assert opened.get("/v1/me", "new").json()["code"] == "key_ended"
    listed = opened.get("/v1/keys", "admin")
    assert {row["name"] for row in listed.json()["keys"]} >= {"新窗口", "own"}
    assert not [text for text in opened.keys.values() if text in listed.text]


@pytest.mark.parametrize(
    "wanted",
    [{}, {"name": "a"}, {"name": "a", "role": "king"}, {"name": "a/b", "role": "clerk"},
     {"name": "own", "role": "clerk"}, {"name": "a", "role": "clerk", "expires_on": "soon"},
     {"name": "a", "role": "clerk", "expires_on": "2020-01-01"},
     {"name": "a", "role": "clerk", "x": 1}],
)  # fmt: skip
def test_a_key_that_cannot_be_made_is_a_problem(opened, wanted) -> None:
    answer = opened.client.post("/v1/keys", json=wanted, headers=opened.headers("admin"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


# --- records of others ---------------------------------------------------------------------------


def test_a_clerk_sees_own_records_and_no_others_not_even_that_they_exist(opened) -> None:
    record = opened.check("own").json()["id"]
    nowhere = opened.get(f"/v1/site-checks/{'0' * 32}", "other")
    for suffix in SUFFIXES:
        url = f"/v1/site-checks/{record}{suffix}"
        assert opened.get(url, "own").status_code in (200, 404), suffix
        assert suffix == ".txt" or opened.get(url, "own").status_code == 200, suffix
        other = opened.get(url, "other")
        assert other.status_code == 404, suffix
        assert other.content == nowhere.content
        assert opened.get(url, "viewer").status_code == 403
    assert opened.get(f"/v1/records/{record}", "own").json()["id"] == record
    assert opened.get(f"/v1/records/{record}", "other").content == nowhere.content
    # Drawn for its owner a moment ago; the map must not be handed out from memory.
    assert opened.get(f"/maps/site-checks/{record}.html", "own").status_code == 200
    assert opened.get(f"/maps/site-checks/{record}.html", "other").status_code == 404


@pytest.mark.parametrize("role", ["reviewer", "admin"])
def test_reviewers_and_administrators_see_the_records_of_all(opened, role) -> None:
    record = opened.check("own").json()["id"]
    assert opened.get(f"/v1/site-checks/{record}", role).status_code == 200
    listed = opened.get("/v1/site-checks", role).json()["checks"]
    assert record in [row["id"] for row in listed]


def test_a_decision_of_an_officer_names_the_key_that_wrote_it(opened) -> None:
    record = opened.check("own").json()["id"]
    url = f"/v1/records/{record}/decisions"
    wanted = {"verdict": "conditional", "office": "耕保科", "reason": "补划方案已批复"}
    assert opened.client.post(url, json=wanted, headers=opened.headers("own")).status_code == 403
    made = opened.client.post(url, json=wanted, headers=opened.headers("reviewer"))
    assert (made.status_code, made.json()["decided_by"]) == (201, "reviewer")


def test_keys_of_one_office_share_their_records(opened) -> None:
    record = opened.check("office-1").json()["id"]
    assert opened.get(f"/v1/site-checks/{record}", "office-2").status_code == 200
    for stranger in ("own", "用途管制科"):
        assert opened.get(f"/v1/site-checks/{record}", stranger).status_code == 404


def test_the_list_and_the_desk_show_what_the_caller_may_see(opened) -> None:
    ids = {name: opened.check(name).json()["id"] for name in ("own", "other", "office-1")}
    for name, seen in (("own", {"own"}), ("office-2", {"office-1"}), ("reviewer", set(ids))):
        listed = {row["id"] for row in opened.get("/v1/site-checks", name).json()["checks"]}
        assert listed & set(ids.values()) == {ids[owner] for owner in seen}
        page = opened.get("/", name).text
        assert {i for i in ids.values() if i in page} == {ids[owner] for owner in seen}
    assert not [i for i in ids.values() if i in opened.get("/", "viewer").text]


def test_a_rotated_key_keeps_its_records(opened) -> None:
    record = opened.check("own").json()["id"]
    opened.keys["own"] = opened.access.keys.rotate("own")[1]
    assert opened.get(f"/v1/site-checks/{record}", "own").status_code == 200


def test_records_from_before_there_were_keys_are_for_reviewers(plan, tmp_path) -> None:
    with service(plan, tmp_path) as made:
        record = made.check(None).json()["id"]
        made.add("a", "clerk")
        made.add("b", "reviewer")
        assert made.get(f"/v1/site-checks/{record}", "a").status_code == 404
        assert made.get(f"/v1/site-checks/{record}", "b").status_code == 200


@pytest.mark.parametrize(
    ("caller", "owner", "seen"),
    [
        (Caller("key", "a", Role.clerk), "key:a", True),
        (Caller("key", "a", Role.clerk), "", False),
        (Caller("key", "a", Role.clerk), "user:a", False),
        (Caller("key", "a", Role.clerk, "x"), "key:a", False),
        (Caller("key", "a", Role.clerk, "x"), "office:x", True),
        (Caller("nobody"), "", False),
        (Caller("key", "a", Role.reviewer), "", True),
    ],
)
def test_owners_are_told_apart_by_kind(caller, owner, seen) -> None:
    assert caller.may_see(owner) is seen


# --- the browser ---------------------------------------------------------------------------------


def sign_in(opened, name, *, after="/", **headers):
    fields = {"key": opened.keys.get(name, name), "next": after}
    return opened.client.post("/sign-in", data=fields, headers=headers)


def test_signing_in_gives_a_cookie_that_no_script_and_no_other_site_can_use(opened) -> None:
    answer = sign_in(opened, "own", after="/docs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {p.strip() for p in cookie.split(";")}
    assert opened.keys["own"] not in cookie
    assert opened.keys["own"][-20:] not in str(answer.headers)
    assert opened.client.get("/v1/me").json()["name"] == "own"


def test_behind_https_the_cookie_is_for_https_alone(plan, tmp_path) -> None:
    with service(plan, tmp_path, trusted_proxies="10.0.0.5") as made:
        made.add("own", "clerk")
        client = asked_by(made.client.app, "10.0.0.5", "https://gis.example.cn")
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.9.9"}
        answer = client.post("/sign-in", data={"key": made.keys["own"]}, headers=headers)
        assert answer.headers["set-cookie"].startswith(f"{SECURE_COOKIE}=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]
        assert client.get("/v1/me", headers=headers).status_code == 200
        # A cookie that http could have planted is not looked at.
        token = client.cookies[SECURE_COOKIE]
        client.cookies.clear()
        client.cookies.set(COOKIE, token)
        assert client.get("/v1/me", headers=headers).status_code == 401


@pytest.mark.parametrize("key", ["", "x", WRONG, "expired", "revoked"])
def test_a_wrong_key_gives_no_cookie_and_a_reason(opened, key) -> None:
    answer = sign_in(opened, key)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "密钥" in answer.text
    assert opened.keys.get(key, WRONG) not in answer.text
    assert not key or f'value="{key}"' not in answer.text


@pytest.mark.parametrize("body", [b"", b"key", b"\xff=\xff", b"key=" + b"A" * 5000, b"{}"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", ""])
def test_a_form_that_is_none_is_a_wrong_key(opened, body, kind) -> None:
    answer = opened.client.post("/sign-in", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "after",
    ["//evil.org", "https://evil.org", "/\\evil.org", "/v1/keys", "javascript:alert(1)", ""],
)
def test_after_signing_in_nobody_is_sent_elsewhere(opened, after) -> None:
    assert sign_in(opened, "own", after=after).headers["location"] == "/"
    page = opened.client.get("/sign-in", params={"next": after}).text
    assert 'name="next" value="/"' in page


def test_signing_out_ends_the_session_itself(opened) -> None:
    sign_in(opened, "own")
    token = opened.client.cookies[COOKIE]
    answer = opened.client.post("/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert COOKIE not in opened.client.cookies
    opened.client.cookies.set(COOKIE, token)
    assert opened.client.get("/v1/me").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "wuqu_session_" + "A" * 43, "A" * 5000, "a;b", '"'])
def test_a_made_up_cookie_is_nobody(opened, token) -> None:
    answer = opened.client.get("/v1/me", headers={"Cookie": f"{COOKIE}={token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "key_needed")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.org"}, 403),
        ({"Origin": "https://testserver"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_page_of_another_site_cannot_act_for_who_is_signed_in(opened, headers, status) -> None:
    sign_in(opened, "own")
    answer = opened.client.post(
        "/v1/site-checks?remedies=false", content=SITE,
        headers={"Content-Type": "application/geo+json", **headers},
    )  # fmt: skip
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "foreign_page"


def test_another_site_can_neither_sign_somebody_in_nor_out(opened) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = opened.client.post("/sign-in", data={"key": opened.keys["own"]}, headers=foreign)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    sign_in(opened, "own")
    assert opened.client.post("/sign-out", headers=foreign).status_code == 403
    assert opened.client.get("/v1/me").status_code == 200


def test_while_open_no_page_of_another_site_can_leave_records(free) -> None:
    before = free.get("/v1/site-checks", None).json()
    headers = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}
    assert free.client.post("/v1/site-checks", content=SITE, headers=headers).status_code == 403
    assert free.get("/v1/site-checks", None).json() == before


@pytest.mark.parametrize("path", ["/", "/docs", "/maps/plan.html"])
def test_a_person_is_shown_the_form_and_a_program_is_not(opened, path) -> None:
    person = opened.client.get(path, headers={"Accept": "text/html,*/*"})
    assert person.status_code == 303
    assert person.headers["location"].startswith("/sign-in")
    assert opened.client.get(path).status_code == 401


def test_the_desk_says_who_is_signed_in_and_what_a_viewer_may_not(opened) -> None:
    sign_in(opened, "viewer")
    page = opened.client.get("/").text
    assert "退出" in page
    assert "不能提交检测" in page
    assert 'class="go" disabled' in page
    assert 'class="go" disabled' not in opened.get("/", "own").text


# --- proxies -------------------------------------------------------------------------------------


@pytest.fixture
def proxied(tmp_path):
    """Ask a service that believes one proxy about users and their groups."""
    made = door(
        tmp_path, trusted_proxies="10.0.0.5, 10.1.0.0/16",
        proxy_roles="规划科=clerk,gis-admin=admin,大厅=viewer", rate_per_minute=0,
    )  # fmt: skip

    def ask(*pairs, peer="10.0.0.5", **headers):
        given = [(name.replace("_", "-"), value) for name, value in headers.items()]
        sent = [(name, value.encode()) for name, value in (*given, *pairs)]
        return asked_by(made.client.app, peer).get("/v1/me", headers=sent)

    return ask


def test_a_user_of_a_listed_proxy_has_the_role_of_the_group(proxied) -> None:
    user = proxied(X_Forwarded_User="张三", X_Forwarded_Groups="x,规划科").json()
    assert user == {
        "kind": "user", "name": "张三", "role": "clerk", "role_label": "经办", "office": "",
    }  # fmt: skip
    both = proxied(X_Forwarded_User="%E5%BC%A0", X_Forwarded_Groups="gis-admin,大厅").json()
    assert (both["name"], both["role"]) == ("张", "admin")


@pytest.mark.parametrize("address", ["10.0.0.6", "127.0.0.1", "192.168.0.1", "::1", "testclient"])
def test_the_same_headers_from_anybody_else_are_made_up(proxied, address) -> None:
    answer = proxied(
        peer=address, X_Forwarded_User="张三", X_Forwarded_Groups="gis-admin",
        X_Forwarded_For="10.0.0.5",
    )  # fmt: skip
    assert answer.status_code == 401


def test_a_user_without_a_known_group_is_refused(proxied) -> None:
    answer = proxied(X_Forwarded_User="张三", X_Forwarded_Groups="别的")
    assert (answer.status_code, answer.json()["code"]) == (403, "role")
    assert proxied(X_Forwarded_User="张三").status_code == 403
    assert proxied(X_Forwarded_Groups="gis-admin").status_code == 401


def test_a_header_that_a_client_sent_beside_that_of_the_proxy_counts_for_nothing(proxied) -> None:
    user, groups = ("X-Forwarded-User", "li"), ("X-Forwarded-Groups", "gis-admin")
    assert proxied(user, groups).json()["role"] == "admin"
    assert proxied(user, groups, ("X-Forwarded-User", "boss")).status_code == 401
    assert proxied(user, groups, ("X-Forwarded-Groups", "x")).status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.1.2.3", "1.2.3.4"),
        ("", "10.0.0.5"),
        ("nonsense", "10.0.0.5"),
        ("10.1.2.3", "10.0.0.5"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_the_address_is_the_last_one_that_no_listed_proxy_has(forwarded, address) -> None:
    proxies = Proxies("10.0.0.5,10.1.0.0/16")
    scope = {"type": "http", "client": ("10.0.0.5", 1), "scheme": "http"}
    scope["headers"] = [(b"x-forwarded-for", forwarded.encode())]
    assert proxies.peer(scope).address == address
    scope["client"] = ("9.9.9.9", 1)
    assert proxies.peer(scope).address == "9.9.9.9"


@pytest.mark.parametrize(
    ("trusted", "roles"),
    [
        ("nowhere", ""),
        ("10.0.0.5", "a"),
        ("10.0.0.5", "a=king"),
        ("", "a=clerk"),
        ("1.2.3.4/99", ""),
    ],
)
def test_settings_of_proxies_that_mean_nothing_are_refused(trusted, roles) -> None:
    with pytest.raises(ClaimError, match="WUQU_"):
        Proxies(trusted, roles)


# --- limits over HTTP ----------------------------------------------------------------------------


def test_too_many_requests_of_one_key_do_not_touch_another(tmp_path) -> None:
    made = door(tmp_path, rate_per_minute=60)
    made.add("a", "viewer")
    made.add("b", "viewer")
    found = [made.get("/v1/me", "a") for _ in range(12)]
    assert [answer.status_code for answer in found[:10]] == [200] * 10
    limited = found[-1]
    assert (limited.status_code, limited.json()["code"]) == (429, "too_many")
    assert limited.headers["content-type"] == "application/problem+json"
    assert int(limited.headers["retry-after"]) >= 1
    assert made.get("/v1/me", "b").status_code == 200


def test_strangers_are_limited_by_address(tmp_path) -> None:
    made = door(tmp_path, rate_per_minute=60)
    made.add("a", "viewer")
    assert {made.get("/v1/me", None).status_code for _ in range(20)} == {401, 429}
    assert made.get("/v1/me", "a").status_code == 200
    assert asked_by(made.client.app, "10.0.0.7").get("/v1/me").status_code == 401


def test_many_wrong_keys_of_an_address_end_in_429_and_the_right_key_still_opens(opened) -> None:
    opened.keys["wrong"] = WRONG
    found = [opened.get("/v1/me", "wrong") for _ in range(25)]
    assert [answer.status_code for answer in found] == [401] * 20 + [429] * 5
    assert int(found[-1].headers["retry-after"]) > 1
    assert opened.get("/v1/me", "own").status_code == 200
    assert sign_in(opened, WRONG).status_code == 429


class Held:
    """Requests that a test holds inside the service."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go = threading.Event()

    async def route(self) -> dict[str, str]:
        self.inside.release()
        await asyncio.to_thread(self.go.wait, 30)
        return {}


def held_requests(made, names) -> tuple[Held, list[threading.Thread], list[int]]:
    held, found = Held(), []
    made.client.app.add_api_route("/v1/held", held.route)

    def ask(name: str) -> None:
        found.append(made.get("/v1/held", name).status_code)

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
        assert held.inside.acquire(timeout=30)
    return held, threads, found


@pytest.mark.parametrize(
    ("limit", "code", "status", "other"),
    [("concurrent", "too_many", 429, 200), ("in_flight", "overload", 503, 503)],
)
def test_requests_under_way_are_bounded_for_one_key_and_for_all(
    tmp_path, limit, code, status, other
) -> None:
    made = door(tmp_path, **{limit: 2})
    made.add("a", "admin")
    made.add("b", "admin")
    held, threads, found = held_requests(made, ["a", "a"])
    answer = made.get("/v1/me", "a")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["retry-after"]
    assert made.get("/v1/me", "b").status_code == other
    assert made.get("/healthz", None).status_code == 200
    held.go.set()
    for thread in threads:
        thread.join()
    assert found == [200, 200]
    assert made.get("/v1/me", "a").status_code == 200
    assert len(made.access._under_way) == made.access._under_way.total == 0


def test_who_follows_a_job_takes_no_place_of_those_that_work(tmp_path) -> None:
    access = door(tmp_path, concurrent=1, in_flight=1).access
    table = access.table

    def visit(path: str) -> Visit:
        return Visit("r", table.find("GET", path), Caller("key", "a", Role.clerk))

    with access.admitted(visit("/v1/jobs/x/events")), access.admitted(visit("/v1/jobs/x/events")):
        assert access._under_way.total == 0
        working = access.admitted(visit("/v1/plan"))
        with working, pytest.raises(OverloadError), access.admitted(visit("/v1/plan")):
            pass
    assert {path for _, path in ROUTES} >= LONG


def test_a_defect_gives_its_place_back(tmp_path) -> None:
    def broken() -> None:
        raise RuntimeError

    made = door(tmp_path, concurrent=1)
    made.add("a", "admin")
    made.client.app.add_api_route("/v1/broken", broken)
    assert [made.get("/v1/broken", "a").status_code for _ in range(3)] == [500] * 3
    assert made.get("/v1/me", "a").status_code == 200


def test_no_byte_of_a_body_is_read_for_a_stranger(opened) -> None:
    async def scene() -> list[int]:
        statuses: list[int] = []

        async def receive():
            raise AssertionError("the body was asked for")

        async def send(message):
            statuses.extend([message["status"]] if "status" in message else [])

        scope = {
            "type": "http", "method": "POST", "path": "/v1/site-checks", "query_string": b"",
            "headers": [], "client": ("10.0.0.9", 1), "scheme": "http", "root_path": "",
        }  # fmt: skip
        await opened.client.app(scope, receive, send)
        return statuses

    assert asyncio.run(scene()) == [401]


def test_no_websocket_gets_past_the_door(opened) -> None:
    with pytest.raises(WebSocketDisconnect), opened.client.websocket_connect("/v1/site-checks"):
        pass
