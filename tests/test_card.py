"""Verdict card and one-page brief: what they say, what they draw, and what cannot run in them."""

import struct
from dataclasses import replace

import pytest

from gis.canonical import to_dict
from gis.check import check_site
from gis.commands.outputs import Outputs
from gis.errors import ClaimError
from gis.intake import read_site
from gis.output.card import card_pdf, card_png, write_card
from gis.output.card.content import card_content, line_row
from gis.output.card.picture import WIDTH, picture
from gis.output.drawing import round_length
from gis.plan.samples import load_samples

HOSTILE = '#panic("x") $x$ *b* <script>alert(1)</script> \u202e{{ 1 }} @ref \\ `'


@pytest.fixture(scope="module")
def checked(plan):
    """The imagined park of two thousand mu, which takes permanent farmland."""
    sample = next(s for s in load_samples(plan) if "主题公园" in s.name)
    site = read_site(sample.path, plan, name=sample.name)
    return to_dict(check_site(site, plan, use=sample.use, as_of=sample.as_of))


def restricted(plan, layer_id):
    layer = plan.layers[layer_id]
    secret = replace(layer, info=replace(layer.info, secrecy="restricted"))
    return replace(plan, layers={**plan.layers, layer_id: secret})


def size_of(png):
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


def test_the_card_carries_the_numbers_of_the_document(checked, plan):
    content = card_content(checked, plan)
    assert content["verdict"]["label"] == checked["verdict_label"] == "不符合"
    assert content["code"] == checked["digest"]
    measured = next(f for f in checked["findings"] if f["rule"] == checked["deciding_rule"])
    farmland = content["lines"][1]
    assert farmland["title"] == "永久基本农田"
    assert farmland["details"][0] == f"{measured['measure']['value']:,.2f} m²"
    assert content["mark"]["word"] == "示意"


def test_a_line_without_data_is_never_printed_as_zero(checked, plan):
    layers = [
        row | {"state": "failed"} if row["id"] == "redline" else row for row in checked["layers"]
    ]
    row = line_row(checked | {"layers": layers}, plan, "redline", "生态保护红线")
    assert row["value"] == "未检查"
    assert line_row(checked | {"layers": []}, plan, "redline", "x")["value"] == "未检查"


def test_the_scale_bar_is_at_most_a_quarter_of_the_map():
    # 640 wide: a quarter is 160 units; 0.32 units per metre make it 500 m, exactly a step.
    assert round_length(WIDTH / 4 / 0.32) == 500.0
    assert round_length(WIDTH / 4 / 0.33) == 200.0


def test_a_layer_above_the_ceiling_is_not_drawn_and_its_finding_keeps_the_area(checked, plan):
    closed = restricted(plan, "farmland")
    title = plan.layers["farmland"].info.title
    assert title in [key["label"] for key in picture(checked, plan).legend]
    assert title not in [key["label"] for key in picture(checked, closed).legend]
    assert card_content(checked, closed)["lines"] == card_content(checked, plan)["lines"]


def test_a_document_without_outline_has_no_map(checked, plan):
    assert picture(checked | {"site": checked["site"] | {"geometry": None}}, plan) is None


def test_the_map_holds_no_text_of_the_site_and_its_words_have_no_direction_marks(checked, plan):
    hostile = checked | {"site": checked["site"] | {"name": HOSTILE}}
    assert "script" not in picture(hostile, plan).svg
    assert card_content(hostile, plan)["name"] == HOSTILE.replace("\u202e", "")


# --- set by typst --------------------------------------------------------------------------------


def test_the_card_is_as_wide_as_a_phone_and_equal_checks_give_equal_pictures(checked, plan):
    png = card_png(checked, plan)
    assert size_of(png)[0] == 1080
    assert card_png(checked, plan) == png
    assert card_png(checked, plan, recipient="某局") != png


def test_markup_in_texts_is_data_and_is_never_run(checked, plan):
    # Evaluated as markup, #panic would stop the typesetter.
    finding = checked["findings"][0] | {"title": HOSTILE, "reason": HOSTILE, "remedy": HOSTILE}
    hostile = checked | {
        "site": checked["site"] | {"name": HOSTILE},
        "findings": [finding, *checked["findings"][1:]],
    }
    assert card_pdf(hostile, plan, recipient=HOSTILE).startswith(b"%PDF")


def test_the_ending_of_the_name_chooses_card_or_brief(checked, plan, tmp_path):
    assert write_card(checked, tmp_path / "a.PDF", plan).read_bytes().startswith(b"%PDF")
    size_of(write_card(checked, tmp_path / "new" / "a.png", plan).read_bytes())


def test_several_sites_give_numbered_cards(checked, plan, tmp_path):
    Outputs(card=tmp_path / "a.png").write([checked, checked], [], plan)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a_1.png", "a_2.png"]


def test_a_card_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ClaimError, match="--card 不能写出"):
        Outputs(card=tmp_path / "a.jpg").refuse_unknown()
