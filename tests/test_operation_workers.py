"""Several worker processes: one index, one set of keys, one set of numbers, one end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import httpx2
import pytest
from running_service import STOP_S, numbers, running
from waiting import until

from api.access.keys import KeyStore
from api.access.roles import Role

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def large_plan(scarce_dir) -> Path:
    """A plan with so many vertices that its index is kept on disk and mapped."""
    import numpy as np
    import shapely

    from gis.engine.stack_file import FROM_VERTICES

    turns = np.linspace(0, 2 * np.pi, FROM_VERTICES // 2 + 10, endpoint=False)
    ring = np.column_stack([np.cos(turns), np.sin(turns)])
    centres = ((500, 500), (1500, 500))
    zones = [(f"Z{n}", shapely.Polygon(ring * 400 + at)) for n, at in enumerate(centres, 1)]
    return scarce_dir(layers={"zones": zones})


@pytest.fixture(scope="module")
def several(tmp_path_factory, large_plan):
    """Two workers on a large plan."""
    folder = tmp_path_factory.mktemp("several")
    keys = KeyStore(folder / "keys.json")
    texts = {name: keys.add(name, Role.admin)[1] for name in ("a", "b")}
    with running(folder, "--workers", "2", "--plan", str(large_plan)) as service:
        service.keys, service.store = texts, keys
        yield service


@LINUX_ONLY
def test_workers_map_one_index_instead_of_holding_one_each(several, large_plan) -> None:
    def mapped() -> list[set[tuple[str, int]]]:
        return [_mapped(pid, large_plan / ".index") for pid in several.workers()]

    def shared() -> bool:
        one, *others = mapped()
        return others == [one] and sum(size for _, size in one) > 1_000_000

    # A worker maps file after file: what both have is the same once both have come to the end.
    until(shared, mapped)


def _mapped(pid: int, folder: Path) -> set[tuple[str, int]]:
    """Inode and size of the files of a folder that a process has mapped."""
    rows = Path(f"/proc/{pid}/maps").read_text().splitlines()
    found = [row.split(maxsplit=5) for row in rows if str(folder) in row]
    return {
        (row[4], int(row[0].split("-")[1], 16) - int(row[0].split("-")[0], 16)) for row in found
    }


@LINUX_ONLY
def test_numbers_are_those_of_all_workers_together(several) -> None:
    asked = 40
    before = numbers(several.get("/metrics", several.keys["a"]).text)
    for _ in range(asked):
        assert several.get("/v1/me", several.keys["a"]).status_code == 200
    after = numbers(several.get("/metrics", several.keys["a"]).text)
    row = ("wuqu_requests_total", ("GET", "/v1/me", "200"))
    assert after[row] - before.get(row, 0) == asked


def test_a_revoked_key_is_refused_by_every_worker_at_once(several) -> None:
    assert {several.get("/v1/me", several.keys["b"]).status_code for _ in range(10)} == {200}
    several.store.revoke("b")
    # Few: ended keys are answered later and later.
    assert {several.get("/v1/me", several.keys["b"]).status_code for _ in range(6)} == {401}


def test_who_signs_in_with_one_worker_is_known_to_the_others_and_signs_out_of_all(several) -> None:
    answer = httpx2.post(f"{several.url}/sign-in", data={"key": several.keys["a"]})
    cookie = f"wuqu_session={answer.cookies['wuqu_session']}"
    assert {several.get("/v1/me", Cookie=cookie).status_code for _ in range(20)} == {200}
    sent = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert httpx2.post(f"{several.url}/sign-out", headers=sent).status_code == 303
    assert {several.get("/v1/me", Cookie=cookie).status_code for _ in range(20)} == {401}


@LINUX_ONLY
def test_a_worker_that_dies_is_replaced_and_numbers_go_on(several) -> None:
    before = several.workers()
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(now := several.workers()) == 2 and before[0] not in now)
    assert until(lambda: _status(several)) == 200
    assert several.get("/metrics", several.keys["a"]).status_code == 200


def _status(several) -> int | None:
    """Status of an answer; nothing from the worker that was just killed."""
    try:
        return several.get("/v1/me", several.keys["a"]).status_code
    except httpx2.TransportError:
        return None


def test_several_workers_end_together_within_ten_seconds(several) -> None:
    children = several.workers() if sys.platform == "linux" else []
    assert several.stop() < STOP_S
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
