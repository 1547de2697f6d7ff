"""Which sites are in the layers that a child process has read?

What shapefile, GeoPackage and geodatabase have in common: rows become drafts, the words of the file
about its coordinates become a declaration, and every feature that cannot be a site is told with its
place, so that none is lost without a word. It opens nothing and knows no format.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjCrsError

from gis.crs import CrsPolicy, crs_of, parse_epsg, refuse_old_crs, refuse_old_datum
from gis.errors import CrsError, FormatError, LimitError
from gis.intake.draft import (
    Declared,
    Document,
    Draft,
    Faults,
    Hints,
    Shape,
    ShapeKind,
    check_features,
    check_rings,
    check_vertices,
    clean_text,
    first_of,
    without_points,
)
from gis.intake.outside.answer import LayerRows
from gis.intake.outside.wkb import WkbError, shape_of
from gis.intake.statements import read_properties
from gis.model import Remark

Decode = Callable[[Any], Any]

_MAX_CRS_TEXT = 20_000
# Layers of the GeoPackage that a check writes: their names say nothing about a site.
_OWN_LAYERS = frozenset({"sites", "remedies"})
# Beside them stand layers that show what a check found: they are no sites. Nobody else names a
# layer like this; without ``sites`` in the same file they are read like any other.
_RESULT_PREFIX = "wuqu_"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer with what its file says about it.

    ``name`` is for people; ``decode`` turns a text of the table into what it means; ``declared`` is
    the CRS where the layer has one of its own. ``warnings`` belong to every site of the layer.
    """

    name: str
    rows: LayerRows
    decode: Decode = lambda value: value
    declared: Declared | None = None
    warnings: tuple[Remark, ...] = ()


class Gathering:
    """Collects the drafts of several layers, with their faults, up to the limits."""

    def __init__(self, *, several: bool) -> None:
        self.several = several
        self.drafts: list[Draft] = []
        self.faults = Faults()
        self.vertices = 0

    def add(self, layer: Layer) -> None:
        """Add the sites of a layer; points are added as one draft that stands for all of them.

        Raises
        ------
        LimitError
            More features, vertices or rings than the service takes.
        """
        rows = layer.rows
        for i, (wkb, row) in enumerate(zip(rows.wkb, rows.rows, strict=True), start=1):
            where = f"{layer.name} 第 {i} 个要素"
            pairs = zip(rows.fields, row, strict=True) if row else ()
            said = read_properties(
                {layer.decode(k): layer.decode(v) for k, v in pairs}, where=where
            )
            default = layer.name if len(rows.wkb) == 1 else f"{layer.name} {i}"
            name = said.name or default
            if self.several and said.name and layer.name not in _OWN_LAYERS:
                name = f"{layer.name}／{said.name}"
            shape = self._shape(wkb, where, measured="measured" in rows.flags)
            self.drafts.append(
                Draft(
                    name,
                    shape or Shape(ShapeKind.EMPTY, where),
                    said.use,
                    said.claims,
                    declared=layer.declared,
                    broken=shape is None,
                    faults=said.faults,
                    warnings=layer.warnings + said.warnings,
                )
            )
        if rows.points:
            where = f"图层 {layer.name}（{rows.points} 个点）"
            self.drafts.append(Draft(layer.name, Shape(ShapeKind.POINT, where)))
        check_features(len(self.drafts))

    def _shape(self, wkb: bytes | None, where: str, *, measured: bool) -> Shape | None:
        """Return what a feature draws, or None with the fault noted."""
        if wkb is None:
            self.faults.add(where, "没有图形")
            return None
        try:
            shape = shape_of(wkb, where)
        except WkbError as error:
            self.faults.add(where, str(error))
            return None
        check_rings(len(shape.rings))
        self.vertices += sum(len(ring.xy) for ring in shape.rings)
        check_vertices(self.vertices)
        if not is_finite(shape, self.faults):
            return None
        return Shape(shape.kind, where, shape.parts, shape.has_z, shape.has_m or measured)

    def document(
        self,
        kind: str,
        *,
        notes: Sequence[Remark] = (),
        warnings: Sequence[Remark] = (),
    ) -> Document:
        """Return the document; layers of points beside areas or lines are left out and told."""
        drafts, skipped = without_points(self.drafts, _point_layers)
        return Document(
            kind,
            drafts,
            clockwise_is_usual=True,
            faults=tuple(self.faults.rows),
            notes=tuple(dict.fromkeys(notes)),
            warnings=(*dict.fromkeys(warnings), *skipped),
        )


def is_finite(shape: Shape, faults: Faults) -> bool:
    """Return whether all coordinates are numbers; each that is none is noted with its place."""
    wrong = False
    for ring in shape.rings:
        for i in np.flatnonzero(~np.isfinite(ring.xy).all(axis=1)):
            faults.add(ring.place(int(i)), "坐标不是有限的数值")
            wrong = True
    return not wrong


def document_of(
    layers: Sequence[LayerRows],
    kind: str,
    what: str,
    hints: Hints,
    *,
    notes: Sequence[Remark] = (),
    warnings: Sequence[Remark] = (),
) -> Document:
    """Return the sites of all layers of a database, each in the CRS that it declares.

    Parameters
    ----------
    layers
        What the child has read.
    kind, what
        The kind of database, for programs and for people.
    hints
        The policy of the plan, and whether the user names the CRS.
    notes, warnings
        Of the file as a whole.

    Raises
    ------
    FormatError
        No layer holds a feature.
    CrsError
        A CRS of a layer that is not understood, or an old datum.
    LimitError
        Larger than the limits.
    """
    full, empty = layers_with_features(layers)
    full, results = _without_results(full)
    if not full:
        raise FormatError(f"{what} 的图层中没有要素", expected="至少一个面")
    gathering = Gathering(several=len(full) > 1)
    for rows in full:
        name = clean_text(rows.name)[0]
        declared = declared_crs(rows.crs, f"图层 {name} ", hints)
        gathering.add(Layer(name, rows, declared=declared))
    return gathering.document(kind, notes=(*empty, *results, *notes), warnings=warnings)


