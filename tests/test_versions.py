"""Two versions of a plan over all recorded sites: who changes verdict, and why.

The redline, 30 m wide, lies 500 m east of the site in version 1 and on it in version 2: the site
loses its western 30 m x 100 m, 3,000.00 m² by hand.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from small_plan import SITE, TODAY, ReleaseWorld

import gis
from gis.output.records import RecordStore
from gis.output.records.entry import entry_of
from gis.output.versions import compare_versions, steps_of, write_csv
from gis.plan import Plan, load_plan

MORE = (
    '\n[[layer]]\nid = "more"\ntitle = "另一图层"\npath = "redline.gpkg"\nrole = "other"\n'
    'geometry = "polygon"\nvintage = "2026"\nstatus = "approved"\n'
)
FAR = SITE.replace("5000", "5030").replace("5001", "5031")
EDGE = SITE.replace("500000 ", "500510 ").replace("500100 ", "500560 ")


@pytest.fixture
def world(tmp_path: Path) -> ReleaseWorld:
    return ReleaseWorld(tmp_path)


@pytest.fixture
def plans(world) -> tuple[Plan, Plan]:
    for version, east in (("1", 500), ("2", 0)):
        world.put(world.make(version, east=east))
    return tuple(load_plan(path) for path in sorted(world.folder.glob("[12]-*")))


def keep(store: RecordStore, plan: Plan, text: str, name: str, day: date = TODAY, **asked) -> str:
    site = gis.read_site(text, plan, name=name)
    check = gis.check_site(site, plan, as_of=day, **asked)
    return store.save(entry_of(check, gis.to_dict(check)))


@pytest.fixture
def records(world, plans):
    """Records of version 1, and their ids by name."""
    store = RecordStore(world.tmp / "records.sqlite")
    old = plans[0]
    ids = {
        "甲": keep(store, old, SITE, "甲"),
        "远": keep(store, old, FAR, "远", use="0803"),
        "甲再": keep(store, old, SITE, "甲再"),
        "甲用途": keep(store, old, SITE, "甲（学校）", use="0803"),
        "临界": keep(store, old, EDGE, "临界"),
    }
    yield store, ids
    store.close()


def test_who_changes_and_why(records, plans) -> None:
    store, ids = records
    document = compare_versions(store, *plans)
    counts = ("records", "compared", "changed", "verdict_changed", "unchanged")
    assert [document[name] for name in counts] == [5, 4, 3, 3, 1]
    assert document["transitions"] == [
        {"old": "fail", "new": "pass", "sites": 1, "changed": True},
        {"old": "pass", "new": "fail", "sites": 2, "changed": True},
        {"old": "pass", "new": "pass", "sites": 1, "changed": False},
    ]
    assert [(row["id"], row["title"]) for row in document["layers"]] == [("redline", "红线")]
    assert [row["name"] for row in document["sites"]] == ["甲", "甲（学校）", "临界"]
    first = document["sites"][0]
    # Asked twice, a site is one site.
    assert first["records"] == [ids["甲"], ids["甲再"]]
    assert (first["old"]["verdict"], first["new"]["verdict"]) == ("pass", "fail")
    assert (first["old"]["deciding_rule"], first["new"]["deciding_rule"]) == (None, "x.redline")
    (rule,) = first["rules"]
    assert rule["rule"] == "x.redline"
    assert rule["new"]["measure"]["value"] == pytest.approx(3000.0, abs=0.01)
    assert first["recorded_verdict"] == "pass"
    assert first["old"]["digest"] == store.get(ids["甲"]).digest
    json.dumps(document, allow_nan=False)


def test_a_version_beside_itself_changes_nothing(records, plans) -> None:
    document = compare_versions(records[0], plans[0], plans[0])
    assert (document["changed"], document["unchanged"], document["sites"]) == (0, 4, [])
    assert document["layers"] == []


def test_each_record_is_judged_for_the_day_that_it_was_judged_for(world, plans) -> None:
    store = RecordStore(world.tmp / "days.sqlite")
    keep(store, plans[0], SITE, "甲", date(2020, 1, 1))
    keep(store, plans[0], SITE, "甲")
    rows = compare_versions(store, *plans)["sites"]
    assert [row["as_of"] for row in rows] == ["2020-01-01", "2026-11-22"]
    store.close()


def test_a_rule_that_changes_without_the_verdict_is_a_change(world, plans, records) -> None:
    source = world.make("3", east=90)
    document = compare_versions(records[0], plans[1], load_plan(source))
    assert (document["verdict_changed"], document["changed"]) == (0, 2)
    assert not any(row["verdict_changed"] for row in document["sites"])
    (rule,) = document["sites"][0]["rules"]
    assert [rule[side]["verdict"] for side in ("old", "new")] == ["fail", "fail"]
    values = [rule[side]["measure"]["value"] for side in ("old", "new")]
    assert values == pytest.approx([3000.0, 1000.0], abs=0.01)


def test_layers_that_one_version_lacks_are_named(world, plans, records) -> None:
    source = world.make("3", east=500)
    with (source / "plan.toml").open("a", encoding="utf-8") as file:
        file.write(MORE)
    layers = compare_versions(records[0], plans[0], load_plan(source))["layers"]
    assert [(row["id"], row["old"]["state"], row["new"]["state"]) for row in layers] == [
        ("more", None, "checked")
    ]


def test_what_a_version_cannot_judge_is_a_problem_and_stops_no_other(world, plans, records) -> None:
    source = world.make("3", east=0)
    text = (source / "plan.toml").read_text(encoding="utf-8")
    text = text.replace("bounds = [116.9,", "bounds = [117.02,")
    (source / "plan.toml").write_text(text, encoding="utf-8")
    document = compare_versions(records[0], plans[0], load_plan(source))
    assert document["compared"] == 1
    assert {row["name"] for row in document["problems"]} == {"甲", "甲（学校）", "临界"}
    assert all("规划" in row["problem"] for row in document["problems"])


def test_a_record_that_was_changed_is_a_problem_of_its_own(world, plans, records) -> None:
    store, ids = records
    with sqlite3.connect(world.tmp / "records.sqlite") as raw:
        for (name,) in raw.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("UPDATE records SET as_of = '2020-01-01' WHERE id = ?", (ids["远"],))
    raw.close()
    document = compare_versions(store, *plans)
    (problem,) = document["problems"]
    assert problem["records"] == [ids["远"]]
    assert document["compared"] == 3


def test_progress_never_runs_over(records, plans) -> None:
    calls: list[None] = []
    compare_versions(records[0], *plans, each=lambda: calls.append(None))
    assert 5 < len(calls) <= steps_of(records[0])


def test_the_table_holds_no_formula(world, plans) -> None:
    store = RecordStore(world.tmp / "other.sqlite")
    keep(store, plans[0], SITE, "=1+1")
    path = write_csv(compare_versions(store, *plans), world.tmp / "x.csv")
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[1][0] == "'=1+1"
    assert rows[1][4:8] == ["符合", "不符合", "", "x.redline"]
    store.close()


def test_the_command_takes_releases_by_name_or_folder(world, records, wuqu) -> None:
    assert records
    db, to = ["--records", world.tmp / "records.sqlite"], ["--plan", world.folder]
    code, out, err = wuqu("plan", "compare", "1", "2", *db, *to, "--csv", world.tmp / "t.csv")
    assert code == 0, err
    assert "结论改变 3 个" in out
    assert "红线：符合→不符合" in out
    assert (world.tmp / "t.csv").read_text(encoding="utf-8-sig").count("\n") == 4
    folders = sorted(world.folder.glob("[12]-*"))
    code, out, _ = wuqu("plan", "compare", *folders, *db, "--format", "json")
    assert (code, json.loads(out)["verdict_changed"]) == (0, 3)


def test_a_record_is_verified_on_the_release_that_it_cites(world, plans, records, wuqu) -> None:
    store, ids = records
    keep(store, plans[1], SITE, "新版本")
    db = ["--db", world.tmp / "records.sqlite", "--plan", world.folder]
    code, out, err = wuqu("verify", ids["甲"], *db, "--format", "json")
    assert (code, json.loads(out)["changes"]) == (0, []), err
    code, out, _ = wuqu("verify", "--all", "--replay", *db, "--format", "json")
    assert (code, json.loads(out)["differing"]) == (0, [])
    # On the one package that is not what most of them cite, the difference is named.
    code, out, _ = wuqu("verify", ids["甲"], *db[:2], "--plan", plans[1].root, "--format", "json")
    assert code == 3
    assert json.loads(out)["differences"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["1", "--records", "{db}"], "没有写明新版本"),
        (["1", "2", "--records", "{db}", "--use", "0803"], "--use"),
        (["1", "2"], "--records"),
        (["1", "3", "--records", "{db}"], "没有发布过"),
        (["1", "2", "--records", "nothing.sqlite"], "没有记录库"),
    ],
)
def test_a_wrong_call_is_one_clear_message(world, records, wuqu, call, said) -> None:
    assert records
    words = [word.format(db=world.tmp / "records.sqlite") for word in call]
    code, _, err = wuqu("plan", "compare", *words, "--plan", world.folder)
    assert (code, said in err) == (2, True), err
