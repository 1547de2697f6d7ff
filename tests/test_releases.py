"""Releases of a plan: checked, kept as they were, in force all at once or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import geopandas
import pytest
import shapely
from small_plan import SITE, TODAY, ReleaseWorld

import gis
from gis.errors import ClaimError, NotFoundError, PlanError
from gis.plan import load_plan
from gis.plan.releases import packing
from gis.plan.releases.folder import history, in_force, stamp_of
from gis.plan.releases.publishing import publish, rollback


@pytest.fixture
def world(tmp_path: Path) -> ReleaseWorld:
    return ReleaseWorld(tmp_path)


def verdict(folder: Path) -> str:
    plan = load_plan(folder)
    return gis.check_site(gis.read_site(SITE, plan), plan, as_of=TODAY).verdict.value


# --- into force and back -------------------------------------------------------------------------


def test_what_was_published_is_in_force_until_the_next_one(world) -> None:
    first = world.put(world.make("2026.1"), note="首次")
    assert first.is_new
    assert first.before is None
    assert first.release == f"2026.1-{first.sha256[:12]}"
    assert verdict(world.folder) == "pass"
    second = world.put(world.make("2026.2", east=0))
    assert second.before == first.release
    assert verdict(world.folder) == "fail"
    assert load_plan(world.folder).ref.version == "2026.2"
    assert load_plan(world.folder / first.release).ref.version == "2026.1"


def test_a_rollback_puts_an_earlier_release_in_force_and_is_history(world) -> None:
    first = world.put(world.make("2026.1"))
    second = world.put(world.make("2026.2", east=0))
    back = rollback(world.folder, "2026.1", by="李四", note="界线有误")
    assert (back.release, back.before) == (first.release, second.release)
    assert verdict(world.folder) == "pass"
    rollback(world.folder, second.release, by="王五")
    found = [(a.event, a.version, a.by, a.note) for a in history(world.folder)]
    assert found == [
        ("publish", "2026.1", "张三", ""),
        ("publish", "2026.2", "张三", ""),
        ("rollback", "2026.1", "李四", "界线有误"),
        ("rollback", "2026.2", "王五", ""),
    ]


def test_the_same_content_again_changes_nothing(world) -> None:
    source = world.make("2026.1")
    first = world.put(source)
    stamp = stamp_of(world.folder)
    again = world.put(source)
    assert (again.release, again.is_new, again.changed) == (first.release, False, False)
    assert stamp_of(world.folder) == stamp
    assert not rollback(world.folder, "2026.1", by="x").changed


def test_an_earlier_version_may_be_published_again_with_its_own_content(world) -> None:
    source = world.make("2026.1")
    first = world.put(source)
    world.put(world.make("2026.2", east=0))
    again = world.put(source)
    assert (again.release, again.is_new, again.changed) == (first.release, False, True)
    assert in_force(world.folder).release == first.release


def test_a_version_with_other_content_is_refused(world) -> None:
    first = world.put(world.make("2026.1"))
    with pytest.raises(ClaimError, match=r"版本 2026\.1 已于 .* 以其他内容发布.*version"):
        world.put(world.make("2026.1", east=400))
    assert in_force(world.folder).release == first.release
    assert sorted(p.name for p in world.folder.iterdir()) == [
        first.release,
        "history.head",
        "history.jsonl",
    ]


def test_the_package_may_change_after_it_was_published(world) -> None:
    source = world.make("2026.1")
    world.put(source)
    shutil.rmtree(source)
    assert verdict(world.folder) == "pass"


def test_a_link_is_followed_and_the_release_stands_alone(world) -> None:
    source = world.make("2026.1")
    (source / "redline.gpkg").rename(world.tmp / "elsewhere.gpkg")
    (source / "redline.gpkg").symlink_to(world.tmp / "elsewhere.gpkg")
    world.put(source)
    (world.tmp / "elsewhere.gpkg").unlink()
    assert verdict(world.folder) == "pass"


# --- what may not come into force ----------------------------------------------------------------


def bow_tie(source: Path) -> None:
    shape = shapely.Polygon([(5e5, 4.02e6), (500100, 4020100), (500100, 4.02e6), (5e5, 4020100)])
    frame = geopandas.GeoDataFrame({"n": [1]}, geometry=[shape], crs=4548)
    frame.to_file(source / "redline.gpkg", driver="GPKG", engine="pyogrio")


def edited(source: Path, name: str, old: str, new: str) -> None:
    text = (source / name).read_text(encoding="utf-8")
    assert old in text
    (source / name).write_text(text.replace(old, new), encoding="utf-8")


FAULTS = {
    "a layer is missing": (lambda s: (s / "redline.gpkg").unlink(), "redline"),
    "a layer is damaged": (lambda s: (s / "redline.gpkg").write_bytes(b"x"), "redline"),
    "an outline crosses itself": (bow_tie, "redline"),
    "the plan is a draft": (
        lambda s: edited(s, "plan.toml", 'status = "approved"\nwork', 'status = "draft"\nwork'),
        "--unapproved",
    ),
    "a document that no rule cites": (
        lambda s: (s / "book.toml").write_text(
            (s / "book.toml").read_text(encoding="utf-8")
            + '\n[[document]]\nid = "idle"\ntitle = "无人引用"\nverified = true\n'
            + 'checked_on = 2026-11-22\nsource = "原文"\n',
            encoding="utf-8",
        ),
        "idle",
    ),
    "a rule book that cannot be read": (
        lambda s: edited(s, "book.toml", 'kind = "forbid_overlap"', 'kind = "nothing"'),
        "未知的类型",
    ),
    "a layer outside the package": (
        lambda s: edited(s, "plan.toml", 'path = "redline', 'path = "../redline'),
        "之外",
    ),
    "a layer by its place on this machine": (
        lambda s: edited(s, "plan.toml", 'path = "redline', 'path = "/data/redline'),
        "之外",
    ),
    "a link that leads nowhere": (lambda s: (s / "notes.txt").symlink_to("nowhere"), "notes.txt"),
    "a link that leads round": (lambda s: (s / "loop").symlink_to(s), "loop"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_package_with_faults_does_not_come_into_force(world, fault: str) -> None:
    before = world.put(world.make("2026.1"))
    source = world.make("2026.2")
    plant, said = FAULTS[fault]
    plant(source)
    with pytest.raises(PlanError) as caught:
        world.put(source)
    assert said in caught.value.detail + str(caught.value.faults)
    assert str(world.tmp) not in caught.value.detail
    assert in_force(world.folder).release == before.release
    assert not [p for p in world.folder.iterdir() if p.name.startswith(".")]


def test_a_draft_comes_into_force_when_somebody_says_so(world) -> None:
    source = world.make("2026.1")
    FAULTS["the plan is a draft"][0](source)
    world.put(source, unapproved=True)
    assert load_plan(world.folder).ref.status == "draft"


@pytest.mark.parametrize("version", ["../x", "a/b", ".hidden", "", "a b", "x" * 61, "a\\b"])
def test_a_version_that_is_no_name_is_refused(world, version: str) -> None:
    with pytest.raises(ClaimError, match="版本"):
        world.put(world.make(version.replace("\\", "\\\\")))
    assert not world.folder.exists()


@pytest.mark.parametrize("note", ["两\n行", "长" * 501])
def test_a_note_is_one_line(world, note: str) -> None:
    with pytest.raises(ClaimError, match="--note"):
        world.put(world.make("1"), note=note)


def test_releases_inside_the_package_are_refused(world) -> None:
    source = world.make("2026.1")
    for folder in (source, source / "releases"):
        with pytest.raises(ClaimError, match="重叠"):
            publish(source, folder, by="x", today=TODAY)
    world.put(source)
    with pytest.raises(ClaimError, match="重叠"):
        publish(world.folder, world.tmp / "others", by="x", today=TODAY)


# --- a release is what was published -------------------------------------------------------------

TOUCHED = {
    "a layer": lambda r: flip(r / "redline.gpkg"),
    "the plan": lambda r: flip(r / "plan.toml"),
    "the rules": lambda r: flip(r / "book.toml"),
    "the manifest": lambda r: flip(r / "release.json"),
    "a file gone": lambda r: (r / "book.toml").unlink(),
    "a file more": lambda r: (r / "more.toml").write_text("x = 1"),
}


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)


@pytest.mark.parametrize("what", TOUCHED)
def test_a_release_that_was_touched_is_not_opened_nor_put_in_force(world, what: str) -> None:
    first = world.put(world.make("2026.1"))
    world.put(world.make("2026.2", east=0))
    root = world.folder / first.release
    TOUCHED[what](root)
    with pytest.raises(PlanError):
        load_plan(root)
    with pytest.raises(PlanError):
        rollback(world.folder, "2026.1", by="x")
    assert verdict(world.folder) == "fail"


def test_a_cache_beside_the_files_is_no_part_of_a_release(world) -> None:
    first = world.put(world.make("2026.1"))
    (world.folder / first.release / ".index").mkdir()
    (world.folder / first.release / ".index" / "stack.npy").write_bytes(b"x")
    assert verdict(world.folder) == "pass"


def test_an_image_is_compared_by_size_when_opened_and_byte_by_byte_when_put_in_force(
    world, make_raster
) -> None:
    import numpy as np

    source = world.make("2026.1")
    make_raster(np.ones((4, 4, 1), dtype="uint8"), root=source, bands={"red": 1})
    raster = '[[raster]]\nid = "r"\ntitle = "影像"\npath = "r.tif"\nkind = "bands"\n'
    raster += 'date = 2026-06-01\nbands = { red = 1 }\nstatus = "approved"\n'
    text = (source / "plan.toml").read_text(encoding="utf-8")
    (source / "plan.toml").write_text(f"{text}\n{raster}", encoding="utf-8")
    first = world.put(source)
    world.put(world.make("2026.2"))
    flip(world.folder / first.release / "r.tif")
    assert load_plan(world.folder / first.release).ref.version == "2026.1"
    with pytest.raises(PlanError, match=r"r\.tif 被改动过"):
        rollback(world.folder, "2026.1", by="x")


def test_a_changed_history_is_not_believed(world) -> None:
    world.put(world.make("2026.1"))
    world.put(world.make("2026.2", east=0))
    file = world.folder / "history.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0])
    with pytest.raises(PlanError, match="台账不完整"):
        load_plan(world.folder)
    file.write_bytes(lines[0].replace("张三".encode(), "王五".encode()) + lines[1])
    with pytest.raises(PlanError, match=r"history\.jsonl 第 2 行"):
        load_plan(world.folder)


def test_a_name_in_the_history_never_leads_out_of_the_folder(world) -> None:
    from gis.plan.quota.journal import append

    first = world.put(world.make("2026.1"))
    line = {"event": "publish", "release": "../p1", "version": "1", "sha256": first.sha256}
    append(world.folder / "history.jsonl", lambda _: line | {"at": "", "by": "", "note": ""})
    with pytest.raises(PlanError, match="不是一条发布记录"):
        load_plan(world.folder)


def test_a_release_that_is_gone_is_said_with_its_name(world) -> None:
    first = world.put(world.make("2026.1"))
    shutil.rmtree(world.folder / first.release)
    with pytest.raises(PlanError, match=first.release):
        load_plan(world.folder)


def test_an_empty_folder_of_releases_says_what_to_do(world) -> None:
    world.folder.mkdir()
    (world.folder / "history.jsonl").write_bytes(b"")
    with pytest.raises(PlanError, match="wuqu plan publish"):
        load_plan(world.folder)
    with pytest.raises(NotFoundError, match="没有发布过"):
        rollback(world.folder, "1", by="x")


# --- reservations --------------------------------------------------------------------------------


def test_land_stays_promised_when_a_new_version_comes_into_force(world) -> None:
    from gis.plan.reservations import reservations, reserve

    source = world.make("2026.1")
    plan = load_plan(source)
    reserve(plan, gis.read_site(SITE, plan), project="甲", on=TODAY)
    world.put(source)
    opened = load_plan(world.folder)
    assert [r.project for r in reservations(opened).entries] == ["甲"]
    other = SITE.replace("5000", "5010").replace("5001", "5011")
    reserve(opened, gis.read_site(other, opened), project="乙", on=TODAY)
    world.put(world.make("2026.2"))
    assert [r.project for r in reservations(load_plan(world.folder)).entries] == ["甲", "乙"]
    assert [r.project for r in reservations(plan).entries] == ["甲"]


# --- killed at any moment ------------------------------------------------------------------------


def killed_publish(world, source: Path, at: int) -> bool:
    """Publish in a child that kills itself before its ``at``-th step on the disk; did it?"""
    pid = os.fork()
    if pid == 0:
        steps = 0

        def counted(step):
            def call(*args, **kwargs):
                nonlocal steps
                steps += 1
                if steps == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return step(*args, **kwargs)

            return call

        for name in ("fsync", "write", "rename", "replace"):
            setattr(os, name, counted(getattr(os, name)))
        try:
            world.put(source)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def test_kill_9_at_any_step_leaves_the_old_release_in_force_or_the_new_one(world) -> None:
    old = world.put(world.make("2026.1"))
    source = world.make("2026.2", east=0)
    keep = world.tmp / "before"
    shutil.copytree(world.folder, keep)
    seen = []
    for at in range(1, 100):
        shutil.rmtree(world.folder)
        shutil.copytree(keep, world.folder)
        was_killed = killed_publish(world, source, at)
        now = in_force(world.folder)
        seen.append(now.version)
        assert verdict(world.folder) == {"2026.1": "pass", "2026.2": "fail"}[now.version]
        # Whatever was left behind, the same command again ends well.
        done = world.put(source)
        assert in_force(world.folder).version == "2026.2"
        assert done.before in (old.release, done.release)
        assert verdict(world.folder) == "fail"
        if not was_killed:
            break
    assert len(seen) > 10
    assert seen == sorted(seen)
    assert set(seen) == {"2026.1", "2026.2"}


def test_what_a_killed_process_left_is_removed_after_a_day(world) -> None:
    world.put(world.make("2026.1"))
    left = world.folder / ".staging-left"
    left.mkdir()
    world.put(world.make("2026.2", east=0))
    assert left.exists()
    os.utime(left, (0, 0))
    world.put(world.make("2026.3", east=10))
    assert not left.exists()


def test_a_full_disk_publishes_nothing(world, monkeypatch) -> None:
    first = world.put(world.make("2026.1"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing, "_on_disk", full)
    with pytest.raises(PlanError, match="没有发布"):
        world.put(world.make("2026.2"))
    assert in_force(world.folder).release == first.release
    assert not list(world.folder.glob(".staging*"))


# --- layers in a database ------------------------------------------------------------------------


def test_a_release_is_refused_once_its_tables_say_something_else(
    world, postgis: str, monkeypatch
) -> None:
    import psycopg

    from gis.plan.sources.loading import load
    from gis.plan.sources.rewriting import with_tables

    monkeypatch.setenv("WUQU_POSTGIS_PLANNING", postgis)
    source = world.make("2026.1")
    text = (source / "plan.toml").read_text(encoding="utf-8")
    written = load(load_plan(source), postgis, "released")
    (source / "plan.toml").write_text(with_tables(text, written, "planning"), encoding="utf-8")
    (source / "redline.gpkg").unlink()
    world.put(source)
    assert verdict(world.folder) == "pass"
    with psycopg.connect(postgis) as connection:
        connection.execute("UPDATE released.redline SET geom = ST_Translate(geom, 1, 0)")
    with pytest.raises(PlanError, match=r"图层 redline 与发布时不同"):
        load_plan(world.folder)
    with psycopg.connect(postgis) as connection:
        connection.execute("UPDATE released.redline SET geom = ST_Translate(geom, -1, 0)")
    assert verdict(world.folder) == "pass"


# --- commands ------------------------------------------------------------------------------------


def test_the_commands_publish_list_and_roll_back(world, wuqu, monkeypatch) -> None:
    first, second = world.make("2026.1"), world.make("2026.2", east=0)
    to = ["--to", world.folder]
    code, out, _ = wuqu("plan", "publish", first, *to, "--by", "张三", "--note", "首次")
    assert (code, "已生效：2026.1-" in out) == (0, True)
    code, out, _ = wuqu("plan", "publish", second, *to, "--format", "json")
    done = json.loads(out)
    assert (code, done["version"], done["before"][:7]) == (0, "2026.2", "2026.1-")
    code, out, _ = wuqu("plan", "releases", *to)
    assert (code, "首次" in out, "现行" in out) == (0, True, True)
    code, out, _ = wuqu("plan", "rollback", "2026.1", *to, "--note", "有误")
    assert (code, "已生效：2026.1-" in out) == (0, True)
    monkeypatch.setenv("WUQU_PLAN", str(world.folder))
    code, out, _ = wuqu("plan", "releases", "--format", "json")
    found = json.loads(out)
    assert found["in_force"].startswith("2026.1-")
    assert [row["event"] for row in found["history"]] == ["publish", "publish", "rollback"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["publish", "{p}"], "--to"),
        (["releases", "--to", "{p}"], "不是发布文件夹"),
        (["rollback", "9", "--to", "{r}"], "没有发布过"),
        (["publish", "{e}", "--to", "{r}"], "plan.toml"),
    ],
)
def test_a_wrong_call_is_one_clear_message(world, wuqu, monkeypatch, call, said) -> None:
    monkeypatch.delenv("WUQU_PLAN", raising=False)
    source = world.make("2026.1")
    world.put(source)
    empty = world.tmp / "empty"
    empty.mkdir()
    words = [w.format(p=source, r=world.folder, e=empty) for w in call]
    code, _, err = wuqu("plan", *words)
    assert (code, said in err) == (2, True), err
