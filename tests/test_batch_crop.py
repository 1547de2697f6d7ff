"""A crop of a plan decides the same, byte for byte, for every site in its box."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from batch_world import table
from case_world import Case, load_cases, plan_of, site_of

from gis.batch.crop import Cropper, unpacked
from gis.batch.judging import CroppedPlan, as_lines, content_of, judged
from gis.batch.reading import read_rows
from gis.batch.rows import Wishes
from gis.canonical import canonical_json, decision_part
from gis.check import check_site
from gis.plan import Plan

# Every sentence about budgets and promised land, and of the others every ninth.
CASES = [
    case
    for n, case in enumerate(load_cases())
    if "budgets" in case.row or "reserved" in case.row or n % 9 == 0
]


def bounds(*shapes: shapely.Geometry) -> tuple[float, float, float, float]:
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object)).tolist()
    return west, south, east, north


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_sentence_holds_on_a_crop_as_well(case: Case, monkeypatch) -> None:
    plan, site = plan_of(case), site_of(case)
    # The world of the sentences says its coverages; no layer of it could.
    monkeypatch.setattr(Plan, "coverages", plan.coverages)
    monkeypatch.setattr(Plan, "bounds_polygon", plan.bounds_polygon)
    crop = unpacked(Cropper(plan, case.day).crop(bounds(site.geometry)))
    wanted = {"use": case.use, "attributes": case.row.get("attributes"), "as_of": case.day}
    decisions = [
        canonical_json(decision_part(check_site(site, p, remedies=False, **wanted)))
        for p in (plan, crop)
    ]
    assert decisions[0] == decisions[1]


FAR = [-5900, -5900, -5400, -5400]  # 25 ha, further away than any rule looks


def test_land_that_is_promised_beyond_the_crop_is_still_taken(monkeypatch) -> None:
    case = Case(
        "crop",
        1,
        {
            "rule": "cn.conversion-quota",
            "shows": "over",
            "name": "剩余指标 5,000 m²，学校占用耕地 1 公顷，另 25 公顷已预留给远处的项目",
            "site": [0, 0, 100, 100],
            "use": "0804",
            "layers": {
                "landuse": [
                    {"class": "0103", "box": [-50, -50, 150, 150]},
                    {"class": "0103", "box": FAR},
                ],
                "dev_boundary": [
                    {"class": "410", "box": [-50, -50, 150, 150]},
                    {"class": "420", "box": FAR},
                ],
            },
            "budgets": {"conversion": 255_000.0, "replacement": 255_000.0},
            "reserved": [{"project": "远处", "use": "0804", "box": FAR}],
            "verdict": "fail",
        },
    )
    whole, site = plan_of(case), site_of(case)
    monkeypatch.setattr(Plan, "coverages", whole.coverages)
    monkeypatch.setattr(Plan, "bounds_polygon", whole.bounds_polygon)
    crop = unpacked(Cropper(whole, case.day).crop(bounds(site.geometry)))
    assert len(crop.layers["landuse"].index) == 1
    checks = [
        check_site(site, p, use=case.use, as_of=case.day, remedies=False) for p in (whole, crop)
    ]
    quota = checks[0].finding("cn.conversion-quota")
    assert quota.verdict == "fail"
    # 255,000 less 250,000 reserved are 5,000 m² (the ellipsoid differs by 0.5 millionths).
    assert "剩余 5,000." in quota.reason or "剩余 4,999." in quota.reason
    assert checks[1].impact == checks[0].impact
    assert checks[1].digest == checks[0].digest


def test_far_features_are_left_out_and_the_content_of_a_layer_keeps_its_hash(plan: Plan, as_of):
    resort = plan.layers["resort"].index.union
    x, y = resort.centroid.coords[0]
    crop = unpacked(Cropper(plan, as_of).crop((x, y, x + 100, y + 100)))
    for name, layer in plan.layers.items():
        own = crop.layers[name]
        assert (own.state, own.content_sha256) == (layer.state, layer.content_sha256)
        assert set(own.index.ids) <= set(layer.index.ids)
    assert 0 < len(crop.layers["landuse"].index) < len(plan.layers["landuse"].index) / 2
    assert crop.coverages["landuse"].equals(plan.coverages["landuse"])


def test_a_site_outside_the_box_is_not_judged_on_the_crop(plan: Plan, as_of) -> None:
    part = next(read_rows(table(plan, 2), plan.crs_policy))
    box = tuple(part.boxes[0].tolist())
    crop = unpacked(Cropper(plan, as_of).crop(box))
    first, second = judged(part.rows, [part.origin], crop, Wishes(as_of), box)
    assert "digest" in first
    assert second == {"row": 1, "again": True}


def test_a_site_in_doubt_needs_room_for_every_place_where_it_may_lie(plan: Plan, as_of) -> None:
    part = next(read_rows(table(plan, 1).to_crs(4490), plan.crs_policy, crs="GCJ-02"))
    given = tuple(part.boxes[0].tolist())
    answer = judged(part.rows, [part.origin], plan, Wishes(as_of), given)
    # The numbers of a web map lie some 500 m from the place that they mean.
    assert answer == [{"row": 0, "again": True}]


def test_a_worker_lets_go_of_a_crop_before_the_next_task(
    plan: Plan, as_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[weakref.ref[Plan], Path]] = []

    def opening(content: bytes) -> Plan:
        gc.collect()
        assert [root for crop, root in opened if crop() is not None or root.exists()] == []
        crop = unpacked(content)
        assert crop.root.exists()
        opened.append((weakref.ref(crop), crop.root))
        return crop

    monkeypatch.setattr("gis.batch.judging.unpacked", opening)
    work, cropper = CroppedPlan(Wishes(as_of)).start(), Cropper(plan, as_of)
    part = next(read_rows(table(plan, 3), plan.crs_policy))
    for row, bounding in zip(part.rows, part.boxes, strict=True):
        box = tuple(bounding.tolist())
        lines = work(content_of([row], [part.origin], cropper.crop(box), box))
        assert b'"digest"' in lines
    assert len(opened) == 3


def test_a_worker_keeps_the_law_of_few_plans(plan: Plan, as_of) -> None:
    laws: list[weakref.ref[object]] = []
    for number in range(6):
        header = plan.file.plan.model_copy(update={"title": f"规划 {number}"})
        other = replace(plan, file=plan.file.model_copy(update={"plan": header}))
        crops = [unpacked(Cropper(other, as_of).crop(tuple(FAR))) for _ in range(2)]
        # The same objects for chunk after chunk: what a rule wants is worked out once.
        assert crops[0].rulebook is crops[1].rulebook
        laws.append(weakref.ref(crops[0].rulebook))
        del crops
    gc.collect()
    assert [law() is not None for law in laws] == [False] * 4 + [True] * 2


def test_a_crop_made_in_another_process_decides_the_same(plan: Plan, as_of, tmp_path: Path) -> None:
    # Hashes of texts are random numbers in each process; nothing that holds one may travel.
    part = next(read_rows(table(plan, 3), plan.crs_policy))
    box = bounds(*shapely.box(*part.boxes.T))
    (tmp_path / "crop").write_bytes(Cropper(plan, as_of).crop(box))
    code = (
        "import sys, datetime; from pathlib import Path; from gis.batch.crop import unpacked;"
        "from gis.batch.judging import as_lines, judged; from gis.batch.rows import Wishes;"
        "from gis.batch.reading import read_rows; from batch_world import table; import gis;"
        "plan = unpacked(Path(sys.argv[1]).read_bytes());"
        "frame = table(plan, 3); part = next(read_rows(frame, plan.crs_policy));"
        "wishes = Wishes(datetime.date.fromisoformat(sys.argv[2]));"
        "sys.stdout.buffer.write(as_lines(judged(part.rows, [part.origin], plan, wishes)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "crop"), as_of.isoformat()],
        cwd=Path(__file__).parent,
        capture_output=True,
        check=True,
    )
    here = as_lines(judged(part.rows, [part.origin], replace(plan), Wishes(as_of)))
    assert there.stdout == here
