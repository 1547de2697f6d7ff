"""Verifying a record: one turned bit is found and named, and a replay gives the same digest."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading

import pytest
import shapely
from record_world import (
    AS_OF,
    checked,
    columns_of,
    keep,
    keep_checked,
    run_sql,
    turn_bit,
    turn_bit_of,
)

from gis.check import check_site
from gis.digest import decision_text
from gis.errors import NotFoundError, PlanError, StoreDamagedError
from gis.intake.read import read_site
from gis.output.records import RecordStore
from gis.output.records.audit import audit
from gis.output.records.decided import decision_in
from gis.output.records.replay import replay, site_of
from gis.output.records.snapshot import snapshot_of
from gis.output.records.tables import decisions, records
from gis.output.records.verify import Outcome, verify_record
from gis.plan import load_plan
from gis.plan.reservations import reserve
from gis.plan.samples import load_samples
from gis.rulebook import loader


@pytest.fixture
def store(tmp_path):
    opened = RecordStore(tmp_path / "records.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def small(clean):
    """A plan of a few layers, opened once; nobody may change its files."""
    return load_plan(clean)


def found_in(verification):
    return {(fault.kind, fault.where) for fault in verification.faults}


def changed_in(verification):
    return {(change.kind, change.where) for change in verification.changes}


# --- the same digest -----------------------------------------------------------------------------


def test_every_sample_site_gives_the_same_digest_when_its_record_is_judged_again(plan, store):
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        how = {"use": sample.use, "attributes": sample.attributes, "as_of": sample.as_of}
        check = check_site(site, plan, **how)
        record = store.get(keep_checked(store, plan, site=site, **how))
        again = replay(record, plan)
        assert again.digest == check.digest == record.digest
        assert again.decision == record.decision == decision_in(record.document)
        assert shapely.equals_exact(site_of(record).geometry, site.geometry)


def test_a_site_whose_place_is_in_doubt_is_judged_again_wherever_it_may_lie(plan, store):
    ring = [[115.97 + x, 36.37 + y] for x, y in ((0, 0), (2e-3, 0), (2e-3, 2e-3), (0, 0))]
    site = read_site({"type": "Polygon", "coordinates": [ring]}, plan, crs="GCJ-02")
    assert site.doubt is not None
    found = verify_record(store, keep_checked(store, plan, site=site), plan)
    assert found.outcome is Outcome.IDENTICAL


def test_a_record_that_nobody_touched_is_identical(small, store):
    record_id = keep_checked(store, small, attributes={"plot_ratio": 1.2})
    found = verify_record(store, record_id, small)
    assert (found.outcome, found.is_good) == (Outcome.IDENTICAL, True)
    assert (found.faults, found.changes, found.differences) == ((), (), ())
    assert found.replayed.digest == found.digest
    record = store.get(record_id)
    assert hashlib.sha256(record.decision.encode()).hexdigest() == record.digest
    assert (record.owner, record.upload_sha256) == ("窗口一", "b" * 64)
    assert record.as_of == AS_OF.isoformat()


def test_the_decision_part_of_a_document_is_the_one_of_the_check(plan):
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        check = check_site(site, plan, use=sample.use, as_of=sample.as_of)
        from gis.canonical import to_dict

        stored = json.loads(json.dumps(to_dict(check)))
        assert decision_in(stored) == decision_text(check)


def test_a_snapshot_names_layers_files_rules_and_tolerances(plan, store):
    record = store.get(keep_checked(store, plan))
    content = json.loads(store.snapshot(record.snapshot))
    assert set(content["layers"]) == set(plan.layers)
    zones = content["layers"]["zones"]
    assert zones["content_sha256"] == plan.layer("zones").content_sha256
    path = plan.layer("zones").path
    assert zones["files"][path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(zones["files"]) >= {path.with_suffix(s).name for s in (".shp", ".dbf", ".prj")}
    assert set(content["rulebook"]["rules"]) == {rule.id for rule in plan.rulebook.rules}
    assert {"rules/zones.toml", "cn/farmland.toml"} <= set(content["rulebook"]["files"])
    assert "cn/land_classes/ydyh-2023.csv" in content["rulebook"]["files"]
    assert all(row["width_tolerance_m"] >= 0 for row in content["tolerances"].values())


def test_equal_answers_share_one_snapshot(small, store):
    first, second = (store.get(keep_checked(store, small)) for _ in range(2))
    assert first.snapshot == second.snapshot == snapshot_of(small).sha256
    assert first.hash != second.hash


def test_a_record_that_is_not_there_is_not_found(small, store):
    with pytest.raises(NotFoundError):
        verify_record(store, "0" * 32, small)


def test_records_that_are_written_meanwhile_look_like_no_hole(small, store):
    entry = checked(small)
    done = threading.Event()

    def write():
        while not done.is_set():
            store.save(entry)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [verify_record(store, store.save(entry), small) for _ in range(25)]
    finally:
        done.set()
        writer.join()
    assert {one.outcome for one in found} == {Outcome.IDENTICAL}


# --- one bit of a record -------------------------------------------------------------------------


@pytest.mark.parametrize("column", columns_of(records))
def test_a_turned_bit_in_any_column_of_a_record_is_found_and_named(small, store, column):
    keep(store)
    record_id = keep_checked(store, small)
    keep(store)
    turn_bit_of(store, "records", column, 2)
    moved = 1026 if column == "seq" else 2
    assert ("record", f"{moved}/{column}") in found_in(audit(store))
    found = verify_record(store, record_id, small)
    assert found.outcome is Outcome.DAMAGED
    assert ("record", column) in found_in(found)
    fields = {where for kind, where in found_in(found) if kind == "record"}
    assert fields == {column}
    with pytest.raises((StoreDamagedError, NotFoundError)):
        store.get(record_id)


@pytest.mark.parametrize("column", ["name", "document", "decision", "inputs", "software"])
def test_a_text_that_is_no_text_any_more_is_found_and_named(small, store, column):
    record_id = keep_checked(store, small)
    turn_bit_of(store, "records", column, 1, bit=128)
    assert ("record", column) in found_in(verify_record(store, record_id, small))
    with pytest.raises(StoreDamagedError):
        store.get(record_id)


@pytest.mark.parametrize("column", [c for c in columns_of(decisions) if c != "record_id"])
def test_a_turned_bit_in_any_column_of_a_decision_is_found_and_named(small, store, column):
    record_id = keep_checked(store, small)
    store.decide(
        record_id, verdict="fail", office="耕保科", reason="理由", by="张三", request_id="r1"
    )
    keep(store)
    turn_bit_of(store, "decisions", column, 2)
    moved = 1026 if column == "seq" else 2
    assert ("decision", f"{moved}/{column}") in found_in(audit(store))
    assert ("decision", f"{moved}/{column}") in found_in(verify_record(store, record_id, small))


def test_a_decision_that_points_at_another_record_is_found(small, store):
    record_id = keep_checked(store, small)
    store.decide(record_id, verdict="fail", office="科", reason="理由")
    run_sql(store, f"UPDATE decisions SET record_id = '{'0' * 32}'")
    assert found_in(audit(store)) == {("decision", "2/record_id")}


def test_a_turned_bit_in_a_snapshot_is_found_and_named(small, store):
    record_id = keep_checked(store, small)
    sha256 = store.get(record_id).snapshot
    turn_bit_of(store, "snapshots", "content", 1)
    assert ("snapshot", sha256) in found_in(verify_record(store, record_id, small))
    assert ("snapshot", sha256) in found_in(audit(store))


def test_a_snapshot_that_is_gone_is_missed(small, store):
    record_id = keep_checked(store, small)
    run_sql(store, "DELETE FROM snapshots")
    assert {kind for kind, _ in found_in(verify_record(store, record_id, small))} == {"snapshot"}


def test_a_forged_row_with_all_its_hashes_contradicts_itself_and_the_row_behind(small, store):
    from gis.output.records.chain import sealed

    record_id = keep_checked(store, small)
    keep(store)
    row = store.row(record_id)
    forged = sealed({**row, "verdict": "pass"}, 1, row["prev_hash"])
    changes = ", ".join(f"{k} = '{forged[k]}'" for k in ("verdict", "field_hashes", "hash"))
    run_sql(store, f"UPDATE records SET {changes} WHERE seq = 1")
    found = verify_record(store, record_id, small)
    assert found_in(found) == {("chain", "2"), ("digest", "verdict")}


def test_neighbours_that_are_gone_are_missed(small, store):
    keep(store)
    record_id = keep_checked(store, small)
    keep(store)
    keep(store)
    run_sql(store, "DELETE FROM records WHERE seq IN (1, 3)")
    assert found_in(verify_record(store, record_id, small)) == {("chain", "1"), ("chain", "3")}


# --- one bit of the plan -------------------------------------------------------------------------


@pytest.fixture
def kept(package, store):
    """The id of a record on a plan package whose files may be damaged."""
    return keep_checked(store, load_plan(package.root))


def verified(store, record_id, package):
    try:
        plan = load_plan(package.root)
    except PlanError as error:
        plan = error
    return verify_record(store, record_id, plan)


@pytest.mark.parametrize("suffix", [".shp", ".shx", ".dbf", ".prj", ".cpg"])
@pytest.mark.parametrize("layer", ["zones", "roads"])
def test_a_turned_bit_in_any_file_of_a_layer_is_found_and_named(
    package, store, kept, layer, suffix
):
    path = package.file(layer, suffix)
    turn_bit(path, path.stat().st_size * 3 // 4)
    found = verified(store, kept, package)
    assert ("layer_file", f"{layer}/{path.name}") in changed_in(found)
    others = {where.split("/")[0] for kind, where in changed_in(found) if "layer" in kind}
    assert others == {layer}
    assert found.outcome is Outcome.CHANGED
    assert found.faults == ()


def test_a_moved_corner_of_a_layer_is_named_by_its_content(package, store, kept):
    frame = package.read("zones")
    frame.geometry = frame.geometry.translate(0.01, 0)
    package.write("zones", frame)
    found = verified(store, kept, package)
    assert ("layer", "zones") in changed_in(found)
    assert "layers/zones" in {difference.where for difference in found.differences}
    assert found.replayed.digest != found.digest


def test_a_layer_that_is_gone_is_named(package, store, kept):
    for path in package.file("zones").parent.glob(f"{package.file('zones').stem}.*"):
        path.unlink()
    found = verified(store, kept, package)
    assert ("layer", "zones") in changed_in(found)
    assert found.outcome is Outcome.CHANGED


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('title = "五大功能区准入"', 'title = "五大功能区准人"', "plan.zone-use"),
        ("priority = 25", "priority = 24", "plan.zone-use"),
    ],
)
def test_a_changed_rule_is_named_with_its_file(package, store, kept, old, new, rule):
    path = package.root / "rules" / "zones.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = verified(store, kept, package)
    assert {("rule", rule), ("rule_file", "rules/zones.toml")} == changed_in(found)
    assert found.outcome is Outcome.CHANGED
    assert "rulebook" in {difference.where for difference in found.differences}


def test_a_turned_bit_in_a_comment_of_a_rule_file_is_named_and_changes_no_decision(
    package, store, kept
):
    path = package.root / "rules" / "zones.toml"
    turn_bit(path, path.read_bytes().index(b"matrix"))
    found = verified(store, kept, package)
    assert changed_in(found) == {("rule_file", "rules/zones.toml")}
    assert found.replayed.digest == found.digest
    assert found.outcome is Outcome.CHANGED


def test_a_turned_bit_that_breaks_a_rule_file_is_named_with_its_line(package, store, kept):
    path = package.root / "rules" / "zones.toml"
    turn_bit(path, path.read_bytes().index(b'kind = "use_permitted"'))
    found = verified(store, kept, package)
    assert ("rule_file", "rules/zones.toml") in changed_in(found)
    assert found.outcome is Outcome.CHANGED
    assert found.replayed is None


def test_a_turned_bit_in_a_table_of_national_law_is_named(package, store, tmp_path, monkeypatch):
    law = tmp_path / "cn"
    shutil.copytree(loader._PACKAGED, law)
    monkeypatch.setattr(loader, "_PACKAGED", law)
    record_id = keep_checked(store, load_plan(package.root))
    farmland, classes = law / "farmland.toml", law / "land_classes" / "ydyh-2023.csv"
    turn_bit(farmland, farmland.read_bytes().index(b"# ") + 2)
    turn_bit(classes, classes.stat().st_size - 3)
    found = verified(store, record_id, package)
    names = ("cn/farmland.toml", "cn/land_classes/ydyh-2023.csv")
    assert changed_in(found) == {("rule_file", name) for name in names}


@pytest.mark.parametrize("where", [b"version", b"# "])
def test_a_turned_bit_in_the_plan_file_is_named(package, store, kept, where):
    path = package.root / "plan.toml"
    content = path.read_bytes()
    if where not in content:
        path.write_bytes(content + b"# note\n")
        kept = keep_checked(store, load_plan(package.root))
        content = path.read_bytes()
    turn_bit(path, content.index(where) + 1)
    found = verified(store, kept, package)
    assert ("plan_file", "plan.toml") in changed_in(found)
    assert found.outcome is Outcome.CHANGED


def test_another_version_of_the_plan_is_named(package, store, kept):
    version = load_plan(package.root).ref.version
    package.toml = package.toml.replace(f'version = "{version}"', 'version = "2099.1"', 1)
    found = verified(store, kept, package)
    assert {("plan", "version"), ("plan_file", "plan.toml")} == changed_in(found)
    assert "plan" in {difference.where for difference in found.differences}


def test_reservations_made_since_are_told_and_are_no_fault_while_the_decision_is_the_same(
    package, store, kept
):
    plan = load_plan(package.root)
    far = read_site(_square(115.99, 36.36), plan)
    reserve(plan, far, project="别处的项目", on=AS_OF, use="0803")
    found = verified(store, kept, package)
    assert changed_in(found) == {("reservations", "reservations.jsonl")}
    assert found.outcome is Outcome.IDENTICAL


def test_other_software_is_told_and_is_no_fault_while_the_decision_is_the_same(
    small, store, monkeypatch
):
    record_id = keep_checked(store, small)
    monkeypatch.setattr(
        "gis.output.records.verify.software_versions",
        lambda: {**store.get(record_id).software, "geos": "9.9.9"},
    )
    found = verify_record(store, record_id, small)
    assert changed_in(found) == {("software", "geos")}
    assert found.outcome is Outcome.IDENTICAL


def test_a_plan_with_another_crs_cannot_judge_the_record_and_says_so(small, store, french_plan_dir):
    record_id = keep_checked(store, small)
    found = verify_record(store, record_id, load_plan(french_plan_dir))
    assert ("plan", "site") in changed_in(found)
    assert found.outcome is Outcome.CHANGED


def _square(x, y):
    ring = [[x, y], [x + 1e-3, y], [x + 1e-3, y + 1e-3], [x, y + 1e-3], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}
