"""What does a reader hand over before anything is judged?

Plain rings with the place of every vertex in the input, what the input says about its coordinates,
and its statements about itself. Nothing here decides, transforms or measures; the limits that every
reader keeps stand here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gis.crs import CrsPolicy
from gis.errors import Fault, InputError, LimitError
from gis.model import Claim, Remark

FloatArray: TypeAlias = npt.NDArray[np.float64]

MAX_BYTES = 20 * 1024 * 1024
MAX_VERTICES = 200_000
MAX_FEATURES = 1_000
MAX_RINGS = 1_000
MAX_FAULTS = 50
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """How many features and vertices one input may have."""

    features: int = MAX_FEATURES
    vertices: int = MAX_VERTICES


_USUAL = Limits()
_LIMITS: ContextVar[Limits] = ContextVar("limits", default=_USUAL)


def limits() -> Limits:
    """Return the limits that hold here."""
    return _LIMITS.get()


@contextmanager
def limited_to(wanted: Limits) -> Iterator[None]:
    """Take other limits for what is read inside: nobody waits for the answer of a long job."""
    token = _LIMITS.set(wanted)
    try:
        yield
    finally:
        _LIMITS.reset(token)


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\ufeff]+")


class ShapeKind(StrEnum):
    """What the input drew."""

    AREA = "area"
    LINE = "line"
    POINT = "point"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """One ring or line as it stands in the input.

    ``xy`` is (n, 2), x = east or longitude; ``place`` tells a person where vertex i stands: a JSON
    path, a line number, or a count.
    """

    xy: FloatArray
    place: Callable[[int], str]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One geometry: parts, each an outer ring and its holes; a line has one ring per part."""

    kind: ShapeKind
    where: str
    parts: tuple[tuple[Ring, ...], ...] = ()
    has_z: bool = False
    has_m: bool = False

    @property
    def rings(self) -> tuple[Ring, ...]:
        """All rings in order."""
        return tuple(ring for part in self.parts for ring in part)

    @property
    def xy(self) -> FloatArray:
        """All vertices as one (n, 2) array."""
        rings = self.rings
        return rings[0].xy if len(rings) == 1 else np.concatenate([ring.xy for ring in rings])

    def swapped(self) -> Shape:
        """Return the same shape with its two coordinates exchanged."""
        parts = tuple(
            tuple(Ring(ring.xy[:, ::-1].copy(), ring.place) for ring in part) for part in self.parts
        )
        return replace(self, parts=parts)


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody said about the coordinates.

    ``epsgs`` holds one code, or both spellings of one zone (with and without prefix) when only the
    zone was named. ``text`` is what was found. ``shift`` is ``GCJ-02`` or ``BD-09`` when the
    degrees are those of a web map. ``place`` is where it stands in the input, if that helps.
    """

    epsgs: tuple[int, ...]
    text: str
    shift: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """The outline was drawn on a web map, or may have been.

    ``reason`` tells a person why; ``shifts`` are the shifted datums that the numbers may be in,
    none when only the drawing is coarse.
    """

    reason: str
    shifts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatedArea:
    """An area as the input states it.

    ``unit`` is the Chinese name of the unit where one is written, else empty; ``step`` the value of
    the last decimal place written, in that unit; ``where`` tells a person where it stands.
    """

    number: float
    unit: str = ""
    step: float = 0.0
    where: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One site as the input states it; nothing is checked yet.

    ``declared`` and ``trace`` are set where this site differs from its document. ``broken``: a
    part of it could not be read, as the faults of the document say, so its outline proves nothing.
    ``faults`` are those of its statements; they concern nobody else in the file.
    """

    name: str
    shape: Shape
    use: str | None = None
    claims: Mapping[str, Claim] = field(default_factory=dict)
    declared: Declared | None = None
    trace: Trace | None = None
    broken: bool = False
    faults: tuple[Fault, ...] = ()
    declared_area: StatedArea | None = None
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows and the content may not say.

    ``crs_given``: the user names the CRS, so what the file declares does not matter. ``encoding``:
    the codec that the user names for texts and attribute tables. ``deadline``: when the children
    that read the parts of one file must have ended, on the clock of ``time.monotonic``.
    """

    policy: CrsPolicy
    crs_given: bool = False
    encoding: str | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A whole input: its kind, drafts in file order, and what it says about its CRS.

    ``lonlat_by_default``: the format means longitude/latitude where the numbers allow it.
    ``may_swap``: columns in the wrong order are put right with a warning instead of refused.
    ``clockwise_is_usual``: the format draws outer rings clockwise, so that is not worth a note.
    ``faults`` were found while reading and make the input unusable; they are carried along so that
    they are told together with what is wrong with the drawings; ``refused`` is an error about the
    whole, such as an old datum in the head. A reader that cannot go on raises.
    """

    kind: str
    drafts: tuple[Draft, ...]
    declared: Declared | None = None
    lonlat_by_default: bool = False
    may_swap: bool = False
    clockwise_is_usual: bool = False
    trace: Trace | None = None
    faults: tuple[Fault, ...] = ()
    refused: InputError | None = None
    notes: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


