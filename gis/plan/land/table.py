"""What stands in the table of classes by zones, unrounded and as printed?

Both add up: classes, the land that the layer does not cover and, as a deduction, what is counted
twice make the area; so do the zones, the land outside of them and what lies in two of them. The
printed numbers add up as printed. Names and texts are added elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from gis.plan.land.ground import DUST_M2, Label
from gis.units import m2_to_ha, m2_to_mu, round_table

RowKind = Literal["class", "uncovered", "overlap"]
ColumnKind = Literal["zone", "outside", "overlap", "total"]
# The column of a table without zones: every piece lies in it.
WHOLE: Label = ("",)


# What stands beside the names: land without any, and what several names claim too often.
_BARE, _TWICE = ("", "bare"), ("", "twice")


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a class with what it counts as, or one of the two rows that make the area complete."""

    kind: RowKind
    cls: str = ""
    counted_as: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What land is booked under."""
        return {"uncovered": _BARE, "overlap": _TWICE}.get(self.kind, (self.cls, "named"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: a zone, or what makes the zones complete."""

    kind: ColumnKind
    id: str = ""
    name: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What land is booked under."""
        return {"outside": _BARE, "overlap": _TWICE}.get(self.kind, (self.id, "named"))


def _booked(label: Label) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield what land with a label is booked under; the amounts always make 1."""
    for name in label:
        yield (name, "named"), 1
    if not label:
        yield _BARE, 1
    if len(label) > 1:
        yield _TWICE, 1 - len(label)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The unrounded table, m² on the ellipsoid."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    cells: tuple[tuple[float, ...], ...]


def matrix(
    areas: Mapping[tuple[Label, Label], float], rows: Sequence[Row], columns: Sequence[Column]
) -> Matrix:
    """Return the table of the areas by pairs of classes and zones.

    Classes and zones always have their place; the other rows and columns only when they hold more
    than the dust of the arithmetic.
    """
    books: dict[tuple[object, object], list[float]] = {}
    for (classes, zones), m2 in areas.items():
        for (r, one), (c, two) in product(list(_booked(classes)), list(_booked(zones))):
            books.setdefault((r, c), []).append(one * two * m2)
    cells = [[math.fsum(books.get((r.key, c.key), ())) for c in columns] for r in rows]
    kept = [i for i, r in enumerate(rows) if r.kind == "class" or _counts(cells[i])]
    across = [
        j
        for j, c in enumerate(columns)
        if c.kind in ("zone", "total") or _counts([row[j] for row in cells])
    ]
    return Matrix(
        tuple(rows[i] for i in kept),
        tuple(columns[j] for j in across),
        tuple(tuple(cells[i][j] for j in across) for i in kept),
    )


def _counts(values: Sequence[float]) -> bool:
    return math.fsum(abs(v) for v in values) > DUST_M2


# --- printed -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One row as printed; ``share`` and ``percent`` are of the whole area."""

    row: Row
    m2: tuple[float, ...]
    ha: tuple[float, ...]
    total_m2: float
    total_ha: float
    total_mu: float
    share: float
    percent: float


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """The table as printed: m², hectares and mu with two decimals, percent with two.

    Cells make the totals of rows and columns, and these the grand total, in the printed digits.
    """

    columns: tuple[Column, ...]
    rows: tuple[PrintedRow, ...]
    columns_m2: tuple[float, ...]
    columns_ha: tuple[float, ...]
    total_m2: float
    total_ha: float
    total_mu: float

    def sum_m2(self, kinds: Sequence[str]) -> float:
        """Return the printed sum of the classes that count as one of the kinds."""
        return round(math.fsum(r.total_m2 for r in self.rows if r.row.counted_as in kinds), 2)


def printed(table: Matrix, whole_m2: float) -> PrintedTable:
    """Return the table as printed.

    What counts, and each kind of it, has a subtotal that is kept too.
    """
    groups = [(bool(row.counted_as), row.counted_as, row.kind) for row in table.rows]

    def rounded(cells: Sequence[Sequence[float]], digits: int, whole: float) -> list[list[float]]:
        try:
            return round_table(cells, digits, groups=groups, whole=whole)
        except ValueError:  # stray land that has no column may be a unit of the last digit
            return round_table(cells, digits, groups=groups)

    totals = [math.fsum(row) for row in table.cells]
    m2 = rounded(table.cells, 2, whole_m2)
    ha = rounded([[m2_to_ha(v) for v in row] for row in table.cells], 2, m2_to_ha(whole_m2))
    mu = rounded([[m2_to_mu(v)] for v in totals], 2, m2_to_mu(whole_m2))
    shares = rounded([[v / whole_m2] for v in totals], 6, 1.0)
    percents = rounded([[100 * v / whole_m2] for v in totals], 2, 100.0)
    rows = tuple(
        PrintedRow(
            row,
            tuple(m2[i]),
            tuple(ha[i]),
            printed_sum(m2[i]),
            printed_sum(ha[i]),
            mu[i][0],
            shares[i][0],
            percents[i][0],
        )
        for i, row in enumerate(table.rows)
    )
    return PrintedTable(
        table.columns,
        rows,
        tuple(printed_sum(column) for column in zip(*m2, strict=True)),
        tuple(printed_sum(column) for column in zip(*ha, strict=True)),
        printed_sum([row.total_m2 for row in rows]),
        printed_sum([row.total_ha for row in rows]),
        printed_sum([row.total_mu for row in rows]),
    )


def printed_sum(values: Iterable[float]) -> float:
    """Return the sum of printed values, again with two decimals; there is no minus zero."""
    return round(math.fsum(values), 2) + 0.0
