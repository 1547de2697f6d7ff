"""Which sites does an Esri file geodatabase hold, layer by layer?

GDAL's OpenFileGDB reads it in the child process of :mod:`gis.intake.outside.sandbox`, out of a
folder whose files carry the fixed names that such a database has, so that no name from outside
becomes a path. Tables without geometry are left aside; every layer is read in the CRS that it
declares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gis.errors import FormatError
from gis.intake.draft import Document, Hints
from gis.intake.outside.answer import LayerRows, Task
from gis.intake.outside.archive import PackedFolder
from gis.intake.outside.features import document_of
from gis.intake.outside.sandbox import deadline_from_now, read_in_child
from gis.model import Remark

_CATALOGUE = "a00000001.gdbtable"
_TASK = Task(
    "GDB 地理数据库",
    "layer.gdb",
    driver="OpenFileGDB",
    options={"OGR_ARC_STEPSIZE": "1"},
    refusals={
        "no_layers": (
            "GDB 中没有带图形的要素类",
            "至少一个面要素类",
            "压缩的或加密的 GDB 请先解压缩，再重新打包",
        ),
    },
)
_ARCS = Remark("arcs_stroked", "图形中如有圆弧，已按每段不超过 1° 的折线读出")


def read_geodatabases(packed: Sequence[PackedFolder], hints: Hints) -> Document:
    """Return the sites of all layers of one or more geodatabases.

    Parameters
    ----------
    packed
        The tables of each, by their fixed names.
    hints
        The policy of the plan, and whether the user names the CRS.

    Raises
    ------
    FormatError
        Damaged, incomplete, or no features.
    CrsError
        A CRS of a layer that is not understood, or an old datum.
    LimitError
        Larger than the limits.
    """
    if hints.deadline is None:
        hints = replace(hints, deadline=deadline_from_now())
    found: list[tuple[str, LayerRows]] = []
    for one in packed:
        if _CATALOGUE not in one.members:
            raise FormatError(
                f"GDB“{one.name}”不完整，缺少 {_CATALOGUE}", advice="把整个 .gdb 文件夹压缩后再提交"
            )
        files = {f"{_TASK.path}/{name}": content for name, content in one.members.items()}
        layers = read_in_child(files, _TASK, deadline=hints.deadline)
        found += [(one.name, layer) for layer in layers]
    return document_of(_told_apart(found), "geodatabase", "GDB", hints, notes=[_ARCS])


def _told_apart(found: Sequence[tuple[str, LayerRows]]) -> list[LayerRows]:
    """Return the layers; those of one name in two databases with the database in front."""
    count = Counter(layer.name for _, layer in found)
    return [
        replace(layer, name=f"{name}／{layer.name}") if count[layer.name] > 1 else layer
        for name, layer in found
    ]
