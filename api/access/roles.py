"""Who may use which route? Four roles for people, one for numbers, and one table of least roles.

A route that the table does not name is for administrators only, so that forgetting one closes it;
``tests/test_access_roles.py`` fails when a route of the app is missing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from starlette.routing import compile_path


class Role(StrEnum):
    """What a caller may do; each role includes those before it, but for ``monitor``.

    ``monitor`` is for the program that watches the service: it reads numbers, and nothing of a
    plan, so that no key of an administrator lies on the machine of the monitoring.
    """

    monitor = "monitor"
    viewer = "viewer"
    clerk = "clerk"
    reviewer = "reviewer"
    admin = "admin"

    @property
    def label(self) -> str:
        """The name that people read."""
        return _LABELS[self]

    def covers(self, least: Role) -> bool:
        """Return whether this role includes another.

        >>> Role.reviewer.covers(Role.clerk), Role.viewer.covers(Role.clerk)
        (True, False)
        >>> Role.reviewer.covers(Role.monitor), Role.admin.covers(Role.monitor)
        (False, True)
        """
        if least is Role.monitor:
            return self in (Role.monitor, Role.admin)
        return _RANKS[self] >= _RANKS[least]


_RANKS = {role: rank for rank, role in enumerate(Role)}
_LABELS = {
    Role.monitor: "监控",
    Role.viewer: "查看",
    Role.clerk: "经办",
    Role.reviewer: "审核",
    Role.admin: "管理",
}

# Open to everybody. Probes must work for a load balancer that has no key; they tell nothing but
# "yes" or the name of the part that fails. Scripts, styles and the sign-in form are the same in
# every installation and hold nothing of a plan.
_OPEN = (
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("*", "/static/{path:path}"),
    ("*", "/vendor/{path:path}"),
)
# The plan. The desk, the interface description and its page show the plan's name, its area and
# sites inside it, so they are no more public than the plan is.
_VIEWER = (
    ("GET", "/"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("GET", "/desk/ground.json"),
    ("GET", "/samples/{number}"),
    ("GET", "/v1/me"),
    ("GET", "/v1/plan"),
    ("GET", "/v1/plan/balance"),
    ("POST", "/v1/plan/balance"),
    ("POST", "/v1/site-search"),
    ("GET", "/v1/zones"),
    ("GET", "/v1/layers"),
    ("GET", "/v1/layers/{layer_id}"),
    ("GET", "/v1/rules"),
    ("GET", "/v1/rules/{rule_id}"),
    ("GET", "/maps/plan.html"),
    ("GET", "/maps/assets/{name}"),
    ("GET", "/maps/comparison.html"),
    ("GET", "/v1/projects"),
    ("GET", "/v1/projects/{project_id}"),
    ("GET", "/v1/portfolio"),
    ("GET", "/maps/projects.html"),
)
# Desktop programs. The collections of OGC API are layers of the plan; that of the records, and the
# process that checks a site, do not exist for a viewer: ``api.ogc`` looks at the role again.
_OGC = (
    ("GET", "/ogc"),
    ("GET", "/ogc/"),
    ("GET", "/ogc/conformance"),
    ("GET", "/ogc/openapi"),
    ("GET", "/ogc/collections"),
    ("GET", "/ogc/collections/{collection_id}"),
    ("GET", "/ogc/collections/{collection_id}/schema"),
    ("GET", "/ogc/collections/{collection_id}/queryables"),
    ("GET", "/ogc/collections/{collection_id}/items"),
    ("GET", "/ogc/collections/{collection_id}/items/{item_id:path}"),
    ("GET", "/ogc/processes"),
    ("GET", "/ogc/processes/{process_id}"),
)
# Checks, and the records that the caller made.
_CLERK = (
    ("POST", "/ogc/processes/site-check/execution"),
    ("GET", "/ogc/jobs"),
    ("GET", "/ogc/jobs/{job_id}"),
    ("GET", "/ogc/jobs/{job_id}/results"),
    # Of the caller's own; those of others are for administrators.
    ("DELETE", "/ogc/jobs/{job_id}"),
    ("POST", "/v1/site-checks"),
    ("GET", "/v1/site-checks"),
    *(
        ("GET", f"/v1/site-checks/{{check_id}}{suffix}")
        for suffix in (
            *(".geojson", ".gpkg", ".xlsx", ".csv", ".txt", ".png"),
            *(".html", ".pdf", ".docx", ".json", ""),
        )
    ),
    ("GET", "/maps/site-checks/{check_id}.html"),
    ("GET", "/v1/records/{record_id}"),
    ("POST", "/v1/site-checks/batch"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/{job_id}"),
    ("GET", "/v1/jobs/{job_id}/events"),
    ("GET", "/v1/jobs/{job_id}/results.{suffix}"),
    # Of the caller's own; those of others are for administrators.
    ("POST", "/v1/jobs/{job_id}/cancel"),
)
# The records of all, whether they hold, and what officers decide beside them.
_REVIEWER = (
    ("GET", "/v1/records/{record_id}/verify"),
    ("POST", "/v1/records/{record_id}/decisions"),
)
_ADMIN = (
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/keys/{name}/rotate"),
    ("DELETE", "/v1/keys/{name}"),
)
_MONITOR = (("GET", "/metrics"),)

ROUTES: Mapping[tuple[str, str], Role | None] = {
    **dict.fromkeys(_OPEN, None),
    **dict.fromkeys(_VIEWER, Role.viewer),
    **dict.fromkeys(_OGC, Role.viewer),
    **dict.fromkeys(_CLERK, Role.clerk),
    **dict.fromkeys(_REVIEWER, Role.reviewer),
    **dict.fromkeys(_ADMIN, Role.admin),
    **dict.fromkeys(_MONITOR, Role.monitor),
}

# Answers that go on for as long as a job does. They wait and do no work, and have seats of their
# own (``api.watching``), so they are not counted among the requests under way.
LONG = frozenset(("/v1/jobs/{job_id}/events",))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: the path with placeholders, "" for none, and the least role."""

    route: str
    least: Role | None


NOWHERE = Place("", Role.admin)


class RoleTable:
    """Finds the row of a request.

    Parameters
    ----------
    routes
        Method (``*``: any) and path, as routers write it, in the order in which routers try them.
    """

    def __init__(self, routes: Mapping[tuple[str, str], Role | None] = ROUTES) -> None:
        self._exact = {
            row: Place(row[1], least)
            for row, least in routes.items()
            if "{" not in row[1] and row[0] != "*"
        }
        # By the function of the routers, so that both read a path in the same way.
        self._patterns: list[tuple[str, re.Pattern[str], Place]] = [
            (method, compile_path(path)[0], Place(path, least))
            for (method, path), least in routes.items()
        ]

    def find(self, method: str, path: str) -> Place:
        """Return where a request goes; another method of a known path goes where that path does."""
        if (found := self._exact.get((method, path))) is not None:
            return found
        same_path = NOWHERE
        for known, pattern, place in self._patterns:
            if pattern.match(path):
                if known in (method, "*"):
                    return place
                # The answer will be "method not allowed", which is no secret to who may use it.
                same_path = same_path if same_path.route else place
        return same_path
