"""Worse data never gives a better verdict: the law that the whole product stands on.

Each case spoils layers of the bundled plan in memory, checks the samples and seeded random
sites, and compares with the full data. `pass` or `conditional` may appear only where the full data
had given it too; a `fail` may become `undetermined`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely

from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex
from gis.intake import read_site
from gis.model import Area, CrsDecision, LayerState, Site, Source, Verdict
from gis.plan import Plan
from gis.plan.samples import load_samples

AS_OF = date(2026, 11, 22)
GOOD = {Verdict.PASS, Verdict.CONDITIONAL}
USES = ("080403", "0803", "0901", "100101", "1207", "1401", "0703", None)

Spoil = Callable[[LayerIndex], LayerIndex]


def kept(index: LayerIndex, mask: np.ndarray) -> LayerIndex:
    return replace(
        index,
        ids=index.ids[mask],
        classes=index.classes[mask],
        names=index.names[mask],
        half_widths=index.half_widths[mask],
        geometries=index.geometries[mask],
        values={name: column[mask] for name, column in index.values.items()},
    )


def missing(index: LayerIndex) -> LayerIndex:
    empty = kept(index, np.zeros(len(index), dtype=bool))
    return replace(empty, state=LayerState.NO_DATA, content_sha256=None)


def emptied(index: LayerIndex) -> LayerIndex:
    return kept(index, np.zeros(len(index), dtype=bool))


def without_classes_like(prefix: str) -> Spoil:
    def spoil(index: LayerIndex) -> LayerIndex:
        return kept(index, np.array([not str(c).startswith(prefix) for c in index.classes]))

    return spoil


def classes_set_to(value: str | None) -> Spoil:
    def spoil(index: LayerIndex) -> LayerIndex:
        return replace(index, classes=np.array([value] * len(index), dtype=object))

    return spoil


def half_unknown_class_over_the_rest(index: LayerIndex) -> LayerIndex:
    """Every second feature gets an unknown class, and a copy of the first one lies over all."""
    classes = index.classes.copy()
    classes[::2] = "ZZ"
    return replace(index, classes=classes)


def half_widths_unknown(index: LayerIndex) -> LayerIndex:
    return replace(index, half_widths=np.full(len(index), np.nan))


def spoiled(plan: Plan, changes: dict[str, Spoil]) -> Plan:
    layers = dict(plan.layers)
    for layer_id, spoil in changes.items():
        layer = layers[layer_id]
        layers[layer_id] = replace(layer, index=spoil(layer.index))
    return Plan(plan.root, plan.file, layers, plan.rulebook)


CASES: dict[str, dict[str, Spoil]] = {
    "land use without its fields": {"landuse": without_classes_like("01")},
    "land use empty": {"landuse": emptied},
    "land use without classes": {"landuse": classes_set_to(None)},
    "land use in unknown codes": {"landuse": classes_set_to("9999")},
    "land use of another scheme": {"landuse": half_unknown_class_over_the_rest},
    "zones without Z3": {"zones": without_classes_like("Z3")},
    "zones without classes": {"zones": classes_set_to(None)},
    "zones renamed": {"zones": classes_set_to("ZX")},
    "boundary without kinds": {"dev_boundary": classes_set_to(None)},
    "boundary of unknown kinds": {"dev_boundary": classes_set_to("499")},
    "boundary empty": {"dev_boundary": emptied},
    "roads without half widths": {"roads": half_widths_unknown},
    "roads without classes": {"roads": classes_set_to(None)},
    "railways missing": {"railways": missing},
    "power lines missing": {"power_lines": missing},
    "resort missing": {"resort": missing},
    "resort and boundary missing": {"resort": missing, "dev_boundary": missing},
    "farmland and zones missing": {"farmland": missing, "zones": missing},
    "all lines missing": dict.fromkeys(("green_line", "blue_line", "river_range"), missing),
}


@pytest.fixture(scope="module")
def sites(plan: Plan) -> list[tuple[Site, str | None, dict[str, object]]]:
    """The samples with uses and claims, and seeded squares in and around the resort."""
    found = [
        (read_site(s.path, plan, width_m=s.width_m), s.use, s.attributes)
        for s in load_samples(plan)
    ]
    random = np.random.default_rng(7)
    west, south, east, north = plan.layer("resort").index.union.bounds
    core = plan.layer("core").index.union.bounds
    for number in range(24):
        box = core if number % 2 else (west, south, east, north)
        x, y = random.uniform(box[0], box[2]), random.uniform(box[1], box[3])
        shape = shapely.box(x, y, x + random.uniform(30, 500), y + random.uniform(30, 500))
        area = Area(ellipsoidal_area(shape, 4548), shape.area)
        crs = CrsDecision(4548, 4548, "given")
        site = Site(f"s{number}", shape, area, crs, Source("wkt", "", ""))
        found.append((site, USES[number % len(USES)], {}))
    return found


@pytest.fixture(scope="module")
def full(plan: Plan, sites) -> list[Verdict]:
    return [verdict_of(site, plan, use, claims) for site, use, claims in sites]


def verdict_of(site: Site, plan: Plan, use: str | None, claims: dict[str, object]) -> Verdict:
    check = check_site(site, plan, use=use, attributes=claims, as_of=AS_OF, remedies=False)
    return check.verdict


def test_the_sites_are_a_fair_mixture(full: list[Verdict]) -> None:
    assert set(full) == set(Verdict) - {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("case", CASES)
def test_worse_data_never_gives_a_better_verdict(plan: Plan, sites, full, case: str) -> None:
    poor = spoiled(plan, CASES[case])
    for (site, use, claims), before in zip(sites, full, strict=True):
        after = verdict_of(site, poor, use, claims)
        assert after not in GOOD or before in GOOD, (case, site.name, use, before, after)
        assert after.rank >= before.rank or before is Verdict.FAIL, (case, site.name, use)
