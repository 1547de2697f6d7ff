"""Which layers of a plan may stand on a map?

Answers by the secrecy ceiling and by the state of the layer. A layer that is left out is named
with the reason; its coordinates never leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gis.model import LayerState, may_show
from gis.output.maps.text import clean
from gis.output.secrecy import layers_shown

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer


@dataclass(frozen=True, slots=True)
class Absent:
    """A layer that is named but not drawn, and why."""

    title: Markup
    why: Markup


def absences(plan: Plan, ceiling: str) -> tuple[Absent, ...]:
    """Return the layers that the map must name as missing."""
    rows = []
    for layer in plan.layers.values():
        if not may_show(layer.info.secrecy, ceiling):
            why = "不公开坐标，图上不绘（仍参与检测）"
        elif layer.state is LayerState.NO_DATA:
            why = "无数据，未绘制"
        elif layer.state is LayerState.FAILED:
            why = "数据读取失败，未绘制"
        else:
            continue
        rows.append(Absent(clean(layer.info.title), clean(why)))
    return tuple(rows)


def drawable(plan: Plan, role: str, ceiling: str) -> list[Layer]:
    """Return the layers of a role that have features and may be shown."""
    return [
        layer
        for layer in plan.with_role(role)
        if may_show(layer.info.secrecy, ceiling)
        and layer.state is LayerState.CHECKED
        and layer.frame is not None
        and len(layer.frame)
    ]


def secret_layers(document: Mapping[str, Any], plan: Plan, ceiling: str) -> frozenset[str]:
    """Return the ids of layers of a check whose overlaps must not be drawn.

    A layer that the plan does not know (any more) counts as secret: its class cannot be asked.
    """
    used = frozenset[str]().union(*(s for part in layers_shown(document).values() for s in part))
    return frozenset(
        layer_id
        for layer_id in used
        if layer_id not in plan.layers or not may_show(plan.layers[layer_id].info.secrecy, ceiling)
    )


@dataclass(frozen=True, eq=False)
class Zone:
    """One zone of a zone layer, however many features it has; ``number`` starts at 1."""

    number: int
    name: str
    frame: Any


def zones_of(layer: Layer) -> list[Zone]:
    """Return the zones of a layer in the order of their classes: the one numbering of the page."""
    frame = layer.frame
    keys = frame["cls"].fillna(frame["name"]).fillna(frame["id"]).astype(str)
    return [
        Zone(number, str(part.iloc[0]["name"] or key), part)
        for number, (key, part) in enumerate(frame.groupby(keys, sort=True), start=1)
    ]
