"""Small plans whose land can be added up by hand, and the card of the plan map that shows it.

For the tests of the map; squares in EPSG:4548, layers that are in no file.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from shapely import box

from gis.engine.index import LayerIndex
from gis.model import LayerInfo, LayerState
from gis.output.maps.balance_card import balance_card
from gis.output.maps.templates import fill
from gis.plan import Plan
from gis.plan.catalogue import Layer

X, Y = 408_000.0, 4_030_000.0  # EPSG:4548, inside the resort
GREEN, SQUARE, WATER, HOMES, SCHOOL, ROAD = "1401", "1403", "1701", "070102", "080403", "1207"
HOSTILE = "<script>pwned()</script>\"'>${pwned()}`{{ pwned }}{# x"
EMPTY = {"balance": None, "lacking": "", "budgets": [], "indicators": [], "series": []}


def square(x: float, y: float, width: float = 100, height: float = 100):
    return box(X + x, Y + y, X + x + width, Y + y + height)


def layer(layer_id: str, title: str, role: str, parts, **changes) -> Layer:
    """A layer of (class, polygon) pairs; zones are named after their class."""
    info = LayerInfo(layer_id, title, role, "polygon", "2026-11", "schematic", **changes)
    index = LayerIndex(
        info,
        LayerState.CHECKED,
        ids=np.array([f"{n:05d}" for n in range(len(parts))], dtype=object),
        classes=np.array([cls for cls, _ in parts], dtype=object),
        names=np.array([f"{cls}区" if role == "zone" else None for cls, _ in parts], dtype=object),
        half_widths=np.zeros(len(parts)),
        geometries=np.array([shape for _, shape in parts], dtype=object),
    )
    return Layer(info, index, Path("none"), None)


def small(plan: Plan, use, zones=(), *, scheme=("用地用海", "2023"), title="用地") -> Plan:
    """A plan with a land-class layer and zones, without stated figures, quotas and rasters."""
    names = dict(zip(("scheme", "edition"), scheme, strict=True))
    role = "planned_use" if scheme[0] == "用地用海" else "landuse"
    layers = {"use": layer("use", title, role, use, **names)}
    if zones:
        layers["zones"] = layer("zones", "分区", "zone", zones)
    file = plan.file.model_copy(update={"stated": (), "raster": (), "quota": ()})
    return replace(plan, layers=layers, file=file)


def with_core(plan: Plan, core) -> Plan:
    """The same plan with an outline, so that it has a balance of its own."""
    return replace(
        plan, layers={**plan.layers, "core": layer("core", "核心", "core", [(None, core)])}
    )


def card(plan: Plan, use, area, zones=(), definition=None) -> dict[str, Any]:
    return balance_card(small(plan, use, zones).land_balance(area, definition=definition))


def html(sections: dict[str, Any], **changes: Any) -> str:
    """The card of a plan map with nothing but its land."""
    rest = {"title": "规划", "version": "1", "mark": {"word": "", "text": "", "note": ""},
            "sentence": "", "figures": [], "sites": [], "problems": [], "vintage": "", "layers": [],
            "as_of": ""}  # fmt: skip
    return str(
        fill("plan.html", card=rest | EMPTY | sections | changes, zones=[], absent=[], crs="")
    )


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).strip()


def number(text: str) -> Decimal:
    """A printed number; a trace is printed as "<0.01" and counts as nothing."""
    return Decimal(0) if text[0] in "<>" else Decimal(text.replace(",", ""))


def total(rows, key: str) -> Decimal:
    return sum((number(row[key]) for row in rows), Decimal(0))


def assert_adds_up(shown: dict[str, Any]) -> None:
    """Groups, classes and zones make the printed total, cell by cell."""
    for rows, keys in ((shown["groups"], ("ha", "percent")), (shown["classes"], ("ha", "mu"))):
        for key in keys:
            made = total(rows, key) + total(shown["remainder"], key)
            assert made == number(shown["total"][key]), key
    assert number(shown["total"]["percent"]) == 100
    zones = shown["zones"]
    if zones is None:
        return
    for row in zones["rows"]:
        assert sum(map(number, row["cells"])) == number(row["total"])
    for n, printed in enumerate(zones["totals"]):
        assert sum(number(row["cells"][n]) for row in zones["rows"]) == number(printed)
    assert sum(map(number, zones["totals"])) == number(zones["total"])
    assert zones["total"] == shown["total"]["ha"]
