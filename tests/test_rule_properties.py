"""Laws that hold for every rule of the bundled book, whatever its kind and whoever wrote it.

Less data never gives a better answer, land under a prohibition never gives a better answer, and
nothing depends on the order in which rules, layers or features stand in their files.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from gis.canonical import canonical_json, decision_part
from gis.check import check_site
from gis.crs import ellipsoidal_area
from gis.engine import LayerIndex
from gis.intake import read_site
from gis.model import Area, CrsDecision, LayerState, Site, Source, Verdict
from gis.plan import Plan, load_plan
from gis.plan.samples import load_samples

AS_OF = date(2026, 11, 22)
GOOD = {Verdict.PASS, Verdict.CONDITIONAL}
# A project that has said all that it may be asked, so that nothing stays open for want of a claim.
CLAIMS = {
    "plot_ratio": 1.2,
    "building_density": 0.3,
    "green_rate": 0.36,
    "height_m": 20.0,
    "storeys": 6.0,
    "emission_class": "low",
    "land_supply": "granted",
}


def site_of(shape: shapely.Polygon, name: str = "地块") -> Site:
    area = Area(ellipsoidal_area(shape, 4548), shape.area)
    return Site(name, shape, area, CrsDecision(4548, 4548, "given"), Source("wkt", "", ""))


def checked(site: Site, plan: Plan, use: str | None):
    return check_site(site, plan, use=use, attributes=CLAIMS, as_of=AS_OF, remedies=False)


def with_layers(plan: Plan, indexes: Mapping[str, LayerIndex]) -> Plan:
    layers = {
        name: replace(layer, index=indexes.get(name, layer.index))
        for name, layer in plan.layers.items()
    }
    return Plan(plan.root, plan.file, layers, plan.rulebook)


@pytest.fixture(scope="module")
def sites(plan: Plan) -> list[tuple[Site, str | None]]:
    """Samples of every kind of verdict and two seeded squares in the core."""
    found = [(read_site(s.path, plan), s.use) for s in load_samples(plan)[:2]]
    random = np.random.default_rng(11)
    west, south, east, north = plan.layer("core").index.union.bounds
    for use in ("0701", "0803"):
        x, y = random.uniform(west, east), random.uniform(south, north)
        found.append((site_of(shapely.box(x, y, x + 150, y + 120)), use))
    return found


# --- missing layers -------------------------------------------------------------------------------

# fmt: off
LAYERS = (
    "resort", "towns", "core", "approval_area", "zones", "dev_boundary", "farmland", "redline",
    "landuse", "planned_use", "green_line", "blue_line", "purple_line", "yellow_line", "water",
    "river_range", "built_up", "roads", "railways", "power_lines", "projects",
    "detailed_parcels", "ownership", "pipelines", "heritage", "water_sources",
    "protected_areas", "wetlands", "geo_hazards", "minerals", "comprehensive_areas",
    "approvals", "unlawful_plots", "idle_plots", "checked_sites", "soil_sites", "grand_canal",
    "water_works", "water_protection",
)
# fmt: on


def missing(index: LayerIndex) -> LayerIndex:
    return LayerIndex(index.info, LayerState.NO_DATA, "测试")


@pytest.fixture(scope="module")
def full(plan: Plan, sites):
    return [checked(site, plan, use) for site, use in sites]


def test_every_layer_of_the_plan_is_taken_away_once(plan: Plan) -> None:
    assert set(LAYERS) == set(plan.layers)


@pytest.mark.parametrize("name", LAYERS)
def test_a_missing_layer_never_gives_a_better_answer(plan: Plan, sites, full, name: str) -> None:
    poor = with_layers(plan, {name: missing(plan.layer(name).index)})
    turn = LAYERS.index(name) % 2  # half of the sites each, so that every second layer shares them
    for (site, use), before in list(zip(sites, full, strict=True))[turn::2]:
        after = checked(site, poor, use)
        assert after.verdict not in GOOD or before.verdict in GOOD, (name, site.name, use)
        was = {f.rule: f.verdict for f in before.findings}
        for found in after.findings:
            if found.verdict in GOOD:
                open_ = was[found.rule] not in GOOD and was[found.rule] is not NOT_APPLICABLE
                assert not open_, (name, found.rule, was[found.rule], found.verdict)


NOT_APPLICABLE = Verdict.NOT_APPLICABLE


# --- prohibitions ---------------------------------------------------------------------------------


def prohibiting(plan: Plan) -> list[tuple[str, str, str | None]]:
    """Every rule in force that fails a site on some land: rule, layer, a class that it names."""
    return [
        (rule.id, rule.params.layer, (rule.params.classes or (None,))[0])
        for rule in plan.rulebook.in_force(AS_OF)
        if rule.kind == "forbid_overlap"
        and rule.params.outcome == "fail"
        and rule.params.measure == "area"
    ]


def grown(index: LayerIndex, shape: shapely.Polygon, cls: str | None) -> LayerIndex:
    """The layer with one feature more, last in the order of ids."""
    cls = cls.rstrip("*") if cls else "测试"
    return replace(
        index,
        ids=np.append(index.ids, "~"),
        classes=np.append(index.classes, cls),
        names=np.append(index.names, None),
        half_widths=np.append(index.half_widths, 0.0),
        geometries=np.append(index.geometries, shape),
        values={k: np.append(v, None) for k, v in index.values.items()},
    )


def test_land_under_a_prohibition_never_makes_an_answer_better(plan: Plan, sites, full) -> None:
    rules = prohibiting(plan)
    assert len(rules) >= 6
    worse = set()
    for turn, (rule, layer, cls) in enumerate(rules):
        (site, use), before = list(zip(sites, full, strict=True))[turn % len(sites)]
        west, south, east, north = site.geometry.bounds
        half = shapely.box(west - 1, south - 1, (west + east) / 2, north + 1)
        covered = with_layers(plan, {layer: grown(plan.layer(layer).index, half, cls)})
        after = checked(site, covered, use)
        assert after.verdict.rank >= before.verdict.rank, (rule, site.name, use)
        was, now = before.finding(rule).verdict, after.finding(rule).verdict
        if NOT_APPLICABLE not in (was, now):
            assert now.rank >= was.rank, (rule, site.name, use)
        if now.rank > was.rank:
            worse.add(rule)
    assert len(worse) >= 6, worse  # the test sees the prohibitions at all


@pytest.mark.parametrize("layer", ["farmland", "green_line", "yellow_line"])
def test_a_site_that_moves_into_a_prohibited_layer_is_judged_no_better_by_its_rules(
    plan: Plan, layer: str
) -> None:
    feature = max(plan.layer(layer).index.geometries, key=shapely.area)
    rules = {rule for rule, own, _ in prohibiting(plan) if own == layer}
    assert rules
    inside = feature.representative_point()
    west = feature.bounds[0]
    ranks: dict[str, list[int]] = {rule: [] for rule in rules}
    shares = []
    for x in np.linspace(west - 60.0, inside.x, 4):
        shape = shapely.box(x - 10, inside.y - 10, x + 10, inside.y + 10)
        union = shapely.union_all(plan.layer(layer).index.geometries)
        shares.append(shapely.intersection(shape, union).area / shape.area)
        check = checked(site_of(shape), plan, "0701")
        for rule in rules:
            ranks[rule].append(check.finding(rule).verdict.rank)
    order = np.argsort(shares, kind="stable")
    for rule, seen in ranks.items():
        by_share = [seen[i] for i in order]
        if -1 not in by_share:
            assert by_share == sorted(by_share), (rule, shares, seen)


# --- order ----------------------------------------------------------------------------------------


def bytes_of(site: Site, plan: Plan, use: str | None) -> str:
    return canonical_json(decision_part(checked(site, plan, use)))


def test_the_order_of_the_rules_changes_nothing(plan: Plan, sites) -> None:
    book = replace(plan.rulebook, rules=plan.rulebook.rules[::-1])
    turned = Plan(plan.root, plan.file, plan.layers, book)
    for site, use in sites[1:3]:
        assert bytes_of(site, turned, use) == bytes_of(site, plan, use)


def test_the_order_of_the_layers_changes_nothing(plan: Plan, sites) -> None:
    turned = Plan(plan.root, plan.file, dict(reversed(plan.layers.items())), plan.rulebook)
    for site, use in sites[1:3]:
        assert bytes_of(site, turned, use) == bytes_of(site, plan, use)


def test_the_order_of_the_features_in_their_files_changes_nothing(
    plan: Plan, sites, tmp_path: Path
) -> None:
    for name in ("plan.toml", "rules", "rasters", "projects.csv"):
        source = plan.root / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    (tmp_path / "shapefiles").mkdir()
    for entry in plan.file.layer:
        frame = pyogrio.read_dataframe(plan.root / entry.path, encoding="UTF-8")
        kind = {"polygon": "Polygon", "line": "LineString", "point": "Point"}[entry.geometry]
        frame = frame.iloc[::-1].reset_index(drop=True)
        pyogrio.write_dataframe(frame, tmp_path / entry.path, encoding="UTF-8", geometry_type=kind)
    turned = load_plan(tmp_path)
    for site, use in sites[1:3]:
        assert bytes_of(site, turned, use) == bytes_of(site, plan, use)
