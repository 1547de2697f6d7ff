"""How does the land divide into classes, and which rules bind?

Counted on cells, whose areas add up to the land that was looked at. Definitions: a rule *excludes*
the cells that it fails and leaves *open* those where it is undetermined; *alone* is both; *last*
are the cells that it keeps from a site and no other rule or wish does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.engine.index import Array
from gis.siting.answer import Binding, Feasible, LandClass, RuleShare
from gis.siting.outlines import joined
from gis.siting.shapes import pieces
from gis.siting.verdicts import CONDITIONAL, FAIL, OPEN, PASS, Judged, RuleLand
from gis.units import m2_to_mu

# Rules of which the land is drawn; a page shows no more.
_DRAWN = 8
_CLASSES = {"permitted": PASS, "conditional": CONDITIONAL, "undetermined": OPEN, "excluded": FAIL}


class Summary:
    """The land of a search in numbers.

    Parameters
    ----------
    judged
        All rules and wishes over the cells.
    width
        Cells of the least width.
    """

    def __init__(self, judged: Judged, width: int) -> None:
        self.judged = judged
        self.cells = judged.ground.cells
        self.width = width

    @cached_property
    def everywhere(self) -> tuple[RuleLand, ...]:
        """The rules that let no cell pass plainly, wherever it lies."""
        return tuple(x for x in self.judged.lands if x.least >= CONDITIONAL)

    @cached_property
    def by_place(self) -> Array:
        """The worst of each cell, without what a rule says of all land alike."""
        worst = np.full(len(self.cells), PASS, dtype=np.uint8)
        for land in self.judged.lands:
            rank = land.rank
            if land in self.everywhere:
                rank = np.where(rank > land.least, rank, PASS)
            np.maximum(worst, rank, out=worst)
        return worst

    def mask(self, rank: Array, most: int) -> Array:
        """Return the cells that are at most so bad, as (rows, cols)."""
        return self.cells.on_grid(rank <= most, elsewhere=False)

    def feasible(self) -> Feasible:
        """Return the land by class."""
        found = tuple(self._class(name, rank) for name, rank in _CLASSES.items())
        area = len(self.cells) * self.cells.cell_m2
        alike = tuple(
            RuleShare(x.id, x.title, area, x.mildest, everywhere=True) for x in self.everywhere
        )
        return Feasible(
            cell_m=self.cells.size_m,
            area_m2=area,
            edge_m2=self.cells.edge_m2,
            classes=found,
            everywhere=alike,
            largest_m2=self.largest_m2(self.mask(self.judged.rank, CONDITIONAL)),
            note=self._note(),
        )

    def largest_m2(self, free: Array) -> float:
        """Return the largest connected piece of some cells that is wide enough everywhere."""
        best = 0
        for _, own in pieces(free, self.width):
            best = max(best, int(own.sum()))
        return best * self.cells.cell_m2

    def binding(self) -> tuple[Binding, ...]:
        """Return the rules and wishes that keep land from the site, those that bind most first."""
        rows = [(self._bound(land), land) for land in self.judged.lands if land.worst >= OPEN]
        rows.sort(key=lambda row: (-row[0].last_m2, -row[0].alone_m2, row[0].rule))
        return tuple(
            replace(row, geometry=self._place(land)) if n < _DRAWN else row
            for n, (row, land) in enumerate(rows)
        )

    def _place(self, land: RuleLand) -> BaseGeometry:
        kept = np.broadcast_to(land.rank >= OPEN, len(self.cells))
        return joined(self.cells, self.cells.on_grid(kept, elsewhere=False))

    def _bound(self, land: RuleLand) -> Binding:
        rank = np.broadcast_to(land.rank, len(self.cells))
        last = (rank >= OPEN) & (self.judged.against == 1)
        numbers = (rank == FAIL), (rank == OPEN), last
        cell = self.cells.cell_m2
        excluded, open_, gained = (int(n.sum()) * cell for n in numbers)
        return Binding(land.id, land.title, excluded, open_, gained, land.finding)

    def _class(self, name: str, rank: int) -> LandClass:
        own = self.by_place == rank
        m2 = int(own.sum()) * self.cells.cell_m2
        rules = sorted(self._rules(own, rank), key=lambda r: (-r.area_m2, r.rule))
        share = m2 / max(len(self.cells) * self.cells.cell_m2, 1e-9)
        place = joined(self.cells, self.cells.on_grid(own, elsewhere=False))
        return LandClass(name, m2, share, tuple(rules), place)

    def _rules(self, own: Array, rank: int) -> Iterator[RuleShare]:
        """Yield the rules that make some land what it is."""
        if rank == PASS:
            return
        for land in self.judged.lands:
            count = int((own & (land.rank == rank)).sum())
            if count and land.least < rank:
                yield self._share(land, count)

    def _share(self, land: RuleLand, count: int) -> RuleShare:
        return RuleShare(land.id, land.title, count * self.cells.cell_m2, land.finding)

    def _note(self) -> str:
        side = f"{self.cells.size_m:.3f}".rstrip("0").rstrip(".")
        said = [
            f"按 {side} 米见方的单元统计，一个单元只要有一部分受限即按最严的一类计",
            f"边缘不足一个单元的 {m2_to_mu(self.cells.edge_m2):,.2f} 亩未计",
        ]
        stuck = [land for land in self.everywhere if land.least >= OPEN]
        asked = [land for land in self.everywhere if land.least == CONDITIONAL]
        if stuck:
            said.append(f"{_titles(stuck)}在全部用地上都不能判定为符合，与位置无关，须另行落实")
        if asked:
            said.append(f"{_titles(asked)}的手续在全部用地上都要办理")
        if stuck or asked:
            said.append("与位置无关的结论不计入分类")
        return "；".join(said) + "。"


def _titles(lands: Iterable[RuleLand]) -> str:
    return "、".join(f"“{land.title}”" for land in lands)
