"""``wuqu budgets``: show, book, reserve, release and list at a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gis.plan.reservations import FILE

EAST, NORTH = 408_000.0, 4_030_000.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parcels of a hectare each as WKT in the work CRS."""
    folder = tmp_path_factory.mktemp("sites")
    for name, west in (("a", 600), ("b", 700), ("c", 650)):
        x, y = EAST + west, NORTH + 100
        ring = f"{x} {y},{x + 100} {y},{x + 100} {y + 100},{x} {y + 100},{x} {y}"
        (folder / f"{name}.wkt").write_text(f"SRID=4548;POLYGON(({ring}))", encoding="utf-8")
    return folder


@pytest.fixture
def root(scarce_dir) -> Path:
    return scarce_dir()


def answer(result: tuple[int, str, str], code: int = 0) -> dict:
    assert result[0] == code, result[2]
    return json.loads(result[1])


def test_show_lists_what_is_free_by_kind_and_zone(wuqu, root: Path) -> None:
    document = answer(wuqu("budgets", "show", "--plan", root, "--format", "json"))
    rows = {row["id"]: row for row in document["budgets"]}
    # 750,000 m² on paper less 250,000 m² of built land; the ellipsoid is 206 ppm smaller.
    assert rows["dev_boundary:410"]["free_m2"] == pytest.approx(500_000, rel=3e-4)
    assert [z["zone"] for z in rows["cultivated_land"]["by_zone"]] == ["Z1", "Z2"]
    assert rows["conversion"]["total_m2"] is None
    assert document["reservations"] == {
        "open": 0,
        "lines": 0,
        "head": "0" * 64,
        "torn": False,
    }
    code, out, _ = wuqu("budgets", "show", "--plan", root)
    assert code == 0
    for text in ("49.99", "未提供", "未知", "口径 B", "水浇地", "保有量"):
        assert text in out


def test_show_of_one_zone_shows_no_other(wuqu, root: Path) -> None:
    document = answer(wuqu("budgets", "show", "--zone", "Z2", "--plan", root, "--format", "json"))
    rows = {row["id"]: row for row in document["budgets"]}
    assert set(rows) == {"dev_boundary:420", "cultivated_land"}
    assert rows["cultivated_land"]["total_m2"] == pytest.approx(250_000, rel=3e-4)
    assert {z["zone"] for row in rows.values() for z in row["by_zone"]} == {"Z2"}
    code, _, err = wuqu("budgets", "show", "--zone", "Z9", "--plan", root)
    assert code == 2
    assert "Z1、Z2" in err


def test_booking_is_a_rehearsal(wuqu, root: Path, files: Path) -> None:
    call = ("budgets", "book", files / "a.wkt", files / "c.wkt", "--use", "0803", "--plan", root)
    document = answer(wuqu(*call, "--format", "json"))
    assert [s["number"] for s in document["sites"]] == [1, 2]
    assert "第 1 个" in document["sites"][1]["held_by"][0]
    end = {b["id"]: b for b in document["budgets"]}["dev_boundary:410"]
    assert end["taken_m2"] == pytest.approx(15_000, rel=3e-4)  # the overlap counts once
    assert not (root / FILE).exists()
    code, out, _ = wuqu(*call)
    assert code == 0
    assert "未写入台账" in out
    row = next(line for line in out.splitlines() if line.startswith("│ dev_boundary410"))
    initial, taken, left = (float(cell) for cell in row.split("│")[2:5])
    assert round(initial - taken, 2) == left


def test_a_budget_that_runs_out_is_an_answer(wuqu, scarce_dir, files: Path) -> None:
    extra = (
        '[[quota]]\nid = "y"\ntitle = "年度"\nkind = "conversion"\n'
        'value = 1.5\nunit = "ha"\nsource = "测试"\n'
    )
    root = scarce_dir(extra=extra)
    call = ("budgets", "book", files / "a.wkt", files / "b.wkt", "--plan", root)
    end = {b["id"]: b for b in answer(wuqu(*call, "--format", "json"))["budgets"]}["conversion"]
    assert end["ends_at"] == 2
    assert end["short_there_m2"] == pytest.approx(5_000, abs=10)
    code, out, _ = wuqu(*call)
    assert code == 0
    assert "第 2 个地块" in out


