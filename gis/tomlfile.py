"""Read a TOML file into a typed model, and name the line of every defect.

Plan packages and rule books are written by hand, so an error must say where. The standard reader
refuses duplicate keys and has real dates, but forgets line numbers; ``key_lines`` finds them again.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

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
    "greater_than_equal": "不得小于 {ge}",
    "greater_than": "应大于 {gt}",
    "less_than_equal": "不得大于 {le}",
    "less_than": "应小于 {lt}",
    "float_type": "应为数",
    "float_parsing": "应为数",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "string_type": "应为文字（加引号）",
    "string_too_short": "不得为空",
    "string_pattern_mismatch": "写法不符，应匹配 {pattern}",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "date_type": "应为日期，形如 2026-11-22，不加引号",
    "date_from_datetime_inexact": "应为日期，形如 2026-11-22，不带时刻",
    "tuple_type": "应为数组 […]",
    "list_type": "应为数组 […]",
    "dict_type": "应为表 { … }",
    "model_type": "应为表 { … }",
    "model_attributes_type": "应为表 { … }",
    "too_short": "至少应有 {min_length} 项",
    "too_long": "至多应有 {max_length} 项",
}
# What the reader adds to a place for itself: members of a union, which no file names.
_MEMBER = re.compile(r"^(constrained-|tuple\[|dict\[|function-)|^(str|float|bool|int)$")


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
        text = path.read_text(encoding="utf-8-sig")  # some editors write a mark at the start
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
    told: set[str] = set()
    for place, what in _defects(problem):
        line, shown = line_of(place, lines), dotted(place)
        first = first if first is not None else line
        if shown not in told:  # a value that fits no member of a union is one defect
            faults.append(Fault(f"第 {line} 行" if line else "文件", f"{shown}：{what}"))
        told.add(shown)
    return error(
        "；".join(f.message for f in faults[:3]),
        file=name,
        line=first,
        advice="对照文档中的键名和取值修改",
        faults=faults,
    )


def _defects(problem: ValidationError) -> list[tuple[Location, str]]:
    """Return place and words of each defect, without what only follows from one further in."""
    found = problem.errors(include_url=False, include_input=False)
    places = [tuple(p for p in item["loc"] if not _is_member(p)) for item in found]
    return [
        (place, _words(item))
        for place, item in zip(places, found, strict=True)
        if not (item["type"] == "too_short" and any(_is_inside(p, place) for p in places))
    ]


def _is_member(part: str | int) -> bool:
    return isinstance(part, str) and bool(_MEMBER.search(part))


def _is_inside(inner: Location, outer: Location) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _words(item: Mapping[str, Any]) -> str:
    known = _MESSAGES.get(item["type"])
    if known is None:
        return str(item["msg"]).removeprefix("Value error, ")
    for name, value in item.get("ctx", {}).items():
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        known = known.replace(f"{{{name}}}", shown)
    return known


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
