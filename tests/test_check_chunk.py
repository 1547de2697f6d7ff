"""Many sites at once, and with every overlap built: the same decisions as one by one."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import date
from itertools import zip_longest

import numpy as np
import pytest
import shapely

from gis.canonical import canonical_json, decision_part, to_dict
from gis.check import check_chunk, check_site
from gis.crs import ellipsoidal_area
from gis.engine import Screened, screen
from gis.errors import OutsidePlanError
from gis.intake import read_site
from gis.model import Area, Contact, CrsDecision, Site, SiteCheck, Source
from gis.plan import Plan
from gis.plan.samples import load_samples

USES = ("0803", "070102", "100101", "0901", None)


def blob(random: np.random.Generator, x: float, y: float) -> shapely.Polygon:
    count = int(random.integers(5, 41))
    angles = np.sort(random.uniform(0, 2 * np.pi, count))
    radii = random.uniform(0.7, 1.3, count) * 10 ** random.uniform(1.2, 2.5)
    return shapely.Polygon(
        np.column_stack([x + np.cos(angles) * radii, y + np.sin(angles) * radii])
    )


def shapes(plan: Plan, count: int) -> Iterator[shapely.Geometry]:
    """Blobs all over the resort; every fifth has a hole, every seventh two parts."""
    random = np.random.default_rng(6)
    area = plan.with_role("planning_area")[0].index.union
    west, south, east, north = area.bounds
    made = 0
    while made < count:
        x, y = random.uniform(west, east), random.uniform(south, north)
        shape: shapely.Geometry = blob(random, x, y)
        if not shape.is_valid or not area.intersects(shape):
            continue
        if made % 5 == 0:
            shape = shape.difference(shape.centroid.buffer(5))
        if made % 7 == 0:
            shape = shape.union(blob(random, x + 900, y).buffer(0))
        made += 1
        yield shape


def edges(plan: Plan) -> Iterator[shapely.Geometry]:
    """Sites along what others have drawn: the edge of the plan, features and their parts."""
    random = np.random.default_rng(9)
    border = plan.with_role("planning_area")[0].index.union.boundary
    for _ in range(12):
        place = border.interpolate(random.uniform(0, border.length))
        yield blob(random, place.x, place.y)
    for role in ("landuse", "zone", "dev_boundary", "farmland"):
        shapes = plan.with_role(role)[0].index.geometries
        for n in random.choice(len(shapes), 3):
            feature = max(shapely.get_parts(shapes[n]), key=lambda p: p.area)
            yield feature
            place = feature.representative_point()
            cut = shapely.intersection(feature, blob(random, place.x, place.y))
            yield max(shapely.get_parts(cut), key=lambda p: p.area)


def site_of(shape: shapely.Geometry, plan: Plan, use: str | None) -> Site:
    area = Area(ellipsoidal_area(shape, plan.work_epsg), shape.area)
    crs = CrsDecision(plan.work_epsg, plan.work_epsg, "given")
    return Site("地块", shape, area, crs, Source("wkt", "test", ""), use=use)


@pytest.fixture(scope="module")
def sites(plan: Plan) -> list[Site]:
    drawn = [site_of(s, plan, USES[n % 5]) for n, s in enumerate(shapes(plan, 40))]
    drawn += [site_of(s, plan, USES[n % 5]) for n, s in enumerate(edges(plan)) if s.is_valid]
    samples = [read_site(s.path, plan, name=s.name, width_m=s.width_m) for s in load_samples(plan)]
    return [*drawn, *samples]


@pytest.fixture(scope="module")
def one_by_one(sites: list[Site], plan: Plan, as_of: date) -> list[SiteCheck]:
    return [check_site(site, plan, as_of=as_of, remedies=False) for site in sites]


@pytest.mark.parametrize("drawn", [False, True])
def test_a_check_leaves_nothing_to_the_garbage_collector(
    sites, one_by_one, plan, as_of, drawn
) -> None:
    assert len(one_by_one) == len(sites)  # whatever is kept for all sites is there by now
    gc.collect()
    gc.disable()
    try:
        for site in sites:
            check_site(site, plan, as_of=as_of, remedies=False, geometry=drawn)
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


def test_a_chunk_decides_the_same_byte_for_byte(sites, one_by_one, plan, as_of) -> None:
    together = list(check_chunk(sites, plan, as_of=as_of))
    assert [canonical_json(decision_part(c)) for c in together] == [
        canonical_json(decision_part(c)) for c in one_by_one
    ]
    assert len({c.verdict for c in together}) == 3


def test_the_order_of_a_chunk_decides_nothing(sites, one_by_one, plan, as_of) -> None:
    backwards = list(check_chunk(sites[::-1], plan, as_of=as_of))
    assert [c.digest for c in backwards[::-1]] == [c.digest for c in one_by_one]


def test_a_chunk_draws_nothing(sites, one_by_one, plan, as_of) -> None:
    document = to_dict(next(check_chunk(sites, plan, as_of=as_of)))
    assert document["site"]["geometry"] is None
    assert not any("geometry" in row for row in [*document["findings"], *document["contacts"]])
    shown = [to_dict(check) for check in one_by_one]
    assert any("geometry" in row for d in shown for row in d["findings"])


def test_an_empty_chunk_is_no_check(plan: Plan, as_of: date) -> None:
    assert list(check_chunk([], plan, as_of=as_of)) == []


def test_a_site_far_away_is_refused_when_its_turn_comes(sites, plan, as_of) -> None:
    far = site_of(shapely.box(4.0e5, 3.0e6, 4.001e5, 3.0001e6), plan, None)
    checks = check_chunk([sites[0], far], plan, as_of=as_of)
    assert next(checks).digest
    with pytest.raises(OutsidePlanError):
        next(checks)


def test_with_every_overlap_built_verdicts_are_equal_and_areas_within_1e_5(
    sites: list[Site], one_by_one: list[SiteCheck], plan: Plan, as_of: date
) -> None:
    outlines = np.array([site.geometry for site in sites], dtype=object)
    for site, before, met in zip(
        sites, one_by_one, screen(outlines, plan.stack, mode="geos"), strict=True
    ):
        built = check_site(site, plan, as_of=as_of, remedies=False, met=met)
        assert agrees(built, before) == []
    assert sum(len(check.contacts) for check in one_by_one) > 500


def agrees(built: SiteCheck, before: SiteCheck) -> list[object]:
    """What is not equal in two checks.

    Areas, up to 134 km² here, may differ by 1e-5 m² (found: 9e-7), sizes of contacts by 1e-6 m² and
    1e-6 m, budgets by the bound of a factor that is linear across the site (``engine.areal``).
    """
    found: list[object] = []
    for one, two in zip(built.findings, before.findings, strict=True):
        same = (one.rule, one.verdict, one.reason) == (two.rule, two.verdict, two.reason)
        a, b = one.measure.value if one.measure else 0, two.measure.value if two.measure else 0
        if not same or abs(a - b) > 1e-5:
            found.append((one, two))
    for left, right in zip(built.evidence, before.evidence, strict=True):
        same_ids = (left.layer, left.cls, left.feature_ids) == (
            right.layer,
            right.cls,
            right.feature_ids,
        )
        if not same_ids or abs((left.area_m2 or 0.0) - (right.area_m2 or 0.0)) > 1e-5:
            found.append((left, right))
    for one, two in zip(built.impact, before.impact, strict=True):
        a, b = one.area_m2 or 0.0, two.area_m2 or 0.0
        bound = 1e-4 + 1e-7 * before.site.area.ellipsoidal_m2
        if one.text != two.text or a != pytest.approx(b, abs=bound):
            found.append((one, two))
    for touch, known in zip_longest(built.contacts, before.contacts):
        if not touch or not known or not is_same_contact(touch, known):
            found.append((touch, known))
    return found


def is_same_contact(one: Contact, two: Contact) -> bool:
    named = (one.layer, one.rule) == (two.layer, two.rule)
    apart = max(abs(one.area_m2 - two.area_m2), abs(one.width_m - two.width_m))
    return named and apart <= 1e-6


def test_the_screening_finds_what_geos_finds(sites: list[Site], plan: Plan) -> None:
    outlines = np.array([site.geometry for site in sites], dtype=object)
    both: list[list[Screened]] = [
        screen(outlines, plan.stack, mode=mode) for mode in ("kernel", "geos")
    ]
    for site, met, built in zip(sites, *both, strict=True):
        assert {k: sorted(m.areas) for k, m in met.items()} == {
            k: sorted(m.areas) for k, m in built.items()
        }
        for layer, own in met.items():
            index = plan.layers[layer].index
            for position, area in own.areas.items():
                overlap = shapely.intersection(site.geometry, index.geometries[position])
                assert area == pytest.approx(overlap.area, abs=1e-5)
                assert built[layer].areas[position] == pytest.approx(overlap.area, abs=1e-5)
