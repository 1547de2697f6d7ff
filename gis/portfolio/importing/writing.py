"""How does the register get onto disk, whole or not at all?

Written beside the file and moved over it; columns that nobody here knows stay. A text that a
spreadsheet would run as a formula is written as text.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from gis.errors import PlanError
from gis.files import safe_cell
from gis.portfolio.cells import shown
from gis.portfolio.columns import COLUMNS, SUMMED
from gis.portfolio.importing.listing import Sum
from gis.portfolio.project import Project
from gis.portfolio.register import FILE, HEAD


def register_text(projects: Sequence[Project], extra: Sequence[str] = ()) -> str:
    """Return the register as the text of ``projects.csv``."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = [column.name for column in COLUMNS]
    writer.writerow([*names, *extra])
    for project in projects:
        own = [shown(getattr(project, name)) for name in names]
        cells = [*own, *(project.extra.get(name, "") for name in extra)]
        writer.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def write_register(root: Path, projects: Sequence[Project], extra: Sequence[str] = ()) -> None:
    """Write ``projects.csv`` of a package; raise PlanError when the system refuses."""
    _replace(root / FILE, register_text(projects, extra))


def write_head(
    root: Path, *, title: str, source: str, year: int | None, sums: Sequence[Sum]
) -> None:
    """Write ``projects.toml`` with the totals that a list states."""
    lines = ["[list]", f"title = {_text(title)}", f"source = {_text(source)}"]
    if year is not None:
        lines.append(f"year = {year}")
    for number, own in enumerate(sums, start=1):
        lines += ["", "[[stated]]", f'id = "list_{number}"']
        lines.append(f"title = {_text(own.group or '全部项目')}")
        lines += [f"group = {_text(own.group)}"] if own.group else []
        lines += [f"projects = {own.count}"] if own.count is not None else []
        lines += [f"{key} = {shown(own.values[key])}" for key in SUMMED if key in own.values]
    _replace(root / HEAD, "\n".join(lines) + "\n")


def _text(value: str) -> str:
    # A JSON string is a TOML string.
    return json.dumps(value, ensure_ascii=False)


def _replace(path: Path, text: str) -> None:
    """Put a text in the place of a file in one step."""
    draft = ""
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(draft).replace(path)
    except OSError as problem:
        with suppress(OSError):
            Path(draft).unlink()
        raise PlanError(
            f"无法写入（{problem.strerror}）",
            file=path.name,
            advice="换到可写的规划数据包文件夹，或检查权限和磁盘空间",
        ) from None
