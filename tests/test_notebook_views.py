"""Cards, maps and pictures of a notebook: safe, the numbers of the objects, in Chinese."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import matplotlib
import pytest

import gis
from gis.errors import ClaimError
from gis.output.notebook import Page
from gis.output.report.font import covered, font_folder

DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def check(plan, samples_dir):
    site = gis.read_site(samples_dir / "zhongyao_yuanqu.geojson", plan)
    return gis.check_site(site, plan, use="100101", as_of=DAY)


@pytest.fixture(scope="module")
def search(plan):
    return gis.find_sites(plan, use="100101", area_mu=100, zone="Z3", as_of=DAY)


@pytest.fixture
def rc_params():
    """matplotlib keeps its settings for the whole process."""
    with matplotlib.rc_context():
        yield


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.depth = 0
        self.text = ""

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.depth += 1

    def handle_endtag(self, tag) -> None:
        assert tag in self.seen
        self.depth -= 1

    def handle_data(self, data) -> None:
        self.text += data


def read(card: str) -> str:
    """The text of a card that is well formed and holds nothing but boxes and a table."""
    tags = Tags()
    tags.feed(card)
    assert tags.depth == 0
    assert tags.seen <= {"div", "table", "tr", "th", "td"}
    return tags.text


def test_card_of_a_plan_says_its_status_and_areas(plan) -> None:
    text = read(plan._repr_html_())
    assert "【示意】" in text
    assert "38.3000 km²" in text
    assert plan.ref.status_note in text


def test_card_of_a_check_begins_with_the_verdict_and_gives_the_deciding_rule(check) -> None:
    text = read(check._repr_html_())
    assert text.startswith("需核实　现代中药园区")
    assert check.finding(check.deciding_rule).reason in text
    assert check.digest[:16] in text
    assert "2026-11-22" in text


def test_card_of_a_balance_is_its_sentence_and_largest_classes(plan) -> None:
    balance = plan.land_balance("core")
    text = read(balance._repr_html_())
    assert balance.sentence in text
    assert "公园绿地" in text
    assert f"……另有 {len(balance.rows) - 12} 行" in text


def test_cards_of_rule_book_search_and_portfolio(plan, search) -> None:
    assert f"{len(plan.rulebook.rules)} 条规则" in read(plan.rulebook._repr_html_())
    text = read(search._repr_html_())
    assert "100101 一类工业用地" in text
    assert (search.nearest_miss.text if search.nearest_miss else search.candidates[0].name) in text
    portfolio = gis.check_portfolio(plan, as_of=DAY)
    assert portfolio.to_dict()["sentence"] in read(portfolio._repr_html_())


def test_names_of_strangers_do_no_harm_in_a_card(check) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    text = read(replace(check, site=replace(check.site, name=evil))._repr_html_())
    assert evil in text  # as text, not as tags


def test_a_map_is_the_page_of_the_map_command_in_a_frame(check, plan, tmp_path) -> None:
    page = check.explore(plan)
    assert isinstance(page, Page)
    from gis.output.maps import site_map

    assert page == site_map(gis.to_dict(check), plan)
    assert page._repr_html_().startswith("<iframe srcdoc=")
    assert "<script" not in page._repr_html_()  # everything inside the frame is escaped
    assert page.save(tmp_path / "a" / "m.html").read_text(encoding="utf-8") == page


def test_maps_of_plan_and_search(plan, check, search) -> None:
    assert "现代中药园区" in plan.explore([check])
    assert "一类工业用地" in search.explore(plan)


def test_an_answer_does_not_carry_its_plan(check, search) -> None:
    with pytest.raises(ClaimError, match=r"check\.explore\(plan\)"):
        check.explore()
    with pytest.raises(ClaimError, match=r"search\.plot\(plan\)"):
        search.plot()


def test_a_rule_book_has_no_map_and_says_what_else_there_is(plan) -> None:
    with pytest.raises(ClaimError, match="to_frame"):
        plan.rulebook.explore()
    with pytest.raises(ClaimError, match="to_frame"):
        plan.rulebook.plot()


def test_frames_have_one_row_for_each_layer_rule_and_finding(plan, check) -> None:
    assert list(plan.to_frame().index) == list(plan.layers)
    assert list(plan.rulebook.to_frame().index) == [rule.id for rule in plan.rulebook.rules]
    frame = check.to_frame()
    assert list(frame["rule"]) == [f.rule for f in check.findings]
    assert frame["decides"].dtype == bool


@pytest.mark.usefixtures("rc_params")
def test_pictures_name_what_they_show_in_the_colours_of_the_maps(plan, check, search) -> None:
    figure = check.plot(plan)
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith("需核实　现代中药园区")
    assert "耕地" in [text.get_text() for text in axes.get_legend().get_texts()]
    west, _, _, north = check.site.geometry.bounds
    assert axes.get_xlim()[0] < west
    assert axes.get_ylim()[1] > north
    zones = plan.plot()
    labels = [text.get_text() for text in zones.axes[0].get_legend().get_texts()]
    assert any("休闲旅游度假功能区" in label for label in labels)
    assert any(plan.ref.status_note in text.get_text() for text in zones.texts)
    assert search.plot(plan).axes[0].get_title(loc="left").startswith("找地")
    assert plan.land_balance("core").plot().axes
    with pytest.raises(ClaimError, match="没有专题“nothing”"):
        plan.plot("nothing")


@pytest.mark.usefixtures("rc_params")
@pytest.mark.parametrize("installed", [True, False])
def test_one_call_sets_a_font_that_has_the_letters(monkeypatch, installed) -> None:
    if not installed:
        monkeypatch.setattr("gis.output.notebook.pictures.chinese_font", lambda: None)
    family = gis.use_chinese_font()
    assert matplotlib.rcParams["font.sans-serif"][0] == family
    from matplotlib import font_manager

    path = font_manager.findfont(family, fallback_to_default=False)
    assert not installed or path
    if not installed:
        assert path.startswith(font_folder())
    assert set("示意占地块公顷亩") <= covered()


def test_no_card_is_made_on_import() -> None:
    import subprocess
    import sys

    code = "import gis, sys; gis.load_plan; print('gis.output.notebook' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_every_verb_is_found_by_tab_completion_and_opens_with_its_question() -> None:
    for name in (
        "load_plan",
        "read_site",
        "check_site",
        "find_sites",
        "check_portfolio",
        "budgets",
    ):
        assert name in dir(gis)
    for method in ("_repr_html_", "explore", "plot", "to_frame"):
        for kind in (gis.Plan, gis.SiteCheck, gis.LandBalance, gis.SiteSearch):
            assert callable(getattr(kind, method))
    assert re.match(r"[A-Z].*[.?]", (gis.find_sites.__doc__ or "").splitlines()[0])
