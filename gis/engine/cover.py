"""How much of each cell of a grid do polygons cover?

The other side of ``raster``: there the pixels of a grid are counted in each polygon, here the
polygons are summed up in each pixel. The marks that edges leave on the rows (``marks``) are the
same, so the cover is exact; neither a cell nor an overlap is ever built.
"""

from __future__ import annotations

import numpy as np

from gis.engine.grid import Grid, edges_of
from gis.engine.index import Array


def cover(grid: Grid, shapes: Array) -> Array:
    """Return the share of each cell that lies on polygons.

    Parameters
    ----------
    grid
        Size and place of the cells, in the CRS of the polygons.
    shapes
        Valid polygons and multipolygons; what several of them share is counted several times.

    Returns
    -------
    share
        Array (rows, cols) of shares, 0-1 where no two polygons overlap.

    Examples
    --------
    >>> import shapely
    >>> two_by_two = Grid(2, 2, (1.0, 0.0, 0.0, 0.0, -1.0, 2.0))
    >>> cover(two_by_two, np.array([shapely.box(0.5, 1.0, 2.0, 2.0)]))
    array([[0.5, 1. ],
           [0. , 0. ]])
    """
    # The compiler is heavy to import, and most of what opens a plan looks for no sites.
    from gis.engine import marks

    edges = edges_of(grid.to_pixels(shapes))
    every, exact = np.arange(len(shapes)), np.ones(len(shapes), dtype=bool)
    ends, window = (edges.x0, edges.y0, edges.x1, edges.y1), (0, 0, grid.rows, grid.cols)
    most = marks.rooms(every, edges.starts, ends, window)
    row, owner, col = (np.empty(most, dtype=np.int32) for _ in range(3))
    run, own = np.empty(most), np.empty(most)
    n = marks.marks(every, exact, edges.starts, ends, window, row, owner, col, run, own)
    wide = grid.cols + 1  # what lies right of the window is marked behind the last column
    at = row[:n].astype(np.int64) * wide + col[:n]
    runs = np.bincount(at, run[:n], minlength=grid.rows * wide).reshape(grid.rows, wide)
    owns = np.bincount(at, own[:n], minlength=grid.rows * wide).reshape(grid.rows, wide)
    # A mark counts every cell left of its column: sum up from the right.
    beyond = np.cumsum(runs[:, :0:-1], axis=1)[:, ::-1]
    share: Array = beyond + owns[:, :-1]
    return share
