"""Reservations: entered, released, read again when they change, and refused where they are wrong.

Areas by ``pyproj.Geod`` on densified edges where a number is expected.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from gis.crs import ellipsoidal_area
from gis.errors import ClaimError, CrsError, NotFoundError, OutsidePlanError, PlanError
from gis.model import Area, CrsDecision, Doubt, Site, Source
from gis.plan import Plan, load_plan
from gis.plan.quota.journal import GENESIS
from gis.plan.reservations import FILE, is_sliver, release, reservations, reserve

EAST, NORTH = 408_000.0, 4_030_000.0
GEOD = Geod(ellps="GRS80")
TO_LONLAT = Transformer.from_crs(4548, 4490, always_xy=True)
DAY = date(2026, 11, 22)


def box(*corners: float) -> shapely.Polygon:
    west, south, east, north = corners
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def site(shape: shapely.Geometry, *, use: str | None = None, epsg: int = 4548) -> Site:
    area = Area(ellipsoidal_area(shape, epsg), shape.area)
    crs = CrsDecision(epsg, epsg, "given")
    return Site("甲地块", shape, area, crs, Source("wkt", "甲", ""), use=use)


@pytest.fixture
def own(scarce_dir) -> Plan:
    return load_plan(scarce_dir())


# --- entering and releasing -----------------------------------------------------------------------


def test_land_is_not_released_before_it_was_reserved(own: Plan) -> None:
    made = reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    before = (own.root / FILE).read_bytes()
    with pytest.raises(ClaimError, match="2026-11-21 早于"):
        release(own, made.id, reason="撤回", on=date(2026, 11, 21))
    assert (own.root / FILE).read_bytes() == before
    assert release(own, made.id, reason="撤回", on=DAY).released_on == DAY


def test_an_outline_that_is_no_survey_is_entered_only_on_purpose(own: Plan) -> None:
    traced = replace(site(box(600, 100, 700, 200)), doubt=Doubt("描自网络地图", 10.0))
    with pytest.raises(ClaimError, match="不是测量成果（描自网络地图）"):
        reserve(own, traced, project="甲", on=DAY)
    assert not (own.root / FILE).exists()
    made = reserve(own, traced, project="甲", on=DAY, note="先行", allow_doubt=True)
    assert made.note == "先行；坐标不是测量成果（描自网络地图）"


def test_a_reservation_is_read_back_as_it_was_entered(own: Plan) -> None:
    made = reserve(
        own,
        site(box(600, 100, 700, 200), use="0803"),
        project="一校三馆",
        on=DAY,
        office="自然资源局",
        basis="某政字〔2026〕1号",
        note="东侧",
    )
    again = reservations(load_plan(own.root)).open
    assert [r.to_dict() for r in again] == [made.to_dict()]
    assert made.to_dict() | {"area_m2": None} == {
        "id": "R0001",
        "project": "一校三馆",
        "use": "0803",
        "area_m2": None,
        "reserved_on": "2026-11-22",
        "office": "自然资源局",
        "basis": "某政字〔2026〕1号",
        "note": "东侧",
        "plan_version": "1",
        "released_on": None,
        "released_for": "",
    }
    ring = np.array(shapely.segmentize(box(600, 100, 700, 200), 10).exterior.coords)
    expected = abs(GEOD.polygon_area_perimeter(*TO_LONLAT.transform(*ring.T))[0])
    assert made.area_m2 == pytest.approx(expected, abs=0.01)


def test_the_line_holds_what_the_format_says(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    release(own, "R0001", reason="取消", on=DAY)
    first, second = (json.loads(x) for x in (own.root / FILE).read_text("utf-8").splitlines())
    assert list(first) == [
        "seq",
        "id",
        "action",
        "project",
        "use",
        "crs",
        "geometry",
        "area_m2",
        "reserved_on",
        "office",
        "basis",
        "note",
        "plan",
        "prev",
    ]
    assert first["crs"] == "EPSG:4548"
    assert first["plan"] == {"id": "scarce", "version": "1"}
    assert first["prev"] == GENESIS
    assert sorted(first["geometry"]["coordinates"][0])[0] == [408_600.0, 4_030_100.0]
    assert (second["action"], second["id"], second["reason"]) == ("release", "R0001", "取消")


def test_nothing_is_ever_removed_by_a_release(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    before = (own.root / FILE).read_bytes()
    found = release(own, "R0001", reason="项目取消", on=date(2026, 12, 1))
    assert (own.root / FILE).read_bytes().startswith(before)
    assert (found.released_on, found.released_for) == (date(2026, 12, 1), "项目取消")
    register = reservations(own)
    assert register.open == ()
    assert [r.id for r in register.entries] == ["R0001"]
    # The land can be promised again, under a number of its own.
    assert reserve(own, site(box(600, 100, 700, 200)), project="乙", on=DAY).id == "R0003"


def test_only_what_stands_can_be_released(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    with pytest.raises(NotFoundError, match="R0001"):
        release(own, "R0009", reason="错", on=DAY)
    release(own, "R0001", reason="取消", on=DAY)
    with pytest.raises(ClaimError, match="已于 2026-11-22 释放"):
        release(own, "R0001", reason="再次", on=DAY)
    with pytest.raises(ClaimError, match="释放原因"):
        release(own, "R0001", reason=" ", on=DAY)


# --- overlaps -------------------------------------------------------------------------------------


def test_land_that_is_promised_is_refused_with_the_name_of_the_other(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="场馆", on=DAY)
    before = (own.root / FILE).read_bytes()
    with pytest.raises(ClaimError, match="“场馆”（R0001）重叠 0") as caught:
        reserve(own, site(box(650, 100, 800, 200)), project="学校", on=DAY)
    assert [fault.where for fault in caught.value.faults] == ["R0001"]
    assert (own.root / FILE).read_bytes() == before
    made = reserve(own, site(box(650, 100, 800, 200)), project="学校", on=DAY, allow_overlap=True)
    assert [r.id for r in reservations(own).open] == ["R0001", made.id]


def test_neighbours_do_not_overlap(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    reserve(own, site(box(700, 100, 800, 200)), project="乙", on=DAY)  # a shared edge
    reserve(own, site(box(800, 200, 900, 300)), project="丙", on=DAY)  # a shared corner
    # An edge that was drawn anew half a centimetre off is a sliver, no overlap.
    reserve(own, site(box(699.995, 200, 799, 300)), project="丁", on=DAY)
    assert len(reservations(own).open) == 4


def test_a_sliver_is_small_and_narrow() -> None:
    assert is_sliver(shapely.box(0, 0, 0.01, 50))
    assert not is_sliver(shapely.box(0, 0, 0.01, 500))  # narrow, but five square metres
    assert not is_sliver(shapely.box(0, 0, 0.9, 0.9))  # small, but nearly a metre wide
    assert is_sliver(shapely.LineString([(0, 0), (1, 1)]))
    assert is_sliver(shapely.Polygon())


@settings(max_examples=12)
@given(st.lists(st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)), min_size=9, max_size=9))
def test_parcels_of_one_drawing_stay_neighbours_to_the_millimetre(own_module: Plan, shifts) -> None:
    # Four quadrilaterals around a common point, their corners anywhere between the millimetres.
    corners = [
        (EAST + 700 + 100 * (n % 3) + dx, NORTH + 100 + 100 * (n // 3) + dy)
        for n, (dx, dy) in enumerate(shifts)
    ]
    (own_module.root / FILE).unlink(missing_ok=True)
    (own_module.root / "reservations.head").unlink(missing_ok=True)
    for n in (0, 1, 3, 4):
        ring = [corners[n], corners[n + 1], corners[n + 4], corners[n + 3]]
        reserve(own_module, site(shapely.Polygon(ring)), project=f"{n}", on=DAY)
    assert len(reservations(own_module).open) == 4


@pytest.fixture(scope="module")
def own_module(scarce_dir) -> Plan:
    return load_plan(scarce_dir())


# --- what is refused ------------------------------------------------------------------------------


def test_a_site_of_another_plan_is_refused(own: Plan) -> None:
    with pytest.raises(CrsError, match="EPSG:4547"):
        reserve(own, site(box(0, 0, 9, 9), epsg=4547), project="甲", on=DAY)
    far = shapely.affinity.translate(box(0, 0, 9, 9), 200_000)
    with pytest.raises(OutsidePlanError):
        reserve(own, site(far), project="甲", on=DAY)
    with pytest.raises(ClaimError, match="没有面积"):
        reserve(own, site(box(600, 100, 600.0002, 100.0002)), project="甲", on=DAY)
    assert not (own.root / FILE).exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"project": ""}, "项目名称"),
        ({"project": "　 "}, "项目名称"),
        ({"project": "甲\n乙"}, "控制字符"),
        ({"note": "甲\u202e乙"}, "控制字符"),
        ({"office": "\ud800"}, "控制字符"),
        ({"project": "长" * 201}, "201"),
        ({"use": "0103K"}, "0103K"),
        ({"use": "1101X"}, "1101X"),
    ],
)
def test_what_cannot_be_stored_is_refused(own: Plan, change, told) -> None:
    with pytest.raises(ClaimError, match=told):
        reserve(own, site(box(600, 100, 700, 200)), **({"project": "甲", "on": DAY} | change))
    assert not (own.root / FILE).exists()


def line(**change: object) -> dict[str, object]:
    shape = box(600, 100, 700, 200)
    whole = {
        "seq": 1,
        "id": "R0001",
        "action": "reserve",
        "project": "甲",
        "use": None,
        "crs": "EPSG:4548",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[list(xy) for xy in shape.exterior.coords]],
        },
        "area_m2": round(ellipsoidal_area(shape, 4548), 4),
        "reserved_on": "2026-11-22",
        "plan": {"id": "scarce", "version": "1"},
        "prev": GENESIS,
    } | change
    return {key: value for key, value in whole.items() if value is not ...}


def put(root: Path, *entries: dict[str, object]) -> None:
    """Write lines with numbers and a chain that is right, whatever they say."""
    before, text = GENESIS, b""
    for number, entry in enumerate(entries, start=1):
        data = json.dumps(entry | {"seq": number, "prev": before}, ensure_ascii=False).encode()
        before = hashlib.sha256(data).hexdigest()
        text += data + b"\n"
    (root / FILE).write_bytes(text)


def test_a_line_that_is_right_by_hand_is_read(own: Plan) -> None:
    put(own.root, line())
    assert [r.project for r in reservations(own).open] == ["甲"]


BOW_TIE = [[[408_600, 4_030_100], [408_700, 4_030_200], [408_700, 4_030_100],
            [408_600, 4_030_200], [408_600, 4_030_100]]]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "red"}, "colour：未知的键"),
        ({"project": ...}, "project：缺少必填的键"),
        ({"project": ""}, "project：不能为空"),
        ({"project": 7}, "project"),
        ({"project": "甲\n"}, "控制字符"),
        ({"action": "delete"}, "reserve 或 release"),
        ({"action": ...}, "缺少 action"),
        ({"id": "1"}, "id：格式不符"),
        ({"reserved_on": "2026-13-01"}, "reserved_on"),
        ({"reserved_on": 20261122}, "reserved_on"),
        ({"area_m2": "9"}, "area_m2"),
        ({"area_m2": 5.0}, "按坐标计算为"),
        ({"crs": "EPSG:4547"}, "EPSG:4547"),
        ({"plan": {"id": "scarce"}}, "plan.version：缺少"),
        ({"geometry": {"type": "Point", "coordinates": []}}, "geometry.type"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3]]]}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": "x"}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[["a", "b"]]]}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": BOW_TIE}}, "有效的多边形"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(own: Plan, change, told) -> None:
    put(own.root, line(), line(**({"id": "R0002"} | change)))
    with pytest.raises(PlanError) as caught:
        reservations(own)
    assert f"{FILE} 第 2 行" in caught.value.detail
    assert told in caught.value.detail
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (line(), "R0001 重复"),
        ({"id": "R0002"}, "R0002 不是未释放的预留"),
        ({"reason": ""}, "reason：不能为空"),
        ({"released_on": None}, "released_on"),
    ],
)
def test_lines_that_do_not_fit_each_other_are_named(own: Plan, second, told) -> None:
    if "action" not in second:
        second = {
            "id": "R0001",
            "action": "release",
            "released_on": "2026-11-23",
            "reason": "取消",
            "plan": {"id": "scarce", "version": "1"},
        } | second
    put(own.root, line(), second)
    with pytest.raises(PlanError, match=told):
        reservations(own)


def test_nothing_is_added_to_a_broken_file(own: Plan) -> None:
    put(own.root, line(colour="red"))
    before = (own.root / FILE).read_bytes()
    with pytest.raises(PlanError, match="colour"):
        reserve(own, site(box(800, 100, 900, 200)), project="乙", on=DAY)
    assert (own.root / FILE).read_bytes() == before


# --- reading again --------------------------------------------------------------------------------


def test_a_running_service_sees_what_another_process_adds(own: Plan) -> None:
    other = load_plan(own.root)
    assert reservations(own).open == ()
    reserve(other, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    assert [r.project for r in reservations(own).open] == ["甲"]
    release(other, "R0001", reason="取消", on=DAY)
    assert reservations(own).open == ()


def test_an_unchanged_file_is_read_once(own: Plan, monkeypatch) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    first = reservations(own)
    monkeypatch.setattr("gis.plan.reservations.read_journal", None)  # calling it would fail
    assert reservations(own) is first


def test_a_replaced_file_is_read_again(own: Plan) -> None:
    put(own.root, line())
    assert reservations(own).open[0].project == "甲"
    stamp = (own.root / FILE).stat()
    new = own.root / "new.jsonl"
    put(own.root, line(project="乙"))
    (own.root / FILE).replace(new)
    os.utime(new, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    new.replace(own.root / FILE)
    assert reservations(own).open[0].project == "乙"  # same size and date, another file


def test_a_torn_line_is_told_and_does_not_count(own: Plan) -> None:
    reserve(own, site(box(600, 100, 700, 200)), project="甲", on=DAY)
    with (own.root / FILE).open("ab") as file:
        file.write(b'{"seq":2,"id":"R0002","action":"rel')
    register = reservations(own)
    assert register.torn
    assert [r.id for r in register.open] == ["R0001"]
    reserve(own, site(box(800, 100, 900, 200)), project="乙", on=DAY)
    assert not reservations(own).torn
    assert b"rel" in (own.root / "reservations.torn").read_bytes()


def test_threads_may_reserve_and_read_at_once(own: Plan) -> None:
    failed: list[BaseException] = []

    def work(n: int) -> None:
        try:
            reserve(own, site(box(10 * n, 100, 10 * n + 9, 200)), project=f"{n}", on=DAY)
            assert reservations(own).open
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {r.project for r in reservations(own).open} == {str(n) for n in range(12)}


# --- secrecy --------------------------------------------------------------------------------------


def test_an_outline_stands_in_no_text_of_a_reservation(own: Plan) -> None:
    made = reserve(own, site(box(600.123, 100, 700, 200)), project="甲", on=DAY)
    for text in (repr(made), str(made), json.dumps(made.to_dict()), repr(reservations(own))):
        assert "408600" not in text
        assert "POLYGON" not in text.upper()
