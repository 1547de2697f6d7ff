"""How are numbers rounded so that what is printed adds up as printed?

A list of parts to its whole by largest remainders, and a table to the totals of its rows, its
columns and its groups of rows by controlled rounding. Nothing here knows what is being added.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

# A node of the network: what it is, and its number or label.
_Node = tuple[str, Hashable]
# The labels of a group and of those around it, the outermost first.
_Path = tuple[Hashable, ...]
# How many cells below a total may be rounded up, at least and at most.
_Bounds = Mapping[_Node, tuple[int, int]]
_WHOLE: _Node = ("whole", 0)
_START: _Node = ("start", 0)
_END: _Node = ("end", 0)


def round_parts(parts: Sequence[float], digits: int, *, whole: float | None = None) -> list[float]:
    """Return the parts rounded so that they add up to the rounded whole.

    Largest-remainder method: each part is rounded down to ``digits`` decimals, and the missing
    units go to the parts with the largest remainders, earlier parts first among equals.

    Parameters
    ----------
    parts
        Unrounded values, all finite and not negative.
    digits
        Decimals of the printed values.
    whole
        The value that is printed as their whole, when it was measured by itself; default their
        sum.

    Returns
    -------
    rounded
        Values in the order of ``parts``; their sum is ``round(whole, digits)``.

    Raises
    ------
    ValueError
        A part is negative or not finite, or the parts cannot make the whole by rounding alone.

    Examples
    --------
    >>> round_parts([1 / 3, 1 / 3, 1 / 3], 2)
    [0.34, 0.33, 0.33]
    """
    if any(not math.isfinite(p) or p < 0 for p in parts):
        raise ValueError(f"parts must be finite and not negative: {list(parts)}")
    units = [_in_units(p, digits) for p in parts]
    wanted = _printed_units(math.fsum(parts) if whole is None else whole, digits)
    rounded = _shared_out(units, wanted)
    if rounded is None:
        raise ValueError(f"{list(parts)} cannot be rounded to parts of {whole}")
    return [n / 10**digits for n in rounded]


def round_table(
    cells: Sequence[Sequence[float]],
    digits: int,
    *,
    groups: Sequence[Hashable] | None = None,
    whole: float | None = None,
) -> list[list[float]]:
    """Return a table rounded so that rows, columns and the whole add up as printed.

    Controlled rounding: every cell, and every total of a row, of a column and of a group of rows,
    is the true value rounded down or up, and the grand total is ``round(whole, digits)``. A cell
    that needs no rounding, zero above all, stays as it is. Totals are the sums of rounded cells.

    Parameters
    ----------
    cells
        Unrounded values, finite, rows of equal length; negative ones are allowed (a deduction).
    digits
        Decimals of the printed values.
    groups
        A label per row: rows of equal label have a subtotal that is rounded down or up as well. A
        tuple of labels is a group in a group, the outermost first; each has its subtotal.
    whole
        The value that is printed as the grand total; default the sum of the cells.

    Raises
    ------
    ValueError
        A value is not finite, rows differ in length, or the cells cannot make the whole by
        rounding alone.

    Notes
    -----
    Such a rounding always exists: the table is a flow in a network whose bounds are integers, and
    then there is an integral flow too. Causey, Cox, Ernst (1985), "Applications of transportation
    theory to statistical problems", JASA 80, 903-909; Cox (1987), "A constructive procedure for
    unbiased controlled rounding", JASA 82, 520-524. Totals by largest remainders are tried first,
    so that a total reads the same in every table.

    Examples
    --------
    >>> round_table([[0.4, 0.4], [0.4, 0.4]], 0)
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if len({len(row) for row in cells}) > 1 or not all(map(math.isfinite, chain(*cells))):
        raise ValueError(f"a table needs finite values in rows of equal length: {cells}")
    units = [[_in_units(value, digits) for value in row] for row in cells]
    wanted = _printed_units(math.fsum(chain(*cells)) if whole is None else whole, digits)
    labels: Sequence[Hashable] = range(len(cells)) if groups is None else groups
    table = _Remainders(
        [[u - math.floor(u) for u in row] for row in units],
        [label if isinstance(label, tuple) else (label,) for label in labels],
        wanted - sum(math.floor(u) for u in chain(*units)),
    )
    ups = table.ups(table.fixed()) or table.ups(table.loose())
    if ups is None:
        raise ValueError(f"the cells cannot be rounded to a table of {whole}")
    return [
        [(math.floor(u) + up) / 10**digits for u, up in zip(row, raised, strict=True)]
        for row, raised in zip(units, ups, strict=True)
    ]


def _in_units(value: float, digits: int) -> float:
    """Return the value in units of the last printed digit; what is an integer becomes one."""
    scaled = value * 10**digits
    # A binary value such as 0.29 * 100 = 28.999999999999996 must not lose a unit to the floor.
    nearest = float(round(scaled))
    return nearest if math.isclose(scaled, nearest, rel_tol=1e-15, abs_tol=1e-9) else scaled


def _printed_units(value: float, digits: int) -> int:
    """Return the value as it is printed, in units of the last digit."""
    units: int = round(round(value, digits) * 10**digits)
    return units


def _shared_out(units: Sequence[float], wanted: int) -> list[int] | None:
    """Return each value rounded down or up so that they add up, the largest remainders up.

    None when rounding alone cannot make them add up.
    """
    floors = [math.floor(u) for u in units]
    missing = wanted - sum(floors)
    order = sorted(range(len(units)), key=lambda i: (floors[i] - units[i], i))
    able = [i for i in order if units[i] != floors[i]]
    if not 0 <= missing <= len(able):
        return None
    for i in able[:missing]:
        floors[i] += 1
    return floors


