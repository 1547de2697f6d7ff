"""The table of boundary points, by hand: numbers, order, sides."""

from __future__ import annotations

import shapely

from gis.output.report import boundary
from gis.output.report.boundary import boundary_table

EAST, NORTH = 408_000.0, 4_030_000.0


def lines(table) -> list[tuple[str, ...]]:
    """Both halves of the table, one below the other."""
    texts = [[cell.text for cell in row] for row in table.rows]
    halves = [row[:5] for row in texts] + [row[5:] for row in texts]
    return [tuple(half) for half in halves if half[0]]


def test_a_rectangle_begins_in_the_north_west_and_runs_clockwise() -> None:
    # 300 m east-west, 400 m north-south; X is the northing.
    site = shapely.box(EAST, NORTH, EAST + 300, NORTH + 400)
    assert lines(boundary_table(site, 4548)) == [
        ("J1", "1", "4030400.000", "408000.000", "300.00"),
        ("J2", "1", "4030400.000", "408300.000", "400.00"),
        ("J3", "1", "4030000.000", "408300.000", "300.00"),
        ("J4", "1", "4030000.000", "408000.000", "400.00"),
    ]


def test_a_slanted_side_is_measured_in_the_plane() -> None:
    # 3-4-5: from (0, 40) to (30, 0) it is 50 m.
    site = shapely.Polygon([(EAST, NORTH), (EAST, NORTH + 40), (EAST + 30, NORTH)])
    sides = {line[0]: line[4] for line in lines(boundary_table(site, 4548))}
    assert sides == {"J1": "50.00", "J2": "30.00", "J3": "40.00"}


def test_numbers_run_on_through_holes_and_parts() -> None:
    outer = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
    hole = shapely.box(EAST + 40, NORTH + 40, EAST + 60, NORTH + 60)
    other = shapely.box(EAST + 200, NORTH, EAST + 300, NORTH + 100)
    site = shapely.MultiPolygon([outer.difference(hole), other])
    told = lines(boundary_table(site, 4548))
    assert [line[0] for line in told] == [f"J{n}" for n in range(1, 13)]
    assert [line[1] for line in told] == ["1"] * 4 + ["2"] * 4 + ["3"] * 4
    # The hole runs the other way round: from its north-west point southward.
    assert told[4][2:4] == ("4030060.000", "408040.000")
    assert told[5][2:4] == ("4030040.000", "408040.000")


def test_an_odd_number_of_points_leaves_the_last_place_empty() -> None:
    site = shapely.Polygon([(EAST, NORTH), (EAST, NORTH + 40), (EAST + 30, NORTH)])
    table = boundary_table(site, 4548)
    assert len(table.rows) == 2
    assert {cell.text for cell in table.rows[1][5:]} == {""}


def test_points_that_are_left_out_are_counted(monkeypatch) -> None:
    monkeypatch.setattr(boundary, "MOST_POINTS", 3)
    site = shapely.box(EAST, NORTH, EAST + 300, NORTH + 400)
    table = boundary_table(site, 4548)
    assert len(lines(table)) == 3
    assert "共 4 点，余下 1 点未列" in table.note


def test_the_note_names_crs_and_central_meridian() -> None:
    note = boundary_table(shapely.box(EAST, NORTH, EAST + 1, NORTH + 1), 4548).note
    assert "EPSG:4548" in note
    assert "中央经线 117°" in note
