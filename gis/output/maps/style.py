"""How does each thing look on a map: colour, line, pattern, icon?

One visual language for every page. Colours of land classes are facts of the community symbol set
of 国土空间规划制图规范; the colours of the control lines are convention and not verified. A verdict
is never shown by colour alone: it has an icon of its own shape, a word and a pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from markupsafe import Markup

from gis.model import Verdict

_T = TypeVar("_T")

FONT_STACK = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",sans-serif'


@dataclass(frozen=True, slots=True)
class VerdictStyle:
    """Colour for lines and text, tint for areas, pattern of areas, and the icon's SVG shapes."""

    colour: str
    tint: str
    pattern: str
    icon: str


# Told apart by people with any of the three colour deficiencies: see tests/test_maps_pages.py.
# The icons differ in outline too: disc, triangle, square, octagon, ring.
VERDICTS: Mapping[Verdict, VerdictStyle] = {
    Verdict.PASS: VerdictStyle(
        "#007a6c",
        "#d5efe9",
        "dots",
        '<circle cx="12" cy="12" r="10.5" fill="#007a6c"/>'
        '<path d="M6.8 12.4l3.6 3.7 7-7.6" fill="none" stroke="#fff" stroke-width="2.6"/>',
    ),
    Verdict.CONDITIONAL: VerdictStyle(
        "#8a6100",
        "#fdeeb9",
        "cross",
        '<path d="M12 1.6 23 21.6H1z" fill="#f2b400"/>'
        '<path d="M12 8.4v6.4M12 17.2v2.4" stroke="#3b2a00" stroke-width="2.6"/>',
    ),
    Verdict.UNDETERMINED: VerdictStyle(
        "#4a5280",
        "#e2e5f4",
        "back",
        '<rect x="1.6" y="1.6" width="20.8" height="20.8" rx="4.6" fill="#5b659c"/>'
        '<path d="M15.6 10.4a5.2 5.2 0 1 1-10.4 0 5.2 5.2 0 0 1 10.4 0zM14.3 14.3l4.9 4.9" '
        'fill="none" stroke="#fff" stroke-width="2.3"/>',
    ),
    Verdict.FAIL: VerdictStyle(
        "#b3261e",
        "#fadcd6",
        "slash",
        '<path d="M7.6 1.4h8.8l6.2 6.2v8.8l-6.2 6.2H7.6l-6.2-6.2V7.6z" fill="#b3261e"/>'
        '<path d="M7.8 7.8l8.4 8.4M16.2 7.8l-8.4 8.4" stroke="#fff" stroke-width="2.8"/>',
    ),
    Verdict.NOT_APPLICABLE: VerdictStyle(
        "#5f6b76",
        "#eceff1",
        "none",
        '<circle cx="12" cy="12" r="9.6" fill="#fff" stroke="#7a8691" stroke-width="2.2"/>'
        '<path d="M7.5 12h9" stroke="#7a8691" stroke-width="2.4"/>',
    ),
}

ZONE_FILLS = ("#f2a99f", "#7fc8b9", "#9fb4ea", "#dfe59c", "#fbd37c", "#d5b3e0", "#c9c3b8")


def zone_fill(number: int) -> str:
    """Return the colour of the zone with a number, which starts at 1."""
    return ZONE_FILLS[(number - 1) % len(ZONE_FILLS)]


@dataclass(frozen=True, slots=True)
class Look:
    """How features of one kind are drawn; ``pattern`` names an SVG pattern of the page."""

    stroke: str
    weight: float = 1.5
    fill: str | None = None
    fill_opacity: float = 0.0
    dash: str | None = None
    pattern: str | None = None
    casing: str | None = None
    css: str | None = None

    def options(self) -> dict[str, object]:
        """Path options of Leaflet."""
        options: dict[str, object] = {
            "color": self.stroke,
            "weight": self.weight,
            "fill": self.fill is not None or self.pattern is not None,
            "fillColor": self.fill or self.stroke,
            "fillOpacity": self.fill_opacity,
        }
        if self.dash:
            options["dashArray"] = self.dash
        names = [self.css] if self.css else []
        if self.pattern:
            names.append(f"wq-fill-{self.pattern}")
        if names:
            options["className"] = " ".join(names)
        return options


GROUND = Look("#8b949c", 1.0, fill="#fcfbf7", fill_opacity=1.0)

# role -> look. Roles with classes of their own (zone, landuse, road, …) are refined in layers.py.
LOOKS: Mapping[str, Look] = {
    "planning_area": Look("#3c4650", 2.6),
    "district": Look("#7d8791", 1.3, dash="7 4"),
    "core": Look("#14365f", 3.2),
    "approval": Look("#14365f", 2.4, dash="11 6"),
    "zone": Look("#ffffff", 2.2, fill="#cccccc", fill_opacity=0.78),
    "dev_boundary": Look("#d1232f", 2.0, fill="#d1232f", fill_opacity=0.06),
    "farmland": Look("#b39a3a", 0.8, pattern="farmland", fill_opacity=1.0),
    "redline": Look("#14532d", 2.0, pattern="redline", fill_opacity=1.0),
    "water": Look("#4f9bc8", 1.0, fill="#a5d2ec", fill_opacity=0.95),
    "river_range": Look("#2b77ad", 1.5, fill="#2b77ad", fill_opacity=0.06, dash="3 4"),
    "built_up": Look("#6b7280", 1.0, pattern="built", fill_opacity=1.0),
    "ownership": Look("#7c5a2b", 1.0, fill="#7c5a2b", fill_opacity=0.05),
    "road": Look("#ffffff", 2.2, casing="#9aa1a8"),
    "railway": Look("#ffffff", 1.6, dash="7 7", casing="#43494f"),
    "power_line": Look("#8a4fa3", 1.3, dash="9 3 2 3"),
    "other": Look("#4b5563", 1.8, fill="#4b5563", fill_opacity=0.06),
    "project": Look("#6b21a8", 2.0, fill="#a855f7", fill_opacity=0.25),
}

