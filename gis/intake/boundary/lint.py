"""What is worth knowing about a boundary-point TXT: every error, warning and note, by its line?

The errors are those for which the one door refuses the file, found the same way, so that a file
without an error is one that is accepted. Unlike the door it goes on behind an error, and it adds
how the file departs from the form. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import shapely

from gis.crs import CrsPolicy, HasCrsPolicy
from gis.errors import DeclaredAreaError, Fault, FormatError, InputError, LimitError
from gis.intake.areas import area_unit
from gis.intake.boundary.form import departures
from gis.intake.boundary.parse import parse
from gis.intake.boundary_txt import line_of, looks_like_boundary_txt
from gis.intake.build import Options, site_of
from gis.intake.draft import MAX_BYTES, MAX_FAULTS, Document, Draft, Hints
from gis.intake.drawing import geometry
from gis.intake.drawing.neighbours import with_neighbours
from gis.intake.encoding import decode_text, named_codec
from gis.intake.position.naming import declared_by
from gis.intake.recognise import recognise
from gis.model import Remark, Site, Source
from gis.units import m2_to_mu


class Level(StrEnum):
    """How grave a row is; an ``error`` makes the file unusable."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class LintRow:
    """One thing worth knowing: level, stable code, line, and the place and words as a fault."""

    level: Level
    code: str
    line: int | None
    fault: Fault

    @property
    def where(self) -> str:
        """The place for a person."""
        return self.fault.where

    @property
    def message(self) -> str:
        """The Chinese sentence."""
        return self.fault.message

    def to_dict(self) -> dict[str, object]:
        """Return the row as plain JSON values; what is not known of the place is left out."""
        head = {"level": str(self.level), "code": self.code, "line": self.line}
        return {**head, **self.fault.to_dict()}


@dataclass(frozen=True, slots=True)
class LintPlot:
    """One plot of the file in numbers; both areas are None when it cannot be judged.

    ``stated_area`` is the number as written and ``stated_unit`` the unit in which it comes nearest
    to the computed area, empty when either is unknown.
    """

    name: str
    plot_number: str
    line: int | None
    points: int
    rings: int
    stated_area: float | None
    stated_unit: str
    ellipsoidal_m2: float | None
    planar_m2: float | None

    @property
    def mu(self) -> float | None:
        """Mu, from the ellipsoidal area."""
        return None if self.ellipsoidal_m2 is None else m2_to_mu(self.ellipsoidal_m2)


@dataclass(frozen=True, slots=True)
class LintReport:
    """All rows in the order of the file, the encoding as found, and the plots."""

    encoding: str
    plots: tuple[LintPlot, ...]
    rows: tuple[LintRow, ...]

    def count(self, level: Level) -> int:
        """How many rows have this level."""
        return sum(row.level is level for row in self.rows)

    @property
    def is_accepted(self) -> bool:
        """Whether the one door takes the file."""
        return not self.count(Level.ERROR)


def lint_boundary_txt(
    data: bytes | str,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    crs: int | str | None = None,
    encoding: str | None = None,
    repair: bool = False,
    width_m: float | None = None,
) -> LintReport:
    """Return everything worth knowing about a boundary-point TXT.

    Parameters
    ----------
    data
        The bytes of the file, or its text.
    plan_or_policy
        The plan, or only its CRS policy.
    crs, encoding, repair, width_m
        As for :func:`gis.intake.read.read_sites`.

    Raises
    ------
    FormatError
        No boundary-point TXT and no list of points at all, or its text cannot be decoded.
    LimitError
        Larger than any input may be.
    CrsError, ClaimError
        A wrong ``crs`` or ``encoding``.
    """
    policy = plan_or_policy if isinstance(plan_or_policy, CrsPolicy) else plan_or_policy.crs_policy
    given = None if crs is None else declared_by(crs)
    if len(data) > MAX_BYTES:
        raise LimitError(f"文件超过 {MAX_BYTES // 1024**2} MB", advice="分成几个文件提交")
    codec = None if encoding is None else named_codec(encoding)
    text, title = _text(data, codec)
    rows = _Rows()
    document = _document(data, text, Hints(policy, crs is not None, codec), rows)
    if document is None or document.kind == "boundary_txt":
        _add_departures(text, title, rows)
    if document is None:
        return LintReport(title, (), rows.sorted())
    options = Options(policy, given, repair, width_m, Source(document.kind, "", ""))
    return LintReport(title, _judge(document, options, rows), rows.sorted())


def _document(data: bytes | str, text: str, hints: Hints, rows: _Rows) -> Document | None:
    """Return the document as the one door reads it; None when it holds no plot, as the rows say.

    A list of points under a row of headings is read as a table there, and so it is here.
    """
    try:
        document = recognise(data, hints)
    except InputError as error:
        if not looks_like_boundary_txt(text) or text.lstrip("\ufeff \r\n")[:1] in "{<":
            raise
        rows.error(error)
        return None
    if document.kind not in ("boundary_txt", "csv"):
        raise FormatError(
            f"内容是 {document.kind}，不是勘测定界界址点 TXT",
            expected="含 [属性描述]、[地块坐标] 的文本",
        )
    return document


def _add_departures(text: str, title: str, rows: _Rows) -> None:
    try:
        file = parse(text)
    except LimitError:
        return  # told already
    form = departures(file, text)
    rows.remarks(Level.WARNING, [*file.warnings, *form.warnings])
    rows.remarks(Level.NOTE, [*_encoding_notes(title), *file.notes, *form.notes])


