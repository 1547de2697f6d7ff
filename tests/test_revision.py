"""Two versions of one project's red line, by hand.

On the central meridian of the plan, where a metre of the map is a metre of the ground: the old
outline is x 0-100, y 0-100, the new one x 20-130, y 0-100. Lost: 20 x 100 = 2,000 m² = 3 mu;
gained: 30 x 100 = 3,000 m² = 4.5 mu; kept: 8,000 m². The redline lies at x -20 to 10: of the old
outline 10 x 100 = 1,000 m², of the new one nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from small_plan import EAST, NORTH, TODAY, package

import gis
from gis.output.records import RecordStore
from gis.output.records.entry import entry_of
from gis.output.revision import compare_sites, to_geojson
from gis.output.revision_picture import picture
from gis.plan import load_plan


def boxed(west: float, south: float, east: float, north: float) -> str:
    shape = shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)
    return f"SRID=4548;{shape.wkt}"


OLD, NEW = boxed(0, 0, 100, 100), boxed(20, 0, 130, 100)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return load_plan(package(tmp_path_factory.mktemp("revision") / "p", {"redline": (-20, "")}))


@pytest.fixture(scope="module")
def compared(plan):
    def call(old: str, new: str, **options):
        sites = [gis.read_site(text, plan, name="项目") for text in (old, new)]
        return compare_sites(*sites, plan, as_of=TODAY, **options)

    return call


def test_land_gained_and_lost_by_hand(compared) -> None:
    document = compared(OLD, NEW)
    found = {key: document[key]["area_m2"] for key in ("gained", "lost", "kept")}
    assert found == pytest.approx({"gained": 3000.0, "lost": 2000.0, "kept": 8000.0}, abs=0.01)
    assert document["gained"]["planar_m2"] == pytest.approx(3000.0, abs=0.005)
    assert document["lost"]["mu"] == pytest.approx(3.0, abs=1e-4)
    assert document["gained"]["mu"] == pytest.approx(4.5, abs=1e-4)
    assert [document[key]["parts"] for key in ("gained", "lost", "kept")] == [1, 1, 1]
    assert document["notes"] == []
    json.dumps(document, allow_nan=False)


def test_the_verdict_before_and_after_and_the_rule_that_made_it(compared) -> None:
    document = compared(OLD, NEW)
    assert [document[key]["verdict"] for key in ("old", "new")] == ["fail", "pass"]
    assert [document[key]["deciding_rule"] for key in ("old", "new")] == ["x.redline", None]
    assert document["changed"]
    (rule,) = document["rules"]
    assert rule["old"]["measure"]["value"] == pytest.approx(1000.0, abs=0.01)
    assert rule["new"]["verdict"] == "pass"


def test_the_same_outline_changes_nothing(compared) -> None:
    document = compared(OLD, OLD)
    assert not document["changed"]
    assert [document[key]["area_m2"] for key in ("gained", "lost")] == [0.0, 0.0]
    assert document["gained"]["geometry"] is None
    picture(document, 4548)


def test_land_that_only_touches_is_no_land(compared) -> None:
    document = compared(OLD, boxed(100, 0, 200, 100))
    assert document["kept"]["parts"] == 0
    assert document["gained"]["area_m2"] == pytest.approx(10_000, abs=0.01)
    assert document["notes"] == ["两条红线没有重叠，请核对是否为同一项目"]


def test_noise_of_a_survey_is_told_apart_and_still_counted(compared) -> None:
    # Two edges, each moved by a centimetre on one metre: 0.01 m² each, 0.02 m wide.
    shape = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
    nicks = [shapely.box(EAST + 100, NORTH + n, EAST + 100.01, NORTH + n + 1) for n in (10, 50)]
    document = compared(OLD, f"SRID=4548;{shapely.union_all([shape, *nicks]).wkt}")
    assert document["gained"]["slivers"] == 2
    assert document["gained"]["area_m2"] == pytest.approx(0.02, abs=0.005)
    assert document["gained"]["slivers_m2"] == pytest.approx(0.02, abs=0.005)


def test_a_hole_is_land_given_up(compared) -> None:
    ring = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
    hole = shapely.box(EAST + 40, NORTH + 40, EAST + 60, NORTH + 60)
    document = compared(OLD, f"SRID=4548;{shapely.difference(ring, hole).wkt}")
    assert document["lost"]["area_m2"] == pytest.approx(400.0, abs=0.01)
    assert document["gained"]["area_m2"] == 0.0


@settings(max_examples=30)
@given(st.tuples(*[st.integers(-80, 300)] * 2), st.tuples(*[st.integers(5, 200)] * 2))
def test_old_land_and_gained_less_lost_is_the_new_land(compared, corner, size) -> None:
    (x, y), (width, height) = corner, size
    document = compared(OLD, boxed(x, y, x + width, y + height))
    old, new = (document[key]["area"]["ellipsoidal_m2"] for key in ("old", "new"))
    gained, lost, kept = (document[key]["area_m2"] for key in ("gained", "lost", "kept"))
    assert old + gained - lost == pytest.approx(new, abs=0.03)
    assert kept + gained == pytest.approx(new, abs=0.03)
    assert kept + lost == pytest.approx(old, abs=0.03)


def test_the_history_of_the_project_comes_from_the_records(compared, plan, tmp_path) -> None:
    store = RecordStore(tmp_path / "records.sqlite")

    def keep(text: str, name: str) -> str:
        check = gis.check_site(gis.read_site(text, plan, name=name), plan, as_of=TODAY)
        return store.save(entry_of(check, gis.to_dict(check)))

    first = keep(OLD, "项目")
    keep(boxed(400, 0, 500, 100), "别的项目")
    near = keep(boxed(5, 0, 105, 100), "项目（初稿）")
    moved = keep(boxed(600, 0, 700, 100), "项目")
    last = keep(NEW, "改名")
    store.decide(first, verdict="fail", office="某局", reason="占用红线")
    rows = compared(OLD, NEW, records=store)["history"]
    assert [(row["record"], row["outline"], row["verdict"]) for row in rows] == [
        (first, "old", "fail"),
        (near, "near", "fail"),
        (moved, "other", "pass"),
        (last, "new", "pass"),
    ]
    assert [d["office"] for d in rows[0]["decisions"]] == ["某局"]
    assert rows[0]["area_m2"] == pytest.approx(10_000, abs=0.01)
    store.close()


def test_the_outlines_leave_as_geojson(compared) -> None:
    features = to_geojson(compared(OLD, NEW))["features"]
    assert [f["properties"]["part"] for f in features] == ["lost", "gained", "old", "new"]
    gained = shapely.geometry.shape(features[1]["geometry"])
    west, south, east, north = gained.bounds
    assert 117.0 < west < east < 117.002
    assert 36.0 < south < north < 37.0


def test_the_small_map_hatches_both_kinds_of_land(compared) -> None:
    document = compared(OLD, NEW)
    document["new"]["name"] = "<script>x"
    svg = picture(document, 4548)
    root = ElementTree.fromstring(svg)
    fills = [e.get("fill") for e in root.iter("{http://www.w3.org/2000/svg}path")]
    assert fills.count("url(#gained)") == 1
    assert fills.count("url(#lost)") == 1
    assert "增加 3,000.00 m²" in svg
    assert "<script>" not in svg


def test_the_command_prints_writes_and_exports(wuqu, plan, tmp_path: Path) -> None:
    files = []
    for name, text in (("old", OLD), ("new", NEW)):
        files.append(tmp_path / f"{name}.wkt")
        files[-1].write_text(text, encoding="utf-8")
    call = ["compare-sites", *files, "--plan", plan.root, "--as-of", "2026-11-22"]
    code, out, err = wuqu(*call, "--svg", tmp_path / "x.svg")
    assert (code, "3,000.00" in out, "2,000.00" in out) == (0, True, True), err
    assert "不符合" in out
    assert (tmp_path / "x.svg").read_text(encoding="utf-8").startswith("<svg")
    code, out, _ = wuqu(*call, "--format", "json")
    assert (code, json.loads(out)["lost"]["area_m2"]) == (0, pytest.approx(2000, abs=0.01))
    code, out, _ = wuqu(*call, "--format", "geojson")
    assert len(json.loads(out)["features"]) == 4
    code, _, err = wuqu(*call, "--records", tmp_path / "nothing.sqlite")
    assert (code, "没有记录库" in err) == (2, True)
    code, _, err = wuqu("compare-sites", files[0], tmp_path / "none.txt", "--plan", plan.root)
    assert (code, "文件不存在" in err) == (2, True)
