"""What does a printed report consist of? Its document as plain data, before any paper.

Both writers print exactly these blocks, so a PDF and a DOCX of one check say the same. Texts are
plain strings, never markup; whatever they contain is printed as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from gis.output.maps.text import visible

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, the id of a verdict that colours it, whether it is set bold."""

    text: str
    verdict: str = ""
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: head, width as a share of the others, and which way its cells are set."""

    head: str
    width: float = 1.0
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose head is repeated on every page; the last ``totals`` rows are sums."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: int = 0
    note: str = ""
    dense: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values, in one column or two side by side."""

    rows: tuple[tuple[str, str], ...]
    columns: int = 1
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: level 1 is a chapter; ``fresh`` begins a page."""

    text: str
    level: int = 1
    fresh: bool = False
    kind: str = field(default="heading", init=False)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``style`` is ``body``, ``note`` or ``warning``."""

    text: str
    style: str = "body"
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True, slots=True)
class Points:
    """A list of short texts."""

    items: tuple[str, ...]
    kind: str = field(default="points", init=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as SVG, with its caption and its width and height on paper."""

    caption: str
    svg: str
    width_mm: float
    height_mm: float
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The verdict in front of everything: word, sentence, and what stands beside it."""

    verdict: str
    label: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    counts: tuple[Cell, ...]
    kind: str = field(default="conclusion", init=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One finding that needs work: title, facts, and a drawing of its place.

    The first ``beside`` facts stand beside the drawing, the others below, where there is room.
    """

    number: str
    title: str
    verdict: str
    label: str
    facts: tuple[tuple[str, str], ...]
    figure: Figure | None = None
    beside: int = 3
    kind: str = field(default="item", init=False)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Blanks to be signed."""

    names: tuple[str, ...]
    kind: str = field(default="signatures", init=False)


Block = Table | Facts | Heading | Paragraph | Points | Figure | Conclusion | Item | Signatures


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report: title, the mark of every page, and its blocks in order.

    ``date`` is the day of the law, ``2026-11-22``, or empty.
    """

    title: str
    subtitle: str
    mark: str
    running: str
    code: str
    blocks: tuple[Block, ...]
    date: str = ""


def as_data(report: Report) -> dict[str, Any]:
    """Return the report as JSON values with every text printable."""
    data: dict[str, Any] = asdict(printed(report))
    return data


def printed(report: Report) -> Report:
    """Return the report with every text as it may be printed, drawings as they are."""
    clean: Report = _printed(report)
    return clean


def cells(values: Iterable[object]) -> tuple[Cell, ...]:
    """Return values as the cells of one row; a cell stays what it is."""
    return tuple(v if isinstance(v, Cell) else Cell("" if v is None else str(v)) for v in values)


def rows(values: Iterable[Sequence[object]]) -> tuple[tuple[Cell, ...], ...]:
    """Return rows of values as rows of cells."""
    return tuple(cells(row) for row in values)


def _printed(value: Any) -> Any:
    if isinstance(value, str):
        # A line end is ours: citations stand one a line. In a name it does no harm.
        return "\n".join(map(visible, value.split("\n")))
    if isinstance(value, tuple):
        return tuple(map(_printed, value))
    if is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in fields(value) if f.init and f.name != "svg"]
        return replace(value, **{name: _printed(getattr(value, name)) for name in names})
    return value


def texts_of(value: Any) -> list[str]:
    """Return every text of a report or of a part of it, in order; drawings are left out."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in fields(value) if f.name not in {"kind", "svg"}]
        return [t for name in names for t in texts_of(getattr(value, name))]
    if isinstance(value, list | tuple):
        return [t for item in value for t in texts_of(item)]
    return []
