"""A map or a chart as the last line of a cell of a notebook."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from gis.output.maps.page import Page


class Frames(HTMLParser):
    """The tags and the documents of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.documents: list[str | None] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.documents.append(dict(attrs).get("srcdoc"))


def test_a_page_is_shown_in_a_frame_of_its_own_letter_by_letter() -> None:
    text = '<p title="a">&amp; \'b\' </iframe><script>x = "<"</script>'
    frames = Frames()
    frames.feed(Page(text)._repr_html_())
    assert frames.tags == ["iframe"]
    assert frames.documents == [text]


def test_a_page_is_the_same_text_to_everybody_else(plan_page, tmp_path) -> None:
    assert isinstance(plan_page, str)
    assert plan_page.startswith("<!DOCTYPE html>")
    path = tmp_path / "map.html"
    path.write_text(plan_page, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == plan_page
    assert plan_page.encode() == str(plan_page).encode()
    assert len(repr(plan_page)) < 40


def test_every_kind_of_map_shows_itself(plan_page, land_pair_page) -> None:
    for page in (plan_page, land_pair_page):
        assert page._repr_html_().startswith("<iframe ")


def test_a_chart_shows_itself_as_a_picture(plan) -> None:
    pytest.importorskip("matplotlib")
    from gis.output.figures import land_balance_chart

    for chart in (land_balance_chart(plan.land_balance("core")), plan.plot()):
        picture = chart._repr_png_()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 20_000
