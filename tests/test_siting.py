"""Where could a project stand? The search against brute force, by hand, and on the bundled plan."""

from __future__ import annotations

import pytest
import search_world as world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_world import CELL_MU, DAY, USE, Squares

from gis.model import Verdict
from gis.siting import find_sites

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


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
