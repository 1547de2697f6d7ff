"""The stack: pieces, dissolved ground and segments of many layers, kept on disk and mapped.

Expected areas come from GEOS and by hand; a kept stack must answer exactly like one just made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from test_engine_around import E, N, box, layer_of, line

from gis import load_plan
from gis.engine import LayerIndex, Stack, screen
from gis.engine.overlaps import overlaps
from gis.engine.stack import GROUND
from gis.engine.stack_file import cache_folders, checksum, key_of, read, stack_for, write
from gis.engine.subdivide import subdivide
from gis.model import LayerState


def star(corners: int, radius: float = 800.0) -> shapely.Polygon:
    """A polygon of many corners with five deep bays and one hole."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    radii = radius * (0.7 + 0.3 * np.sin(5 * angles))
    xy = np.column_stack([E + np.cos(angles) * radii, N + np.sin(angles) * radii])
    return shapely.Polygon(xy).difference(shapely.Point(E, N).buffer(50))


ZONES = layer_of("zones", ("a", "x", box(-500, -500, 0, 500)), ("b", "y", box(0, -500, 500, 500)))
BELTS = layer_of("belts", ("a", "x", box(-60, -60, 60, 60)), ("b", "x", box(0, 0, 120, 120)))
ROADS = layer_of(
    "roads",
    ("r1", "国道", line((-100, 300), (0, 300), (100, 320))),
    ("r2", "县道", shapely.union(line((0, -90), (50, -90)), line((0, -200), (50, -200)))),
    geometry="line",
    halves=[10.0, float("nan")],
)
LAYERS = [ZONES, BELTS, ROADS, layer_of("empty")]


# --- subdividing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("corners", [20, 400, 20_000])
def test_pieces_are_small_and_cover_the_same_land_once(corners: int) -> None:
    shape = star(corners)
    pieces, owner = subdivide(np.array([box(0, 0, 1, 1), shape], dtype=object))
    assert shapely.get_num_coordinates(pieces).max() <= 128
    assert sorted(set(owner)) == [0, 1]
    own = pieces[owner == 1]
    assert shapely.is_valid(own).all()
    assert shapely.area(own).sum() == pytest.approx(shape.area, abs=1e-6)
    assert shapely.union_all(own).symmetric_difference(shape).area < 1e-6


def test_parts_and_small_polygons_stay_as_they_are() -> None:
    two = shapely.union(box(0, 0, 10, 10), box(20, 0, 30, 10))
    pieces, owner = subdivide(np.array([two, box(50, 0, 60, 10)], dtype=object))
    assert owner.tolist() == [0, 0, 1]
    assert [p.area for p in pieces] == [100.0, 100.0, 100.0]


def test_a_polygon_whose_edges_run_along_the_cuts_keeps_its_area() -> None:
    teeth = [box(x, 0, x + 1, 100 if x % 2 else 50) for x in range(200)]
    comb = shapely.union_all(teeth)
    pieces, _ = subdivide(np.array([comb], dtype=object), 16)
    assert shapely.area(pieces).sum() == pytest.approx(15_000, abs=1e-9)
    assert shapely.is_valid(pieces).all()


def test_nothing_has_no_pieces() -> None:
    pieces, owner = subdivide(np.array([], dtype=object))
    assert len(pieces) == len(owner) == 0


# --- the stack -----------------------------------------------------------------------------------


def test_layers_that_overlap_have_ground_of_their_own() -> None:
    stack = Stack.of(LAYERS)
    assert stack.ids == ["zones", "belts", "roads", "empty"]
    assert stack.disjoint.tolist() == [True, False, True, True]
    belts = stack.layer == 1
    assert stack.feature[belts].tolist() == [0, 1, GROUND]
    assert stack.bears_land[belts].tolist() == [False, False, True]
    ground = shapely.area(stack.shapes[belts & stack.bears_land]).sum()
    assert ground == 120 * 120 * 2 - 60 * 60  # both squares, the common quarter once


def test_a_layer_that_cannot_be_read_is_not_in_the_stack() -> None:
    broken = replace(ZONES, state=LayerState.FAILED)
    assert Stack.of([broken, BELTS]).ids == ["belts"]
    assert len(Stack.of([]).layer) == 0


def test_lines_are_segments_with_the_half_width_of_their_feature() -> None:
    segments = Stack.of(LAYERS).segments
    assert segments.feature.tolist() == [0, 0, 1, 1]
    assert segments.layer.tolist() == [2, 2, 2, 2]
    assert segments.half_width[:2].tolist() == [10.0, 10.0]
    assert np.isnan(segments.half_width[2:]).all()
    assert (segments.ends[0] - [E, N, E, N]).tolist() == [-100, 300, 0, 300]


# --- on disk -------------------------------------------------------------------------------------

SITES = np.array([box(-30, -30, 40, 40), box(400, 400, 600, 600), star(300, 90.0)], dtype=object)


def same(one: Stack, two: Stack) -> bool:
    found = [overlaps(SITES, stack) for stack in (one, two)]
    equal = all(a.tobytes() == b.tobytes() for a, b in zip(*found, strict=True))
    return equal and screen(SITES, one) == screen(SITES, two)


def large() -> list[LayerIndex]:
    ring = box(700, 0, 800, 100).difference(box(720, 20, 740, 40))
    shapes = layer_of("shapes", ("r", None, ring), ("s", None, star(5_000)))
    return [*LAYERS, replace(shapes, content_sha256="s")]


