"""What did the child of the sandbox find, or why not?

The answer is as trustworthy as the file that the child has read: it is checked for its size and
form, and a refusal becomes an error in words for people. It starts nothing and knows no format.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gis.errors import FormatError, InputError, LimitError
from gis.intake.draft import check_features, check_vertices, clean_text, limits

DEADLINE_S = 8.0
MAX_LAYERS = 20
RESULT_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class Task:
    """What the child is to open, and how.

    ``path`` is the file or folder inside the temporary folder; ``reader`` is ``gdal`` or
    ``sqlite``; ``driver`` is the only driver of GDAL that is left. ``encoding`` is how texts are
    taken: ISO-8859-1 keeps every byte as one character. ``columns`` are the only fields wanted;
    ``max_rows`` is the most that is read, by default as many as the limits allow;
    ``options`` are options of the driver, set in the environment. ``refusals`` tell what an error
    of this reader means: found (with ``{}`` for the name), expected, advice.
    """

    title: str
    path: str
    reader: str = "gdal"
    driver: str = ""
    encoding: str = "UTF-8"
    columns: tuple[str, ...] | None = None
    max_rows: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class LayerRows:
    """One layer as it was found: WKB per feature (None where missing) and rows of attributes.

    ``crs`` is ``EPSG:…`` or WKT, empty when nothing is declared. ``points`` counts the features of
    a layer of points, which is not read. ``flags`` may hold ``measured`` (M values were dropped).
    """

    name: str
    wkb: Sequence[bytes | None]
    fields: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    crs: str = ""
    points: int = 0
    flags: frozenset[str] = frozenset()


def too_slow() -> FormatError:
    """Return the error for a file that takes longer than the deadline."""
    return FormatError(
        f"读取文件超过 {DEADLINE_S:g} 秒，已终止", advice="检查文件是否损坏，或重新导出"
    )


def _broken() -> FormatError:
    return FormatError("文件无法读取，可能已损坏", advice="重新导出后再提交")


def _too_large() -> LimitError:
    return LimitError("图形和属性表过大", advice="只保留地块图形和必要的字段")


def read_answer(path: Path, code: int) -> Mapping[str, Any]:
    """Return what the child wrote down; the child is dead, so the file changes no more.

    Parameters
    ----------
    path
        The file of the answer.
    code
        Exit code of the child, negative for a signal.

    Raises
    ------
    FormatError
        No answer, not JSON, or the child died.
    LimitError
        The answer is larger than a file within the limits can need.
    """
    if sys.platform != "win32" and -code in (signal.SIGXCPU, signal.SIGKILL):
        raise too_slow()
    if code or path.is_symlink() or not path.is_file():
        raise _broken()
    if path.stat().st_size >= RESULT_BYTES:
        raise _too_large()
    try:
        answer = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise _broken() from None
    if not isinstance(answer, dict):
        raise _broken()
    return answer


def layers_of(answer: Mapping[str, Any], task: Task) -> tuple[LayerRows, ...]:
    """Return the layers of an answer.

    Raises
    ------
    FormatError, LimitError
        The child refused the file, or the answer has not the form of one.
    """
    if "error" in answer:
        raise _refusal(answer, task)
    try:
        return tuple(_layer(row) for row in answer["layers"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _broken() from None


def _layer(row: Mapping[str, Any]) -> LayerRows:
    wkb = [None if text is None else bytes.fromhex(text) for text in row["wkb"]]
    columns: Sequence[Sequence[Any]] = row["columns"]
    if any(len(column) != len(wkb) for column in columns):
        raise ValueError
    return LayerRows(
        name=str(row["name"]),
        wkb=wkb,
        fields=[str(name) for name in row["fields"]],
        rows=list(zip(*columns, strict=True)) or [()] * len(wkb),
        crs=str(row["crs"] or ""),
        points=int(row["points"]),
        flags=frozenset(str(flag) for flag in row["flags"]),
    )


def _refusal(answer: Mapping[str, Any], task: Task) -> InputError:
    """Return the error behind the word of the child."""
    error, found = str(answer["error"]), answer.get("found", "")
    if error in task.refusals:
        text, expected, advice = task.refusals[error]
        name = clean_text(str(found), limit=60)[0]
        return FormatError(text.replace("{}", name), expected=expected, advice=advice)
    number = found if isinstance(found, int) else 0
    if error == "features":
        return _over(check_features, number)
    if error == "vertices":
        return _over(check_vertices, limits().vertices + 1)
    if error == "layers":
        return LimitError(f"文件中有 {number} 个图层", expected=f"不超过 {MAX_LAYERS} 个")
    if error == "driver":
        return FormatError(f"内容不是 {task.title}", expected=f"真正的 {task.title} 文件")
    if error == "size":
        return _too_large()
    if error == "start":
        return LimitError("服务器上读取文件的程序无法启动", advice="请管理员检查安装和内存")
    if error == "memory":
        return LimitError("读取文件需要的内存过多", advice="只保留地块图形和必要的字段")
    return too_slow() if error == "deadline" else _broken()


def _over(check: Callable[[int], None], number: int) -> InputError:
    """Return the error that a check of a limit raises."""
    try:
        check(number)
    except LimitError as error:
        return error
    return _broken()