def without_points(
    drafts: Sequence[Draft], told: Callable[[Sequence[Draft]], str] | None = None
) -> tuple[tuple[Draft, ...], tuple[Remark, ...]]:
    """Leave points out where areas or lines stand beside them, with a warning that tells them.

    Drawing programs keep labels as points. A document of nothing but points stays as it is and is
    refused for it.

    Parameters
    ----------
    drafts
        What a file holds, in file order.
    told
        Returns what the warning says of the points; without it they are counted and named.
    """
    points = [d for d in drafts if d.shape.kind is ShapeKind.POINT]
    if not points or len(points) == len(drafts):
        return tuple(drafts), ()
    kept = tuple(d for d in drafts if d.shape.kind is not ShapeKind.POINT)
    return kept, (Remark("points_skipped", (told or _counted)(points)),)


def _counted(points: Sequence[Draft]) -> str:
    names = first_of([d.name for d in points], most=3)
    return f"文件中有 {len(points)} 个点（{names}），不是地块，已略去"


class Faults:
    """Collects faults of one input, up to the limit, so that all are told at once."""

    def __init__(self) -> None:
        self.rows: list[Fault] = []
        self.more = 0

    def add(self, where: str, message: str) -> None:
        """Add one fault; beyond the limit it is only counted."""
        self.add_fault(Fault(where, message))

    def add_fault(self, fault: Fault) -> None:
        """Add one fault that knows more than its place in words."""
        if len(self.rows) < MAX_FAULTS:
            self.rows.append(fault)
        else:
            self.more += 1

    def __bool__(self) -> bool:
        return bool(self.rows)

    def error(
        self, cls: type[InputError], found: str, *, expected: str = "", advice: str = ""
    ) -> InputError:
        """Return the error that lists them; the first stands in the sentence itself."""
        first = self.rows[0]
        count = len(self.rows) + self.more
        many = f"，共 {count} 处" if count > 1 else ""
        return cls(
            f"{found}：{first.where}，{first.message}{many}",
            expected=expected,
            advice=advice,
            faults=self.rows,
        )


def check_vertices(count: int) -> None:
    """Raise LimitError when an input has more vertices than are taken here."""
    most = limits().vertices
    if count > most:
        raise LimitError(
            f"顶点数超过 {most} 个",
            expected=f"不超过 {most} 个顶点",
            advice="简化图形或分成几个文件提交",
        )


def check_features(count: int) -> None:
    """Raise LimitError when an input has more features than are taken here."""
    most = limits().features
    if count > most:
        raise LimitError(
            f"文件中有 {count} 个图形",
            expected=f"不超过 {most} 个",
            advice="分成几个文件提交",
        )


def check_rings(count: int) -> None:
    """Raise LimitError when one site has more rings than the service takes."""
    if count > MAX_RINGS:
        raise LimitError(f"一个地块有超过 {MAX_RINGS} 个环", expected=f"不超过 {MAX_RINGS} 个环")


def clean_text(text: str, *, limit: int = MAX_NAME) -> tuple[str, bool]:
    r"""Return the text without control characters and lone surrogates, and whether it had any.

    >>> clean_text("A\x00B")
    ('A�B', True)
    """
    stripped = text.strip()
    cleaned = _UNPRINTABLE.sub("\ufffd", stripped)
    return cleaned[:limit], cleaned != stripped or len(cleaned) > limit


def first_of(names: Sequence[object], *, most: int = 5, counted: str = "") -> str:
    """Return the first names in words; the sign of more is followed by how many when counted.

    >>> first_of(["A", "B", "C"], most=2), first_of([7, 8, 9], most=2, counted="处")
    ('A、B 等', '7、8 等 3 处')
    """
    first = "、".join(str(name) for name in names[:most])
    if len(names) <= most:
        return first
    return f"{first} 等 {len(names)} {counted}" if counted else f"{first} 等"


def in_rows(numbers: Sequence[int], *, most: int = 5) -> str:
    """Return in which lines of a text or rows of a table something stands.

    >>> in_rows([3, 4]), in_rows([1, 2, 3, 4, 5, 6])
    ('第 3、4 行', '第 1、2、3、4、5 等 6 行')
    """
    unit = " 行" if len(numbers) <= most else ""
    return f"第 {first_of(numbers, most=most, counted='行')}{unit}"


def name_warning(where: str) -> Remark:
    """Return the warning about a name that had to be changed."""
    return Remark("text_replaced", f"{where}含有无法显示的字符或过长，已替换或截断")


def as_array(points: Sequence[tuple[float, float]]) -> FloatArray:
    """Return points as an (n, 2) array, also when there are none."""
    return np.array(points, dtype=np.float64).reshape(-1, 2)