def _text(data: bytes | str, codec: str | None) -> tuple[str, str]:
    """Return the text and the name of its encoding."""
    if isinstance(data, str):
        return data, ""
    text, note = decode_text(data, codec)
    return text, note.message.partition("：")[2]


def _encoding_notes(title: str) -> Iterator[Remark]:
    if title.startswith(("UTF", "utf")):
        yield Remark("encoding", f"文字编码为 {title}，接收系统一般要求 GBK（ANSI）")


class _Rows:
    """Collects rows; one that was told already is not told again."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], LintRow] = {}

    def add(self, level: Level, code: str, fault: Fault, line: int | None) -> None:
        """Add one row."""
        key = (level, fault.where, fault.message)
        self.rows.setdefault(key, LintRow(level, code, line, fault))

    def faults(self, code: str, faults: Sequence[Fault], line: int | None = None) -> None:
        """Add faults as errors; ``line`` is theirs where they name none."""
        for fault in faults:
            self.add(Level.ERROR, code, fault, line_of(fault.where) or line)

    def error(self, error: InputError, line: int | None = None) -> None:
        """Add an error of ours with all its places."""
        self.faults(error.code, error.faults, line)
        if not error.faults or len(error.faults) >= MAX_FAULTS:
            self.add(Level.ERROR, error.code, Fault(_where(line), error.found), line)

    def remarks(self, level: Level, remarks: Sequence[Remark], line: int | None = None) -> None:
        """Add warnings or notes; ``line`` is theirs where they name none."""
        for remark in remarks:
            at = line_of(remark.message) or line
            self.add(level, remark.code, Fault(_where(at), remark.message), at)

    def sorted(self) -> tuple[LintRow, ...]:
        """Return the rows in the order of the file, what concerns all of it first."""
        order = list(Level)
        return tuple(
            sorted(self.rows.values(), key=lambda row: (row.line or 0, order.index(row.level)))
        )


def _where(line: int | None) -> str:
    return "全文" if line is None else f"第 {line} 行"


# --- the plots ------------------------------------------------------------------------------------


def _judge(document: Document, options: Options, rows: _Rows) -> tuple[LintPlot, ...]:
    """Judge every plot on its own, so that a fault of one hides nothing of another."""
    rows.faults(FormatError.code, document.faults)
    if document.refused is not None:
        rows.error(document.refused)
    rows.remarks(Level.WARNING, document.warnings)
    rows.remarks(Level.NOTE, document.notes)
    sites: list[Site | None] = []
    for draft in document.drafts:
        try:
            sites.append(_site(draft, document, options, rows))
        except LimitError as error:
            rows.error(error, line_of(draft.shape.where))
            break  # the others would cost as much
    lines = [line_of(draft.shape.where) for draft in document.drafts]
    _add_neighbours(sites, lines[: len(sites)], rows)
    sites += [None] * (len(lines) - len(sites))
    return tuple(_lint_plot(d, s) for d, s in zip(document.drafts, sites, strict=True))


def _site(draft: Draft, document: Document, options: Options, rows: _Rows) -> Site | None:
    """Return the site of a draft, None when it cannot be judged; the rows say why."""
    line = line_of(draft.shape.where)
    rows.remarks(Level.WARNING, draft.warnings, line)
    rows.remarks(Level.NOTE, draft.notes, line)
    if draft.broken or document.refused is not None:
        if not draft.broken:
            rows.faults("geometry", _drawing_faults(draft), line)
        return None
    try:
        site = site_of(draft, document, options)
    except DeclaredAreaError as error:
        rows.error(error, line)
        return _site(replace(draft, declared_area=None), document, options, rows)
    except LimitError:
        raise
    except InputError as error:
        rows.error(error, line)
        return None
    rows.remarks(Level.WARNING, site.warnings[len(document.warnings) :], line)
    rows.remarks(Level.NOTE, site.notes[len(document.notes) :], line)
    return site


def _drawing_faults(draft: Draft) -> Sequence[Fault]:
    """Return what is wrong with a drawing whose coordinates have no place."""
    try:
        return geometry.draw(draft.shape, clockwise_is_usual=True).faults
    except InputError as error:
        return error.faults or (Fault(draft.shape.where, error.found),)


def _add_neighbours(sites: Sequence[Site | None], lines: Sequence[int | None], rows: _Rows) -> None:
    """Add a row for every plot that lies over another one."""
    known = next((site for site in sites if site is not None), None)
    if known is None:
        return
    # Plots without a site keep their number among the others.
    nowhere = replace(known, geometry=shapely.Polygon(), warnings=())
    full = [site or nowhere for site in sites]
    for site, line, before in zip(with_neighbours(full), lines, full, strict=True):
        rows.remarks(Level.WARNING, site.warnings[len(before.warnings) :], line)


def _lint_plot(draft: Draft, site: Site | None) -> LintPlot:
    stated = draft.declared_area
    area = site.area if site is not None else None
    return LintPlot(
        draft.name,
        str(draft.claims.get("plot_number", "")),
        line_of(draft.shape.where),
        sum(len(ring.xy) for ring in draft.shape.rings),
        len(draft.shape.rings),
        None if stated is None else stated.number,
        "" if stated is None or area is None else area_unit(stated, area),
        None if area is None else area.ellipsoidal_m2,
        None if area is None else area.planar_m2,
    )
