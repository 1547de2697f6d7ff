"""The plan: figures beside the published ones, land balance, samples, errors with lines."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from small_plan import SITE, TODAY
from small_plan import package as small_package

import gis
from gis.engine import screen
from gis.errors import NotFoundError, PlanError
from gis.model import LayerState, Verdict
from gis.plan import Plan, load_plan
from gis.plan.figures import balance_document
from gis.plan.quality import figure_faults, quality
from gis.plan.samples import load_samples
from gis.plan.schema import Stated
from gis.plan.stated import figure_of


def test_stated_areas_come_out_of_the_geometry(plan: Plan) -> None:
    # Stated by the resort: 226, 38.3 and 9.6 km²; built to be exact within 10 m².
    figures = {f.id: f for f in plan.figures()}
    for name, km2 in (("resort_area", 226.0), ("core_area", 38.3), ("approval_area", 9.6)):
        assert figures[name].stated == km2
        assert figures[name].computed == pytest.approx(km2, abs=10e-6)
    share = figures["green_water_share"]
    assert share.stated == 0.52
    assert share.computed == pytest.approx(0.52, abs=1e-5)
    assert share.definition
    assert share.denominator


def test_the_balance_document_has_the_agreed_shape(plan: Plan) -> None:
    document = balance_document(plan, None, "B")
    assert {"stated", "land_balance", "budgets"} <= set(document)
    keys = {"id", "stated", "computed", "unit", "definition", "denominator", "difference", "reason"}
    for row in document["stated"]:
        assert keys <= set(row)
    assert [r["id"] for r in document["stated"]] == [
        "resort_area",
        "core_area",
        "approval_area",
        "green_water_share",
    ]
    assert document["land_balance"]["area"]["id"] == "core"


def test_classes_of_the_core_add_up_to_the_core(plan: Plan) -> None:
    balance = plan.land_balance("core")
    total = math.fsum(row.area_m2 for row in balance.rows)
    assert total == pytest.approx(balance.denominator_m2, abs=10)
    printed = balance.to_dict()
    hectares = math.fsum(c["ha"] for c in printed["classes"]) + printed["uncovered_ha"]
    assert hectares == pytest.approx(3830.0, abs=0.011)


def test_the_other_definitions_come_out_as_they_are(plan: Plan) -> None:
    shares = {d: plan.land_balance("core", definition=d).green_water_share for d in "ABCD"}
    # A leaves out the squares (1403), so it cannot exceed B; C adds to B.
    assert shares["A"] <= shares["B"] <= shares["C"]
    assert shares["D"] != pytest.approx(shares["B"], abs=1e-6)


def test_the_current_land_use_covers_the_whole_resort(plan: Plan) -> None:
    balance = plan.land_balance("resort", definition="D")
    assert balance.layer == "landuse"
    assert balance.uncovered_m2 == pytest.approx(0, abs=10)


def test_a_zone_and_a_short_name_are_areas_too(plan: Plan) -> None:
    zones = [plan.land_balance(f"Z{n}", definition="D").denominator_m2 for n in range(1, 6)]
    assert math.fsum(zones) == pytest.approx(226e6, abs=10)
    assert plan.land_balance("approval").denominator_m2 == pytest.approx(9.6e6, abs=10)


@pytest.mark.parametrize(("area", "definition"), [("Z9", "B"), ("core", "X")])
def test_an_unknown_area_or_definition_is_named(plan: Plan, area: str, definition: str) -> None:
    with pytest.raises(NotFoundError):
        plan.land_balance(area, definition=definition)


NOTHING_KNOWN = {
    "water_sources",
    "protected_areas",
    "wetlands",
    "geo_hazards",
    "minerals",
    "comprehensive_areas",
    "unlawful_plots",
    "checked_sites",
    "soil_sites",
}


def test_the_bundled_plan_has_no_faults(plan: Plan) -> None:
    faults = {row.id: row.faults for row in quality(plan) if row.faults}
    assert faults == {}
    # Where nothing is published, the layer has no feature, and plan.toml says that it has none.
    declared = {entry.id for entry in plan.file.layer if entry.empty}
    assert {name for name, layer in plan.layers.items() if not len(layer.index)} == declared
    assert declared == NOTHING_KNOWN
    assert figure_faults(plan) == ()


def test_all_samples_of_the_plan_exist(plan: Plan) -> None:
    samples = load_samples(plan)
    assert len(samples) == 8
    assert {s.path.stem: s.width_m for s in samples if s.width_m} == {"mingzhu_roads": 16.0}
    assert all(s.path.is_file() for s in samples)
    assert [p.name for p in (plan.root / "samples").glob("*.txt")] == ["yizhong_xinxiao.txt"]


# --- why a stated figure is not the computed one --------------------------------------------------


def stated(value: float, tolerance: float, **changes) -> Stated:
    row = {
        "id": "core_area",
        "value": value,
        "unit": "km2",
        "measure": "area",
        "layer": "core",
        "tolerance": tolerance,
        "source": "测试",
    }
    return Stated.model_validate(row | changes)


def test_a_figure_carries_all_that_explains_it(plan: Plan) -> None:
    figure = {f.id: f for f in plan.figures()}["core_area"]
    core = plan.area_of("core")
    assert (figure.ellipsoidal_m2, figure.planar_m2) == (core.ellipsoidal_m2, core.planar_m2)
    assert (figure.layer, figure.layer_title) == ("core", "规划核心区")
    assert (figure.vintage, figure.status, figure.tolerance) == ("2026-11", "schematic", 0.05)
    share = {f.id: f for f in plan.figures()}["green_water_share"]
    assert (share.layer, share.denominator) == ("planned_use", "规划核心区")
    assert share.denominator_m2 == core.ellipsoidal_m2
    assert (share.ellipsoidal_m2, share.planar_m2) == (None, None)


def test_a_value_in_the_document_is_equal_or_rounded_within_its_tolerance(plan: Plan) -> None:
    computed = plan.area_of("core").ellipsoidal_m2 / 1e6
    assert figure_of(plan, stated(computed, 0.0)).reason_code == "equal"
    rounded = figure_of(plan, stated(38.3, 0.05))
    assert (rounded.reason_code, rounded.agrees) == ("rounding", True)
    assert "±0.05 km²" in rounded.reason
    assert rounded.difference == pytest.approx(computed - 38.3, abs=1e-12)


@pytest.mark.parametrize(
    ("epsg", "words"),
    [
        (4548, "工作坐标系（EPSG:4548）平面"),
        (3857, "网络墨卡托"),
        (4547, "邻带（EPSG:4547，中央经线 114°）"),
        (4549, "邻带（EPSG:4549，中央经线 120°）"),
    ],
)
def test_an_area_by_another_formula_is_named_and_still_differs(
    plan: Plan, epsg: int, words: str
) -> None:
    # The other formulas by geopandas: reproject the outline, densified to 20 m, and take its area.
    import geopandas

    outline = shapely.segmentize(plan.layer("core").index.union, 20)
    km2 = float(geopandas.GeoSeries([outline], crs=4548).to_crs(epsg).area.iloc[0]) / 1e6
    figure = figure_of(plan, stated(round(km2, 4), 5e-5))
    assert figure.reason_code == "area_basis"
    assert words in figure.reason
    assert not figure.agrees
    assert figure.computed == pytest.approx(38.3, abs=1e-5)


def test_an_area_that_no_formula_gives_is_a_mismatch(plan: Plan) -> None:
    figure = figure_of(plan, stated(40.0, 0.05))
    assert (figure.reason_code, figure.agrees) == ("mismatch", False)
    assert "-1.699999 km²" in figure.reason  # 38.300001 - 40
    assert "±0.05 km²" in figure.reason


def test_mu_and_hectares_are_compared_in_their_own_unit(plan: Plan) -> None:
    # By hand: 38.3 km² = 3,830 ha = 57,450 mu.
    assert figure_of(plan, stated(57_450, 0.5, unit="mu")).agrees
    assert figure_of(plan, stated(3_830, 0.01, unit="ha")).agrees
    assert not figure_of(plan, stated(3_831, 0.01, unit="ha")).agrees


def share_of(
    within: str, definition: str, value: float = 0.52, layer: str = "planned_use"
) -> Stated:
    changes = {"unit": "share", "measure": "green_water_share", "layer": layer}
    return stated(value, 0.005, **changes, within=within, definition=definition)


def test_a_share_of_another_denominator_is_a_mismatch_with_its_distance(plan: Plan) -> None:
    figure = figure_of(plan, share_of("core", "D", layer="landuse"))
    assert figure.reason_code == "mismatch"
    assert figure.layer == "landuse"
    assert "个百分点" in figure.reason


def test_a_share_of_land_that_the_layer_does_not_cover_says_that_it_is_the_least(
    plan: Plan,
) -> None:
    figure = figure_of(plan, share_of("resort", "B"))
    assert figure.reason_code == "undetermined"
    assert "不低于 8.81%" in figure.reason


def test_a_share_that_unknown_land_may_change_neither_agrees_nor_differs(plan: Plan) -> None:
    # Of the resort 8.81 % are known to count, and 91.87 % would if all unknown land did.
    low = plan.land_balance("resort", definition="B").share_range.low
    for value in (low, 0.52, 0.9187):
        figure = figure_of(plan, share_of("resort", "B", value))
        assert (figure.reason_code, figure.agrees) == ("undetermined", False)
        assert "无法判定" in figure.reason
        assert figure.computed == low
        assert figure.computed_max == pytest.approx(0.9187, abs=1e-4)
    for value in (0.05, 0.95):
        figure = figure_of(plan, share_of("resort", "B", value))
        assert (figure.reason_code, figure.agrees) == ("mismatch", False)
    # Unknown land that cannot move the share out of the rounding of the stated value is no doubt.
    figure = figure_of(plan, share_of("resort", "B", 0.5).model_copy(update={"tolerance": 0.5}))
    assert (figure.reason_code, figure.agrees) == ("rounding", True)
    exact = figure_of(plan, share_of("core", "B"))
    assert (exact.reason_code, exact.computed_max) == ("rounding", None)


def test_the_letter_of_a_stated_definition_may_be_small() -> None:
    assert share_of("core", "b").definition == "B"


def test_a_layer_without_features_gives_no_figure_of_zero(plan: Plan) -> None:
    core = plan.layer("core")
    arrays = ("ids", "classes", "names", "half_widths", "geometries")
    empty = replace(core.index, **{name: getattr(core.index, name)[:0] for name in arrays})
    poor = replace(plan, layers={**plan.layers, "core": replace(core, index=empty)})
    figure = figure_of(poor, stated(38.3, 0.05))
    assert (figure.computed, figure.reason_code) == (None, "no_data")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unit": "share"}, "unit"),
        ({"within": "core"}, "within"),
        ({"definition": "B"}, "definition"),
        ({"measure": "green_water_share"}, "unit"),
        ({"measure": "green_water_share", "unit": "share", "definition": "Q"}, "A、B、C、D"),
        ({"tolerance": -1.0}, "tolerance"),
    ],
)
def test_a_stated_figure_that_cannot_be_computed_as_written_is_refused(changes, words) -> None:
    with pytest.raises(ValueError, match=words):
        stated(**{"value": 38.3, "tolerance": 0.05} | changes)


def test_an_area_of_a_layer_of_lines_is_refused_with_the_plan(package: Path) -> None:
    changed(package, 'layer = "core"', 'layer = "roads"')
    with pytest.raises(PlanError, match="roads") as caught:
        load_plan(package)
    assert "Value error" not in str(caught.value)


def test_a_share_without_any_data_is_not_zero(plan: Plan) -> None:
    lacking = replace(plan.layer("planned_use").index, state=LayerState.NO_DATA)
    layer = replace(plan.layer("planned_use"), index=lacking)
    poor = replace(plan, layers={**plan.layers, "planned_use": layer})
    figure = figure_of(poor, share_of("core", "B"))
    assert (figure.computed, figure.difference, figure.agrees) == (None, None, False)
    assert (figure.reason_code, "planned_use" in figure.reason) == ("no_data", True)
    # The definition needs another layer than the one that is named.
    figure = figure_of(poor, share_of("core", "B", layer="landuse"))
    assert (figure.computed, figure.reason_code) == (None, "no_data")


@pytest.fixture
def package(plan: Plan, tmp_path: Path) -> Path:
    root = tmp_path / "plan"
    shutil.copytree(plan.root, root, ignore=shutil.ignore_patterns("build", "samples"))
    return root


def changed(root: Path, old: str, new: str) -> Path:
    file = root / "plan.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return root


def test_an_unknown_key_is_refused_with_its_line(package: Path) -> None:
    changed(package, '[plan]\nid = "', '[plan]\ncolour = "red"\nid = "')
    with pytest.raises(PlanError) as caught:
        load_plan(package)
    assert "colour" in caught.value.detail
    lines = (package / "plan.toml").read_text(encoding="utf-8").splitlines()
    assert lines[caught.value.line - 1] == 'colour = "red"'


def test_an_old_datum_as_work_crs_is_refused(package: Path) -> None:
    changed(package, 'work_crs = "EPSG:4548"', 'work_crs = "EPSG:2343"')
    with pytest.raises(PlanError, match="旧基准"):
        load_plan(package)


def test_a_coverage_that_is_no_layer_is_refused(package: Path) -> None:
    changed(package, 'coverage = "resort"', 'coverage = "nowhere"')
    with pytest.raises(PlanError, match="nowhere"):
        load_plan(package)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="--plan"):
        load_plan(tmp_path)


def test_a_figure_without_its_layer_says_so_and_invents_nothing(package: Path) -> None:
    for file in (package / "shapefiles").glob("HXQ.*"):
        file.unlink()
    figures = {f.id: f for f in load_plan(package).figures()}
    assert figures["core_area"].computed is None
    assert "core" in figures["core_area"].reason
    assert figures["green_water_share"].computed is None
    assert figures["resort_area"].computed is not None


def test_the_plan_in_use_can_be_set_by_the_environment(package, monkeypatch) -> None:
    monkeypatch.setenv("WUQU_PLAN", str(package))
    assert load_plan().root == package


def test_doubled_features_count_once_in_balance_and_totals(plan: Plan, package: Path) -> None:
    import geopandas
    import pandas as pd

    file = package / "shapefiles" / "GHYDYH.shp"
    frame = geopandas.read_file(file)
    green = frame[frame["YDYHFLDM"].str.startswith("14")].copy()
    green["BSM"] = [f"D{n:06d}" for n in range(len(green))]
    pd.concat([frame, green]).to_file(file, encoding="UTF-8")
    doubled, sound = load_plan(package).land_balance("core"), plan.land_balance("core")
    assert doubled.green_water_share == pytest.approx(sound.green_water_share, abs=1e-6)
    assert doubled.overlap_m2 == pytest.approx(0, abs=1)
    assert sound.overlap_m2 == 0.0


def test_land_claimed_by_two_classes_is_said(package: Path) -> None:
    import geopandas
    import pandas as pd

    file = package / "shapefiles" / "GHYDYH.shp"
    frame = geopandas.read_file(file)
    twice = frame[frame["YDYHFLDM"] == "0806"].copy()
    twice["YDYHFLDM"] = "0807"
    twice["BSM"] = [f"D{n:06d}" for n in range(len(twice))]
    pd.concat([frame, twice]).to_file(file, encoding="UTF-8")
    poor = load_plan(package)
    overlap = poor.land_balance("core").overlap_m2
    assert overlap == pytest.approx(float(twice.area.sum()), rel=5e-4)
    faults = [fault for row in quality(poor) for fault in row.faults]
    assert any("重叠" in fault or "图形重复" in fault for fault in faults)


# --- a layer that is edited ----------------------------------------------------------------------


def land_on_the_redline(plan: Plan) -> tuple[Verdict, float]:
    """The verdict on the site of the small plan, and its planar m² on the redline."""
    check = gis.check_site(gis.read_site(SITE, plan), plan, as_of=TODAY)
    met = screen(np.array([check.site.geometry], dtype=object), plan.stack)[0]
    return check.verdict, math.fsum(met["redline"].areas.values()) if "redline" in met else 0.0


def test_an_edited_layer_file_makes_a_new_index_on_disk_and_the_answer_follows(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("gis.plan.area.FROM_VERTICES", 1)  # small as it is, the index is kept
    root = small_package(tmp_path / "plan", {"redline": (500, "")})
    away = Verdict.PASS, 0.0
    assert land_on_the_redline(load_plan(root)) == away
    (before,) = (root / ".index").iterdir()
    made = (before / "stack.json").stat().st_ino

    open_all_along = load_plan(root)
    assert land_on_the_redline(open_all_along) == away
    assert isinstance(open_all_along.stack.edges.rows, np.memmap)
    assert (before / "stack.json").stat().st_ino == made  # read, not made again

    # By hand: a strip of 30 m across a site of 100 m.
    moved = small_package(tmp_path / "moved", {"redline": (20, "")})
    shutil.copyfile(moved / "redline.gpkg", root / "redline.gpkg")
    verdict, area = land_on_the_redline(load_plan(root))
    assert (verdict, area) == (Verdict.FAIL, pytest.approx(3_000.0, abs=1e-6))
    (after,) = (root / ".index").iterdir()
    assert after.name != before.name
    assert land_on_the_redline(open_all_along) == away
