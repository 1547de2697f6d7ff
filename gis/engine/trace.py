"""How large is the smallest piece of the land that two polygons share?

The area kernel counts how often two boundaries cross, and knows when they do so for sure: no vertex
lies on the other boundary, or so near that rounding decides. Then every crossing is a plain one and
the outlines of the shared land follow from walking along both rings. Two polygons without holes
share pieces without holes, as what lies outside of either is connected; so each outline is a piece.

Whatever is not sure is left to an overlay: holes, touching boundaries, areas that do not add up.
"""

from __future__ import annotations

import numpy as np

from gis.engine.index import Array
from gis.engine.kernel import Edges, Shared

# Of the outlines together and of the area kernel; both are good to 1e-7 m² at this size.
_AGREES_M2 = 1e-5


def least_pieces(a: Edges, b: Edges, ia: Array, ib: Array, shared: Shared) -> Array:
    """Return the planar area, m², of the smallest piece of what each of k pairs shares.

    0 where it is not sure what the pieces are.

    Parameters
    ----------
    a, b
        Two tables of polygons of one part each.
    ia, ib
        Pairs of them that share land.
    shared
        What the area kernel says of the pairs.
    """
    from gis.engine import trace_loops

    least = np.empty(len(ia))
    tables = a.offsets, a.rows, a.rings, b.offsets, b.rows, b.rings
    trace_loops.least(*tables, ia, ib, shared.crossings, shared.area, _AGREES_M2, least)
    return least
