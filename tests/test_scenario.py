"""Scenarios: land is moved between classes by hand-made boxes, and the draft is a whole package."""

from __future__ import annotations

import shutil
import tomllib
from datetime import date
from pathlib import Path

import geopandas
import pytest
import shapely
from shapely.geometry import Polygon, box

import gis
from gis.errors import ClaimError, NotFoundError, PlanError, WuquError
from gis.plan.quality import check_plan
from gis.plan.reservations import reserve
from gis.scenario import Change, make_scenario
from gis.scenario.land import changed_layers
from gis.scenario.package import SCENARIO_FILE, scenario_of

REPO = Path(__file__).resolve().parents[1]
EAST, NORTH = 500_000.0, 4_020_000.0
HEAD = """
# kept: a comment of the bureau
[plan]
id = "two-halves"
version = "1"
title = "两半"
status = "approved"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [116.9, 36.2, 117.1, 36.5]

[[layer]]
id = "zones"
title = "功能区"
path = "zones.gpkg"
role = "zone"
geometry = "polygon"
fields = { id = "no", class = "kind", name = "label", area = "ha", area_unit = "ha" }
vintage = "2026"
status = "approved"
encoding = "utf-8"

[[layer]]
id = "redline"
title = "红线"
path = "redline.gpkg"
role = "redline"
geometry = "polygon"
vintage = "2026"
status = "approved"

[[layer]]
id = "roads"
title = "道路"
path = "roads.gpkg"
role = "road"
geometry = "line"
vintage = "2026"
status = "approved"

[[layer]]
id = "absent"
title = "没有的"
path = "absent.gpkg"
role = "other"
geometry = "polygon"
vintage = "2026"
status = "approved"
"""


def square(x: float, y: float, width: float, height: float) -> Polygon:
    """A box, its lower left corner so far from the origin of the plan."""
    return box(EAST + x, NORTH + y, EAST + x + width, NORTH + y + height)


@pytest.fixture
def plan(tmp_path):
    """Two zones of 100 m x 100 m side by side, 1 and 2, and a redline north of them."""
    root = tmp_path / "plan"
    root.mkdir()
    (root / "plan.toml").write_text(HEAD, encoding="utf-8")
    zones = geopandas.GeoDataFrame(
        {
            "no": [7, 8],
            "kind": [1, 2],
            "label": ["西", "东"],
            "ha": [1.0, 1.0],
            "remark": ["甲", None],
        },
        geometry=[square(0, 0, 100, 100), square(100, 0, 100, 100)],
        crs=4548,
    )
    zones.to_file(root / "zones.gpkg")
    line = geopandas.GeoDataFrame({"n": [1]}, geometry=[square(0, 300, 200, 50)], crs=4548)
    line.to_file(root / "redline.gpkg")
    road = shapely.LineString([(EAST, NORTH), (EAST + 200, NORTH)])
    geopandas.GeoDataFrame({"n": [1]}, geometry=[road], crs=4548).to_file(root / "roads.gpkg")
    return gis.load_plan(root)


def areas_by_class(plan, layer: str) -> dict[str, float]:
    """Planar area of each class of a layer, m²."""
    index = plan.layer(layer).index
    found: dict[str, float] = {}
    for cls, shape in zip(index.classes, index.geometries, strict=True):
        found[str(cls)] = found.get(str(cls), 0.0) + shape.area
    return found


def test_added_land_belongs_to_its_new_class_alone(plan, tmp_path) -> None:
    land = square(80, 0, 40, 100)
    draft = make_scenario(
        plan, tmp_path / "s", [Change("zones", "add", land, cls="1")], title="移界"
    )
    # By hand: zone 2 gives up 20 m x 100 m; of the 40 m, 20 m were zone 1 before.
    assert areas_by_class(draft, "zones") == pytest.approx({"1": 12_000, "2": 8_000}, abs=1e-6)
    assert areas_by_class(plan, "zones") == pytest.approx({"1": 10_000, "2": 10_000}, abs=1e-6)


def test_what_a_class_gains_another_loses_and_a_mere_cut_counts_as_nothing(plan, tmp_path) -> None:
    land = square(80, 0, 40, 100)
    draft = make_scenario(
        plan, tmp_path / "s", [Change("zones", "add", land, cls="1")], title="移界"
    )
    (row,) = changed_layers(plan, draft)
    assert (row["layer"], row["before"], row["after"]) == ("zones", "checked", "checked")
    west, east = row["classes"]
    # On the ellipsoid some 1e-6 more or less than the 2,000 m² of the plane at the meridian.
    assert (west["gained_m2"], west["lost_m2"]) == (pytest.approx(2_000, rel=1e-5), 0)
    assert (east["gained_m2"], east["lost_m2"]) == (0, west["gained_m2"])
    assert (west["class"], west["name"], east["name"]) == ("1", "西", "东")


