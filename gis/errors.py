"""Every error that wuqu raises on purpose, as one tree.

::

    WuquError
    ├── InputError (ValueError)       a site or a call that cannot be judged
    │   ├── FormatError               not readable as any accepted format
    │   ├── GeometryError             readable, but not a valid polygon; carries the place
    │   ├── CrsError                  coordinates whose meaning is unknown or not accepted
    │   ├── OutsidePlanError          wholly outside the bounds of the plan
    │   ├── SeveralSitesError         more than one site where one was expected
    │   ├── LimitError                larger than the limits of the service
    │   ├── DeclaredAreaError         the area that the file states is not that of its coordinates
    │   ├── BusyError                 too much at once; the same input can be judged a little later
    │   │   └── QueueFullError        one user has as many jobs as one user may have
    │   ├── SplitClassError           a land class that another table divides: a person decides
    │   └── ClaimError                unknown use, attribute or option, or a value out of range
    ├── PlanError (ValueError)        a plan package that cannot be used; carries file and line
    │   └── RuleBookError             a rule book that cannot be used
    ├── StoreError (OSError)          records cannot be written or read now; says why
    │   ├── StoreFullError            no room left where they are kept
    │   ├── StoreLockedError          another program holds them
    │   ├── StoreReadOnlyError        they may be read only
    │   ├── StoreDamagedError         what is stored is not what was written
    │   └── StoreOutdatedError        tables of an earlier or later version
    ├── ExtraError (ImportError)      a library that comes with an extra is not installed
    ├── NotFoundError (LookupError)   no such layer, rule, zone, record or job
    ├── NotFinishedError              a job that has no results yet
    └── GoneError (LookupError)       results that were kept for their time and are no more

A failed check is a result, never an exception. Each error has a stable ``code`` for programs, and
says in Chinese, for the person in front of the screen, what was found, what was expected and what
to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One defect with its place.

    ``where`` tells a person: a JSON path, ``第 12 行``, or a count. ``ring`` and ``vertex`` count
    from 1 over the rings of the site in the order of the input; ``coordinate`` is (x, y) as the
    input has it, x = east or longitude; ``marker`` is GeoJSON in longitude/latitude, ready to be
    drawn.
    """

    where: str
    message: str
    ring: int | None = None
    vertex: int | None = None
    coordinate: tuple[float, float] | None = None
    marker: Mapping[str, object] | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the defect as plain JSON values; what is not known is left out."""
        coordinate = None if self.coordinate is None else list(self.coordinate)
        row = {
            "where": self.where,
            "message": self.message,
            "ring": self.ring,
            "vertex": self.vertex,
            "coordinate": coordinate,
            "marker": self.marker,
        }
        return {key: value for key, value in row.items() if value is not None}


class WuquError(Exception):
    """Base of the tree; never raised itself.

    Parameters
    ----------
    found
        What was found, in Chinese, without a final full stop.
    expected
        What was expected instead.
    advice
        What the person can do.
    faults
        The single defects with their places, all of them.
    """

    code = "error"
    title = "错误"
    # What was drawn, faults and all, as GeoJSON lines in longitude/latitude: a map shows the faults
    # upon it. Only where the input could be read that far.
    outline: Mapping[str, object] | None = None

    def __init__(
        self,
        found: str,
        *,
        expected: str = "",
        advice: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        self.found = found
        self.expected = expected
        self.advice = advice
        self.faults = tuple(faults)
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        """One Chinese sentence: found, expected, what to do."""
        parts = [self.found]
        if self.expected:
            parts.append(f"应为：{self.expected}")
        if self.advice:
            parts.append(f"处理办法：{self.advice}")
        return "；".join(parts) + "。"


class InputError(WuquError, ValueError):
    """The site or the call cannot be judged (HTTP 422, exit code 2)."""

    code = "input"
    title = "输入无法判定"


class FormatError(InputError):
    """The content is not readable as any accepted format."""

    code = "format"
    title = "文件有错误或无法识别"


class GeometryError(InputError):
    """The geometry is not a valid polygon; ``faults`` carry the places."""

    code = "geometry"
    title = "图形有错误"


class CrsError(InputError):
    """The coordinate reference system is unknown, not accepted, or contradicts the numbers."""

    code = "crs"
    title = "坐标系无法采用"


class OutsidePlanError(InputError):
    """The site lies wholly outside the bounds of the plan."""

    code = "outside_plan"
    title = "地块不在规划范围附近"


class SeveralSitesError(InputError):
    """Several sites where one was expected.

    Parameters
    ----------
    names
        The names of the sites, in file order; numbers for ``which`` start at 1.
    """

    code = "several_sites"
    title = "文件中有多个地块"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"文件中有 {len(self.names)} 个地块",
            expected="一个地块",
            advice="用 which=序号 选择其中一个（从 1 开始），或用 which=all 全部检测",
            faults=[Fault(f"which={n}", name) for n, name in enumerate(self.names, start=1)],
        )


class LimitError(InputError):
    """Larger than the limits of the service."""

    code = "limit"
    title = "超出处理上限"


class DeclaredAreaError(InputError):
    """The area that a file states differs from that of its coordinates by more than 1 %."""

    code = "declared_area"
    title = "填写的面积与坐标不符"


class BusyError(InputError):
    """Too much at once; the same input can be judged a little later."""

    code = "busy"
    title = "服务繁忙"
    retry_after_s = 5

    def __init__(self, found: str) -> None:
        super().__init__(found, advice=f"{self.retry_after_s} 秒后重新提交，或分批提交")


class QueueFullError(BusyError):
    """One user has as many unfinished jobs as one user may have (HTTP 429)."""

    code = "queue_full"
    title = "未完成的任务过多"
    retry_after_s = 30


class ClaimError(InputError):
    """An unknown use, attribute or option, or a value out of its range."""

    code = "claim"
    title = "参数有误"


class SplitClassError(InputError):
    """A land class that another classification divides, so that a person has to decide."""

    code = "split_class"
    title = "地类待细分"


class PlanError(WuquError, ValueError):
    """A plan package that cannot be used.

    Parameters
    ----------
    file
        The file, relative to the plan package.
    line
        Line number from 1, or None.
    """

    code = "plan"
    title = "规划数据包有误"

    def __init__(
        self,
        found: str,
        *,
        file: str = "",
        line: int | None = None,
        expected: str = "",
        advice: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        self.file = file
        self.line = line
        place = f"{file} 第 {line} 行：" if file and line else f"{file}：" if file else ""
        super().__init__(place + found, expected=expected, advice=advice, faults=faults)


class RuleBookError(PlanError):
    """A rule book that cannot be used: unknown kind, key, code or unit."""

    code = "rulebook"
    title = "规则库有误"


class StoreError(WuquError, OSError):
    """The decision records cannot be written or read now; nothing was decided."""

    code = "store"
    title = "检测记录库暂不可用"


class StoreFullError(StoreError):
    """No room is left where the records are kept (HTTP 507)."""

    code = "store_full"
    title = "检测记录库空间已满"


class StoreLockedError(StoreError):
    """Another program holds the records for longer than an answer may wait."""

    code = "store_locked"
    title = "检测记录库被占用"
    retry_after_s = 5


class StoreReadOnlyError(StoreError):
    """The records may be read, but not written."""

    code = "store_read_only"
    title = "检测记录库只读"


class StoreDamagedError(StoreError):
    """What is stored is not what was written."""

    code = "store_damaged"
    title = "检测记录已损坏"


class StoreOutdatedError(StoreError):
    """The tables are those of an earlier or of a later version of this software."""

    code = "store_outdated"
    title = "检测记录库版本不符"


class ExtraError(WuquError, ImportError):
    """A library that comes with an extra of this package is not installed."""

    code = "extra"
    title = "缺少可选组件"


class NotFoundError(WuquError, LookupError):
    """No such layer, rule, zone, record or job."""

    code = "not_found"
    title = "未找到"


class NotFinishedError(WuquError):
    """A job that has no results yet (HTTP 409)."""

    code = "not_finished"
    title = "任务尚未结束"
    retry_after_s = 5


class GoneError(WuquError, LookupError):
    """Results that were kept for their time and are no more (HTTP 410)."""

    code = "gone"
    title = "结果已过保留期"


def as_problem(error: WuquError) -> Mapping[str, object]:
    """Return the error as a plain mapping, the one shape that API and command line print."""
    row: dict[str, object] = {
        "code": error.code,
        "title": error.title,
        "detail": error.detail,
        "errors": [fault.to_dict() for fault in error.faults],
    }
    return row if error.outline is None else row | {"outline": error.outline}
