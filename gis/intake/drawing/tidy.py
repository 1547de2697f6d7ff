"""A ring made ready to draw: closed, without repeated points, every vertex traceable.

Only what cannot change the outline is tidied; what was done is counted, so that it can be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from gis.intake.draft import FloatArray, Ring


@dataclass(frozen=True, slots=True, eq=False)
class Tidy:
    """A ring ready to draw; ``index`` leads from its vertices back to those of the input.

    ``number`` counts the rings of the site from 1. ``repeated`` are the vertices of the input that
    repeat the one before them, ``closed_here`` says that the closing point was missing.
    """

    ring: Ring
    number: int
    xy: FloatArray
    index: tuple[int, ...]
    closed_here: bool
    repeated: tuple[int, ...]

    def place(self, vertex: int) -> str:
        """Where a vertex stands in the input, for a person."""
        return self.ring.place(self.vertex(vertex) - 1)

    def vertex(self, vertex: int) -> int:
        """Return the number of a vertex in the input, from 1."""
        return self.index[vertex % len(self.index)] + 1

    @property
    def edges(self) -> Any:
        """The edges as an array of two-point lines, in order."""
        return shapely.linestrings(np.stack([self.xy[:-1], self.xy[1:]], axis=1))


def tidy(ring: Ring, number: int, *, closed: bool) -> Tidy:
    """Return the ring without consecutive repeated points, closed where it should be."""
    kept = xy = ring.xy
    index: tuple[int, ...] = tuple(range(len(xy)))
    repeated: tuple[int, ...] = ()
    again = (xy[1:] == xy[:-1]).all(axis=1)
    if again.any():
        keep = np.concatenate([[True], ~again])
        kept, index = xy[keep], tuple(np.flatnonzero(keep).tolist())
        repeated = tuple(np.flatnonzero(~keep).tolist())
    open_ring = closed and len(kept) > 0 and bool((kept[0] != kept[-1]).any())
    if open_ring:
        kept = np.vstack([kept, kept[:1]])
        index = (*index, 0)
    return Tidy(ring, number, kept, index, open_ring, repeated)
