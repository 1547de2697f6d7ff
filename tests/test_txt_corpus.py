"""Every variant and fault of the boundary-point TXT, file by file, as the table says by hand."""

from __future__ import annotations

import csv
import importlib
import re
from pathlib import Path

import pytest

from gis.crs import CrsPolicy
from gis.errors import InputError
from gis.intake.boundary.lint import Level, lint_boundary_txt
from gis.intake.read import read_sites

CORPUS = Path(__file__).parent / "corpus" / "txt"
POLICY = CrsPolicy(
    4548, (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509), (115.80, 36.22, 116.18, 36.47)
)
with (CORPUS / "expected.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))
NAMES = [row["file"] for row in ROWS]
ACCEPTED = [row for row in ROWS if row["outcome"] == "ok"]
REFUSED = [row for row in ROWS if row["outcome"] != "ok"]


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=[row["file"] for row in rows])


def data_of(row) -> bytes:
    return (CORPUS / row["file"]).read_bytes()


def places(faults) -> list[str]:
    """Places of faults as the table writes them: line numbers, + between two, * for the whole."""
    return ["+".join(re.findall(r"\d+", fault.where)) or "*" for fault in faults]


def test_there_are_at_least_sixty_files_and_each_has_one_row():
    assert len(NAMES) == len(set(NAMES)) >= 60
    assert {path.name for path in CORPUS.glob("*.txt")} == set(NAMES)


def test_the_script_builds_the_very_bytes_that_are_committed(monkeypatch):
    monkeypatch.syspath_prepend(str(CORPUS))
    built = importlib.import_module("make").build()
    assert set(built) == set(NAMES)
    assert [name for name in built if built[name] != (CORPUS / name).read_bytes()] == []


@named(ACCEPTED)
def test_a_variant_gives_the_plots_of_the_table(row):
    sites = read_sites(data_of(row), POLICY)
    expected = [part.partition("~") for part in row["planar_m2"].split()]
    assert len(sites) == len(expected)
    for site, (area, _, tolerance) in zip(sites, expected, strict=True):
        assert site.area.planar_m2 == pytest.approx(float(area), abs=float(tolerance or 1e-4))
    codes = {warning.code for site in sites for warning in site.warnings}
    assert codes == set(row["warnings"].split())


@named(REFUSED)
def test_a_fault_is_refused_with_its_code_and_lines(row):
    with pytest.raises(InputError) as error:
        read_sites(data_of(row), POLICY)
    assert (error.value.code, places(error.value.faults)) == (row["outcome"], row["faults"].split())


@named(ROWS)
def test_the_linter_finds_errors_exactly_where_the_door_refuses(row):
    report = lint_boundary_txt(data_of(row), POLICY)
    errors = [r for r in report.rows if r.level is Level.ERROR]
    assert bool(errors) == (row["outcome"] != "ok")
    told = sorted(places(r.fault for r in errors))
    if row["faults"]:
        assert set(told) >= set(row["faults"].split())
    warned = {r.code for r in report.rows if r.level is Level.WARNING}
    assert warned >= set(row["warnings"].split())
    if row["outcome"] == "ok":
        areas = [plot.planar_m2 for plot in report.plots if plot.planar_m2 is not None]
        sites = read_sites(data_of(row), POLICY)
        assert areas == [site.area.planar_m2 for site in sites]


@named(ROWS)
def test_a_file_cut_anywhere_is_read_or_refused_and_nothing_else(door_and_linter, row):
    data = data_of(row)
    for tenth in range(1, 10):
        cut = data[: len(data) * tenth // 10]
        taken, linted = door_and_linter(cut, POLICY)
        assert taken == linted
