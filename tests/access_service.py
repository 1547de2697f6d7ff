"""A service with keys, for tests of access: one key of each kind, and how they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from api.access.control import AccessControl
from api.access.keys import KeyStore
from api.access.roles import Role
from api.app import create_app
from api.settings import Settings

RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
SITE = json.dumps({"type": "Polygon", "coordinates": [RING]})
WRONG = "wuqu_00000000_" + "A" * 43


@dataclass
class Service:
    """A running service and the texts of its keys by name."""

    client: TestClient
    settings: Settings
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def access(self) -> AccessControl:
        return self.client.app.state.access

    def add(self, name: str, role: str, **more) -> str:
        _, text = self.access.keys.add(name, Role(role), **more)
        self.keys[name] = text
        return text

    def headers(self, name: str | None, **more: str) -> dict[str, str]:
        given = {} if name is None else {"Authorization": f"Bearer {self.keys[name]}"}
        return given | more

    def get(self, url: str, name: str | None, **more):
        return self.client.get(url, headers=self.headers(name), **more)

    def check(self, name: str | None):
        """Post a site that can be judged."""
        headers = self.headers(name, **{"Content-Type": "application/geo+json"})
        url = "/v1/site-checks?as_of=2026-11-22&remedies=false"
        return self.client.post(url, content=SITE, headers=headers)


@contextmanager
def service(plan, folder: Path, **settings) -> Iterator[Service]:
    """Serve in this process; wrong keys are counted, but nobody waits."""
    made = door(folder, plan, **settings)
    with made.client:
        yield made


def door(folder: Path, plan=None, *, peer: str = "testclient", **settings) -> Service:
    """The door alone, without plan and records behind it: ``/v1/me`` answers, and is enough."""
    chosen = Settings(db=folder / "records.sqlite", **settings)
    made = Service(asked_by(create_app(chosen, plan=plan), peer), chosen)
    made.access.wrong_keys._sleep = _no_wait
    return made


def asked_by(app, peer: str, url: str = "http://testserver") -> TestClient:
    """A client with an address."""
    return TestClient(
        app, raise_server_exceptions=False, follow_redirects=False, client=(peer, 5), base_url=url
    )


async def _no_wait(_: float) -> None:
    pass


def add_ended(opened: Service) -> None:
    """Add a key that is expired and one that is revoked."""
    then = datetime.now(UTC) - timedelta(days=9)
    old = KeyStore(opened.settings.key_file, now=lambda: then)
    day = date.fromordinal(then.date().toordinal() + 2)
    opened.keys["expired"] = old.add("expired", Role.admin, expires_on=day)[1]
    opened.add("revoked", "admin")
    opened.access.keys.revoke("revoked")
    opened.keys["wrong"] = WRONG
