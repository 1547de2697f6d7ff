"""How does a land balance look on one page? Bars of 100 % by zone, in the colours of the classes.

Green and water stand first and are bracketed, so that their share can be read off; the stated share
is drawn only where it speaks of the same area and definition. Needs matplotlib, which comes with
the extra ``notebook``; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gis.errors import ClaimError
from gis.plan.land.ground import STRAY_M2
from gis.plan.land.rows import UNCOVERED, column_label, row_label, share_text
from gis.plan.land.share import ShareRange
from gis.plan.land.table import PrintedRow
from gis.plan.schema import STATUS_LABELS
from gis.rulebook import land_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gis.plan import LandBalance

# Fonts with Chinese letters on the usual systems, the best for a screen first.
FONTS = (
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "Hiragino Sans GB",
    "SimHei",
    "Noto Sans CJK JP",  # the same file under the name of its first face
    "Noto Serif CJK SC",
    "SimSun",
)
NO_FONT = "No Chinese font is installed, so names are left out. Install Noto Sans CJK SC."
# What must not be lost with the Chinese letters.
_PLAIN = (
    ("不低于", ">="),
    ("无数据", "no data"),
    (UNCOVERED, "not covered"),
    ("公布", "stated"),
    *((label, code) for code, label in STATUS_LABELS.items()),
)
_BAR_HEIGHT, _BAR_INCHES = 0.62, 0.62
_ORDER = {"green": 0, "water": 1, "": 2}


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: the whole area or a zone, with the printed m² of each row."""

    label: str
    m2: tuple[float, ...]
    total_m2: float
    total_ha: float
    share: ShareRange | None

    def percent(self, row: int) -> float:
        """Return how long the piece of a row is."""
        return 100 * self.m2[row] / self.total_m2


@dataclass(frozen=True, slots=True)
class _Pen:
    """Where to draw, and with which letters; without Chinese ones only what can be shown."""

    axes: Axes
    font: str | None

    def say(self, text: str) -> str:
        """Return the text as it can be shown: never boxes in place of letters."""
        if self.font:
            return text
        for chinese, plain in _PLAIN:
            text = text.replace(chinese, plain)
        return "".join(c for c in text if c.isascii()).strip()

    @property
    def letters(self) -> dict[str, Any]:
        """What every text is drawn with."""
        return {"fontfamily": [self.font, "DejaVu Sans"]} if self.font else {}

    def write(self, x: float, y: float, text: str, **how: Any) -> None:
        """Write a text at a place of the axes' own scale unless told otherwise."""
        self.axes.text(x, y, self.say(text), **self.letters, **how)


def land_balance_chart(balance: LandBalance) -> Figure:
    """Return the chart of a land balance.

    Parameters
    ----------
    balance
        From ``Plan.land_balance``.

    Raises
    ------
    ClaimError
        matplotlib is not installed.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> figure = gis.land_balance_chart(plan.land_balance("core"))
    >>> figure.axes[0].get_title(loc="left")
    '【示意】规划核心区用地平衡（公顷）'
    """
    try:
        import matplotlib.figure  # noqa: F401 - the chart may be loaded from before

        from gis.output.chart import Chart
    except ImportError:
        raise ClaimError(
            "没有安装 matplotlib，不能绘图", advice='安装可选组件：pip install "wuqu[notebook]"'
        ) from None
    bars = list(_bars(balance))
    figure = Chart(figsize=(13, 2.6 + _BAR_INCHES * len(bars)), dpi=120)
    pen = _Pen(figure.add_subplot(), chinese_font())
    _draw_bars(pen, balance, bars)
    for height, bar in enumerate(bars):
        _draw_bracket(pen, height, bar)
    _draw_stated(pen, balance)
    _draw_words(pen, balance, bars)
    figure.subplots_adjust(left=0.17, right=0.68, top=0.84, bottom=0.2)
    return figure


def chinese_font() -> str | None:
    """Return the name of an installed font with Chinese letters, None when there is none."""
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return next((name for name in FONTS if name in installed), None)


# --- bars ----------------------------------------------------------------------------------------


def _bars(balance: LandBalance) -> Iterator[_Bar]:
    """Yield the whole area, then its zones, with rows that hold land."""
    rows, table = _rows(balance), balance.printed
    known = balance.share_range if balance.is_known else None
    total = tuple(row.total_m2 for row in rows)
    yield _Bar(balance.area.title, total, table.total_m2, table.total_ha, known)
    for n, column in enumerate(table.columns):
        m2, ha = table.columns_m2[n], table.columns_ha[n]
        if column.kind in ("zone", "outside") and m2 > 0:
            cells = tuple(row.m2[n] for row in rows)
            yield _Bar(column_label(column), cells, m2, ha, balance.share_in(column.id))


