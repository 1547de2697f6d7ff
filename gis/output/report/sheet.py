"""What stands around a printed map: window of a round scale, legend, scale bar, north arrow.

An SVG of CSS pixels (96 an inch), so that lines and patterns are those of the screen. Texts are
escaped; nothing is measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from gis.output.drawing import Bounds, Frame, round_length, xml
from gis.output.maps import style
from gis.output.maps.style import Look
from gis.output.report.font import spelled

PX_PER_MM = 96 / 25.4
FAMILY = "Wuqu Sans SC"
INK, SOFT = "#1c2733", "#5b6770"
# The scales in which plans are drawn.
_SCALES = tuple(
    round(step * 10**power) for power in (2, 3, 4, 5, 6) for step in (1, 1.5, 2, 2.5, 3, 4, 5, 7.5)
)
_TEXT = 10.6  # 8 pt
_ROW = 16.0
_LEGEND_MM = 40.0
_FOOT_MM = 7.0
_LEAST_REST = 3  # characters of a second line


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One row of a legend: plain text, how it looks, and area, line, point or number."""

    label: str
    look: Look
    kind: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of a sheet in millimetres; the legend stands at the right or below."""

    width_mm: float
    height_mm: float
    legend: str = "right"
    legend_mm: float = _LEGEND_MM

    @property
    def map_mm(self) -> tuple[float, float]:
        """Width and height of the window."""
        if self.legend == "right":
            return self.width_mm - self.legend_mm, self.height_mm
        return self.width_mm, self.height_mm - self.legend_mm


def window(bounds: Bounds, layout: Layout, margin: float = 0.15) -> tuple[Frame, int]:
    """Return a frame that shows the bounds at a round scale, and the scale's denominator.

    What must be seen stands above the strip at the foot in which the scale bar lies.
    """
    west, south, east, north = bounds
    wide_mm, high_mm = layout.map_mm
    free_mm = high_mm - _FOOT_MM
    needed = max((east - west) / wide_mm, (north - south) / free_mm) * 1000 * (1 + 2 * margin)
    scale = next((s for s in _SCALES if s >= needed), _SCALES[-1])
    x = (west + east) / 2
    y = (south + north) / 2 - _FOOT_MM / 2 * scale / 1000
    half_x, half_y = wide_mm * scale / 2000, high_mm * scale / 2000
    shown = (x - half_x, y - half_y, x + half_x, y + half_y)
    return Frame(shown, wide_mm * PX_PER_MM, high_mm * PX_PER_MM), scale


def sheet(
    layout: Layout,
    drawing: Sequence[str],
    legend: Sequence[LegendRow],
    frame: Frame,
    scale: int,
    notes: Sequence[str],
) -> str:
    """Return the whole SVG: the drawing in its window, and what explains it."""
    width, height = layout.width_mm * PX_PER_MM, layout.height_mm * PX_PER_MM
    wide, high = (mm * PX_PER_MM for mm in layout.map_mm)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" '
        f'width="{width:.1f}" height="{height:.1f}" font-family="{FAMILY}" font-size="{_TEXT}">',
        f'<defs>{_patterns()}<clipPath id="w"><rect width="{wide:.1f}" height="{high:.1f}"/>'
        "</clipPath></defs>",
        f'<rect width="{wide:.1f}" height="{high:.1f}" fill="#f4f5f2"/>',
        f'<g clip-path="url(#w)">{"".join(drawing)}</g>',
        f'<rect x=".4" y=".4" width="{wide - 0.8:.1f}" height="{high - 0.8:.1f}" fill="none" '
        f'stroke="{INK}" stroke-width=".8"/>',
        _north(wide - 19, 9),
        _scale_bar(frame, scale, wide, high),
        *_legend(legend, layout, notes),
        "</svg>",
    ]
    return "".join(body)


@cache
def _patterns() -> str:
    """Return the patterns of the screen maps: a verdict looks the same on paper."""
    page = files("gis.output.maps").joinpath("templates/macros.html").read_text(encoding="utf-8")
    return "".join(re.findall(r"<pattern .*?</pattern>", page))


def look_attributes(look: Look, *, filled: bool = True) -> str:
    """Return the SVG attributes of a look."""
    parts = [f'stroke="{look.stroke}" stroke-width="{look.weight:g}" stroke-linejoin="round"']
    if look.dash:
        parts.append(f'stroke-dasharray="{look.dash}"')
    if filled and look.pattern and look.pattern != "none":
        parts.append(f'fill="url(#wq-p-{look.pattern})"')
    elif filled and look.fill:
        parts.append(f'fill="{look.fill}" fill-opacity="{look.fill_opacity:g}"')
    else:
        parts.append('fill="none"')
    return " ".join(parts) + ' fill-rule="evenodd"'


def text(x: float, y: float, words: str, *, size: float = _TEXT, more: str = "") -> str:
    """Return a text of the sheet, escaped."""
    shown = xml(spelled(words))
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" {more}>{shown}</text>'


def halo(x: float, y: float, words: str, *, size: float = _TEXT, bold: bool = False) -> str:
    """Return a text that can be read on any ground, centred."""
    weight = 'font-weight="bold" ' if bold else ""
    more = f'{weight}text-anchor="middle" stroke-linejoin="round"'
    below = text(x, y, words, size=size, more=f'{more} fill="#fff" stroke="#fff" stroke-width="3"')
    return below + text(x, y, words, size=size, more=f'{more} fill="{INK}"')


def _north(x: float, y: float) -> str:
    """Return an arrow to grid north."""
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><circle cx="6" cy="15" r="17.5" fill="#fff" '
        f'fill-opacity=".85"/><path d="M6 1 11 19 6 15.4 1 19z" fill="{INK}"/>'
        + text(6, 29.5, "北", size=9.6, more=f'text-anchor="middle" fill="{INK}"')
        + "</g>"
    )


def _scale_bar(frame: Frame, scale: int, wide: float, high: float) -> str:
    """Return a bar of a round length in two halves, with the scale in words."""
    metres = round_length(wide / 4 / frame.per_m)
    length, y = metres * frame.per_m, high - 12
    told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    words = f"{told}（1:{scale:,}）"
    room = length + 30 + 5.6 * len(words)
    return (
        f'<rect x="5" y="{high - 26:.1f}" width="{room:.1f}" height="20" rx="2" fill="#fff" '
        'fill-opacity=".85"/>'
        f'<rect x="10" y="{y - 4:.1f}" width="{length:.1f}" height="4.4" fill="#fff" '
        f'stroke="{INK}" stroke-width=".8"/>'
        f'<rect x="10" y="{y - 4:.1f}" width="{length / 2:.1f}" height="4.4" fill="{INK}"/>'
        + text(16 + length, y + 1, words, size=9.6, more=f'fill="{INK}"')
    )


def _legend(keys: Sequence[LegendRow], layout: Layout, notes: Sequence[str]) -> Iterator[str]:
    """Yield the rows of the legend and the notes below; long words are cut, never overlaid."""
    width, height = layout.width_mm * PX_PER_MM, layout.height_mm * PX_PER_MM
    wide, high = (mm * PX_PER_MM for mm in layout.map_mm)
    if layout.legend == "below":
        yield from _legend_below(keys, high + 8, width, height)
        return
    x, y = wide + 10, 24.0
    yield text(x, 14, "图例", more=f'font-weight="bold" fill="{INK}"')
    floor = height - _ROW * (len(notes) + 1)
    for row in keys:
        if y > floor:
            break
        first, rest = _wrapped(row.label, width - x - 28)
        yield from _key(replace(row, label=first), x, y, width - x)
        if rest:
            y += 0.8 * _ROW
            yield text(x + 27, y + 9.6, _cut(rest, width - x - 28), more=f'fill="{INK}"')
        y += _ROW
    for n, note in enumerate(reversed(notes)):
        words = _cut(note, width - x)
        yield text(x, height - 3 - 13 * n, words, size=9, more=f'fill="{SOFT}"')


def _legend_below(
    keys: Sequence[LegendRow], y: float, width: float, height: float
) -> Iterator[str]:
    """Yield the first two rows side by side, every other one below them."""
    middle = 0.4 * width
    for row, x, room in zip(keys[:2], (0.0, middle), (middle, width - middle), strict=False):
        yield from _key(row, x, y, room)
    for n, row in enumerate(keys[2:], start=1):
        if y + _ROW * (n + 1) <= height:
            yield from _key(row, 0.0, y + _ROW * n, width)


def _key(row: LegendRow, x: float, y: float, room: float) -> Iterator[str]:
    yield _swatch(row, x, y)
    yield text(x + 27, y + 9.6, _cut(row.label, room - 28), more=f'fill="{INK}"')


def _swatch(row: LegendRow, x: float, y: float) -> str:
    look = row.look
    if row.kind == "point":
        return (
            f'<circle cx="{x + 10:.1f}" cy="{y + 6:.1f}" r="4.4" fill="{look.fill or look.stroke}" '
            f'stroke="{look.stroke}"/>'
        )
    if row.kind == "line":
        below = [(look.casing, look.weight + 1.6, "")] if look.casing else []
        lines = [*below, (look.stroke, look.weight, look.dash or "")]
        return "".join(
            f'<path d="M{x:.1f} {y + 6:.1f}h20" stroke="{colour}" stroke-width="{width:g}"'
            + (f' stroke-dasharray="{dash}"' if dash else "")
            + "/>"
            for colour, width, dash in lines
        )
    box = f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="19" height="11" '
    drawn = f"{box}{look_attributes(look)}/>"
    if row.number:
        drawn += text(
            x + 10, y + 9.2, row.number, size=9, more=f'text-anchor="middle" fill="{INK}"'
        )
    return drawn


def _cut(words: str, room: float) -> str:
    """Return words shortened to a width in pixels."""
    count = _fitting(words, room)
    return words if count == len(words) else words[: max(count - 1, 1)] + "…"


def _wrapped(words: str, room: float) -> tuple[str, str]:
    """Return words as two lines, the second empty where one is enough, never a lone character."""
    count = max(_fitting(words, room), 1)
    if 0 < len(words) - count < _LEAST_REST:
        count = max(len(words) - _LEAST_REST, 1)
    return words[:count], words[count:]


def _fitting(words: str, room: float) -> int:
    """Return how many characters fit: a Chinese one is as wide as it is high."""
    used = 0.0
    for n, character in enumerate(words):
        used += _TEXT * (0.58 if character.isascii() else 1.0)
        if used > room:
            return n
    return len(words)


def verdict_look(verdict: style.VerdictStyle, weight: float = 1.6) -> Look:
    """Return how the land that a finding marks is drawn."""
    return Look(verdict.colour, weight, pattern=verdict.pattern, fill_opacity=1.0)