def test_removed_land_makes_a_hole_and_other_attributes_stay(plan, tmp_path) -> None:
    hole = square(10, 10, 20, 20)
    draft = make_scenario(plan, tmp_path / "s", [Change("zones", "remove", hole)], title="挖去")
    frame = geopandas.read_file(tmp_path / "s" / "scenario" / "zones.gpkg").set_index("no")
    assert frame.geometry[7].area == pytest.approx(10_000 - 400)
    assert len(frame.geometry[7].interiors) == 1
    assert frame.remark[7] == "甲"
    assert frame.geometry[8].equals(plan.layer("zones").index.geometries[1])
    assert list(frame.kind) == [1, 2]
    assert draft.layer("zones").state.value == "checked"


def test_stated_areas_of_cut_and_new_features_are_those_of_their_new_outlines(
    plan, tmp_path
) -> None:
    changes = [Change("zones", "add", square(150, 0, 50, 100), cls="1")]
    draft = make_scenario(plan, tmp_path / "s", changes, title="划入")
    frame = geopandas.read_file(tmp_path / "s" / "scenario" / "zones.gpkg").set_index("no")
    assert dict(frame.ha) == {7: 1.0, 8: 0.5, 9: 0.5}
    assert frame.label[9] == "西"  # what the class is always called
    assert not [f for f in check_plan(draft).findings if f.code.startswith("area_")]


def test_land_taken_off_here_and_added_there_is_one_scenario(plan, tmp_path) -> None:
    changes = [
        Change("redline", "remove", square(0, 300, 50, 50)),
        Change("redline", "add", square(200, 300, 50, 50)),
    ]
    draft = make_scenario(plan, tmp_path / "s", changes, title="占补")
    (row,) = changed_layers(plan, draft)
    (whole,) = row["classes"]
    assert whole["gained_m2"] == pytest.approx(2_500, rel=1e-4)
    assert whole["lost_m2"] == pytest.approx(2_500, rel=1e-4)


def test_a_layer_may_be_replaced_by_a_file_of_the_same_fields(plan, tmp_path) -> None:
    other = geopandas.read_file(plan.root / "zones.gpkg").iloc[:1].to_crs(4490)
    other.to_file(tmp_path / "other.gpkg")
    change = Change("zones", "replace", tmp_path / "other.gpkg")
    draft = make_scenario(plan, tmp_path / "s", [change], title="替换")
    assert areas_by_class(draft, "zones") == pytest.approx({"1": 10_000}, abs=1e-3)


def test_the_draft_says_what_it_is_and_keeps_the_rest_of_the_file(plan, tmp_path) -> None:
    change = Change("zones", "remove", square(0, 0, 10, 10))
    draft = make_scenario(plan, tmp_path / "s", [change], title="移界")
    assert (draft.ref.status, draft.ref.version, draft.ref.title) == ("draft", "1+s", "两半——移界")
    assert "情景草案" in draft.ref.status_note
    text = (tmp_path / "s" / "plan.toml").read_text(encoding="utf-8")
    assert "# kept: a comment of the bureau" in text
    entry = tomllib.loads(text)["layer"][0]
    assert "encoding" not in entry
    assert entry["status"] == "draft"
    assert plan.layer("redline").content_sha256 == draft.layer("redline").content_sha256
    told = scenario_of(draft)
    assert (told.plan, told.version, told.title) == ("two-halves", "1", "移界")
    assert shapely.from_wkt(told.change[0].land).area == pytest.approx(100)
    assert scenario_of(plan) is None


def test_a_scenario_of_a_scenario_lists_its_own_changes(plan, tmp_path) -> None:
    first = [Change("zones", "remove", square(0, 0, 10, 10))]
    draft = make_scenario(plan, tmp_path / "a", first, title="一")
    second = [Change("zones", "remove", square(20, 20, 10, 10))]
    again = make_scenario(draft, tmp_path / "b", second, title="二")
    assert areas_by_class(again, "zones")["1"] == pytest.approx(9_800)
    assert len(scenario_of(again).change) == 1
    assert again.ref.title == "两半——一——二"