def _rows(balance: LandBalance) -> list[PrintedRow]:
    """Return the rows that hold land: green, water, the rest, what is not covered."""
    rows = [row for row in balance.printed.rows if row.row.kind != "overlap"]
    return sorted(rows, key=lambda r: (r.row.kind == "uncovered", _ORDER[r.row.counted_as]))


def _draw_bars(pen: _Pen, balance: LandBalance, bars: Sequence[_Bar]) -> None:
    scheme = land_classes.scheme(balance.counts.scheme, balance.counts.edition)
    starts = [0.0] * len(bars)
    for n, row in enumerate(_rows(balance)):
        widths = [bar.percent(n) for bar in bars]
        bare = row.row.kind == "uncovered"
        label = row_label(balance, row)
        pen.axes.barh(
            range(len(bars)),
            widths,
            left=starts,
            height=_BAR_HEIGHT,
            color="white" if bare else tuple(c / 255 for c in scheme.colour(row.row.cls)),
            hatch="//" if bare else None,
            edgecolor="#888888",
            linewidth=0.4,
            label=pen.say(f"{label} {row.total_ha:,.2f}"),
        )
        starts = [start + width for start, width in zip(starts, widths, strict=True)]


def _draw_bracket(pen: _Pen, height: int, bar: _Bar) -> None:
    """Bracket the green and water of a bar and write its share above."""
    top = height - _BAR_HEIGHT / 2
    text = f"绿地和水域 {share_text(bar.share.low if bar.share else None, bar.share)}"
    if bar.share is not None and bar.share.low > 0:
        end = 100 * bar.share.low
        xs, ys = [0, 0, end, end], [top - 0.04, top - 0.1, top - 0.1, top - 0.04]
        pen.axes.plot(xs, ys, color="#222222", linewidth=1.2, gid=f"bracket-{height}")
    pen.write(0, top - 0.13, text, fontsize=8, va="bottom")


def _draw_stated(pen: _Pen, balance: LandBalance) -> None:
    """Draw the stated share across the bar of the whole area, if it speaks of this balance."""
    stated = balance.stated
    if stated is None:
        return
    at, half = 100 * stated.value, _BAR_HEIGHT / 2 + 0.06
    pen.axes.plot([at, at], [-half, half], color="#c00000", linewidth=2, gid="stated")
    pen.write(
        at + 0.6, -half, f"公布 {100 * stated.value:g}%", color="#c00000", fontsize=9, va="bottom"
    )


# --- words ---------------------------------------------------------------------------------------


def _draw_words(pen: _Pen, balance: LandBalance, bars: Sequence[_Bar]) -> None:
    axes, info = pen.axes, balance.source
    labels = [pen.say(f"{bar.label}\n{bar.total_ha:,.2f} 公顷") for bar in bars]
    axes.set_yticks(range(len(bars)), labels, **pen.letters)
    axes.set_ylim(len(bars) - 0.5, -0.75)
    axes.set_xlim(0, max(100.0, *(100 * sum(bar.m2) / bar.total_m2 for bar in bars)))
    axes.set_xlabel(pen.say("占各范围面积的百分比 %") or "%", **pen.letters)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    title = f"【{balance.plan.status_label}】{balance.area.title}用地平衡（公顷）"
    axes.set_title(pen.say(title), loc="left", fontsize=13, pad=14, **pen.letters)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.05),
        ncols=2,
        frameon=False,
        prop={"family": pen.letters.get("fontfamily"), "size": 7.5},
    )
    status = STATUS_LABELS.get(info.status, info.status)
    notes = [
        f"图层：{info.title}，现势性 {info.vintage}，{status}；"
        f"{balance.counts.scheme}（{balance.counts.edition}）",
        f"口径 {balance.definition}：{balance.definition_text}",
        balance.plan.ref.status_note,
    ]
    if balance.overlap_m2 > STRAY_M2:
        notes.append(f"不同地类重叠 {balance.overlap_m2:,.2f} m²，图中重复画出，占比只计一次")
    text = "\n".join(
        filter(None, map(pen.say, notes if pen.font else [NO_FONT, f"{status} {info.vintage}"]))
    )
    axes.figure.text(0.01, 0.01, text, fontsize=7.5, va="bottom", **pen.letters)