def test_reserve_list_and_release(wuqu, root: Path, files: Path) -> None:
    reserve = ("budgets", "reserve", files / "a.wkt", "--project", "场馆[red]", "--plan", root)
    made = answer(
        wuqu(*reserve, "--use", "0803", "--on", "2026-11-22", "--office", "局", "--format", "json")
    )
    assert (made["id"], made["use"], made["reserved_on"]) == ("R0001", "0803", "2026-11-22")
    listed = answer(wuqu("budgets", "list", "--plan", root, "--format", "json"))
    assert [r["project"] for r in listed["reservations"]] == ["场馆[red]"]
    assert "coordinates" not in json.dumps(listed)
    code, out, _ = wuqu("budgets", "list", "--plan", root)
    assert code == 0
    assert "[red]" in out  # a name is no markup
    release = ("budgets", "release", "R0001", "--reason", "取消", "--plan", root)
    code, out, _ = wuqu(*release, "--on", "2026-12-01")
    assert code == 0
    assert "已释放“场馆[red]”（R0001）" in out
    assert answer(wuqu("budgets", "list", "--plan", root, "--format", "json"))["reservations"] == []
    every = answer(wuqu("budgets", "list", "--all", "--plan", root, "--format", "json"))
    assert every["reservations"][0]["released_on"] == "2026-12-01"
    assert every["lines"] == 2
    code, _, err = wuqu(*release)
    assert code == 2
    assert "已于 2026-12-01 释放" in err


def test_promised_land_is_refused_with_the_option_that_allows_it(wuqu, root, files) -> None:
    base = ("--plan", root, "--on", "2026-11-22")
    assert wuqu("budgets", "reserve", files / "a.wkt", "--project", "甲", *base)[0] == 0
    code, out, err = wuqu("budgets", "reserve", files / "c.wkt", "--project", "乙", *base)
    assert code == 2
    assert out == ""
    assert "“甲”（R0001）" in err
    assert "--allow-overlap" in err
    call = ("budgets", "reserve", files / "c.wkt", "--project", "乙", *base, "--allow-overlap")
    assert wuqu(*call)[0] == 0


def test_a_traced_outline_is_reserved_only_with_the_option_that_allows_it(wuqu, root, tmp_path):
    from pyproj import Transformer

    toml = root / "plan.toml"
    text = toml.read_text(encoding="utf-8").replace('["EPSG:4548"]', '["EPSG:4548", "EPSG:4490"]')
    toml.write_text(text, encoding="utf-8")
    ring = [(600, 100), (700, 100), (700, 200), (600, 200), (600, 100)]
    to_lonlat = Transformer.from_crs(4548, 4490, always_xy=True).transform
    lonlat = [list(to_lonlat(EAST + x, NORTH + y)) for x, y in ring]
    file = tmp_path / "t.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [lonlat]}), encoding="utf-8")
    call = ("budgets", "reserve", file, "--project", "甲", "--crs", "gcj02", "--plan", root)
    code, out, err = wuqu(*call)
    assert (code, out) == (2, "")
    assert "--allow-doubt" in err
    assert "不是测量成果" in answer(wuqu(*call, "--allow-doubt", "--format", "json"))["note"]


def test_a_booking_names_who_is_on_the_land_already(wuqu, root: Path, files: Path) -> None:
    code, out, _ = wuqu("budgets", "book", files / "a.wkt", files / "c.wkt", "--plan", root)
    assert code == 0
    assert "与地块“a”（第 1 个）重叠" in out