def test_promised_land_is_promised_in_a_draft(tmp_path) -> None:
    # The small bundled register: the same land may not be promised twice only because of a draft.
    shutil.copytree(REPO / "data", tmp_path / "data", ignore=shutil.ignore_patterns(".*", "build"))
    plan = gis.load_plan(tmp_path / "data")
    site = gis.read_site(plan.root / "samples" / "zhongyao_yuanqu.geojson", plan)
    reserve(plan, site, project="现代中药园区", on=date(2026, 11, 22))
    corner = shapely.box(*(plan.layer("farmland").index.geometries[0].bounds))
    draft = make_scenario(plan, tmp_path / "s", [Change("farmland", "remove", corner)], title="退")
    held = {b.id: b.amounts.reserved_m2 for b in gis.budgets(plan)}
    assert {b.id: b.amounts.reserved_m2 for b in gis.budgets(draft)} == held
    assert any(m2 for m2 in held.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("nothing", "add", square(0, 0, 1, 1)), "没有图层“nothing”"),
        (Change("zones", "swap", square(0, 0, 1, 1)), "改法为“swap”"),
        (Change("zones", "add", square(0, 0, 1, 1)), "没有写明划入土地的类别；应为：1、2"),
        (Change("zones", "add", square(0, 0, 1, 1), cls="9"), "没有类别“9”"),
        (Change("zones", "remove", square(0, 0, 1, 1), cls="1"), "只有划入"),
        (Change("zones", "remove", square(900, 900, 5, 5)), "划出不改变任何内容"),
        (Change("zones", "remove", square(-10, -10, 500, 500)), "没有剩余图形"),
        (Change("roads", "remove", square(0, 0, 1, 1)), "不是面"),
        (Change("zones", "replace", square(0, 0, 1, 1)), "需要一个矢量文件"),
        (Change("zones", "replace", "no-such.gpkg"), "数据文件不存在"),
    ],
)
def test_a_change_that_means_nothing_is_refused_and_leaves_no_folder(
    plan, tmp_path, change, said
) -> None:
    with pytest.raises(ClaimError, match=said):
        make_scenario(plan, tmp_path / "s", [change], title="坏")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan"]


def test_a_layer_without_data_can_be_given_but_not_cut(plan, tmp_path) -> None:
    with pytest.raises(NotFoundError, match="没有数据"):
        make_scenario(
            plan, tmp_path / "s", [Change("absent", "add", square(0, 0, 9, 9))], title="x"
        )
    file = tmp_path / "given.gpkg"
    geopandas.GeoDataFrame({"n": [1]}, geometry=[square(0, 0, 9, 9)], crs=4548).to_file(file)
    draft = make_scenario(plan, tmp_path / "s", [Change("absent", "replace", file)], title="补")
    assert draft.layer("absent").state.value == "checked"
    (row,) = changed_layers(plan, draft)
    assert (row["before"], row["after"], row["classes"]) == ("no_data", "checked", None)


def test_a_bow_tie_is_refused_with_its_place(plan, tmp_path) -> None:
    x, y = EAST, NORTH
    bow = Polygon([(x, y), (x + 10, y + 10), (x + 10, y), (x, y + 10)])
    with pytest.raises(WuquError, match="自相交"):
        make_scenario(plan, tmp_path / "s", [Change("zones", "remove", bow)], title="坏")


def test_a_folder_in_use_is_never_overwritten(plan, tmp_path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "mine.txt").write_text("x", encoding="utf-8")
    change = Change("zones", "remove", square(0, 0, 10, 10))
    with pytest.raises(ClaimError, match="不是空文件夹"):
        make_scenario(plan, tmp_path / "s", [change], title="移界")
    assert (tmp_path / "s" / "mine.txt").read_text(encoding="utf-8") == "x"


def test_an_unreadable_layer_stops_the_scenario(plan, tmp_path) -> None:
    (plan.root / "redline.gpkg").write_bytes(b"not a geopackage")
    broken = gis.load_plan(plan.root)
    with pytest.raises(PlanError, match="无法使用"):
        make_scenario(
            broken, tmp_path / "s", [Change("redline", "remove", square(0, 300, 9, 9))], title="坏"
        )


def test_scenario_file_with_an_unknown_key_is_refused_with_its_line(plan, tmp_path) -> None:
    change = Change("zones", "remove", square(0, 0, 10, 10))
    draft = make_scenario(plan, tmp_path / "s", [change], title="移界")
    path = draft.root / SCENARIO_FILE
    path.write_text('colour = "red"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(PlanError, match="第 1 行"):
        scenario_of(draft)
