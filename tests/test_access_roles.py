"""Every route has its least role, and every role is tried against every route."""

from __future__ import annotations

import pytest
from access_service import add_ended, service
from starlette.routing import Mount

from api.access.roles import NOWHERE, ROUTES, Role, RoleTable
from api.app import create_app
from api.schemas import Problem
from api.settings import Settings

# What is promised, written once more by hand: who changes the table has to change this too.
PROMISED = """
anyone    GET /healthz
anyone    GET /readyz
anyone    GET /sign-in
anyone    POST /sign-in
anyone    POST /sign-out
anyone    GET /static/{path:path}
anyone    GET /vendor/{path:path}
viewer    GET /
viewer    GET /docs
viewer    GET /openapi.json
viewer    HEAD /openapi.json
viewer    GET /desk/ground.json
viewer    GET /samples/{number}
viewer    GET /ogc
viewer    GET /ogc/
viewer    GET /ogc/conformance
viewer    GET /ogc/openapi
viewer    GET /ogc/collections
viewer    GET /ogc/collections/{collection_id}
viewer    GET /ogc/collections/{collection_id}/schema
viewer    GET /ogc/collections/{collection_id}/queryables
viewer    GET /ogc/collections/{collection_id}/items
viewer    GET /ogc/collections/{collection_id}/items/{item_id:path}
viewer    GET /ogc/processes
viewer    GET /ogc/processes/{process_id}
clerk     POST /ogc/processes/site-check/execution
clerk     GET /ogc/jobs
clerk     GET /ogc/jobs/{job_id}
clerk     GET /ogc/jobs/{job_id}/results
clerk     DELETE /ogc/jobs/{job_id}
viewer    GET /v1/me
viewer    GET /v1/plan
viewer    GET /v1/plan/balance
viewer    POST /v1/plan/balance
viewer    POST /v1/site-search
viewer    GET /v1/zones
viewer    GET /v1/layers
viewer    GET /v1/layers/{layer_id}
viewer    GET /v1/rules
viewer    GET /v1/rules/{rule_id}
viewer    GET /maps/plan.html
viewer    GET /maps/assets/{name}
viewer    GET /maps/comparison.html
viewer    GET /v1/projects
viewer    GET /v1/projects/{project_id}
viewer    GET /v1/portfolio
viewer    GET /maps/projects.html
clerk     POST /v1/site-checks
clerk     GET /v1/site-checks
clerk     GET /v1/site-checks/{check_id}
clerk     GET /v1/site-checks/{check_id}.json
clerk     GET /v1/site-checks/{check_id}.geojson
clerk     GET /v1/site-checks/{check_id}.html
clerk     GET /v1/site-checks/{check_id}.pdf
clerk     GET /v1/site-checks/{check_id}.docx
clerk     GET /v1/site-checks/{check_id}.gpkg
clerk     GET /v1/site-checks/{check_id}.xlsx
clerk     GET /v1/site-checks/{check_id}.csv
clerk     GET /v1/site-checks/{check_id}.txt
clerk     GET /v1/site-checks/{check_id}.png
clerk     GET /maps/site-checks/{check_id}.html
clerk     GET /v1/records/{record_id}
clerk     POST /v1/site-checks/batch
clerk     GET /v1/jobs
clerk     GET /v1/jobs/{job_id}
clerk     GET /v1/jobs/{job_id}/events
clerk     GET /v1/jobs/{job_id}/results.{suffix}
clerk     POST /v1/jobs/{job_id}/cancel
reviewer  GET /v1/records/{record_id}/verify
reviewer  POST /v1/records/{record_id}/decisions
admin     GET /v1/keys
admin     POST /v1/keys
admin     POST /v1/keys/{name}/rotate
admin     DELETE /v1/keys/{name}
monitor   GET /metrics
"""
ROWS = [tuple(line.split()) for line in PROMISED.strip().splitlines()]
# Who is let in where a role is the least one; each row by hand.
LET_IN = {
    "monitor": {"monitor", "admin"},
    "viewer": {"viewer", "clerk", "reviewer", "admin"},
    "clerk": {"clerk", "reviewer", "admin"},
    "reviewer": {"reviewer", "admin"},
    "admin": {"admin"},
}
# "nobody" sends no key; the first four are let in nowhere that is not open.
STRANGERS = ("nobody", "wrong", "expired", "revoked")
CALLERS = (*STRANGERS, *Role)
FILLED = {
    "{path:path}": "nothing.js",
    "{number}": "1",
    "{layer_id}": "zones",
    "{collection_id}": "zones",
    "{item_id:path}": "nope",
    "{process_id}": "nope",
    "{rule_id}": "nope",
    "{project_id}": "nope",
    "{name}": "nobody",
    "{check_id}": "0" * 32,
    "{record_id}": "0" * 32,
    "{job_id}": "0" * 32,
    "{suffix}": "csv",
}


