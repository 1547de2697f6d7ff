"""What is near of a stack: the same pieces in the same order as the whole stack has there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import shapely
from test_engine_around import E, N, box, layer_of
from test_engine_stack import BELTS, ROADS, ZONES, star

from gis.engine import LayerIndex, Stack
from gis.engine.nearby import nearby, stack_of
from gis.engine.stack import GROUND
from gis.model import LayerState

# Large and small by turns; one of many small parts, which is never cut.
SHARDS = shapely.MultiPolygon([box(n * 20, 900, n * 20 + 10, 910) for n in range(40)])
MIXED = layer_of(
    "mixed",
    ("a", "x", star(3_000)),
    ("b", "x", box(810, 0, 900, 90)),
    ("c", "x", SHARDS),
    ("d", "x", shapely.union(box(-900, -990, -890, -980), box(-850, -990, -840, -980))),
    ("e", "x", shapely.affinity.translate(star(500), 1_700, 0)),
)
# Both dissolve into ground of many vertices.
OVERLAPPING = layer_of(
    "overlapping", ("a", "x", star(900)), ("b", "x", shapely.affinity.scale(star(700), 0.9, 1.1))
)
UNREAD = replace(layer_of("unread"), state=LayerState.NO_DATA)
LAYERS = {x.info.id: x for x in (ZONES, MIXED, UNREAD, BELTS, OVERLAPPING, ROADS, layer_of("none"))}


def part_of(layer: LayerIndex, at: np.ndarray) -> LayerIndex:
    """Some features of a layer, with what is known of it as a whole."""
    part = replace(layer, ids=layer.ids[at], geometries=layer.geometries[at])
    part = replace(part, half_widths=layer.half_widths[at])
    part.__dict__["is_coverage"] = layer.is_coverage
    return part


def known_in(around: shapely.Polygon) -> Mapping[str, np.ndarray]:
    """The features by their boxes; of layers with ground all."""
    return {
        name: np.arange(len(layer))
        if layer in (BELTS, OVERLAPPING)
        else np.sort(layer.tree.query(around))
        for name, layer in LAYERS.items()
    }


def pieces_in(stack: Stack, ids: Mapping[str, LayerIndex], around: shapely.Polygon) -> list[tuple]:
    """Layer, feature and edges of the pieces whose boxes meet a rectangle, in their order."""
    rows = []
    for piece in np.sort(stack.tree.query(around)):
        name, feature = stack.ids[stack.layer[piece]], stack.feature[piece]
        own = slice(*stack.edges.offsets[piece : piece + 2])
        owner = "ground" if feature == GROUND else ids[name].ids[feature]
        numbers = stack.edges.boxes[piece], stack.edges.parts[piece], stack.edges.rings[piece]
        rows.append((name, owner, stack.edges.rows[own].tolist(), *(n.tolist() for n in numbers)))
    return rows


@pytest.mark.parametrize(
    "corners",
    [(-100, -100, 100, 100), (700, -50, 1_000, 50), (0, 880, 60, 920), (-890, -990, 0, 0)],
)
def test_pieces_near_by_are_those_of_the_whole_stack_in_its_order(corners) -> None:
    whole, around = Stack.of(LAYERS.values()), box(*corners)
    known = known_in(around)
    parts = {name: part_of(layer, known[name]) for name, layer in LAYERS.items()}
    found = stack_of(nearby(whole, LAYERS, known, around), list(parts.values()))
    assert found.ids == whole.ids
    assert found.disjoint.tolist() == whole.disjoint.tolist()
    assert pieces_in(found, parts, around) == pieces_in(whole, LAYERS, around)
    assert len(found.layer) < len(whole.layer) / 2


def test_around_everything_it_is_the_whole_stack() -> None:
    whole, around = Stack.of(LAYERS.values()), shapely.box(E - 9e3, N - 9e3, E + 9e3, N + 9e3)
    found = stack_of(nearby(whole, LAYERS, known_in(around), around), list(LAYERS.values()))
    assert (found.feature == GROUND).any()
    assert found.layer.tolist() == whole.layer.tolist()
    assert found.feature.tolist() == whole.feature.tolist()
    for one, other in zip(found.edges, whole.edges, strict=True):
        assert np.array_equal(one, other)
    assert np.array_equal(found.segments.ends, whole.segments.ends)
    assert np.array_equal(found.segments.half_width, whole.segments.half_width, equal_nan=True)


def test_small_polygons_do_not_travel_a_second_time() -> None:
    whole, around = Stack.of(LAYERS.values()), box(-100, -100, 100, 100)
    sent = nearby(whole, LAYERS, known_in(around), around)
    assert {sent.ids[n] for n in sent.layer} == {"mixed", "belts", "overlapping"}
    near_ground = sent.feature[sent.layer == sent.ids.index("belts")]
    assert set(near_ground) == {GROUND}
