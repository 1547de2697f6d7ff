"""clean(): no text of a plan or an upload may act in a page."""

from __future__ import annotations

import html
import unicodedata

import folium
import jinja2
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gis.output.maps.text import clean

DANGEROUS = set("<>\"'`{}$\\/")


def test_every_character_that_html_folium_or_jinja_would_act_on_becomes_an_entity():
    assert DANGEROUS.isdisjoint(clean("<img src=x onerror=alert(1)>${x}`{{ 7*7 }}{#\\'\"</script>"))


def test_chinese_names_stay_readable():
    assert clean("聊城市“一校三馆”（示意）·３％") == "聊城市“一校三馆”（示意）·３％"


def test_an_ampersand_is_escaped_once_and_only_once():
    assert clean("A&B") == "A&#38;B"
    assert clean(clean("A&B")) == "A&#38;B"


def test_none_is_empty_and_numbers_are_printed():
    assert clean(None) == ""
    assert clean(3.5) == "3.5"


def test_lone_surrogates_and_controls_are_replaced():
    assert clean("a\ud800b") == "a�b"
    assert clean("a\x00b\nc\x85d\u2028e") == "a b c d e"


def test_direction_overrides_vanish_so_a_name_cannot_be_read_backwards():
    assert clean("abc\u202egpj.exe\u2066\u200b") == "abcgpj.exe"


def test_an_endless_name_is_cut_visibly():
    text = clean("长" * 5000)
    assert len(text) == 4000
    assert text.endswith("…")


def test_a_text_cannot_pass_for_an_address():
    assert "//" not in clean("https://example.org/x")


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_a_browser_reads_back_what_was_written(text):
    # html.unescape stands for the browser; visible characters survive unchanged.
    seen = html.unescape(clean(text))
    kept = [c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert [c for c in seen if c not in " �"] == [c for c in kept if c not in " �"]


@settings(max_examples=100)
@given(st.text(alphabet="<>{}#%$`'\"\\/ax7*&;", max_size=30))
def test_jinja_prints_a_cleaned_text_as_it_is(text):
    cleaned = str(clean(text))
    assert jinja2.Template(cleaned).render() == cleaned


def test_folium_neither_evaluates_nor_breaks_on_a_cleaned_name():
    fmap = folium.Map(tiles=None)
    hostile = "{{ 7777*7777 }}{# ${alert(1)} `</script><script>alert(1)</script>"
    folium.FeatureGroup(name=str(clean(hostile))).add_to(fmap)
    folium.LayerControl().add_to(fmap)
    page = fmap.get_root().render()
    assert "alert(1)</script>" not in page
    assert "60481729" not in page


def test_the_result_is_markup_so_templates_do_not_escape_it_again():
    assert isinstance(clean("<"), Markup)
