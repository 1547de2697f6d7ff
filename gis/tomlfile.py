"""Read a TOML file into a typed model, and name the line of every defect.

Plan packages and rule books are written by hand, so an error must say where. The standard reader
refuses duplicate keys and has real dates, but forgets line numbers; ``key_lines`` finds them again.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gis.errors import Fault, PlanError

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

_ARRAY = re.compile(r"^\s*\[\[\s*([^\]]+?)\s*\]\]")
_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-]+|\"[^\"]+\"|'[^']+')\s*=")

_MESSAGES = {
    "extra_forbidden": "未知的键",
    "missing": "缺少必填的键",
    "union_tag_invalid": "未知的类型",
    "union_tag_not_found": "缺少类型",
    "literal_error": "取值不在允许范围内",
    "enum": "取值不在允许范围内",
    "finite_number": "须为有限的数",
}


def read_model(
    path: Path, model: type[Model], *, shown: str = "", error: type[PlanError] = PlanError
) -> Model:
    """Return the file as a model.

    Parameters
    ----------
    path
        UTF-8 TOML file.
    model
        Pydantic model that forbids extra keys.
    shown
        The name of the file in messages; default its last part.
    error
        Class of the error to raise.

    Raises
    ------
    PlanError
        Missing file, broken TOML, or content that the model refuses; all defects with lines.
    """
    name = shown or path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise error("文件不存在", file=name, advice="核对路径") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(
            f"文件无法读取（{type(problem).__name__}）",
            file=name,
            expected="UTF-8 编码的 TOML 文件",
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        at = re.search(r"line (\d+)", str(problem))
        raise error(
            f"TOML 语法错误：{problem}", file=name, line=int(at.group(1)) if at else None
        ) from None
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        raise _explained(problem, key_lines(text), name, error) from None


def _explained(
    problem: ValidationError, lines: dict[Location, int], name: str, error: type[PlanError]
) -> PlanError:
    faults: list[Fault] = []
    first: int | None = None
    for item in problem.errors(include_url=False):
        line = line_of(item["loc"], lines)
        first = first if first is not None else line
        what = _MESSAGES.get(item["type"], item["msg"].removeprefix("Value error, "))
        faults.append(Fault(f"第 {line} 行" if line else "文件", f"{dotted(item['loc'])}：{what}"))
    return error(
        "；".join(f.message for f in faults[:3]),
        file=name,
        line=first,
        advice="对照文档中的键名和取值修改",
        faults=faults,
    )


def dotted(location: Location) -> str:
    """Return a location as people write it: ``layer[2].path``, counted from 1."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(location: Location, lines: dict[Location, int]) -> int | None:
    """Return the line of the longest known prefix of a location.

    Tags of discriminated unions stand in pydantic locations but not in the file; they are skipped.
    """
    best: int | None = None
    known: Location = ()
    for part in location:
        if (*known, part) in lines:
            known = (*known, part)
            best = lines[known]
    return best


def key_lines(text: str) -> dict[Location, int]:
    """Return the line number of every table header and key of a TOML text."""
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = defaultdict(int)
    head: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _ARRAY.match(line):
            plain = _resolved(found.group(1), counts)
            lines.setdefault(plain, number)
            head = (*plain, counts[plain])
            counts[plain] += 1
            lines[head] = number
        elif found := _TABLE.match(line):
            head = _resolved(found.group(1), counts)
            lines[head] = number
        elif found := _KEY.match(line):
            lines.setdefault((*head, *_split(found.group(1))), number)
    return lines


def _split(name: str) -> tuple[str, ...]:
    if name[:1] in "\"'":
        return (name[1:-1],)
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _resolved(name: str, counts: dict[Location, int]) -> Location:
    """Turn a header name into a location; in the third rule ``rule.cell`` is (rule, 2, cell)."""
    location: Location = ()
    parts = _split(name)
    for i, part in enumerate(parts):
        location = (*location, part)
        if i < len(parts) - 1 and counts.get(location):
            location = (*location, counts[location] - 1)
    return location