# --- controlled rounding -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Remainders:
    """What rounding down left of each cell, and how many cells must be rounded up in all.

    The network runs from the whole over groups and rows into the cells, and over the columns back.
    """

    cells: list[list[float]]
    groups: list[_Path]
    wanted: int

    def ups(self, totals: _Bounds | None) -> list[list[int]] | None:
        """Return 1 for each cell to round up, so that every total keeps its bounds, or None."""
        if totals is None:
            return None
        flow = _Flow()
        for node, (low, high) in totals.items():
            flow.add(self._ends(node), low, high)
        at = {
            (i, j): flow.add((("row", i), ("column", j)), 0, 1, start=round(rest))
            for i, row in enumerate(self.cells)
            for j, rest in enumerate(row)
            if rest
        }
        if not flow.balance():
            return None
        return [
            [flow.flows[at[i, j]] if (i, j) in at else 0 for j in range(len(row))]
            for i, row in enumerate(self.cells)
        ]

    def _ends(self, node: _Node) -> tuple[_Node, _Node]:
        match node:
            case ("row", int(i)):
                return ("group", self.groups[i]), node
            case ("column", _):
                return node, _END
            case ("group", (*outer, _)):
                return ("group", tuple(outer)) if outer else _START, node
            case _:
                return _END, _START

    def _sums(self) -> dict[_Node, float]:
        """Return what is left below each total; next to an integer it is one."""
        below: dict[_Node, list[float]] = {}
        for i, row in enumerate(self.cells):
            for j, rest in enumerate(row):
                for node in (*_groups_of(self.groups[i]), ("row", i), ("column", j)):
                    below.setdefault(node, []).append(rest)
        sums = {node: math.fsum(rests) for node, rests in below.items()}
        return {n: float(round(s)) if abs(s - round(s)) < 1e-6 else s for n, s in sums.items()}

    def loose(self) -> _Bounds:
        """Return the bounds that every total may keep: down or up."""
        bounds = {node: (math.floor(s), math.ceil(s)) for node, s in self._sums().items()}
        return {**bounds, _WHOLE: (self.wanted, self.wanted)}

    def fixed(self) -> _Bounds | None:
        """Return totals by largest remainders, groups before their rows; None when there are none.

        Rows and columns are fixed without looking at each other, so there may be no such table.
        """
        sums = self._sums()
        chosen = {_WHOLE: self.wanted}
        for parent, children in self._families(sums):
            shares = _shared_out([sums.get(node, 0.0) for node in children], chosen[parent])
            if shares is None:
                return None
            chosen.update(zip(children, shares, strict=True))
        return {node: (n, n) for node, n in chosen.items()}

    def _families(self, sums: Iterable[_Node]) -> Iterator[tuple[_Node, list[_Node]]]:
        groups = list(dict.fromkeys(chain(*map(_groups_of, self.groups))))
        below: dict[_Node, list[_Node]] = {_WHOLE: [], **{group: [] for group in groups}}
        for group in groups:
            around = self._ends(group)[0]
            below[_WHOLE if around == _START else around].append(group)
        for i, path in enumerate(self.groups):
            below["group", path].append(("row", i))
        yield _WHOLE, [node for node in sums if node[0] == "column"]
        yield from below.items()


def _groups_of(path: _Path) -> list[_Node]:
    """Return the groups in which a row lies, the outermost first."""
    return [("group", path[:n]) for n in range(1, len(path) + 1)]


@dataclass(slots=True)
class _Flow:
    """A flow round a network with bounds on every arc, made to balance at every node."""

    arcs: list[tuple[_Node, _Node, int, int]] = field(default_factory=list)
    flows: list[int] = field(default_factory=list)
    at: dict[_Node, list[int]] = field(default_factory=dict)

    def add(self, ends: tuple[_Node, _Node], low: int, high: int, *, start: int = 0) -> int:
        """Add an arc that carries ``start`` within its bounds for now; return its number."""
        self.arcs.append((*ends, low, high))
        self.flows.append(min(max(start, low), high))
        for node in ends:
            self.at.setdefault(node, []).append(len(self.arcs) - 1)
        return len(self.arcs) - 1

    def balance(self) -> bool:
        """Change the flows within their bounds until nothing is left anywhere, if that can be."""
        excess = dict.fromkeys(self.at, 0)
        for (tail, head, _, _), n in zip(self.arcs, self.flows, strict=True):
            excess[tail] -= n
            excess[head] += n
        for node in excess:
            while excess[node] > 0:
                end, path = self._way_out(node, excess)
                if end is None:
                    return False
                for arc, step in path:
                    self.flows[arc] += step
                excess[node] -= 1
                excess[end] += 1
        return True  # what is left over is lacking elsewhere, so nothing is lacking either

    def _way_out(
        self, start: _Node, excess: Mapping[_Node, int]
    ) -> tuple[_Node | None, list[tuple[int, int]]]:
        """Return where one unit can go to, and the arcs on its way with +1 or -1."""
        came: dict[_Node, tuple[_Node, int, int] | None] = {start: None}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            if excess[node] < 0:
                return node, list(_steps(came, node))
            for arc in self.at[node]:
                tail, head, low, high = self.arcs[arc]
                step, other = (1, head) if node == tail else (-1, tail)
                room = high - self.flows[arc] if step > 0 else self.flows[arc] - low
                if room > 0 and other not in came:
                    came[other] = (node, arc, step)
                    queue.append(other)
        return None, []


def _steps(
    came: Mapping[_Node, tuple[_Node, int, int] | None], end: _Node
) -> Iterator[tuple[int, int]]:
    while (step := came[end]) is not None:
        end, arc, sign = step
        yield arc, sign
