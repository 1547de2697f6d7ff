"""Where could a project stand? The search against brute force, by hand, and on the bundled plan."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import search_world as world
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_world import CELL_MU, DAY, USE, Squares

from gis.check import check_site
from gis.errors import ClaimError
from gis.model import Verdict
from gis.siting import find_sites
from gis.siting.outlines import _has_neck

RULES = frozenset({"t.red", "t.grey", "t.yellow", "t.within", "t.line", "t.use"})


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory):
    return world.load(world.write(tmp_path_factory.mktemp("squares") / "plan"))


@pytest.fixture(scope="module")
def find(base):
    def call(squares: Squares, cells: float, width: int = 1, **options):
        plan = world.plan_of(base, squares)
        options = {"use": USE, "as_of": DAY, "min_width_m": width * world.CELL} | options
        return find_sites(plan, area_mu=cells * CELL_MU, **options), plan

    return call


def boxes(rows: int, cols: int, classes: list[str], most: int):
    """Strategy: rectangles of whole cells, each of a class."""

    @st.composite
    def one(draw):
        r, c = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
        high, wide = draw(st.integers(1, rows - r)), draw(st.integers(1, cols - c))
        return (draw(st.sampled_from(classes)), r, c, high, wide)

    return st.lists(one(), max_size=most)


@st.composite
def squares(draw, rows: int = 4, cols: int = 4) -> Squares:
    layers = {
        "block": draw(boxes(rows, cols, ["red", "grey", "yellow", "other"], 2)),
        "within": draw(boxes(rows, cols, ["x"], 2)) or [("x", 0, 0, rows, cols)],
        "zones": draw(boxes(rows, cols, ["A", "B"], 2)) or [("A", 0, 0, rows, cols)],
        "line": draw(boxes(rows, cols, ["near", "far"], 1)),
    }
    rules = draw(st.sets(st.sampled_from(sorted(RULES)), min_size=2, max_size=4))
    return Squares(rows, cols, layers, frozenset(rules))


EXAMPLES = examples(15)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(squares(), st.integers(2, 5), st.integers(1, 2))
def test_a_site_is_found_exactly_when_brute_force_finds_one(base, squares, cells, width) -> None:
    agrees(base, squares, cells, width)


def agrees(base, squares: Squares, cells: int, width: int) -> None:
    """Search for a little less than some cells, and try every outline of so many."""
    cells = max(cells, width * width)
    wanted = max(cells - 0.1, width * width)
    plan = world.plan_of(base, squares)
    found = find_sites(
        plan, use=USE, area_mu=wanted * CELL_MU, min_width_m=width * world.CELL, as_of=DAY,
        cell_m=world.CELL,
    )  # fmt: skip
    assert found.feasible.cell_m == world.CELL
    assert bool(found.candidates) == world.exists(plan, squares, width, cells)
    for site in found.candidates:
        assert site.verdict.rank <= Verdict.CONDITIONAL.rank
        assert wanted * CELL_MU <= site.area_m2 * 15 / 10_000 * (1 + 1e-9)


# --- by hand -------------------------------------------------------------------------------------

# Six by six cells; red on the two western columns, line along the east of column 4.
OPEN = Squares(6, 6, {"within": [("x", 0, 0, 6, 6)], "zones": [("A", 0, 0, 6, 6)]}, RULES)


def with_land(**layers) -> Squares:
    return replace(OPEN, layers={**OPEN.layers, **layers})


def found(rows, rule: str):
    return next(row for row in rows if row.rule == rule)


def test_an_empty_plan_has_room_everywhere_and_nothing_binds(find) -> None:
    search, _ = find(OPEN, 9, cell_m=10)
    assert search.feasible.of("permitted").area_m2 == pytest.approx(3600, abs=0.01)
    assert search.feasible.edge_m2 == pytest.approx(0, abs=0.01)
    assert search.binding == ()
    assert search.nearest_miss is None
    assert search.candidates[0].verdict is Verdict.PASS
    assert search.candidates[0].scores[0].value == 0.0  # no conditional land


def test_alone_and_last_are_the_land_of_a_rule_by_itself_and_of_no_other(find) -> None:
    # Red on 2 x 6 cells, off the boundary on 3 x 6: they share 1 x 6.
    search, _ = find(
        with_land(block=[("red", 0, 0, 6, 2)], within=[("x", 0, 1, 6, 3)]), 4, cell_m=10
    )
    red, within = found(search.binding, "t.red"), found(search.binding, "t.within")
    assert (red.alone_m2, red.last_m2) == pytest.approx((1200, 600), abs=0.01)
    assert (within.alone_m2, within.last_m2) == pytest.approx((1800, 1200), abs=0.01)
    assert [row.rule for row in search.binding] == ["t.within", "t.red"]
    assert search.feasible.of("permitted").area_m2 == pytest.approx(1200, abs=0.01)
    excluded = search.feasible.of("excluded")
    assert {r.rule: round(r.area_m2) for r in excluded.rules} == {"t.within": 1800, "t.red": 1200}


def test_land_left_open_is_apart_from_land_that_fails(find) -> None:
    land = [("grey", 0, 0, 6, 3), ("red", 0, 0, 3, 6)]
    search, _ = find(with_land(block=land), 4, cell_m=10)
    grey = found(search.binding, "t.grey")
    assert (grey.excluded_m2, grey.open_m2) == pytest.approx((0, 1800), abs=0.01)
    assert grey.last_m2 == pytest.approx(900, abs=0.01)
    assert search.feasible.of("undetermined").area_m2 == pytest.approx(900, abs=0.01)


def test_conditional_land_says_what_it_costs_and_is_used_last(find) -> None:
    search, _ = find(with_land(block=[("yellow", 0, 0, 6, 3)]), 9, cell_m=10, most=4)
    costs = search.feasible.of("conditional").rules
    assert [(r.rule, round(r.area_m2)) for r in costs] == [("t.yellow", 1800)]
    assert costs[0].to_dict()["remedy"] == "避让。"
    first, last = search.candidates[0], search.candidates[-1]
    assert (first.verdict, first.costs) == (Verdict.PASS, ())
    assert last.verdict is Verdict.CONDITIONAL
    assert [f.rule for f in last.costs] == ["t.yellow"]
    assert first.score > last.score


def test_a_rule_that_says_the_same_everywhere_makes_no_class(find) -> None:
    search, _ = find(with_land(block=[("grey", 0, 0, 6, 6)]), 9, cell_m=10)
    assert search.candidates == ()
    assert [r.rule for r in search.feasible.everywhere] == ["t.grey"]
    assert search.feasible.of("permitted").area_m2 == pytest.approx(3600, abs=0.01)
    assert "“t.grey”在全部用地上都不能判定为符合" in search.feasible.note
    # Places on which only that is open come nearest.
    assert [f.rule for f in search.nearest_miss.sites[0].against] == ["t.grey"]
    assert search.nearest_miss.largest_m2 == 0


def test_the_nearest_miss_counts_the_mu_that_are_missing(find) -> None:
    search, _ = find(with_land(block=[("red", 0, 2, 6, 4)]), 20, cell_m=10)
    miss = search.nearest_miss
    assert search.candidates == ()
    assert miss.largest_m2 == pytest.approx(1200, abs=0.01)
    assert miss.missing_m2 == pytest.approx(800, abs=0.01)
    assert "缺 1.20 亩" in miss.text
    (site,) = miss.sites
    assert site.rank == 0
    assert site.verdict is Verdict.FAIL
    assert [f.rule for f in site.against] == ["t.red"]
    assert site.area_m2 == pytest.approx(2000, rel=0.01)


def test_a_neck_that_is_too_narrow_divides_the_land(find) -> None:
    # Two rooms of 2 x 6 cells, joined by one cell.
    wall = [("red", 0, 2, 2, 2), ("red", 3, 2, 3, 2)]
    narrow, _ = find(with_land(block=wall), 15, width=2, cell_m=10)
    assert narrow.candidates == ()
    assert narrow.nearest_miss.largest_m2 == pytest.approx(1200, abs=0.01)
    wide, _ = find(with_land(block=wall), 15, width=1, cell_m=10)
    assert len(wide.candidates) == 1
    outline = wide.candidates[0].geometry
    assert not _has_neck(outline, 9.99)  # a file rounds to a tenth of a millimetre
    assert _has_neck(outline, 20.0)


@pytest.mark.parametrize("cells", [4.0, 5.3, 7.7, 11.2])
def test_an_outline_has_the_wanted_area_within_a_hundredth_and_never_less(find, cells) -> None:
    search, _ = find(with_land(block=[("red", 2, 2, 2, 2)]), cells, cell_m=10, most=2)
    for site in search.candidates:
        assert 1 - 1e-9 <= site.area_m2 / (cells * 100) <= 1.01
        assert site.to_dict()["vertices"] <= 10


def test_candidates_do_not_overlap(find) -> None:
    search, _ = find(OPEN, 5, cell_m=10, most=5)
    outlines = [site.geometry for site in search.candidates]
    assert len(outlines) >= 4
    for n, one in enumerate(outlines):
        for other in outlines[n + 1 :]:
            assert one.intersection(other).area < 0.01


def test_every_candidate_is_the_same_under_check_site(find) -> None:
    search, plan = find(with_land(line=[("far", 0, 2, 6, 1)]), 6, cell_m=10)
    assert search.candidates
    for site in search.candidates:
        again = check_site(world.site_of(site.geometry), plan, use=USE, as_of=DAY)
        assert again.verdict is site.verdict
        assert [(f.rule, f.verdict) for f in again.findings] == [
            (f.rule, f.verdict) for f in site.check.findings
        ]


def test_a_coarse_grid_counts_cells_that_are_cut_as_the_worst_of_them(find) -> None:
    # Cells of 20 m, red on a strip of 10 m: the whole column of cells is lost.
    search, _ = find(with_land(block=[("red", 0, 0, 6, 1)]), 8, width=2, cell_m=20)
    assert search.feasible.of("excluded").area_m2 == pytest.approx(1200, abs=0.01)


# --- wishes --------------------------------------------------------------------------------------


def test_a_site_stays_away_from_a_layer(find) -> None:
    squares = with_land(line=[("near", 0, 0, 6, 1)])  # along x = 10 m
    squares = replace(squares, rules=RULES - {"t.line"})
    search, _ = find(squares, 6, cell_m=10, away={"line": 20.0})
    for site in search.candidates:
        assert site.geometry.bounds[0] >= world.EAST + 30 - 1e-3
    wish = found(search.binding, "wish.away:line")
    assert wish.alone_m2 == pytest.approx(1800, abs=0.01)
    assert wish.to_dict()["kind"] == "wish"


def test_a_site_comes_near_a_road_or_there_is_none(find) -> None:
    squares = with_land(roads=[("x", 0, 0, 1, 1)])  # ten metres of road in the south-west
    search, plan = find(squares, 6, cell_m=10, near_road_m=15.0)
    road = plan.layers["roads"].index.geometries[0]
    assert search.candidates
    assert all(site.geometry.distance(road) <= 15.0 for site in search.candidates)
    walled = with_land(roads=[("x", 0, 0, 1, 1)], block=[("red", 0, 0, 3, 3)])
    none, _ = find(walled, 6, cell_m=10, near_road_m=5.0)
    assert none.candidates == ()
    assert "没有一处同时满足其他要求" in none.nearest_miss.text


def test_a_zone_is_where_it_is_looked_for(find) -> None:
    squares = with_land(zones=[("A", 0, 0, 6, 3), ("B", 0, 3, 6, 3)])
    search, _ = find(squares, 6, cell_m=10, zone="A")
    assert search.feasible.area_m2 == pytest.approx(1800, abs=0.01)
    assert search.candidates
    with pytest.raises(ClaimError, match="没有范围“C”"):
        find(squares, 6, zone="C")


def test_weights_change_the_order_and_stand_in_the_answer(find) -> None:
    squares = with_land(block=[("yellow", 0, 0, 6, 3)], roads=[("x", 0, 0, 6, 1)])
    usual, _ = find(squares, 9, cell_m=10, most=1)
    near, _ = find(
        squares, 9, cell_m=10, most=1,
        weights={"road": 1.0, "conditional": 0, "farmland": 0, "compact": 0, "built_up": 0,
                 "budget": 0},
    )  # fmt: skip
    assert usual.candidates[0].verdict is Verdict.PASS
    assert near.candidates[0].scores[3].weight == 1.0
    assert near.candidates[0].score == pytest.approx(near.candidates[0].scores[3].score)
    assert near.candidates[0].scores[3].value <= usual.candidates[0].scores[3].value
    assert near.query.to_dict()["weights"]["road"] == 1.0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"use": "9999"}, "用途代码“9999”"),
        ({"area_mu": -5}, "面积为“-5”"),
        ({"area_mu": math.nan}, "面积为“nan”"),
        ({"area_mu": True}, "面积为“True”"),
        ({"area_mu": 10_000}, "大于范围的总面积 5.40 亩"),
        ({"min_width_m": 1000.0}, "最小宽度 1000 米的正方形"),
        ({"near_road_m": 0}, "距道路的距离为“0”"),
        ({"away": {"nowhere": 5}}, "没有图层“nowhere”"),
        ({"away": {"line": -5}}, "与图层“line”的距离为“-5”"),
        ({"keep": {"gold": 5}}, "没有指标“gold”"),
        ({"attributes": {"colour": "red"}}, "colour"),
        ({"weights": {"beauty": 1}}, "没有名为“beauty”的评分项"),
        ({"weights": {"road": -1}}, "权重为 -1"),
        ({"most": 0}, "候选地块数“0”"),
        ({"cell_m": -1}, "单元边长为“-1”"),
    ],
)
def test_a_call_that_makes_no_sense_is_told_before_anything_is_searched(base, options, says):
    plan = world.plan_of(base, with_land(roads=[("x", 0, 0, 1, 1)]))
    call = {"use": USE, "area_mu": 1.0, "as_of": DAY} | options
    with pytest.raises(ClaimError) as told:
        find_sites(plan, **call)
    assert says in str(told.value)


def test_the_frame_has_a_row_for_each_site_and_columns_for_each_criterion(find) -> None:
    search, _ = find(OPEN, 5, cell_m=10, most=3)
    frame = search.to_frame()
    assert list(frame["rank"]) == [1, 2, 3]
    assert frame.crs.to_epsg() == 4548
    assert {"road", "road_score", "conditional", "compact_score"} <= set(frame.columns)
    none, _ = find(with_land(block=[("red", 0, 0, 6, 6)]), 30, cell_m=10)
    assert list(none.to_frame()["candidate"]) == [False]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"area_mu": 5e-324}, "太小"),
        ({"weights": {"road": 1e308}}, "0 到 1000 的数"),
        ({"cell_m": 100.0}, "容不下一个边长 100 米的统计单元"),
    ],
)
def test_numbers_beyond_all_measure_are_told(base, options, says) -> None:
    plan = world.plan_of(base, OPEN)
    with pytest.raises(ClaimError, match=says):
        find_sites(plan, **({"use": USE, "area_mu": 1.0, "as_of": DAY} | options))


def test_a_width_below_a_cell_does_not_make_the_cells_smaller(find) -> None:
    search, _ = find(OPEN, 9, cell_m=10, min_width_m=0.001)
    assert search.feasible.cell_m == 10
    assert search.candidates
