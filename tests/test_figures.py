"""The chart of a land balance: what is drawn is what the balance says."""

from __future__ import annotations

import builtins
import io
import os
import sys

import pytest

from gis.errors import ClaimError
from gis.output import figures
from gis.output.figures import chinese_font, land_balance_chart
from gis.plan import Plan
from gis.rulebook import land_classes


@pytest.fixture
def font() -> str:
    found = chinese_font()
    if found is None:
        if os.environ.get("WUQU_REQUIRE_ALL") == "1":
            pytest.fail("a Chinese font is required here and was not found")
        pytest.skip("no Chinese font is installed")
    return found


def png(figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")  # warnings are errors: no missing letters
    return out.getvalue()


def texts(figure) -> str:
    (axes,) = figure.axes
    words = [*axes.texts, *axes.get_yticklabels(), *axes.get_legend().get_texts(), *figure.texts]
    return "\n".join([axes.get_title(loc="left"), *(t.get_text() for t in words)])


def named(figure, gid: str):
    (axes,) = figure.axes
    return [line for line in axes.lines if line.get_gid() == gid]


@pytest.mark.usefixtures("font")
def test_it_renders_with_mark_date_definition_and_names(plan: Plan) -> None:
    figure = land_balance_chart(plan.land_balance("core"))
    assert png(figure).startswith(b"\x89PNG")
    said = texts(figure)
    for words in ("【示意】", "2026-11", "口径 B", "公园绿地", "Z1 ", "公布 52%", "不是法定成果"):
        assert words in said


def test_each_piece_has_the_share_and_the_colour_of_its_class(plan: Plan) -> None:
    balance = plan.land_balance("core")
    figure = land_balance_chart(balance)
    (axes,) = figure.axes
    table = balance.to_dict()["zones"]
    rows = {row["class"]: row for row in table["rows"]}
    assert len(axes.containers) == len(rows)
    scheme = land_classes.scheme("用地用海", "2023")
    for bars in axes.containers:
        code = bars.get_label().split()[0]
        row, widths = rows[code], [bar.get_width() for bar in bars]
        assert widths[0] == pytest.approx(100 * row["total_m2"] / table["total_m2"], abs=1e-9)
        for width, m2, column in zip(widths[1:], row["cells_m2"], table["columns"], strict=True):
            assert width == pytest.approx(100 * m2 / column["area_m2"], abs=1e-9)
        colour = tuple(round(255 * c) for c in bars[0].get_facecolor()[:3])
        assert colour == scheme.colour(code)
    for n in range(1 + len(table["columns"])):
        assert sum(bars[n].get_width() for bars in axes.containers) == pytest.approx(100)


def test_green_and_water_stand_first_and_the_bracket_ends_where_they_do(plan: Plan) -> None:
    balance = plan.land_balance("core")
    figure = land_balance_chart(balance)
    (axes,) = figure.axes
    codes = [bars.get_label().split()[0] for bars in axes.containers]
    counted = [c["class"] for c in balance.to_dict()["counted"]]
    assert codes[: len(counted)] == counted
    end = axes.containers[len(counted) - 1][0]
    (bracket,) = named(figure, "bracket-0")
    assert max(bracket.get_xdata()) == pytest.approx(100 * balance.green_water_share, abs=1e-9)
    assert end.get_x() + end.get_width() == pytest.approx(max(bracket.get_xdata()), abs=1e-4)
    shares = [c["green_water_share"] for c in balance.to_dict()["zones"]["columns"]]
    for n, share in enumerate(shares, start=1):
        (bracket,) = named(figure, f"bracket-{n}")
        assert max(bracket.get_xdata()) == pytest.approx(100 * share, abs=1e-4)


@pytest.mark.parametrize(
    ("area", "definition", "drawn"),
    [("core", "B", True), ("core", "A", False), ("resort", "B", False), ("Z1", "B", False)],
)
def test_the_stated_share_is_drawn_only_where_it_speaks_of_the_same(
    plan: Plan, area: str, definition: str, drawn: bool
) -> None:
    figure = land_balance_chart(plan.land_balance(area, definition=definition))
    lines = named(figure, "stated")
    assert bool(lines) is drawn
    assert all(list(line.get_xdata()) == [52, 52] for line in lines)


@pytest.mark.usefixtures("font")
def test_land_without_data_is_hatched_and_never_a_share(plan: Plan) -> None:
    figure = land_balance_chart(plan.land_balance("resort"))
    (axes,) = figure.axes
    last = axes.containers[-1]
    assert last.get_label().startswith("图层未覆盖")
    assert {bar.get_hatch() for bar in last} == {"//"}
    assert "不低于 8.81%" in texts(figure)
    assert "绿地和水域 无数据" in texts(figure)  # Z3, which the layer does not reach
    assert not named(figure, "bracket-3")
    assert png(figure)


def test_without_a_chinese_font_nothing_becomes_a_box(plan: Plan, monkeypatch) -> None:
    monkeypatch.setattr(figures, "FONTS", ())
    figure = land_balance_chart(plan.land_balance("resort"))
    assert png(figure)
    said = texts(figure)
    assert said.isascii()
    assert "No Chinese font" in said
    assert ">= 8.81%" in said  # what is the least must not read as exact
    assert "no data" in said
    assert "schematic 2026-11" in said


def test_a_polygon_of_a_few_square_metres_is_drawn(plan: Plan) -> None:
    spot = plan.layers["core"].index.union.representative_point().buffer(1)
    figure = land_balance_chart(plan.land_balance(spot))
    (axes,) = figure.axes
    assert sum(bars[0].get_width() for bars in axes.containers) == pytest.approx(100)


def test_a_missing_matplotlib_names_the_extra(plan: Plan, monkeypatch) -> None:
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for name in [n for n in sys.modules if n.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ClaimError, match=r"wuqu\[notebook\]"):
        land_balance_chart(plan.land_balance("core"))
