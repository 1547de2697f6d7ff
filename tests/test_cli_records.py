"""The records at the terminal: exit codes, one JSON document, and files that are never overrun."""

from __future__ import annotations

import json
import shutil

import pytest
from record_world import keep, keep_checked, run_sql

from gis.output.records import RecordStore
from gis.plan import load_plan


@pytest.fixture
def db(tmp_path, monkeypatch):
    path = tmp_path / "records.sqlite"
    monkeypatch.setenv("WUQU_DB", str(path))
    return path


@pytest.fixture
def record(db, clean):
    """The id of a real answer between two that nobody judged."""
    store = RecordStore(db)
    keep(store, "甲")
    made = keep_checked(store, load_plan(clean))
    keep(store, "乙")
    store.close()
    return made


def tamper(db, statement):
    store = RecordStore(db)
    run_sql(store, statement)
    store.close()


# --- verify --------------------------------------------------------------------------------------


def test_a_record_that_nobody_touched_ends_with_0(wuqu, record, clean):
    code, out, _ = wuqu("verify", record, "--plan", clean)
    assert code == 0
    assert "一致" in out
    assert record in out
    code, out, err = wuqu("verify", record, "--plan", clean, "--format", "json")
    found = json.loads(out)
    assert (code, err, found["outcome"], found["record"]) == (0, "", "identical", record)


def test_a_changed_record_ends_with_3_and_the_field_is_named(wuqu, record, db, clean):
    tamper(db, "UPDATE records SET name = '别的' WHERE seq = 2")
    code, out, _ = wuqu("verify", record, "--plan", clean)
    assert code == 3
    assert "name" in out
    code, out, _ = wuqu("verify", record, "--plan", clean, "--format", "json")
    assert code == 3
    assert json.loads(out)["outcome"] == "damaged"


def test_a_changed_rule_ends_with_3_and_is_named(wuqu, record, clean, tmp_path):
    changed = tmp_path / "plan"
    shutil.copytree(clean, changed)
    rules = changed / "rules" / "zones.toml"
    rules.write_text(rules.read_text("utf-8").replace("priority = 25", "priority = 24"), "utf-8")
    code, out, _ = wuqu("verify", record, "--plan", changed)
    assert code == 3
    assert "规则 plan.zone-use 已修改" in out
    assert "rules/zones.toml" in out


def test_a_plan_that_cannot_be_opened_ends_with_3_and_is_named(wuqu, record, clean, tmp_path):
    broken = tmp_path / "plan"
    shutil.copytree(clean, broken)
    (broken / "rules" / "zones.toml").write_text("[[rule]\n")
    code, out, _ = wuqu("verify", record, "--plan", broken)
    assert code == 3
    assert "rules/zones.toml" in out


def test_the_whole_chain_ends_with_0_and_tells_its_end(wuqu, record, db):
    del record
    code, out, _ = wuqu("verify", "--all", "--format", "json")
    found = json.loads(out)
    store = RecordStore(db)
    assert (code, found["records"], found["faults"]) == (0, 3, [])
    assert (found["seq"], found["hash"]) == store.head()
    store.close()
    code, out, _ = wuqu("verify", "--all")
    assert (code, found["hash"] in out) == (0, True)


def test_an_end_that_was_noted_shows_that_the_chain_was_cut_off(wuqu, record, db):
    del record
    found = json.loads(wuqu("verify", "--all", "--format", "json")[1])
    noted = f"{found['seq']}:{found['hash']}"
    assert noted in wuqu("verify", "--all", "--noted", noted)[1]
    tamper(db, "DELETE FROM records WHERE seq = 3")
    assert wuqu("verify", "--all")[0] == 0
    code, out, _ = wuqu("verify", "--all", "--noted", noted)
    assert code == 3
    assert "截去" in out


@pytest.mark.parametrize("noted", ["3", "3:", "x:" + "0" * 64, "3:" + "0" * 63, "3:" + "G" * 64])
def test_an_end_that_was_noted_wrongly_is_a_wrong_call(wuqu, record, noted):
    del record
    assert wuqu("verify", "--all", "--noted", noted)[0] == 2


def test_a_chain_with_a_hole_ends_with_3(wuqu, record, db):
    del record
    tamper(db, "DELETE FROM records WHERE seq = 2")
    code, out, _ = wuqu("verify", "--all")
    assert code == 3
    assert "第 2 条不见了" in out


