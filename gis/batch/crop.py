"""What of a plan does a worker need that sees none of its files?

The features around a chunk, as GeoParquet, and beside them what must stay whole, because it says
something about the whole plan: states and content hashes of the layers, coverages, layers whose
features overlap (their land is cut up as a whole), what is left of each budget, and the register of
promised land. Large polygons are sent with their pieces: to cut them up takes longer than to judge
all sites of a chunk. A plan opened from it decides the same, byte for byte, for every site in its
box.
"""

from __future__ import annotations

import io
import json
import pickle
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely

from gis.batch.identity import reservations_bytes
from gis.engine.index import LayerIndex
from gis.engine.nearby import Nearby, nearby, stack_of
from gis.model import Demand, LayerState
from gis.plan import Plan
from gis.plan.areas import PlanArea
from gis.plan.catalogue import Layer
from gis.plan.quota.accounts import Account
from gis.plan.quota.ledger import ledger_of, lend
from gis.plan.quota.standing import Left, standing_of, take_as_left
from gis.plan.reservations import FILE as RESERVATIONS
from gis.plan.schema import PlanFile
from gis.rulebook import RuleBook, demands

Array: TypeAlias = np.ndarray[Any, Any]
Box: TypeAlias = tuple[float, float, float, float]

# Surroundings are drawn for the grid cells of 2 km that a site touches, so a cell further than any
# rule looks; the rest is for the corners that boxes in another CRS may lose.
_AROUND_M = 2_100.0
_VALUE = "value:"


def box_of(boxes: Array) -> Box:
    """Return the box of some boxes, those without a place left out; nowhere when all are."""
    placed = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(placed):
        return (0.0, 0.0, 0.0, 0.0)
    west, south = placed[:, :2].min(axis=0).tolist()
    east, north = placed[:, 2:].max(axis=0).tolist()
    return (west, south, east, north)


@dataclass(frozen=True, slots=True)
class _Part:
    """One layer: features as GeoParquet, and what is known of the layer as a whole."""

    index: LayerIndex
    features: bytes
    is_coverage: bool
    max_half_width: float


@dataclass(frozen=True, slots=True)
class _Packed:
    """A part of a plan on its way to a worker; ``law`` is the same for all parts of a plan."""

    law: bytes
    parts: tuple[_Part, ...]
    pieces: Nearby
    accounts: tuple[Account, ...]
    area: PlanArea | None
    left: Mapping[str, Left]
    reservations: bytes


class Cropper:
    """Crops one plan for chunk after chunk.

    Parameters
    ----------
    plan
        An opened plan package.
    as_of
        The day of the law: the rules in force say how far they look.
    """

    def __init__(self, plan: Plan, as_of: date) -> None:
        self._plan = plan
        self._reach_m = _AROUND_M + _reach(plan, demands(plan.rulebook, as_of))
        # A fresh copy: what a book has worked out holds hashes of texts, which are random numbers
        # in every process.
        self._law = pickle.dumps((plan.file, replace(plan.rulebook)), protocol=5)
        named = {layer.info.coverage for layer in plan.layers.values()}
        self._whole = {
            layer.info.id: _part(layer.index, np.arange(len(layer.index)))
            for layer in plan.layers.values()
            if layer.info.id in named or not _is_disjoint(layer.index)
        }

    @cached_property
    def _standing(self) -> tuple[tuple[Account, ...], PlanArea | None, Mapping[str, Left]]:
        ledger, standing = ledger_of(self._plan), standing_of(self._plan)
        return ledger.accounts, ledger.area, dict(standing.left)

    def crop(self, box: Box) -> bytes:
        """Return what is needed to judge sites inside a box in the work CRS."""
        west, south, east, north = box
        reach = self._reach_m
        around = shapely.box(west - reach, south - reach, east + reach, north + reach)
        accounts, area, left = self._standing
        known = dict(self._known(around))
        indexes = {name: layer.index for name, layer in self._plan.layers.items()}
        packed = _Packed(
            self._law,
            tuple(self._parts(known)),
            nearby(self._plan.stack, indexes, known, around),
            accounts,
            area,
            left,
            reservations_bytes(self._plan),
        )
        return pickle.dumps(packed, protocol=5)

    def _known(self, around: shapely.Polygon) -> Iterator[tuple[str, Array]]:
        """Yield which features of each layer are sent."""
        for name, layer in self._plan.layers.items():
            if name in self._whole:
                yield name, np.arange(len(layer.index))
            else:
                # By boxes: the tree needs no prepared geometry, and too much does no harm.
                yield name, np.sort(layer.index.tree.query(around))

    def _parts(self, known: Mapping[str, Array]) -> Iterator[_Part]:
        for name, at in known.items():
            yield self._whole.get(name) or _part(self._plan.layers[name].index, at)


