"""Two maps side by side: what stands on each, and that they move together in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from browser_pages import DESK, PHONE
from pyproj import Transformer
from test_maps_browser import HOSTILE

from gis.cli import app
from gis.errors import NotFoundError
from gis.output.maps import comparison_map, pair
from gis.output.maps.groups import groups_of
from gis.output.maps.large import from_afar
from gis.output.sharing import Basemap, Sharing
from gis.plan import Plan
from gis.plan.catalogue import Layer


def with_layer(plan: Plan, old: str, new: str, **info: str) -> Plan:
    """The plan with one more layer, or another one in the place of an old one."""
    layer = plan.layer(old)
    own = replace(layer.info, id=new, **info)
    return replace(
        plan, layers={**plan.layers, new: Layer(own, layer.index, layer.path, layer.frame)}
    )


@pytest.fixture
def land(land_pair_page: str) -> str:
    return land_pair_page


def sides(page: str) -> list[str]:
    return re.findall(r'<section class="wq-side".*?</section>', page, re.DOTALL)


# --- what stands on each side --------------------------------------------------------------------


def test_land_as_it_is_stands_on_the_left_and_as_planned_on_the_right(land: str) -> None:
    left, right = sides(land)
    assert "现状用地" in left
    assert "规划用地" in right
    assert "耕地" in left
    assert "耕地" not in right  # the plan of the core leaves none


def test_the_shares_are_those_of_the_land_balance(land: str, plan: Plan) -> None:
    left, right = sides(land)
    for side, letter in ((left, "D"), (right, "B")):
        balance = plan.land_balance(definition=letter)
        assert f"{balance.green_water_share:.2%}" in side
        largest = max(balance.rows, key=lambda row: row.area_m2)
        assert f"{largest.area_m2 / 1e6:,.2f} km²" in side
    assert "52.00%" in right  # the figure that the resort states


def test_the_page_says_that_the_plan_is_schematic(land: str) -> None:
    assert "示意数据，非法定规划成果" in land


def test_equal_plans_give_equal_bytes(land: str, plan: Plan) -> None:
    assert comparison_map(plan) == land


def test_layers_in_force_stand_beside_those_that_are_being_changed(plan: Plan) -> None:
    changed = with_layer(
        plan, "planned_use", "planned_use_new", law_status="changing", title="草案"
    )
    left, right = sides(comparison_map(changed, what="law"))
    assert "现行" in left
    assert "修改中" in right
    assert "尚未生效" in right


def test_without_a_changing_layer_there_is_nothing_to_compare(plan: Plan) -> None:
    with pytest.raises(NotFoundError, match="修改中"):
        comparison_map(plan, what="law")


def test_two_versions_stand_side_by_side(plan: Plan) -> None:
    header = plan.file.plan.model_copy(update={"version": "2027.1"})
    other = replace(plan, file=plan.file.model_copy(update={"plan": header}))
    left, right = sides(comparison_map(plan, other))
    assert "版本 2026.11" in left
    assert "版本 2027.1" in right


def test_a_layer_above_the_ceiling_is_not_compared(plan: Plan) -> None:
    secret = with_layer(plan, "landuse", "landuse", secrecy="restricted")
    with pytest.raises(NotFoundError, match="现状用地"):
        comparison_map(secret)
    assert "现状用地" in comparison_map(secret, ceiling="restricted")


def test_a_copy_for_somebody_says_so_on_both_sides(plan: Plan) -> None:
    header = plan.file.plan.model_copy(update={"map_number": "鲁SG(2026)001号"})
    numbered = replace(plan, file=plan.file.model_copy(update={"plan": header}))
    tiles = "http://map.bureau.local:8090/{z}/{x}/{y}.png"
    page = comparison_map(numbered, sharing=Sharing(HOSTILE, Basemap(tiles)))
    for side in sides(page):
        assert '<div class="wq-recipient"' in side
        assert "审图号：鲁SG(2026)001号" in side
        assert HOSTILE not in side
    # The policy lets pictures of this one host in.
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "img-src http://map.bureau.local:8090 data:" in policy[1]


def test_alone_a_comparison_names_neither_recipient_nor_number(land: str) -> None:
    assert '<div class="wq-recipient"' not in land
    assert '<div class="wq-approval"' not in land


def test_many_parcels_become_one_picture_and_the_page_says_so(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair, "_PICTURE_FROM", len(plan.layer("landuse").frame) - 1)
    left, right = sides(comparison_map(plan))
    number = f"{len(plan.layer('landuse').frame):,}"
    assert f"现状地类图斑（{number} 个图斑）以缩小的图片显示" in left
    assert "耕地" in left
    assert "以缩小的图片显示" not in right


def test_the_picture_of_many_parcels_lies_where_they_lie(plan: Plan) -> None:
    layer = plan.layer("landuse")
    drawn = from_afar(groups_of(layer), plan.work_epsg, "pane")
    (south, west), (north, east) = drawn.get_bounds()
    # PROJ places the corners of the outermost parcels; the picture ends within a pixel of 10 m.
    to_degrees = Transformer.from_crs(plan.work_epsg, 4490, always_xy=True)
    points = shapely.get_coordinates(layer.frame.geometry.to_numpy())
    x, y = to_degrees.transform(points[:, 0], points[:, 1])
    assert (south, north) == pytest.approx((y.min(), y.max()), abs=1e-4)
    assert (west, east) == pytest.approx((x.min(), x.max()), abs=1e-4)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    out = tmp_path / "pair.html"
    done = CliRunner().invoke(app, ["map", "--compare", "land", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "规划用地" in out.read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["map", "--compare", "law", "-o", str(out)])
    assert done.exit_code != 0
    assert "Traceback" not in done.output


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    path = tmp_path_factory.mktemp("pair") / "pair.html"
    hostile = with_layer(plan, "landuse", "landuse", title=HOSTILE, vintage=HOSTILE)
    path.write_text(comparison_map(hostile), encoding="utf-8")
    return path


def opened(browser: Any, file: Path, device: dict[str, Any]) -> tuple[Any, list[str]]:
    page = browser.new_page(**device)
    seen: list[str] = []
    page.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else seen.append(r.url)
    )
    page.on("console", lambda m: seen.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: seen.append(str(e)))
    page.goto(file.as_uri())
    page.wait_for_function("() => document.documentElement.classList.contains('wq-ready')")
    return page, seen


def views(page: Any) -> list[tuple[float, ...]]:
    """Width of a kilometre or so, and where the pane has been moved to, of each map."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('.wq-pair-map')].map(home => [
            home.querySelector('.leaflet-control-scale-line').offsetWidth,
            ...home.querySelector('.leaflet-map-pane').style.transform.match(/-?[\\d.]+px/g)
                .map(parseFloat)])"""
    )
    return [tuple(row) for row in found]


def test_both_maps_move_together_and_ask_nothing_of_the_network(browser: Any, file: Path) -> None:
    page, seen = opened(browser, file, DESK)
    first = views(page)
    assert first[0] == pytest.approx(first[1], abs=2)
    page.locator(".wq-side").nth(1).locator(".leaflet-control-zoom-in").click()
    page.wait_for_function(
        "old => document.querySelector('.leaflet-control-scale-line').offsetWidth !== old",
        arg=first[0][0],
    )
    page.mouse.move(400, 400)
    page.mouse.down()
    page.mouse.move(300, 350, steps=4)
    page.mouse.up()
    after = views(page)
    assert after[0] == pytest.approx(after[1], abs=2)
    assert after[0][1] < first[0][1] - 50
    assert seen == []
    assert page.evaluate("() => window.pwned === undefined")


def test_a_ring_shows_the_place_of_the_pointer_on_the_other_map(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file, DESK)
    page.mouse.move(420, 380)
    page.wait_for_function("() => document.querySelectorAll('.wq-cross').length === 1")
    ring = page.locator(".wq-cross").bounding_box()
    width = page.locator(".wq-side").first.bounding_box()["width"]
    assert ring["x"] + ring["width"] / 2 - 420 == pytest.approx(width + 3, abs=6)
    assert ring["y"] + ring["height"] / 2 == pytest.approx(380, abs=3)


def test_on_a_phone_one_stands_above_the_other_without_scrolling_sideways(
    browser: Any, file: Path
) -> None:
    page, seen = opened(browser, file, PHONE)
    boxes = [page.locator(".wq-side").nth(n).bounding_box() for n in (0, 1)]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert seen == []


def test_on_paper_both_stand_on_one_sheet(browser: Any, file: Path) -> None:
    page, _ = opened(browser, file, DESK)
    paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