def test_a_check_names_the_reservation_that_it_meets(wuqu, root: Path, files: Path) -> None:
    base = ("--plan", root)
    wuqu("budgets", "reserve", files / "a.wkt", "--project", "场馆", *base, "--on", "2026-11-22")
    call = ("check", files / "c.wkt", "--as-of", "2026-11-22", *base)
    document = answer(wuqu(*call, "--format", "json"))
    rows = {row["id"]: row for row in document["impact"]}
    assert rows["reservations"]["held_by"] == ["“场馆”（R0001）"]
    code, out, _ = wuqu(*call)
    assert code == 0
    assert "影响：占用" in out
    assert "“场馆”" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("reserve", "a.wkt", "--project", " "), "项目名称"),
        (("reserve", "a.wkt", "--project", "甲", "--on", "昨天"), "昨天"),
        (("reserve", "a.wkt", "--project", "甲", "--use", "9999"), "9999"),
        (("reserve", "a.wkt", "--project", "甲", "--which", "all"), "--which"),
        (("reserve", "absent.wkt", "--project", "甲"), "不存在"),
        (("reserve", "a.wkt"), "--project"),
        (("release", "R0007", "--reason", "错"), "R0007"),
        (("release", "R0001"), "--reason"),
        (("book", "a.wkt", "--use", "9999"), "9999"),
        (("book",), "缺少参数"),
    ],
)
def test_a_wrong_call_is_one_clear_message(wuqu, root, files, monkeypatch, arguments, told) -> None:
    monkeypatch.chdir(files)
    code, out, err = wuqu("budgets", *arguments, "--plan", root)
    assert code == 2
    assert out == ""
    assert told in err
    assert "Traceback" not in err
    assert not (root / FILE).exists()


def test_a_torn_register_is_listed_with_its_fault(wuqu, root: Path, files: Path) -> None:
    base = ("--plan", root, "--on", "2026-11-22")
    wuqu("budgets", "reserve", files / "a.wkt", "--project", "甲", *base)
    with (root / FILE).open("ab") as file:
        file.write(b'{"seq":2,')
    code, out, _ = wuqu("budgets", "list", "--plan", root)
    assert code == 3
    assert "没有写完" in out
    document = answer(wuqu("budgets", "list", "--plan", root, "--format", "json"), code=3)
    assert document["torn"] is True
    code, out, _ = wuqu("budgets", "show", "--plan", root)
    assert code == 0
    assert "未写完" in out


def test_a_broken_register_is_named_with_its_line(wuqu, root: Path, files: Path) -> None:
    base = ("--plan", root, "--on", "2026-11-22")
    wuqu("budgets", "reserve", files / "a.wkt", "--project", "甲", *base)
    text = (root / FILE).read_text(encoding="utf-8")
    (root / FILE).write_text(text.replace("甲", "乙"), encoding="utf-8")
    for command in ("show", "list"):
        code, out, err = wuqu("budgets", command, "--plan", root)
        assert code == 2
        assert out == ""
        assert f"{FILE} 第 1 行" in err
    problem = answer(wuqu("budgets", "list", "--plan", root, "--format", "json"), code=2)
    assert problem["code"] == "plan"


def test_the_balance_carries_the_budgets(wuqu, root: Path) -> None:
    document = answer(wuqu("balance", "--plan", root, "--format", "json"))
    shown = answer(wuqu("budgets", "show", "--plan", root, "--format", "json"))
    assert document["budgets"] == shown["budgets"]


@pytest.mark.parametrize(
    "arguments",
    [("reserve", "a.wkt", "--project", "甲"), ("release", "R0001", "--reason", "完成")],
)
def test_nothing_is_entered_in_packaged_data_by_default(
    wuqu, files, monkeypatch, arguments
) -> None:
    monkeypatch.chdir(files)
    monkeypatch.delenv("WUQU_PLAN", raising=False)
    code, out, err = wuqu("budgets", *arguments)
    assert (code, out) == (2, "")
    assert "--plan" in err
