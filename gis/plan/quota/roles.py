"""What do the layers of one role say: which features, of which classes, and where nothing at all?

Several layers of one role (two map sheets, two counties) are one set here; where two of them speak
of the same land, the first in the order of the plan decides. A layer that is being changed does not
count beside one in force. A layer that could not be read stays visible as ``missing``; it never
turns into empty land.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.errors import RuleBookError
from gis.model import LayerInfo, LayerState
from gis.plan.quota.cut import Features, doubled_m2
from gis.rulebook import land_classes

if TYPE_CHECKING:
    from gis.plan.area import Plan
    from gis.plan.catalogue import Layer


_NOWHERE = shapely.Polygon()


class RoleSet:
    """The layers of one role as one set of features with their classes; read-only.

    Parameters
    ----------
    plan, role
        Whose layers, and which.
    apart
        Each layer is told by itself: all of them, as drawn.
    """

    def __init__(self, plan: Plan, role: str, *, apart: bool = False) -> None:
        layers, changing = _in_force(plan.with_role(role), apart=apart)
        self.left_out = tuple(layer.info.title for layer in changing)
        usable = [layer for layer in layers if layer.state is LayerState.CHECKED]
        lacking = [layer for layer in layers if layer.state is not LayerState.CHECKED]
        self.infos = tuple(layer.info for layer in layers)
        self.usable = tuple(layer.info for layer in usable)
        self.missing = "；".join(f"{x.info.title}无数据（{x.reason}）" for x in lacking)
        # With one layer, positions in the set are positions in the layer.
        self.only = usable[0].info.id if len(usable) == 1 else None
        indexes = [layer.index for layer in usable]
        self.features = Features.of(indexes, plan.work_epsg, apart=apart)
        self.doubled_m2 = 0.0 if apart else doubled_m2(indexes, plan.work_epsg)
        self.classes = _joined([layer.index.classes for layer in usable])
        self.names = _joined([layer.index.names for layer in usable])
        self.layer_ids = _joined([np.full(len(x.index), x.info.id, dtype=object) for x in usable])
        self._coverages = _distinct([plan.coverages[layer.info.id] for layer in usable])

    @property
    def is_changing(self) -> bool:
        """Whether every layer is being changed, so that none is in force."""
        return bool(self.infos) and all(is_changing(info) for info in self.infos)

    def where(self, choose: Callable[[LayerInfo, str | None], bool]) -> Array:
        """Return a mask over the features from what is chosen by layer and class."""
        infos = {info.id: info for info in self.usable}
        pairs = list(zip(self.layer_ids, self.classes, strict=True))
        known = {(x, c): choose(infos[x], c) for x, c in dict.fromkeys(pairs)}
        return np.array([known[pair] for pair in pairs], dtype=bool)

    def name_of(self, mask: Array) -> str | None:
        """Return the name that all features of a mask share, None when they have several."""
        names = set(self.names[mask])
        return names.pop() if len(names) == 1 else None

    def class_name(self, cls: str) -> str:
        """Return what a land class is called in the scheme of the layers; empty when unknown."""
        schemes = (scheme_of(info) for info in self.usable)
        return next((s.name(cls) for s in schemes if s is not None and s.exists(cls)), "")

    @property
    def only_coverage(self) -> BaseGeometry | None:
        """The coverage of all layers, None where they have several or it is not known."""
        return self._coverages[0] if len(self._coverages) == 1 else None

    def outside(self, polygon: BaseGeometry) -> BaseGeometry:
        """Return the part of a polygon about which the layers say nothing."""
        for coverage in self._coverages:
            if coverage is None:  # how far a layer reaches is not known
                continue
            if shapely.covers(coverage, polygon):
                return _NOWHERE
            polygon = shapely.difference(polygon, coverage)
        return polygon


def is_changing(info: LayerInfo) -> bool:
    """Whether the law behind a layer is being changed, so that it decides nothing."""
    return info.law_status == "changing"


def _in_force(layers: Sequence[Layer], *, apart: bool) -> tuple[Sequence[Layer], Sequence[Layer]]:
    """Return the layers that count, and those that do not because others are in force."""
    changing = [layer for layer in layers if is_changing(layer.info)]
    if apart or len(changing) == len(layers):
        return layers, []
    return [layer for layer in layers if not is_changing(layer.info)], changing


def scheme_of(info: LayerInfo) -> land_classes.Scheme | None:
    """Return the scheme that a layer states, None when there is no such table."""
    try:
        return land_classes.scheme(info.scheme, info.edition)
    except RuleBookError:
        return None


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.array([], dtype=object)


def _distinct(coverages: Sequence[BaseGeometry | None]) -> list[BaseGeometry | None]:
    return list({id(c): c for c in coverages}.values())