def _without_results(layers: list[LayerRows]) -> tuple[list[LayerRows], tuple[Remark, ...]]:
    """Return the layers without those that show results of an earlier check, and a note of them."""
    if not any(layer.name == "sites" for layer in layers):
        return layers, ()
    results = [layer.name for layer in layers if layer.name.startswith(_RESULT_PREFIX)]
    if not results:
        return layers, ()
    names = first_of([clean_text(name)[0] for name in results])
    kept = [layer for layer in layers if layer.name not in results]
    return kept, (Remark("layer_result", f"图层 {names} 是检测结果，不是地块，未采用"),)


def layers_with_features(layers: Sequence[LayerRows]) -> tuple[list[LayerRows], tuple[Remark, ...]]:
    """Return the layers that hold something, and a note that names the empty ones."""
    full = [layer for layer in layers if layer.wkb or layer.points]
    empty = [clean_text(layer.name)[0] for layer in layers if not (layer.wkb or layer.points)]
    if not empty:
        return full, ()
    return full, (Remark("layer_empty", f"图层 {first_of(empty)} 没有要素，未采用"),)


def _point_layers(points: Sequence[Draft]) -> str:
    return f"{first_of([d.shape.where for d in points])}不是地块，已略去"


def check_layers(count: int, most: int) -> None:
    """Raise LimitError when a file has more layers than the service takes."""
    if count > most:
        raise LimitError(f"文件中有 {count} 个图层", expected=f"不超过 {most} 个")


# --- CRS ------------------------------------------------------------------------------------------


def declared_crs(text: str, where: str, hints: Hints) -> Declared | None:
    """Return what a CRS text of a file declares; None when it says nothing or need not be asked.

    Parameters
    ----------
    text
        ``EPSG:…`` or WKT.
    where
        What says it, for people.
    hints
        The accepted codes name what a text without a code may mean. When the user names the CRS,
        an unreadable text does not matter.

    Raises
    ------
    CrsError
        Not understood, an old datum, or without a code.
    """
    text = text.lstrip("\ufeff").strip("\x00 \r\n\t")
    if hints.crs_given or not text:
        return None
    if text.upper().startswith("EPSG:"):
        with _told_of(where, text[:20]):
            refuse_old_datum(text[5:20].strip())
        code = parse_epsg(text[:20])
        return Declared((code,), f"{crs_of(code).name[:60]}（EPSG:{code}）")
    with _told_of(where, _named(text)):
        refuse_old_datum(text[:200])
    crs = _horizontal(text, where)
    with _told_of(where, crs.name):
        refuse_old_crs(crs)
    found = _own_code(crs) or crs.to_epsg(min_confidence=70) or _same_parameters(crs, hints.policy)
    if found is None:
        raise CrsError(
            f"{where}的坐标系“{crs.name[:60]}”没有对应的 EPSG 代码",
            expected="、".join(f"EPSG:{c}" for c in hints.policy.accepted),
            advice="转换到可接受的坐标系，或用 crs=EPSG 代码 指定",
        )
    return Declared((found,), f"{crs.name[:60]}（EPSG:{found}）")


def _named(text: str) -> str:
    """Return the name that a text of a CRS begins with, for people."""
    found = re.search(r'"([^"]*)"', text[:200])
    return found[1] if found else text


@contextlib.contextmanager
def _told_of(where: str, name: str) -> Iterator[None]:
    """Tell whose CRS is of an old datum, by its name and not by its whole text."""
    try:
        yield
    except CrsError as error:
        raise CrsError(
            f"{where}的坐标系“{clean_text(name, limit=60)[0]}”是旧基准（1980西安或1954北京）",
            expected=error.expected,
            advice=error.advice,
        ) from None


def _horizontal(text: str, where: str) -> CRS:
    """Return the CRS of the plane: plan databases add a height, some programs a shift to WGS 84."""
    try:
        crs = CRS.from_wkt(text[:_MAX_CRS_TEXT])
    except ProjCrsError:
        raise CrsError(f"{where}无法理解", advice="重新导出，或用 crs=EPSG 代码 指定") from None
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    return crs.to_2d() if len(crs.axis_info) > 2 else crs


def _own_code(crs: CRS) -> int | None:
    """Return the code that the text itself names, if its parameters are those of the code.

    PROJ identifies by parameters, and zone 39 of 3 degrees has those of zone 20 of 6 degrees.
    """
    named = crs.to_json_dict().get("id") or {}
    code = named.get("code")
    if named.get("authority") != "EPSG" or not isinstance(code, int):
        return None
    return code if _is_alike(crs, crs_of(code)) else None


def _same_parameters(crs: CRS, policy: CrsPolicy) -> int | None:
    """Return the accepted code with the same datum and projection parameters, whatever its name."""
    if "2000" not in str(crs.datum and crs.datum.name):
        return None
    return next((code for code in policy.accepted if _is_alike(crs, crs_of(code))), None)


def _is_alike(crs: CRS, other: CRS) -> bool:
    return (
        crs.is_projected == other.is_projected
        and crs.ellipsoid == other.ellipsoid
        and _parameters(crs) == _parameters(other)
    )


def _parameters(crs: CRS) -> Mapping[str, float]:
    operation = crs.coordinate_operation
    return {p.name.lower(): round(float(p.value), 9) for p in operation.params} if operation else {}