# Control lines are told apart by the colour word in their id or title.
CONTROL_LINES: tuple[tuple[tuple[str, ...], Look], ...] = (
    (("green", "绿线"), Look("#1f8a3b", 2.0, fill="#1f8a3b", fill_opacity=0.16)),
    (("blue", "蓝线"), Look("#1766c9", 2.0, fill="#1766c9", fill_opacity=0.12)),
    (("purple", "紫线"), Look("#8e2fb8", 2.0, fill="#8e2fb8", fill_opacity=0.14)),
    (("yellow", "黄线"), Look("#b98a00", 2.0, fill="#f0c000", fill_opacity=0.22)),
)
OTHER_LINE = Look("#4b5563", 1.8, dash="4 3", fill="#4b5563", fill_opacity=0.06)


def control_line(layer_id: str, title: str) -> Look:
    """Return the look of a control line, by the colour word in its id or title."""
    for words, look in CONTROL_LINES:
        if any(word in layer_id or word in title for word in words):
            return look
    return OTHER_LINE


# First level of 用地用海分类 2023, and second-level classes with a colour of their own.
LAND_CLASSES: Mapping[str, tuple[str, str]] = {
    "01": ("耕地", "#f5f8dc"),
    "02": ("园地", "#bfe9aa"),
    "03": ("林地", "#68b167"),
    "04": ("草地", "#cdf57a"),
    "05": ("湿地", "#65cdaa"),
    "06": ("农业设施建设用地", "#d8d79f"),
    "07": ("居住用地", "#ffff2d"),
    "0703": ("农村宅基地", "#ffd380"),
    "08": ("公共管理与公共服务用地", "#ff00ff"),
    "0802": ("科研用地", "#e6005c"),
    "0803": ("文化用地", "#ff7f00"),
    "0804": ("教育用地", "#ff85c9"),
    "0805": ("体育用地", "#00a57c"),
    "0806": ("医疗卫生用地", "#ff7f7e"),
    "0807": ("社会福利用地", "#ff9f7f"),
    "09": ("商业服务业用地", "#ff0000"),
    "10": ("工矿用地", "#bb9674"),
    "11": ("仓储用地", "#8761d3"),
    "12": ("交通运输用地", "#b7b7b7"),
    "13": ("公用设施用地", "#006380"),
    "14": ("绿地与开敞空间用地", "#00ff00"),
    "1402": ("防护绿地", "#148d4a"),
    "1403": ("广场用地", "#acffcf"),
    "15": ("特殊用地", "#859156"),
    "16": ("留白用地", "#ffffff"),
    "17": ("陆地水域", "#338ec0"),
    "23": ("其他土地", "#eeeeee"),
}
UNKNOWN_CLASS = ("其他", "#e4e4e4")

# 三调 codes (GB/T 21010-2017 with the working classes) -> class above, for the colour only.
SURVEY_TO_2023: Mapping[str, str] = {
    "01": "01", "02": "02", "03": "03", "0303": "05", "0304": "05", "0306": "05", "04": "04",
    "0402": "05", "05": "09", "0508": "11", "06": "10", "07": "07", "0702": "0703", "08": "08",
    "0809": "13", "0810": "14", "09": "15", "10": "12", "1006": "06", "11": "17", "1105": "05",
    "1106": "05", "1107A": "13", "1108": "05", "1109": "13", "12": "23", "1202": "06",
}  # fmt: skip


@cache
def land_class(code: str, *, survey: bool) -> tuple[str, str, str]:
    """Return group code, Chinese name and colour under which a land-class code is shown.

    Parameters
    ----------
    code
        Class code as stored in the layer.
    survey
        True for 三调 codes, False for codes of the 2023 plan classification.
    """
    if survey:
        code = next((v for k, v in _longest_first(SURVEY_TO_2023) if code.startswith(k)), "")
    for prefix, (name, colour) in _longest_first(LAND_CLASSES):
        if code.startswith(prefix):
            return prefix, name, colour
    return "99", *UNKNOWN_CLASS


def _longest_first(table: Mapping[str, _T]) -> list[tuple[str, _T]]:
    return sorted(table.items(), key=lambda item: -len(item[0]))


def icon(verdict: Verdict) -> Markup:
    """Return the inner SVG of a verdict's icon; it is ours, so it needs no cleaning."""
    return Markup(VERDICTS[verdict].icon)  # constant of this file
