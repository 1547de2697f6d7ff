"""Which features of a layer look alike? Rows of its frame with a label and a look.

Screen and paper draw the same groups in the same order, bottom to top; labels are plain text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gis.output.maps import style
from gis.output.maps.style import Look
from gis.output.maps.visible import zones_of

if TYPE_CHECKING:
    from gis.plan.catalogue import Layer

# The colours of the standard are loud; on our light ground they may be softer and still be told.
_LAND_OPACITY = 0.58
LAND_ROLES = frozenset({"landuse", "planned_use"})


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of a frame that are drawn alike; a zone has its ``number``."""

    label: str
    look: Look
    frame: Any
    number: str = ""


def groups_of(layer: Layer, some: Any = None) -> list[Group]:
    """Return the groups of a layer that has features, or of some rows of its frame.

    Zones are few and always whole.
    """
    role, frame = layer.info.role, layer.frame if some is None else some
    if role in LAND_ROLES:
        return _land(layer, frame)
    if role == "zone":
        return _zones(layer)
    if role == "road":
        return _roads(frame)
    if role == "dev_boundary":
        return _development(layer, frame)
    own = (
        style.control_line(layer.info.id, layer.info.title)
        if role == "control_line"
        else style.LOOKS[role]
    )
    return [Group(layer.info.title, own, frame)]


def _zones(layer: Layer) -> list[Group]:
    return [
        Group(
            zone.name,
            replace(style.LOOKS["zone"], fill=style.zone_fill(zone.number)),
            zone.frame,
            str(zone.number),
        )
        for zone in zones_of(layer)
    ]


def _land(layer: Layer, frame: Any) -> list[Group]:
    """Group parcels by the class under which they are shown: thousands become about fifteen."""
    survey = "三调" in (layer.info.scheme or "") or layer.info.role == "landuse"
    codes = frame["cls"].fillna("").astype(str)
    keys = codes.map(lambda code: style.land_class(code, survey=survey))
    return [
        Group(name, Look("#8d8d80", 0.4, fill=colour, fill_opacity=_LAND_OPACITY), part)
        for (_, name, colour), part in frame.groupby(keys, sort=True)
    ]


# Least half width in metres, legend word, look. Narrow ones are drawn first.
_ROADS = (
    (18.0, "主干路、国道", Look("#f7c765", 4.0, casing="#8f8574", css="wq-road wq-road-1")),
    (10.0, "次干路、县道", Look("#fff0bd", 2.8, casing="#96917f", css="wq-road wq-road-2")),
    (0.0, "支路、乡村道路", Look("#ffffff", 1.5, casing="#a3a9ae", css="wq-road wq-road-3")),
)


def _roads(frame: Any) -> list[Group]:
    """Draw roads in three widths, by their half width in metres."""
    half = frame["half_width"].fillna(0.0)
    groups: list[Group] = []
    upper = float("inf")
    for least, name, own in _ROADS:
        groups = [Group(name, own, frame[(half >= least) & (half < upper)]), *groups]
        upper = least
    return groups


_DEVELOPMENT = (("弹性", "7 5"), ("特别", "2 5"))


def _development(layer: Layer, frame: Any) -> list[Group]:
    """Draw the kinds of the development boundary apart, by name: solid, dashed, dotted."""
    names = frame["name"].fillna("").astype(str)
    codes = frame["cls"].fillna("").astype(str)
    groups: list[Group] = []
    for (_, name), part in frame.groupby([codes, names], sort=True):
        dash = next((dash for word, dash in _DEVELOPMENT if word in name), None)
        label = f"开发边界：{name}" if name else layer.info.title
        groups.append(Group(label, replace(style.LOOKS["dev_boundary"], dash=dash), part))
    return groups