def _reach(plan: Plan, wanted: tuple[Demand, ...]) -> float:
    """Return the farthest that any rule looks beyond a site, m."""
    looks = [d.within_m for demand in wanted for d in (demand, *demand.divided)]
    return max([0.0, *looks]) + max(
        [0.0, *(layer.index.max_half_width for layer in plan.layers.values())]
    )


def _is_disjoint(index: LayerIndex) -> bool:
    return index.info.geometry != "polygon" or len(index) < 2 or index.is_coverage


def _part(index: LayerIndex, at: Array) -> _Part:
    polygons = index.info.geometry == "polygon" and index.state is LayerState.CHECKED
    bare = LayerIndex(index.info, index.state, index.reason, index.content_sha256)
    return _Part(bare, _features(index, at), polygons and index.is_coverage, index.max_half_width)


def _features(index: LayerIndex, at: Array) -> bytes:
    """Return the features at some positions as GeoParquet; empty when there are none."""
    import geopandas

    if not len(at):
        return b""
    columns: dict[str, Any] = {
        "id": index.ids[at],
        "cls": index.classes[at],
        "name": index.names[at],
        "half_width": index.half_widths[at],
    }
    for name, values in index.values.items():
        # A field may hold numbers and words; JSON keeps both to the last digit.
        columns[_VALUE + name] = [None if v is None else json.dumps(v) for v in values[at]]
    frame = geopandas.GeoDataFrame(columns, geometry=index.geometries[at])
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


# --- on the worker -------------------------------------------------------------------------------


def unpacked(content: bytes) -> Plan:
    """Return the plan of a crop; its register lies in a folder that goes away with it."""
    packed: _Packed = pickle.loads(content)
    folder = tempfile.TemporaryDirectory(prefix="wuqu-crop-")
    root = Path(folder.name)
    if packed.reservations:
        (root / RESERVATIONS).write_bytes(packed.reservations)
    layers = {part.index.info.id: _layer(part, root) for part in packed.parts}
    file, rulebook = _law(packed.law)
    plan = Plan(root, file, layers, rulebook)
    weakref.finalize(plan, folder.cleanup)
    # Not by way of the cache on disk, which knows layers by the hash of the whole.
    stack = stack_of(packed.pieces, [layer.index for layer in layers.values()])
    plan.__dict__["stack"] = stack.prepare()
    lend(plan, packed.accounts, packed.area)
    take_as_left(plan, packed.left)
    return plan


@lru_cache(maxsize=2)
def _law(content: bytes) -> tuple[PlanFile, RuleBook]:
    """Return plan file and rule book, the same objects for chunk after chunk.

    What a rule wants is worked out once per object.
    """
    found: tuple[PlanFile, RuleBook] = pickle.loads(content)
    return found


def _layer(part: _Part, root: Path) -> Layer:
    index = _read(part)
    # Of a part of the features both may look different.
    index.__dict__["is_coverage"] = part.is_coverage
    index.__dict__["max_half_width"] = part.max_half_width
    return Layer(index.info, index, root, partial(_no_frame, index.info.id))


def _no_frame(name: str) -> Any:
    raise NotImplementedError(f"a cropped plan has no table of {name}")


def _read(part: _Part) -> LayerIndex:
    import geopandas

    if not part.features:
        return part.index
    frame = geopandas.read_parquet(io.BytesIO(part.features))
    return replace(
        part.index,
        ids=_texts(frame["id"]),
        classes=_texts(frame["cls"]),
        names=_texts(frame["name"]),
        half_widths=frame["half_width"].to_numpy(dtype=float, na_value=np.nan),
        geometries=np.asarray(frame.geometry.array, dtype=object),
        values={
            column.removeprefix(_VALUE): _objects(
                [None if v is None else json.loads(v) for v in _texts(frame[column])]
            )
            for column in frame.columns
            if column.startswith(_VALUE)
        },
    )


def _texts(column: Any) -> Array:
    return _objects([value if isinstance(value, str) else None for value in column.tolist()])


def _objects(values: list[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
