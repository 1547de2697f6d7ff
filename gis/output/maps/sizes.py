"""How is each layer of a page drawn, so that the page stays light?

A browser keeps up with about two thousand SVG paths and ten thousand on a canvas; beyond that it
needs tiles. Counts decide, never content; nothing is drawn or measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Size(StrEnum):
    """How the features of a layer stand on a page."""

    SVG = "svg"  # one path each: patterns, hover, crisp at any zoom
    CANVAS = "canvas"  # paths on one canvas
    TILES = "tiles"  # PMTiles, drawn as far as they are in view


@dataclass(frozen=True, slots=True)
class Limits:
    """Most features of one page that are drawn as SVG, and most on canvases."""

    svg: int = 2_000
    canvas: int = 10_000


STANDARD = Limits()


def sizes(counts: Mapping[str, int], limits: Limits = STANDARD) -> dict[str, Size]:
    """Return how each layer is drawn, by its number of features; the smallest choose first.

    The limits hold for the page: all SVG layers together, then all canvas layers together. Layers
    of equal size are taken by name, so that equal plans give equal pages.

    >>> chosen = sizes({"zones": 5, "landuse": 8346, "parcels": 100_000})
    >>> [str(size) for size in chosen.values()]
    ['svg', 'canvas', 'tiles']
    """
    room = {Size.SVG: limits.svg, Size.CANVAS: limits.canvas}
    result: dict[str, Size] = {}
    for layer_id, count in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        size = next((s for s, free in room.items() if count <= free), Size.TILES)
        result[layer_id] = size
        # A later layer is no smaller: once one did not fit, none of this kind fits any more.
        room = {s: free - count if s is size else free for s, free in room.items()}
        while room and size is not next(iter(room)):
            del room[next(iter(room))]
    return {layer_id: result[layer_id] for layer_id in counts}