def routes_of(routes) -> set[tuple[str, str]]:
    """Method and path of everything that an app answers, mounts and hidden routes too."""
    found: set[tuple[str, str]] = set()
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:
            found |= routes_of(router.routes)
        elif isinstance(route, Mount):
            found.add(("*", f"{route.path}/{{path:path}}"))
        else:
            found |= {(method, route.path) for method in route.methods}
    return found


@pytest.fixture(scope="module")
def opened(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    with service(plan, folder, rate_per_minute=0) as running:
        for role in Role:
            running.add(role.value, role.value)
        add_ended(running)
        running.access.wrong_keys.MOST = 10**6
        yield running


def test_every_route_of_the_app_stands_in_the_table_and_no_other() -> None:
    found = routes_of(create_app(Settings()).routes)
    assert len(found) > 40
    assert found == set(ROUTES)


def test_the_table_is_what_is_promised() -> None:
    told = {
        ("GET" if method == "*" else method, path): least.value if least else "anyone"
        for (method, path), least in ROUTES.items()
    }
    assert told == {(method, path): least for least, method, path in ROWS}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("least", "method", "path"), ROWS)
def test_a_caller_is_let_in_where_its_role_suffices(opened, least, method, path, caller) -> None:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    headers = opened.headers(None if caller == "nobody" else caller)
    answer = opened.client.request(method, path, headers=headers)
    status = answer.status_code
    if status in (401, 403) and path != "/sign-in" and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert Problem.model_validate(answer.json()).status == status
    if least == "anyone":
        # The form itself answers 401 to a wrong key: whoever sent it was let in so far.
        assert status not in (403, 429)
        assert status != 401 or (method, path) == ("POST", "/sign-in")
    elif caller in STRANGERS:
        assert status == 401
    elif caller not in LET_IN[least]:
        assert status == 403
    else:
        assert status not in (401, 403, 429)
        assert status < 500


@pytest.mark.parametrize("caller", STRANGERS)
@pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/keys/", "//v1/keys", "/v1/nope/x"])
def test_a_stranger_does_not_learn_which_addresses_exist(opened, path, caller) -> None:
    headers = opened.headers(None if caller == "nobody" else caller)
    assert opened.client.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize("role", ["monitor", "viewer", "clerk", "reviewer", "admin"])
def test_an_address_that_does_not_exist_is_not_found_for_every_role(opened, role) -> None:
    answer = opened.get("/nope", role)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_route_that_the_table_forgot_is_closed_to_all_but_administrators(opened) -> None:
    opened.client.app.add_api_route("/v1/forgotten", lambda: {"secret": 1})
    for role in ("viewer", "clerk", "reviewer"):
        assert opened.get("/v1/forgotten", role).status_code == 404
    assert opened.get("/v1/forgotten", None).status_code == 401
    assert opened.get("/v1/forgotten", "admin").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/v1/keys%0a", "/v1/%6beys", "/V1/keys", "/v1//keys", "/static/../v1/keys", "/v1/keys;a"],
)
def test_another_way_of_writing_an_address_is_no_way_around_the_table(opened, path) -> None:
    assert opened.get(path, "clerk").status_code in (403, 404)
    assert opened.get(path, None).status_code in (401, 404)


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/v1/site-checks/a.pdf", "/v1/site-checks/{check_id}.pdf"),
        ("GET", "/v1/site-checks/a.b", "/v1/site-checks/{check_id}"),
        ("PUT", "/v1/plan", "/v1/plan"),
        ("GET", "/static/a/b.css", "/static/{path:path}"),
        ("GET", "/static", ""),
        ("GET", "/v1/plan/", ""),
        ("GET", "", ""),
    ],
)
def test_the_table_finds_the_row_of_a_request(method, path, route) -> None:
    assert RoleTable().find(method, path).route == route
    assert route or RoleTable().find(method, path) is NOWHERE


def test_roles_include_those_before_them() -> None:
    order = [Role.viewer, Role.clerk, Role.reviewer, Role.admin]
    for i, role in enumerate(order):
        assert [role.covers(other) for other in order] == [j <= i for j in range(4)]
