"""The zone x use matrix against the stated functions of the five zones."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis.rulebook import land_classes, load_rulebook
from gis.rulebook.kinds.use import cell_for, zones_of
from gis.rulebook.schema import UsePermitted

DATA = Path(__file__).resolve().parents[1] / "data"
RULE = load_rulebook(("rules/zones.toml", "rules/local.toml"), DATA).rule("plan.zone-use")
MATRIX: UsePermitted = RULE.params

NAMES = {
    "Z1": "休闲旅游度假功能区",
    "Z2": "医养大健康产业功能区",
    "Z3": "“双碳”科技产业示范区",
    "Z4": "黄河生态现代农业示范区",
    "Z5": "高端智慧生活区",
}


def said(zone: str, use: str) -> str:
    """What the matrix answers: the verdict, ``assumed ...`` where assumed, or ``unnamed``."""
    cell = cell_for(MATRIX, zone, use)
    if cell is None:
        return "unnamed"
    return f"assumed {cell.verdict}" if cell.origin == "assumption" else cell.verdict


def test_all_five_zones_have_their_name_and_cells() -> None:
    assert MATRIX.zone_names == NAMES
    assert zones_of(MATRIX) == tuple(NAMES)
    assert (RULE.origin, RULE.effect_verified) == ("plan", True)


@pytest.mark.parametrize(
    ("zone", "use", "expected"),
    [
        # Z1: city-wide leisure, tourist destination; lake area and hot-spring town.
        ("Z1", "0903", "permitted"),
        ("Z1", "090104", "permitted"),
        ("Z1", "0901", "permitted"),
        ("Z1", "1401", "permitted"),
        ("Z1", "1702", "permitted"),
        ("Z1", "0701", "unnamed"),
        ("Z1", "1001", "assumed prohibited"),
        # Z2: R&D first, manufacturing as core, third-party services; medical care.
        ("Z2", "0802", "permitted"),
        ("Z2", "100101", "permitted"),
        ("Z2", "1001", "conditional"),
        ("Z2", "100102", "conditional"),
        ("Z2", "100103", "assumed prohibited"),
        ("Z2", "0902", "permitted"),
        ("Z2", "080601", "permitted"),
        ("Z2", "080701", "permitted"),
        ("Z2", "080403", "unnamed"),
        ("Z2", "0903", "unnamed"),
        # Z3: intelligent manufacturing and modern IT, zero or low emission only.
        ("Z3", "1001", "conditional"),
        ("Z3", "100103", "conditional"),
        ("Z3", "0802", "conditional"),
        ("Z3", "0902", "conditional"),
        ("Z3", "0701", "assumed prohibited"),
        ("Z3", "080403", "unnamed"),
        # Z4: facility, leisure and sightseeing agriculture, rural e-commerce; ponds and flowers.
        ("Z4", "0602", "permitted"),
        ("Z4", "060201", "permitted"),
        ("Z4", "0201", "permitted"),
        ("Z4", "0103", "permitted"),
        ("Z4", "1101", "conditional"),
        ("Z4", "0901", "conditional"),
        ("Z4", "0903", "conditional"),
        ("Z4", "1704", "permitted"),
        ("Z4", "1001", "assumed prohibited"),
        ("Z4", "0804", "unnamed"),
        # Z5: living quarter with schools, hospital, museum; services, education, public resources.
        ("Z5", "070102", "permitted"),
        ("Z5", "0702", "permitted"),
        ("Z5", "080403", "permitted"),
        ("Z5", "0803", "permitted"),
        ("Z5", "080601", "permitted"),
        ("Z5", "0901", "permitted"),
        ("Z5", "1001", "assumed prohibited"),
        ("Z5", "1102", "unnamed"),
    ],
)
def test_a_cell_follows_the_stated_function(zone: str, use: str, expected: str) -> None:
    assert said(zone, use) == expected


@pytest.mark.parametrize("zone", NAMES)
@pytest.mark.parametrize("use", ["1207", "1301", "1402", "0103"])
def test_roads_utilities_green_and_ploughing_are_welcome_everywhere(zone: str, use: str) -> None:
    assert said(zone, use) in ("permitted", "assumed permitted")


def test_only_the_carbon_zone_asks_for_the_emission_class() -> None:
    asking = [c for c in MATRIX.cells if c.attribute]
    assert {z for c in asking for z in c.zones} == {"Z3"}
    for cell in asking:
        assert cell.attribute == "emission_class"
        assert cell.accepted == ("zero", "low")
        assert cell.refused == ("normal",)
    # Every way to write industry or R&D in Z3 meets such a cell, whatever its digits.
    for use in ("1001", "100101", "100102", "100103", "0802"):
        cell = cell_for(MATRIX, "Z3", use)
        assert cell is not None
        assert cell.attribute == "emission_class"


def test_every_cell_cites_a_phrase_and_every_code_exists() -> None:
    uses = land_classes.uses()
    for cell in MATRIX.cells:
        assert cell.phrase
        assert cell.origin in ("plan", "assumption")
        assert set(cell.zones) <= set(NAMES)
        assert all(uses.exists(code) for code in cell.uses)


def test_no_stated_function_prohibits_anything_by_itself() -> None:
    # The zones say what they are for, not what they exclude; only "zero or low emission" does.
    for cell in MATRIX.cells:
        if cell.verdict == "prohibited":
            assert cell.origin == "assumption"
