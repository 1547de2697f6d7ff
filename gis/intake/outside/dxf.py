"""Which sites does a drawing (DXF) hold?

GDAL reads text and binary DXF in the child process of :mod:`gis.intake.outside.sandbox`; here
layers get their right names, and what is no site is left out with a warning. A drawing has no CRS,
so its coordinates decide, and its unit is only noted. What a line encloses is decided by
:mod:`gis.intake.outside.dxf_rings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gis.errors import FormatError, LimitError
from gis.intake.draft import (
    MAX_FEATURES,
    Document,
    Draft,
    Faults,
    Hints,
    Shape,
    ShapeKind,
    check_vertices,
    clean_text,
    first_of,
)
from gis.intake.encoding import OVERRULED, table_codec
from gis.intake.outside.answer import LayerRows, Task
from gis.intake.outside.dxf_bytes import Head, check_end, unread_kinds
from gis.intake.outside.dxf_rings import Entity, drafts_of, entities_of
from gis.intake.outside.features import is_finite
from gis.intake.outside.sandbox import read_in_child
from gis.intake.outside.wkb import WkbError, shape_of
from gis.model import Remark

_MAX_ENTITIES = 20_000
_FEWER = "只保留用地红线所在的图层，另存为 DXF 后再提交"
_ESCAPED = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
_TASK = Task(
    "DXF",
    "drawing.dxf",
    driver="DXF",
    columns=("Layer", "PaperSpace"),
    max_rows=_MAX_ENTITIES,
    options={
        # One character per byte: what the bytes mean is decided here.
        "DXF_ENCODING": "ISO-8859-1",
        "DXF_CLOSED_LINE_AS_POLYGON": "YES",
        "DXF_MERGE_BLOCK_GEOMETRIES": "NO",
        # Above the limit of the whole drawing: GDAL cuts a block short without an error.
        "DXF_FEATURE_LIMIT_PER_BLOCK": str(_MAX_ENTITIES + 1),
        "OGR_ARC_STEPSIZE": "1",
    },
    refusals={"no_layers": ("DXF 中没有图形", "至少一条闭合的多段线", "")},
)
_ARCS = Remark("arcs_stroked", "图中如有圆弧、圆或多段线的弧段，已按每段不超过 1° 的折线读出")


def read_dxf(data: bytes, hints: Hints, *, is_decoded: bool = False) -> Document:
    """Return the sites of a drawing: what its closed lines enclose, and its open lines.

    Parameters
    ----------
    data
        The file.
    hints
        ``encoding`` goes before what the drawing says about its code page.
    is_decoded
        The drawing was handed in as text: its bytes are UTF-8, whatever it says.

    Raises
    ------
    FormatError
        Damaged, or without anything that could be a site.
    LimitError
        More than the service takes.
    """
    check_end(data)
    rows = read_in_child({_TASK.path: data}, _TASK, deadline=hints.deadline)[0]
    if len(rows.wkb) > _MAX_ENTITIES:
        raise LimitError(
            f"图中的图形超过 {_MAX_ENTITIES} 个",
            expected=f"不超过 {_MAX_ENTITIES} 个",
            advice=_FEWER,
        )
    head = Head.of(data)
    codec, remarks = ("utf-8", ()) if is_decoded else _codec(rows, head, hints)
    names = [_shown(name, codec) for name in _raw_layers(rows)]
    drawing = _Drawing(unread=unread_kinds(data))
    for wkb, name, row in zip(rows.wkb, names, rows.rows, strict=True):
        drawing.add(wkb, name, on_paper=bool(row[1]))
    drafts, doubled = drawing.drafts()
    overruled = [remark for remark in remarks if remark.code == OVERRULED]
    return Document(
        "dxf",
        drafts,
        clockwise_is_usual=True,
        faults=tuple(drawing.faults.rows),
        notes=(_ARCS, *head.notes(), *(r for r in remarks if r not in overruled)),
        warnings=(*overruled, *drawing.left_out(), *doubled),
    )


# --- layers ---------------------------------------------------------------------------------------


def _raw_layers(rows: LayerRows) -> list[str]:
    """Return the layer of every entity, one character per byte."""
    return [str(row[0] or "0") for row in rows.rows]


def _codec(rows: LayerRows, head: Head, hints: Hints) -> tuple[str, tuple[Remark, ...]]:
    """Return the codec of the names of layers, and how it was found."""
    texts = [name.encode("latin-1") for name in {*_raw_layers(rows)} if _is_bytes(name)]
    if all(text.isascii() for text in texts):
        return "ascii", ()
    codec, remark = table_codec(
        texts, head.codec, hints.encoding, what="图层名", source="图中代码页"
    )
    return codec, (remark,)


def _is_bytes(name: str) -> bool:
    return all(ord(char) < 256 for char in name)


def _shown(name: str, codec: str) -> str:
    if _is_bytes(name):
        name = name.encode("latin-1").decode(codec)
    return clean_text(_ESCAPED.sub(lambda code: chr(int(code[1], 16)), name))[0]


# --- the entities ---------------------------------------------------------------------------------


@dataclass(slots=True)
class _Drawing:
    """Collects what can be a site and counts what cannot."""

    entities: list[Entity] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    texts: int = 0
    on_paper: int = 0
    other: int = 0
    vertices: int = 0
    unread: Mapping[str, int] = field(default_factory=dict)

    def add(self, wkb: bytes | None, layer: str, *, on_paper: bool) -> None:
        if on_paper:
            self.on_paper += 1
            return
        try:
            shape = shape_of(wkb or b"", f"图层 {layer} 的图形")
        except WkbError:
            self.other += 1
            return
        if shape.kind is ShapeKind.POINT:
            self.texts += 1
        elif shape.kind is ShapeKind.EMPTY:
            self.other += 1
        elif is_finite(shape, self.faults):
            self._keep(shape, layer)

    def _keep(self, shape: Shape, layer: str) -> None:
        self.vertices += sum(len(ring.xy) for ring in shape.rings)
        check_vertices(self.vertices)
        self.entities += entities_of(shape, layer)
        if len(self.entities) > MAX_FEATURES:
            raise LimitError(
                f"图中的线和面超过 {MAX_FEATURES} 个",
                expected=f"不超过 {MAX_FEATURES} 个",
                advice=_FEWER,
            )

    def drafts(self) -> tuple[tuple[Draft, ...], tuple[Remark, ...]]:
        """Return the sites, and warnings about entities that were drawn twice."""
        if self.entities or self.faults:
            return drafts_of(self.entities)
        if self.texts:
            where = f"图中的 {self.texts} 个文字或点"
            return (Draft("地块 1", Shape(ShapeKind.POINT, where)),), ()
        kinds = f"（有不能读取的对象 {self._unread_text()}）" if self.unread else ""
        raise FormatError(
            f"DXF 中没有可作为地块的图形{kinds}",
            expected="模型空间中至少一条闭合的多段线",
            advice="检查用地红线是否在模型空间，是否为多段线；面域、代理对象请转换为多段线",
        )

    def left_out(self) -> list[Remark]:
        rows = (
            ("points_skipped", self.texts, "个文字或点不是地块"),
            ("paper_skipped", self.on_paper, "个图形在布局（图纸空间）中"),
            ("entities_skipped", self.other, "个图形（三维面、空图形等）不能作为地块"),
        )
        if not self.entities:
            return []
        told = [Remark(code, f"图中 {count} {text}，已略去") for code, count, text in rows if count]
        if self.unread:
            text = f"图中有不能读取的对象：{self._unread_text()}；如含用地红线，请转换为多段线"
            told.append(Remark("entities_unread", text))
        return told

    def _unread_text(self) -> str:
        return first_of([f"{kind} {count} 个" for kind, count in self.unread.items()])
