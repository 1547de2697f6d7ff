"""How does a GeoPackage look when QGIS opens it? Styles in its ``layer_styles`` table.

QGIS takes the default style of a layer from that table, so a planner sees the colours of the map
pages without loading anything. Only the values that are in the data become categories. Colours,
and the hatching that tells verdicts apart without colour, come from :mod:`gis.output.maps.style`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gis.model import Verdict
from gis.output.maps import style
from gis.output.maps.card import verdict_of

TABLE = "layer_styles"
# Name of the geometry column that GDAL gives every layer of a GeoPackage.
_GEOMETRY = "geom"
_MM_PER_PX = 0.26
# QGIS sorts styles by this column and ignores the table without it; equal content, equal bytes.
_STAMP = "2000-01-01"
# Directions of the hatching of a verdict's pattern, degrees counter-clockwise from east.
_HATCHES: Mapping[str, tuple[int, ...]] = {"slash": (45,), "back": (135,), "cross": (0, 90)}
_REMEDY = style.Look("#0b5d52", 2.8, fill="#12a08d", dash="9 8")

Symbol = list[tuple[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Category:
    """One value of a field, what the legend calls it, and how it is drawn."""

    value: str
    label: str
    symbol: Symbol


def verdict_categories(values: Iterable[str], *, hatched: bool) -> list[Category]:
    """Return the categories of the verdicts in the data, worst first.

    What findings mark is hatched; a site stays clear, since it lies below and carries a label.
    """
    known = sorted({verdict_of(v) for v in values}, key=lambda v: -v.rank)
    return [Category(v.value, v.label, _verdict_symbol(v, hatched=hatched)) for v in known]


def class_categories(groups: Mapping[str, str]) -> list[Category]:
    """Return the categories of land-class groups in the data: code of the group and its name."""
    found = []
    for code in sorted(groups):
        colour = style.LAND_CLASSES.get(code, style.UNKNOWN_CLASS)[1]
        label = groups[code] if code == "99" else f"{code} {groups[code]}"
        found.append(Category(code, label, [_fill(colour, "#8b949c", 0.3)]))
    return found


def categorized(field: str, categories: Sequence[Category], label: str = "") -> str:
    """Return the QML of a layer that is coloured by a field; ``label`` is a QGIS expression."""
    root, renderer = _document("categorizedSymbol", attr=field)
    rows = ET.SubElement(renderer, "categories")
    symbols = ET.SubElement(renderer, "symbols")
    for n, category in enumerate(categories):
        ET.SubElement(
            rows,
            "category",
            {
                "value": category.value,
                "label": category.label,
                "symbol": str(n),
                "render": "true",
                "type": "string",
            },
        )
        _add_symbol(symbols, str(n), category.symbol, marker=False)
    if label:
        _add_labels(root, label)
    return _text(root)


def remedies_qml() -> str:
    """Return the QML of the outlines that would comply: a broken line of their own colour."""
    root, renderer = _document("singleSymbol")
    fill = _fill(_REMEDY.fill or "#ffffff", _REMEDY.stroke, _REMEDY.weight, alpha=40, dash=True)
    _add_symbol(ET.SubElement(renderer, "symbols"), "0", [fill], marker=False)
    return _text(root)


def contacts_qml() -> str:
    """Return the QML of contacts: a small ring where a sliver lies."""
    root, renderer = _document("singleSymbol")
    ring = _marker("circle", "#ffffff", "#d1232f")
    _add_symbol(ET.SubElement(renderer, "symbols"), "0", [ring], marker=True)
    return _text(root)


def style_table(qml: Mapping[str, str]) -> Any:
    """Return the ``layer_styles`` table: one default style for each layer named.

    Catalogue and schema are empty, as QGIS looks for them in a GeoPackage.
    """
    import pandas as pd

    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layer,
            "f_geometry_column": _GEOMETRY,
            "styleName": "wuqu",
            "styleQML": text,
            "styleSLD": "",
            "useAsDefault": True,
            "description": "五区图例",
            "owner": "",
            "ui": "",
            "update_time": _STAMP,
        }
        for layer, text in qml.items()
    ]
    table = pd.DataFrame(rows)
    return table.astype({"update_time": "datetime64[ms]"})


# --- parts of a QML document ---------------------------------------------------------------------


def _document(kind: str, **more: str) -> tuple[ET.Element, ET.Element]:
    root = ET.Element("qgis", {"version": "3.22.0", "styleCategories": "Symbology|Labeling"})
    head = {"type": kind, "enableorderby": "0", "forceraster": "0", "symbollevels": "0", **more}
    return root, ET.SubElement(root, "renderer-v2", head)


def _text(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode")


def _add_symbol(parent: ET.Element, name: str, layers: Symbol, *, marker: bool) -> None:
    kind = "marker" if marker else "fill"
    symbol = ET.SubElement(
        parent,
        "symbol",
        {"name": name, "type": kind, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"},
    )
    for kind, properties in layers:
        layer = ET.SubElement(
            symbol, "layer", {"class": kind, "enabled": "1", "pass": "0", "locked": "0"}
        )
        options = ET.SubElement(layer, "Option", {"type": "Map"})
        for key, value in properties.items():
            ET.SubElement(options, "Option", {"name": key, "value": value, "type": "QString"})
            # QGIS before 3.20 reads these instead.
            ET.SubElement(layer, "prop", {"k": key, "v": value})


def _add_labels(root: ET.Element, expression: str) -> None:
    """Label features with an expression: dark text with a white halo, inside the outline."""
    root.set("labelsEnabled", "1")
    settings = ET.SubElement(ET.SubElement(root, "labeling", {"type": "simple"}), "settings")
    text = ET.SubElement(
        settings,
        "text-style",
        {
            "fieldName": expression,
            "isExpression": "1",
            "fontSize": "9",
            "fontSizeUnit": "Point",
            "textColor": "28,38,48,255",
        },
    )
    halo = {"bufferDraw": "1", "bufferSize": "0.8", "bufferColor": "255,255,255,255"}
    ET.SubElement(text, "text-buffer", {**halo, "bufferSizeUnits": "MM"})
    ET.SubElement(settings, "placement", {"placement": "1", "centroidInside": "1"})


def _verdict_symbol(verdict: Verdict, *, hatched: bool) -> Symbol:
    look = style.VERDICTS[verdict]
    angles = _HATCHES.get(look.pattern, ()) if hatched else ()
    hatches = [_hatch(look.colour, angle) for angle in angles]
    return [_fill(look.tint, look.colour, 2.4, alpha=150), *hatches]


def _rgba(colour: str, alpha: int = 255) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"


def _fill(
    fill: str, stroke: str, weight_px: float, *, alpha: int = 255, dash: bool = False
) -> tuple[str, dict[str, str]]:
    return "SimpleFill", {
        "color": _rgba(fill, alpha),
        "style": "solid",
        "outline_color": _rgba(stroke),
        "outline_style": "dash" if dash else "solid",
        "outline_width": f"{weight_px * _MM_PER_PX:.2f}",
        "outline_width_unit": "MM",
        "joinstyle": "miter",
    }


def _hatch(colour: str, angle: int) -> tuple[str, dict[str, str]]:
    return "LinePatternFill", {
        "angle": str(angle),
        "color": _rgba(colour),
        "distance": "2.4",
        "distance_unit": "MM",
        "line_width": "0.3",
        "line_width_unit": "MM",
    }


def _marker(shape: str, fill: str, stroke: str) -> tuple[str, dict[str, str]]:
    return "SimpleMarker", {
        "name": shape,
        "color": _rgba(fill),
        "outline_color": _rgba(stroke),
        "outline_width": "0.6",
        "size": "3",
        "size_unit": "MM",
    }
