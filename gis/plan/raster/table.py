"""What does a value of a class raster mean?

A code table (CSV: value, name, colour, counted_as, classes) says so, or a land-class scheme whose
codes are the values. A value that neither explains stays unexplained: it is reported and counted
as nothing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gis.errors import RuleBookError
from gis.model import class_matches
from gis.plan.balance import DEFAULT_DEFINITION
from gis.plan.schema import RasterEntry
from gis.rulebook import land_classes

_COLUMNS = ("value", "name", "colour", "counted_as", "classes")
_COUNTED = {"", "green", "water"}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class TableError(Exception):
    """What is wrong with a code table, in Chinese."""


@dataclass(frozen=True, slots=True)
class RasterCode:
    """One value of a class raster.

    ``counted_as`` is green, water or empty; ``classes`` are patterns of land classes that the value
    stands for, for comparison with vector layers.
    """

    value: float
    name: str
    colour: str = ""
    counted_as: str = ""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The meaning of the values; ``definition`` says in Chinese what counts as green and water."""

    codes: Mapping[float, RasterCode]
    definition: str

    def value_of(self, cls: str, among: Collection[float]) -> float | None:
        """Return the value, one of those that occur, that a land class is compared with.

        The most specific pattern wins: ``0102`` before ``01*``.
        """
        fitting = [
            (not pattern.endswith("*"), len(pattern), value)
            for value in among
            for pattern in self.codes[value].classes
            if class_matches(cls, (pattern,))
        ]
        return max(fitting)[2] if fitting else None


def open_table(entry: RasterEntry, root: Path) -> CodeTable:
    """Return what explains the values of a class raster; raise TableError when nothing usable."""
    if entry.table is None:
        return _scheme_table(entry)
    if entry.scheme:
        _scheme(entry)
    path = root / entry.table
    if not path.is_file():
        raise TableError(f"编码表不存在：{entry.table}")
    codes = _read(path, entry.table)
    if any(code.classes for code in codes.values()) and not entry.scheme:
        raise TableError(f"编码表 {entry.table} 写有 classes，但栅格没有写明 scheme 和 edition")
    return CodeTable(codes, _definition(codes.values()))


def _read(path: Path, shown: str) -> dict[float, RasterCode]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            columns = tuple(reader.fieldnames or ())
            if not {"value", "name"} <= set(columns) <= set(_COLUMNS):
                raise TableError(f"编码表 {shown} 的列应为 {', '.join(_COLUMNS)}")
            codes: dict[float, RasterCode] = {}
            for line in reader:
                code = _code(line, f"编码表 {shown} 第 {reader.line_num} 行")
                if code.value in codes:
                    raise TableError(f"编码表 {shown} 第 {reader.line_num} 行：取值重复")
                codes[code.value] = code
    except (OSError, UnicodeDecodeError, csv.Error):
        raise TableError(f"编码表 {shown} 读取失败，应为 UTF-8 编码的 CSV") from None
    if not codes:
        raise TableError(f"编码表 {shown} 没有内容")
    patterns = [pattern for code in codes.values() for pattern in code.classes]
    doubled = sorted({p for p in patterns if patterns.count(p) > 1})
    if doubled:
        raise TableError(f"编码表 {shown}：地类 {'、'.join(doubled)} 归到了两个取值")
    return codes


def _code(line: Mapping[str, str | None], where: str) -> RasterCode:
    cells = {key: (line.get(key) or "").strip() for key in _COLUMNS}
    try:
        value = float(int(cells["value"]))
    except ValueError:
        raise TableError(f"{where}：value“{cells['value']}”不是整数") from None
    if "" in line or not cells["name"]:
        raise TableError(f"{where}：列数不对，或 name 为空")
    if cells["counted_as"] not in _COUNTED:
        raise TableError(f"{where}：counted_as 应为 green、water 或空")
    if cells["colour"] and not _COLOUR.fullmatch(cells["colour"]):
        raise TableError(f"{where}：colour 应为 #rrggbb")
    classes = tuple(re.split(r"[\s;；、]+", cells["classes"])) if cells["classes"] else ()
    return RasterCode(value, cells["name"], cells["colour"], cells["counted_as"], classes)


def _definition(codes: Iterable[RasterCode]) -> str:
    names: dict[str, list[str]] = {"green": [], "water": []}
    for code in codes:
        if code.counted_as:
            names[code.counted_as].append(code.name)
    green, water = ("、".join(names[key]) or "（无）" for key in ("green", "water"))
    return f"遥感土地覆盖：{green}计入绿地，{water}计入水域"


def _scheme_table(entry: RasterEntry) -> CodeTable:
    """Return the classes of a scheme whose codes are numbers; a raster has no room for letters."""
    scheme = _scheme(entry)
    chosen = _green_water(scheme)
    codes = {
        float(int(code)): RasterCode(
            float(int(code)),
            f"{code} {known.name}",
            "#{:02x}{:02x}{:02x}".format(*scheme.colour(code)),
            _counted(code, chosen),
            (code, f"{code}*"),
        )
        for code, known in scheme.classes.items()
        if code.isascii() and code.isdigit()
    }
    if chosen is None:
        return CodeTable(codes, "遥感土地覆盖：该分类体系没有绿地和水域口径")
    return CodeTable(codes, f"遥感土地覆盖，按{chosen.title}（口径 {chosen.id}）计")


def _scheme(entry: RasterEntry) -> land_classes.Scheme:
    try:
        return land_classes.scheme(entry.scheme, entry.edition)
    except RuleBookError as problem:
        raise TableError(problem.found) from None


def _green_water(scheme: land_classes.Scheme) -> land_classes.GreenWater | None:
    """Return the definition of a scheme: the default one where it speaks of this scheme."""
    known = [
        d
        for d in land_classes.green_water_definitions()
        if (d.scheme, d.edition) == (scheme.id, scheme.edition)
    ]
    return next((d for d in known if d.id == DEFAULT_DEFINITION), known[0] if known else None)


def _counted(code: str, chosen: land_classes.GreenWater | None) -> str:
    if chosen is None:
        return ""
    if class_matches(code, chosen.green):
        return "green"
    return "water" if class_matches(code, chosen.water) else ""
