"""Which projects does the register of a plan package hold?

``projects.csv`` has one row per project, ``projects.toml`` beside it says of which list and which
day it is and what that list states in total. Every cell that cannot be read is told at once, with
its row and column; whether what can be read is also right stands in ``lint``.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from gis.errors import Fault, FormatError, NotFoundError, PlanError
from gis.intake.encoding import decode_text
from gis.portfolio.cells import CellError, Value, read_cell
from gis.portfolio.columns import BY_NAME, REQUIRED
from gis.portfolio.project import Project, Register, StatedTotal, name_key
from gis.tomlfile import read_model

if TYPE_CHECKING:
    from gis.plan import Plan

FILE, HEAD = "projects.csv", "projects.toml"
MAX_ROWS = 5000
_MAX_BYTES = 20_000_000
_TOLD = 3
Total = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    projects: Annotated[int, Field(ge=0)] | None = None
    investment_wan: Total | None = None
    annual_plan_wan: Total | None = None
    done_wan: Total | None = None
    group: str | None = None


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = ""
    source: str = ""
    as_of: Annotated[str, Field(pattern=r"^(\d{4}(-\d{2}(-\d{2})?)?)?$")] = ""
    year: int | None = None
    done_period: str = ""


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid")

    list: _List = Field(default_factory=_List)
    stated: tuple[_Stated, ...] = ()


def load_projects(plan: Plan) -> Register:
    """Return the register of projects of a plan package, in the order of the file.

    Parameters
    ----------
    plan
        An opened plan package.

    Returns
    -------
    register
        Money in 10,000 yuan, stated areas in mu; an empty cell is None.

    Raises
    ------
    NotFoundError
        The package has no ``projects.csv``.
    PlanError
        The file cannot be read: every fault with its row and column.

    Examples
    --------
    >>> import gis
    >>> register = gis.load_projects(gis.load_plan())
    >>> register.get("P03").investment_wan
    173619.0
    """
    register, faults = read_register(plan.root)
    if faults:
        raise broken(faults)
    return register


def read_register(root: Path) -> tuple[Register, tuple[Fault, ...]]:
    """Return the rows that can be read, and every fault of those that cannot.

    Raises
    ------
    NotFoundError
        The package has no ``projects.csv``.
    PlanError
        The file is no table of projects, or the head beside it cannot be used.
    """
    data = file_bytes(root)
    head = _head(root)
    names, rows = _table(data)
    reader = _Rows(names)
    projects = tuple(p for number, cells in rows if (p := reader.project(number, cells)))
    reader.check_unique(projects)
    stated = tuple(StatedTotal(**entry.model_dump()) for entry in head.stated)
    register = Register(
        projects,
        hashlib.sha256(data).hexdigest(),
        **head.list.model_dump(),
        stated=stated,
        extra_columns=tuple(name for name in names if name not in BY_NAME),
    )
    return register, tuple(reader.faults)


def broken(faults: Sequence[Fault]) -> PlanError:
    """Return the error that lists the faults of the register; the first stand in the sentence."""
    first = "；".join(f"{fault.where}{fault.message}" for fault in faults[:_TOLD])
    more = f"；共 {len(faults)} 处" if len(faults) > _TOLD else ""
    return PlanError(
        first + more,
        file=FILE,
        expected="各列写法符合说明的项目清单",
        advice="用 wuqu projects lint 列出全部问题，改正后重试",
        faults=faults,
    )


def file_bytes(root: Path) -> bytes:
    """Return the bytes of the register.

    Raises
    ------
    NotFoundError
        There is none.
    PlanError
        It is too large, or the system refuses to read it.
    """
    path = root / FILE
    if not path.is_file():
        raise NotFoundError(
            f"规划数据包没有项目清单 {FILE}",
            expected=f"与 plan.toml 放在一起的 {FILE}",
            advice="用 wuqu projects import 由 Excel 清单生成，或按说明编写",
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PlanError(f"超过 {_MAX_BYTES // 1_000_000} MB", file=FILE, expected="项目清单")
        return path.read_bytes()
    except OSError as problem:
        raise PlanError(f"无法读取（{problem.strerror}）", file=FILE) from None


def _head(root: Path) -> _Head:
    path = root / HEAD
    return read_model(path, _Head, shown=HEAD) if path.is_file() else _Head()


# --- the table -----------------------------------------------------------------------------------

_Numbered = tuple[int, list[str]]


def _table(data: bytes) -> tuple[list[str], list[_Numbered]]:
    """Return the names of the columns, and the rows with the number of their line."""
    try:
        text, _ = decode_text(data)
    except FormatError as problem:
        raise PlanError(problem.found, file=FILE, expected="UTF-8 或 GB18030 编码的 CSV") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Numbered] = []
    before = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((before + 1, cells))
            before = reader.line_num
    except csv.Error:
        raise PlanError(
            "起引号不成对", file=FILE, line=before + 1, advice="补全或删去引号"
        ) from None
    if not rows:
        raise PlanError("是空的", file=FILE, expected=f"表头含 {'、'.join(REQUIRED)} 的 CSV")
    if len(rows) > MAX_ROWS + 1:
        raise PlanError(f"有 {len(rows) - 1} 行", file=FILE, expected=f"不超过 {MAX_ROWS} 个项目")
    (line, names), *others = rows
    return _names(line, names), others


def _names(line: int, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    lacking = [name for name in REQUIRED if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if lacking:
        found = f"表头缺少 {'、'.join(lacking)} 列"
        raise PlanError(found, file=FILE, line=line, expected="、".join(BY_NAME))
    if twice:
        found = f"表头中 {'、'.join(twice)[:80]} 出现两次"
        raise PlanError(found, file=FILE, line=line, expected="每列一个名称")
    return names


class _Rows:
    """Reads row after row and gathers the faults."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.faults: list[Fault] = []

    def project(self, number: int, cells: Sequence[str]) -> Project | None:
        """Return the project of a row; None when its id or name cannot be read."""
        place = f"第 {number} 行"
        if len(cells) > len(self._names) and any(c.strip() for c in cells[len(self._names) :]):
            text = (
                f"有 {len(cells)} 个单元格，表头只有 {len(self._names)} 列（文字中有逗号时加引号）"
            )
            self.faults.append(Fault(place, text))
            return None
        texts = dict(zip(self._names, (*cells, *[""] * len(self._names)), strict=False))
        values = dict(self._values(place, texts))
        lacking = [name for name in REQUIRED if values.get(name) is None]
        for name in lacking:
            if not texts[name].strip():
                self.faults.append(Fault(place, f"没有{BY_NAME[name].title}（{name}）"))
        if lacking:
            return None
        extra = {k: v for k, v in texts.items() if k not in BY_NAME and v.strip()}
        return Project(**values, row=number, extra=extra)  # type: ignore[arg-type]  # each cell was read

    def _values(self, place: str, texts: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
        for name, text in texts.items():
            column = BY_NAME.get(name)
            if column is None:
                continue
            try:
                yield name, read_cell(column, text)
            except CellError as problem:
                self.faults.append(Fault(f"{place} {name}", f"（{column.title}）{problem}"))

    def check_unique(self, projects: Sequence[Project]) -> None:
        """Note ids and names that stand in two rows: nobody could tell which is meant."""
        ids: dict[str, int] = {}
        names: dict[str, int] = {}
        for project in projects:
            place = f"第 {project.row} 行"
            first = ids.setdefault(project.id, project.row)
            if first != project.row:
                text = f"（项目编号）“{project.id}”与第 {first} 行相同"
                self.faults.append(Fault(f"{place} id", text))
            first = names.setdefault(name_key(project.name), project.row)
            if first != project.row:
                text = f"（项目名称）“{project.name[:40]}”与第 {first} 行相同"
                self.faults.append(Fault(f"{place} name", text))