def test_a_kept_stack_answers_byte_for_byte_the_same(tmp_path: Path) -> None:
    made = stack_for(large(), [tmp_path])
    kept = read(tmp_path / str(key_of(large())))
    assert kept is not None
    assert isinstance(kept.edges.rows, np.memmap)
    assert same(made, kept)
    for one, two in zip(made.shapes, kept.shapes, strict=True):
        assert one.equals(two)
    assert shapely.get_num_interior_rings(kept.shapes).sum() > 0


def test_a_changed_layer_is_another_stack_and_the_old_one_goes(tmp_path: Path) -> None:
    stack_for(large(), [tmp_path])
    changed = [replace(BELTS, content_sha256="other"), *large()[2:]]
    stack_for(changed, [tmp_path])
    assert key_of(changed) != key_of(large())
    assert [p.name for p in tmp_path.iterdir()] == [key_of(changed)]


@pytest.mark.parametrize("state", [LayerState.NO_DATA, LayerState.FAILED])
def test_a_layer_that_is_gone_is_another_stack(state: LayerState) -> None:
    gone = replace(layer_of("belts"), state=state, content_sha256=None)
    assert key_of([ZONES, gone]) not in (None, key_of([ZONES, BELTS]))


def test_a_layer_without_a_hash_is_not_kept(tmp_path: Path) -> None:
    stack_for([replace(ZONES, content_sha256=None)], [tmp_path])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "fault", ["short", "flipped", "missing", "header", "other shape", "format"]
)
def test_a_damaged_stack_is_made_anew_and_mended(tmp_path: Path, fault: str) -> None:
    made = stack_for(large(), [tmp_path])
    place = tmp_path / str(key_of(large()))
    rows, header = place / "edges_rows.npy", place / "stack.json"
    data = rows.read_bytes()
    if fault == "short":
        rows.write_bytes(data[:-8])
    elif fault == "flipped":
        rows.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    elif fault == "missing":
        (place / "layer.npy").unlink()
    elif fault == "header":
        header.write_text("{", encoding="utf-8")
    elif fault == "other shape":
        np.save(rows, np.load(rows)[:-1])
    else:
        text = json.loads(header.read_text(encoding="utf-8")) | {"format": 0}
        header.write_text(json.dumps(text), encoding="utf-8")
    assert read(place) is None
    assert same(stack_for(large(), [tmp_path]), made)
    assert read(place) is not None


@pytest.mark.parametrize("at", [0, 1_000_003, 5_555_555, 9_999_999])
def test_the_checksum_sees_one_byte_anywhere_in_a_large_array(at: int) -> None:
    array = np.zeros(10_000_000, dtype=np.uint8)
    plain = checksum(array)
    array[at] = 1
    assert checksum(array) != plain


def test_what_a_killed_writer_left_goes_after_a_day_and_a_living_one_is_left_alone(
    tmp_path: Path,
) -> None:
    for name, age in ((".old.x", 90_000), (".new.x", 60)):
        (tmp_path / name).mkdir()
        changed = time.time() - age
        os.utime(tmp_path / name, (changed, changed))
    stack_for(large(), [tmp_path])
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([".new.x", str(key_of(large()))])


def test_where_one_folder_cannot_be_written_the_next_is_used(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    stack_for(large(), [blocked, tmp_path / "cache"])
    assert read(tmp_path / "cache" / str(key_of(large()))) is not None
    assert same(stack_for(large(), [blocked]), Stack.of(large()))


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    code = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_engine_stack import large
        from gis.engine.stack_file import stack_for
        for _ in range(5):
            stack_for(large(), [Path({str(tmp_path)!r})])
        """
    )
    workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert [p.name for p in tmp_path.iterdir()] == [key_of(large())]
    assert read(tmp_path / str(key_of(large()))) is not None


def test_a_stack_that_another_process_wrote_first_stays(tmp_path: Path) -> None:
    stack = Stack.of(large())
    key = str(key_of(large()))
    first = write(stack, tmp_path, key)
    before = first.stat().st_ino
    write(stack, tmp_path, key)
    assert first.stat().st_ino == before


def test_a_kept_stack_tells_layers_whether_they_are_coverages(
    tmp_path: Path, scarce_dir, monkeypatch
) -> None:
    fresh = [replace(layer) for layer in LAYERS]
    kept = Stack.of(LAYERS)
    monkeypatch.setattr("gis.plan.area.FROM_VERTICES", 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    squares = [(f"Z{n}", shapely.box(n * 300, 0, n * 300 + 300, 900)) for n in range(3)]
    folder = scarce_dir(layers={"zones": squares})
    assert load_plan(folder).prepare().layers["zones"].index.is_coverage

    def found_out(geometries, *_, **__):
        assert len(geometries) < 2, "found out once more"
        return True

    monkeypatch.setattr(shapely, "coverage_is_valid", found_out)
    kept.tell(fresh)
    assert [layer.is_coverage for layer in fresh[:2]] == [True, False]
    assert load_plan(folder).prepare().layers["zones"].index.is_coverage


def test_a_plan_has_two_places_for_its_stack(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    beside, users = cache_folders(tmp_path / "plan")
    assert beside == tmp_path / "plan" / ".index"
    assert users.is_relative_to(tmp_path / "cache")
    assert users != cache_folders(tmp_path / "other")[1]
