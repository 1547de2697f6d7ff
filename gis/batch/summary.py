"""What became of a batch: how many rows with which verdict, and which could not be judged?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a batch.

    ``verdicts`` and ``problems`` count rows by verdict and by code; ``resumed`` rows had been
    judged before an interruption; ``first`` are some of the problems: row (from 1), name, message.
    """

    rows: int
    verdicts: Mapping[str, int]
    problems: Mapping[str, int]
    first: tuple[tuple[int, str, str], ...]
    resumed: int
    as_of: date
    out: Path | None = None


class Count:
    """Counts a result while it is handed out."""

    _TOLD = 20

    def __init__(self) -> None:
        self.rows = 0
        self.verdicts: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.first: list[tuple[int, str, str]] = []

    def add(self, part: geopandas.GeoDataFrame) -> None:
        """Count one slice."""
        self.rows += len(part)
        self.verdicts.update(part["verdict"].dropna().tolist())
        bad = part[part["problem_code"].notna()]
        self.problems.update(bad["problem_code"].tolist())
        rows = bad[["row", "name", "problem"]].head(self._TOLD - len(self.first))
        self.first += [(int(r), str(n), str(p)) for r, n, p in rows.itertuples(index=False)]

    def summary(self, as_of: date, resumed: int, out: Path | None) -> Summary:
        """Return what has been counted."""
        return Summary(
            rows=self.rows,
            verdicts=dict(self.verdicts),
            problems=dict(sorted(self.problems.items())),
            first=tuple(self.first),
            resumed=resumed,
            as_of=as_of,
            out=out,
        )
