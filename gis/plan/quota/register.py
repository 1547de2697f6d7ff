"""What do the lines of ``reservations.jsonl`` say, and is each of them right?

A line reserves land for a project or releases it. Unknown keys, values of a wrong type, an outline
that is no polygon or has another area than stated are refused with the line. Nothing is written
here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from shapely.geometry.base import BaseGeometry

from gis.crs import ellipsoidal_area
from gis.errors import Fault, NotFoundError, PlanError
from gis.plan.quota.journal import Journal
from gis.tomlfile import dotted

_AREA_M2 = 0.01  # a stated area that differs by more was not computed from its outline
# Controls, surrogates, line ends, and the marks that let a name be read backwards.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def is_storable(text: str) -> bool:
    """Whether a text is one line that reads the same everywhere."""
    return not any(unicodedata.category(c) in _UNPRINTABLE for c in text)


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """Land that is promised to a project.

    ``geometry`` is in the work CRS and internal. ``released_on`` is None while the promise stands.
    ``line`` is where it stands in the file, counted from 1.
    """

    id: str
    project: str
    use: str | None
    geometry: BaseGeometry = field(repr=False)
    area_m2: float
    reserved_on: date
    office: str
    basis: str
    note: str
    plan_version: str
    line: int
    released_on: date | None = None
    released_for: str = ""

    @property
    def label(self) -> str:
        """Project and id, as answers name it."""
        return f"“{self.project}”（{self.id}）"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without the outline."""
        return {
            "id": self.id,
            "project": self.project,
            "use": self.use,
            "area_m2": round(self.area_m2, 2),
            "reserved_on": self.reserved_on.isoformat(),
            "office": self.office,
            "basis": self.basis,
            "note": self.note,
            "plan_version": self.plan_version,
            "released_on": self.released_on.isoformat() if self.released_on else None,
            "released_for": self.released_for,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """All reservations of a plan in the order of the file.

    ``torn`` says that the file ends with a line that was never finished, which counts as nothing.
    ``lines`` and ``head`` (SHA-256 of the last line) name the state of the file.
    """

    entries: tuple[Reservation, ...]
    lines: int
    head: str
    torn: bool = False

    @property
    def open(self) -> tuple[Reservation, ...]:
        """The reservations that stand."""
        return tuple(r for r in self.entries if r.released_on is None)

    def get(self, reservation_id: str) -> Reservation:
        """Return one reservation; raise NotFoundError when there is none of that id."""
        for found in self.entries:
            if found.id == reservation_id:
                return found
        raise NotFoundError(
            f"没有预留“{reservation_id[:40]}”",
            expected="、".join(r.id for r in self.open) or "（没有未释放的预留）",
            advice="用 wuqu budgets list 查看编号",
        )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _PlanVersion(_Strict):
    id: str
    version: str


class _Outline(_Strict):
    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any]


class _Line(_Strict):
    seq: int = Field(ge=1)
    id: str = Field(pattern=r"^R[0-9]{4,}$")
    office: str = ""
    plan: _PlanVersion
    prev: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("project", "office", "basis", "note", "reason", check_fields=False)
    @classmethod
    def _printable(cls, value: str) -> str:
        if not is_storable(value):
            raise ValueError("含有控制字符")
        return value


class _Reserve(_Line):
    action: Literal["reserve"]
    project: str = Field(min_length=1)
    use: str | None
    crs: str
    geometry: _Outline
    area_m2: float = Field(gt=0)
    reserved_on: date
    basis: str = ""
    note: str = ""


class _Release(_Line):
    action: Literal["release"]
    released_on: date
    reason: str = Field(min_length=1)


_LINE: TypeAdapter[_Reserve | _Release] = TypeAdapter(
    Annotated[_Reserve | _Release, Field(discriminator="action")]
)
_MESSAGES = {
    "extra_forbidden": "未知的键",
    "missing": "缺少必填的键",
    "union_tag_invalid": "action 应为 reserve 或 release",
    "union_tag_not_found": "缺少 action",
    "literal_error": "取值不在允许范围内",
    "string_pattern_mismatch": "格式不符",
    "string_too_short": "不能为空",
    "value_error": "含有控制字符",
}


def register_of(journal: Journal, epsg: int) -> Register:
    """Return what the lines of a journal say together.

    Raises
    ------
    PlanError
        A line that says nothing sensible; it is named.
    """
    entries: dict[str, Reservation] = {}
    for number, line in enumerate(journal.lines, start=1):
        entry = _validated(line, journal.name, number)
        if isinstance(entry, _Reserve):
            if entry.id in entries:
                raise _fault(journal.name, number, f"编号 {entry.id} 重复")
            entries[entry.id] = _reservation(entry, journal.name, number, epsg)
        else:
            before = entries.get(entry.id)
            if before is None or before.released_on is not None:
                raise _fault(journal.name, number, f"释放的 {entry.id} 不是未释放的预留")
            entries[entry.id] = replace(
                before, released_on=entry.released_on, released_for=entry.reason
            )
    lines = len(journal.lines)
    return Register(tuple(entries.values()), lines, journal.head, torn=bool(journal.torn))


def _validated(line: bytes, file: str, number: int) -> _Reserve | _Release:
    try:
        return _LINE.validate_json(line)
    except ValidationError as problem:
        faults = [
            Fault(
                f"第 {number} 行", f"{dotted(e['loc'][1:])}：{_MESSAGES.get(e['type'], '取值无效')}"
            )
            for e in problem.errors(include_url=False)
        ]
        raise _fault(file, number, "；".join(f.message for f in faults[:3]), faults) from None


def _fault(file: str, line: int, found: str, faults: Sequence[Fault] = ()) -> PlanError:
    advice = "台账只能由程序追加；请从备份恢复该行"
    return PlanError(found, file=file, line=line, advice=advice, faults=faults)


def _reservation(entry: _Reserve, file: str, number: int, epsg: int) -> Reservation:
    if entry.crs != f"EPSG:{epsg}":
        raise _fault(file, number, f"坐标系 {entry.crs[:20]} 不是规划的工作坐标系 EPSG:{epsg}")
    try:
        geometry = shapely.geometry.shape(entry.geometry.model_dump())
    except (ValueError, TypeError, IndexError, AttributeError, shapely.errors.ShapelyError):
        raise _fault(file, number, "geometry：坐标无法识别") from None
    if geometry.is_empty or not geometry.is_valid or geometry.has_z:
        raise _fault(file, number, "geometry：不是有效的多边形")
    area = ellipsoidal_area(geometry, epsg)
    if not abs(area - entry.area_m2) <= _AREA_M2:
        raise _fault(file, number, f"area_m2 为 {entry.area_m2:.2f}，按坐标计算为 {area:.2f}")
    return Reservation(
        id=entry.id,
        project=entry.project,
        use=entry.use,
        geometry=geometry,
        area_m2=area,
        reserved_on=entry.reserved_on,
        office=entry.office,
        basis=entry.basis,
        note=entry.note,
        plan_version=entry.plan.version,
        line=number,
    )