def test_all_records_are_judged_again_on_request(wuqu, db, clean, tmp_path):
    store = RecordStore(db)
    for _ in range(2):
        keep_checked(store, load_plan(clean))
    store.close()
    code, out, _ = wuqu("verify", "--all", "--replay", "--plan", clean, "--format", "json")
    assert (code, json.loads(out)["differing"]) == (0, [])
    changed = tmp_path / "plan"
    shutil.copytree(clean, changed)
    rules = changed / "rules" / "zones.toml"
    rules.write_text(rules.read_text("utf-8").replace("priority = 25", "priority = 24"), "utf-8")
    code, out, _ = wuqu("verify", "--all", "--replay", "--plan", changed, "--format", "json")
    differing = json.loads(out)["differing"]
    assert (code, len(differing)) == (3, 2)
    assert differing[0]["changes"][0]["where"] == "plan.zone-use"


@pytest.mark.parametrize(
    "words", [(), ("0" * 32, "--all"), ("0" * 32, "--replay"), ("0" * 32,), ("不是编号",)]
)
def test_a_call_that_names_no_record_is_wrong(wuqu, record, words):
    del record
    code, out, err = wuqu("verify", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


# --- records -------------------------------------------------------------------------------------


def test_records_are_listed_and_shown(wuqu, record):
    code, out, _ = wuqu("records", "list", "--format", "json")
    rows = json.loads(out)["records"]
    assert (code, [row["name"] for row in rows][::2]) == (0, ["乙", "甲"])
    assert wuqu("records", "list")[1].count("\n") > 3
    code, out, _ = wuqu("records", "show", record, "--format", "json")
    assert (code, json.loads(out)["chain"]["seq"]) == (0, 2)
    assert "链上位置" in wuqu("records", "show", record)[1]


def test_a_decision_is_written_beside_the_answer(wuqu, record):
    words = ("--verdict", "conditional", "--office", "耕保科", "--reason", "已批复")
    code, out, _ = wuqu("records", "decide", record, *words, "--by", "张三", "--format", "json")
    made = json.loads(out)["decisions"]
    assert code == 0
    assert [(d["verdict"], d["decided_by"]) for d in made] == [("conditional", "张三")]
    assert "人工决定" in wuqu("records", "show", record)[1]
    code, out, err = wuqu("records", "decide", record, "--verdict", "yes", *words[2:])
    assert (code, out) == (2, "")
    assert "conditional" in err


def test_records_go_out_and_come_in(wuqu, record, tmp_path):
    code, out, _ = wuqu("records", "export", tmp_path / "all.jsonl", "--format", "json")
    moved = json.loads(out)
    assert (code, moved["rows"]) == (0, 3)
    other = tmp_path / "other.sqlite"
    code, out, _ = wuqu(
        "records", "import", tmp_path / "all.jsonl", "--db", other, "--format", "json"
    )
    assert (code, json.loads(out)) == (0, moved)
    assert wuqu("records", "show", record, "--db", other)[0] == 0
    code, out, err = wuqu("records", "import", tmp_path / "all.jsonl", "--db", other)
    assert (code, out) == (2, "")
    assert "已在库中" in err


def test_a_backup_is_a_store_and_never_goes_over_a_file(wuqu, record, tmp_path):
    copy = tmp_path / "backup.sqlite"
    code, out, _ = wuqu("records", "backup", copy, "--format", "json")
    assert (code, json.loads(out)["seq"]) == (0, 3)
    assert wuqu("records", "show", record, "--db", copy)[0] == 0
    assert wuqu("verify", "--all", "--db", copy)[0] == 0
    code, _, err = wuqu("records", "backup", copy)
    assert code == 2
    assert "已存在" in err


@pytest.mark.parametrize(
    "words", [("verify", "--all"), ("records", "list"), ("records", "export", "x.jsonl")]
)
def test_a_wrong_path_makes_no_new_store(wuqu, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = wuqu(*words, "--db", tmp_path / "typo.sqlite")
    assert (code, out) == (2, "")
    assert "没有记录库" in err
    assert list(tmp_path.iterdir()) == []


def test_a_database_is_migrated_when_somebody_says_so(wuqu, database):
    code, _, err = wuqu("records", "list", "--db", database)
    assert code == 2
    assert "wuqu records migrate" in err
    assert wuqu("records", "migrate", "--db", database)[0] == 0
    code, out, _ = wuqu("records", "list", "--db", database, "--format", "json")
    assert (code, json.loads(out)) == (0, {"records": []})
    code, out, _ = wuqu("records", "migrate", "--db", database, "--format", "json")
    found = json.loads(out)
    assert (code, found["before"]) == (0, found["now"])
