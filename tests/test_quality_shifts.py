"""Layer quality: a displaced layer is told from one that keeps a distance, or meets by chance."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import dirty_layers
import dirty_package
import numpy as np
import pytest
import shapely
from quality_checks import checked, confirm_alone, confirm_alone_planted, found

from gis.plan import Plan
from gis.plan.quality.report import placed_layers
from gis.plan.quality.shifts import unshift


@pytest.mark.parametrize("move", [dirty_layers.gcj02, dirty_layers.bd09], ids=["GCJ-02", "BD-09"])
@pytest.mark.parametrize("layer", ["resort", "roads"])
def test_a_web_map_shift_is_named_and_measured(package, layer, move) -> None:
    fault = dirty_layers.plant_shift(package, layer, move)
    report = checked(package)
    confirm_alone(report, fault)
    assert ("GCJ-02" if move is dirty_layers.gcj02 else "BD-09") in found(report, fault).message


@pytest.fixture(scope="session")
def placed(plan: Plan):
    """Every layer of the bundled plan as the checks see it."""
    layers, findings = placed_layers(plan)
    assert findings == []
    return layers


# Outlines of projects lie inside districts and share no vertex with anything: nothing tells their
# place, and that is said in the docstring of gis.plan.quality.shifts.
_TELLING = [
    "resort", "towns", "core", "approval_area", "zones", "dev_boundary", "farmland", "redline",
    "landuse", "planned_use", "green_line", "blue_line", "purple_line", "yellow_line", "water",
    "river_range", "built_up", "roads", "railways", "power_lines",
]  # fmt: skip


@pytest.mark.parametrize("layer", _TELLING)
def test_every_layer_shows_a_web_map_shift_and_only_that_layer_is_accused(placed, layer) -> None:
    move = dirty_layers.bd09 if len(layer) % 2 else dirty_layers.gcj02
    placed = {k: v for k, v in placed.items() if k == layer or k not in ("landuse", "farmland")}
    true = placed[layer].placed
    shifted = replace(placed[layer], placed=shapely.transform(true, move))
    layers, findings = unshift({**placed, layer: shifted}, 4548)
    assert [(f.layer, f.code) for f in findings] == [(layer, "shifted")]
    back = shapely.get_coordinates(layers[layer].placed) - shapely.get_coordinates(true)
    assert np.abs(back).max() < 0.01


@pytest.mark.parametrize(
    ("layer", "step"),
    [
        ("planned_use", (-55.31, 12.74)),
        ("zones", (0.8, -0.4)),
        ("water", (300.0, 640.0)),
        ("resort", (12.0, 7.5)),
    ],
)
def test_a_rigid_shift_is_measured(package, layer, step) -> None:
    confirm_alone_planted(package, dirty_layers.plant_shift, layer, lambda xy: xy + step)


# What keeps a distance on purpose: edges on both sides of roads, points in the middle of squares,
# setback lines inside parcels.
_ROADS = [shapely.LineString([(0, y), (2000, y)]) for y in range(0, 2000, 200)]
_ROADS += [shapely.LineString([(x, 5), (x, 1900)]) for x in range(37, 2000, 200)]
_SQUARES = [
    shapely.box(x, y, x + 500, y + 500) for x in range(0, 5000, 500) for y in range(0, 5000, 500)
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_ROADS, [road.buffer(15, cap_style="flat") for road in _ROADS]),
        (_ROADS, [edge for r in _ROADS for d in (-9, 9) for edge in [r.offset_curve(d)]]),
        (_SQUARES, [square.centroid for square in _SQUARES]),
        (_SQUARES, [square.buffer(-10, join_style="mitre") for square in _SQUARES]),
    ],
    ids=["corridors", "edges", "centres", "setbacks"],
)
def test_a_distance_kept_on_several_sides_is_no_shift(tmp_path, one, other) -> None:
    package = dirty_package.drawn(tmp_path, {"one": ("other", one), "other": ("other", other)})
    assert "shifted" not in {f.code for f in checked(package).findings}


def test_a_shift_of_regular_squares_is_found_all_the_same(tmp_path) -> None:
    package = dirty_package.drawn(
        tmp_path, {"one": ("other", _SQUARES), "other": ("other", _SQUARES[:40])}
    )
    fault = dirty_layers.plant_shift(package, "other", lambda xy: xy + np.array([-55.31, 12.74]))
    finding = found(checked(package), fault)
    assert finding.value == pytest.approx(np.hypot(55.31, 12.74), abs=0.1)


_ORIGIN = np.array([400_000.0, 4_030_000.0])


def _points(placed, name: str, xy):
    """A layer of points, made from another one."""
    entry = placed["water"].entry.model_copy(update={"id": name, "geometry": "point"})
    points, ids = shapely.points(xy), np.arange(len(xy)).astype(str).astype(object)
    return replace(placed["water"], entry=entry, ids=ids, shapes=points, placed=points, columns={})


def test_what_meets_dense_parcels_by_chance_is_no_shift(placed) -> None:
    rng = np.random.default_rng(4)
    layers = {"dense": _points(placed, "dense", rng.uniform(0, 2000, (80_000, 2)) + _ORIGIN)}
    loose = rng.uniform(700, 1300, (1000, 2)) + _ORIGIN
    layers["loose"] = _points(placed, "loose", loose)
    assert unshift(layers, 4548)[1] == ()


def test_a_search_among_dense_vertices_stays_within_memory(placed) -> None:
    rng = np.random.default_rng(1)
    dense = rng.uniform(0, 600, (150_000, 2)) + _ORIGIN
    layers = {
        "dense": _points(placed, "dense", dense),
        "loose": _points(placed, "loose", dense[:400] + np.array([1.7, 0.9])),
    }
    tracemalloc.start()
    _, findings = unshift(layers, 4548)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [f.layer for f in findings] == ["loose"]
    assert findings[0].value == pytest.approx(np.hypot(1.7, 0.9), abs=0.1)
    # 300 vertices and all others within 1 km are 45 million steps, some 3 GB.
    assert peak < 600e6
