"""Claims of the applicant: the closed list, its ranges, and who wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gis.claims import ATTRIBUTES, check_use, parse_attributes, parse_pairs, with_claims
from gis.errors import ClaimError
from gis.model import Area, CrsDecision, Site, Source

SITE = Site(
    "t",
    None,
    Area(1, 1),
    CrsDecision(4548, 4548, "given"),
    Source("wkt", "t", ""),  # type: ignore[arg-type]  # nothing reads it here
)


def test_every_agreed_attribute_is_known() -> None:
    # The list of the contract.
    assert set(ATTRIBUTES) == {
        "plot_ratio",
        "building_density",
        "green_rate",
        "admin_share",
        "height_m",
        "storeys",
        "floor_area_m2",
        "investment_wan",
        "emission_class",
        "public_interest",
        "key_project",
        "land_supply",
        "start_date",
    }


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"plot_ratio": "1.8"}, 1.8),
        ({"green_rate": 0.35}, 0.35),
        ({"emission_class": "low"}, "low"),
        ({"public_interest": "是"}, True),
        ({"public_interest": False}, False),
        ({"start_date": date(2021, 4, 2)}, "2021-04-02"),
    ],
)
def test_values_become_their_type(raw, value) -> None:
    assert list(parse_attributes(raw).values()) == [value]


@pytest.mark.parametrize(
    "raw",
    [
        {"plot_ratio": "nan"},
        {"plot_ratio": "inf"},
        {"plot_ratio": -1},
        {"green_rate": 35},
        {"emission_class": "none"},
        {"public_interest": "maybe"},
        {"start_date": "2021-13-01"},
        {"colour": "red"},
        {"plot_ratio": None},
    ],
)
def test_values_out_of_range_and_unknown_names_are_refused(raw) -> None:
    with pytest.raises(ClaimError):
        parse_attributes(raw)


def test_every_wrong_attribute_is_named_at_once() -> None:
    with pytest.raises(ClaimError) as caught:
        parse_attributes({"green_rate": 35, "colour": "red"})
    assert [f.where for f in caught.value.faults] == ["green_rate", "colour"]


def test_a_pair_without_separator_is_refused() -> None:
    with pytest.raises(ClaimError):
        parse_pairs(["plot_ratio"], separator="=")
    assert parse_pairs(["a=b=c"], separator="=") == {"a": "b=c"}


def test_a_code_of_another_scheme_is_no_use() -> None:
    assert check_use(" 080403 ") == "080403"
    for code in ("08H1", "0505K", "", "9999"):
        with pytest.raises(ClaimError):
            check_use(code)


def test_the_call_wins_over_the_file_and_other_claims_stay() -> None:
    of_file = replace(
        SITE, use="0803", claims={"plot_ratio": 1.0, "declared_area_m2": 5.0, "land_class": "0102"}
    )
    site = with_claims(of_file, "0804", {"plot_ratio": 2})
    assert site.use == "0804"
    assert site.claims == {
        "declared_area_m2": 5.0,
        "land_class": "0102",
        "plot_ratio": 2.0,
        "use": "0804",
    }
    assert with_claims(of_file, None, None).use == "0803"


def test_an_unknown_use_of_the_file_is_told_with_its_site() -> None:
    with pytest.raises(ClaimError, match="地块“t”的用途代码“9999”"):
        with_claims(replace(SITE, use="9999"), None, None)
    assert with_claims(replace(SITE, use="9999"), "080403", None).use == "080403"


@pytest.mark.parametrize(
    "raw", [{"height_m": "1_0"}, {"start_date": "20261122"}, {"start_date": "2026-W47-7"}]
)
def test_what_only_python_would_read_as_a_number_or_day_is_refused(raw) -> None:
    with pytest.raises(ClaimError, match="应为"):
        parse_attributes(raw)
