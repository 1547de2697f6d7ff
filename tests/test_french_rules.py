"""The rule book of the French plan: kinds of rule that know nothing of one country.

Expected areas, lengths and counts come from the published files with pyogrio and plain shapely,
ellipsoidal areas from ``pyproj.Geod``; nothing here asks the toolkit what to expect.
"""

from __future__ import annotations

import shutil
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from gis.check import check_site
from gis.intake import read_site
from gis.model import Finding, SiteCheck, Verdict
from gis.plan import Plan, load_plan

AS_OF = date(2026, 11, 22)
GRS80 = pyproj.Geod(ellps="GRS80")
TO_DEGREES = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)


@cache
def raw(root: Path, name: str):
    return pyogrio.read_dataframe(root / "layers" / f"30014_{name}_20171013.shp")


def ellipsoidal(shape) -> float:
    """Area on GRS80 of a planar shape, its edges followed in steps of a metre."""

    def degrees(ring: np.ndarray) -> np.ndarray:
        return np.column_stack(TO_DEGREES.transform(ring[:, 0], ring[:, 1]))

    moved = shapely.transform(shapely.segmentize(shape, 1.0), degrees)
    return abs(GRS80.geometry_area_perimeter(shapely.orient_polygons(moved))[0])


def judged(plan: Plan, shape, use: str | None = "0701", **attributes: object) -> SiteCheck:
    site = read_site(f"SRID=2154;{shape.wkt}", plan)
    return check_site(site, plan, use=use, attributes=attributes or None, as_of=AS_OF)


def square(x: float, y: float, half: float) -> shapely.Polygon:
    return shapely.box(x - half, y - half, x + half, y + half)


@pytest.fixture(scope="module")
def french(french_plan_dir: Path) -> Plan:
    return load_plan(french_plan_dir)


@pytest.fixture(scope="module")
def filled(french_plan_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The plan of a bureau that has the written regulation and a file of the main roads."""
    root = tmp_path_factory.mktemp("filled") / "plan"
    shutil.copytree(french_plan_dir, root, symlinks=True)
    values = [("plu.height-u", 9.0), ("plu.footprint-u", 0.4), ("plu.landscape-share", 0.25)]
    (root / "rules" / "reglement.toml").write_text(
        "\n".join(
            f'[[parameter_value]]\nparameter = "{name}"\nvalue = {value}\nsource = "test"'
            for name, value in values
        ),
        encoding="utf-8",
    )
    text = (root / "plan.toml").read_text(encoding="utf-8")
    text = text.replace('["rules/plu.toml"]', '["rules/plu.toml", "rules/reglement.toml"]')
    text = text.replace("layers/ROUTES.geojson", "routes.shp")
    (root / "plan.toml").write_text(text, encoding="utf-8")
    roads(root / "routes.shp", french_plan_dir)
    return load_plan(root)


def in_plan(root: Path, site) -> bool:
    """Whether the plan knows all of a place; between its zones there are gaps of nobody."""
    return bool(shapely.covers(whole(root), site))


@cache
def whole(root: Path):
    return raw(root, "ZONE_URBA").union_all()


@cache
def fields(root: Path) -> shapely.Point:
    """The middle of the widest open ground of the sectors A and Ap without any prescription."""
    zones, marks = raw(root, "ZONE_URBA"), raw(root, "PRESCRIPTION_SURF")
    farmed = zones[zones.TYPEZONE == "A"].union_all()
    others = zones[zones.TYPEZONE != "A"].union_all()
    ground = farmed.difference(others).difference(marks.union_all())
    return shapely.maximum_inscribed_circle(ground, tolerance=1.0).interpolate(0.0)


def roads(path: Path, root: Path) -> None:
    """Write one main road 75 m east of a square of 20 m, and one of no class of the law."""
    import geopandas

    middle = fields(root)
    lines = [
        shapely.LineString([(middle.x + dx, middle.y - 900), (middle.x + dx, middle.y + 900)])
        for dx in (85.0, -12.0)
    ]
    data = {"CLASSE": ["grande circulation", "autre"], "NOM": ["D 981", "C 4"]}
    geopandas.GeoDataFrame(data, geometry=lines, crs=2154).to_file(path, encoding="UTF-8")


# --- nothing of the plan is left out --------------------------------------------------------------


def test_every_letter_of_the_plan_has_a_name_and_every_code_a_rule(french: Plan, french_plan_dir):
    rules = {rule.id: rule.params for rule in french.rulebook.rules}
    letters = set(raw(french_plan_dir, "ZONE_URBA").LIBELLE)
    assert set(rules["plu.zone-use"].zone_names) == letters
    for name, layer in (
        ("PRESCRIPTION_SURF", "prescriptions"),
        ("PRESCRIPTION_LIN", "prescription_lines"),
        ("PRESCRIPTION_PCT", "heritage_points"),
        ("INFO_PCT", "info_points"),
    ):
        codes = {str(code) for code in raw(french_plan_dir, name)[code_field(name)]}
        judged_codes = {c for p in rules.values() if p.layer == layer for c in p.classes}
        assert codes == judged_codes, layer


def code_field(name: str) -> str:
    return "TYPEINF" if name.startswith("INFO") else "TYPEPSC"


def test_eight_kinds_of_rule_judge_a_plan_that_none_of_them_was_written_for(french: Plan) -> None:
    assert {rule.kind for rule in french.rulebook.rules} == {
        "require_within",
        "use_permitted",
        "convert",
        "forbid_overlap",
        "share_limit",
        "min_distance",
        "attribute_limit",
        "document_required",
    }


# --- areas ----------------------------------------------------------------------------------------

AREAS = [
    ("plu.classified-woodland", "01", Verdict.FAIL),
    ("plu.reserved-site", "05", Verdict.CONDITIONAL),
    ("plu.limited-sector", "16", Verdict.CONDITIONAL),
    ("plu.guidance", "18", Verdict.CONDITIONAL),
    ("plu.stream-bank", "99", Verdict.UNDETERMINED),  # what it forbids is not in the package
]


@pytest.mark.parametrize(("rule", "code", "verdict"), AREAS)
def test_a_prescription_is_measured_and_judged_by_its_code(
    french: Plan, french_plan_dir: Path, rule: str, code: str, verdict: Verdict
) -> None:
    marks = raw(french_plan_dir, "PRESCRIPTION_SURF")
    marks = marks[code == marks.TYPEPSC]
    for shape in marks.geometry.iloc[:3]:
        place = shape.representative_point()
        site = square(place.x, place.y, 40.0)
        expected = ellipsoidal(marks.union_all().intersection(site))
        found = judged(french, site).finding(rule)
        assert found.verdict is verdict
        assert found.measure.value == pytest.approx(expected, rel=2e-6, abs=0.01)
        assert found.measure.share == pytest.approx(expected / ellipsoidal(site), rel=1e-5)


@pytest.mark.parametrize(("rule", "code", "_"), AREAS)
def test_beside_a_prescription_its_rule_is_clear(french, french_plan_dir, rule, code, _) -> None:
    marks = raw(french_plan_dir, "PRESCRIPTION_SURF")
    marks = marks[code == marks.TYPEPSC].union_all()
    middle = fields(french_plan_dir)
    site = square(middle.x, middle.y, 10.0)
    assert marks.distance(site) > 0
    assert judged(french, site).finding(rule).verdict is Verdict.PASS


def test_a_share_without_a_published_limit_stays_open_and_decides_once_it_is_known(
    french: Plan, filled: Plan, french_plan_dir: Path
) -> None:
    marks = raw(french_plan_dir, "PRESCRIPTION_SURF")
    shape = max(marks[marks.TYPEPSC == "07"].geometry, key=lambda g: g.area)
    place = shape.representative_point()
    inside = shapely.box(place.x - 2, place.y - 2, place.x + 2, place.y + 2)
    share = inside.intersection(marks[marks.TYPEPSC == "07"].union_all()).area / inside.area
    assert share > 0.25
    assert judged(french, inside).finding("plu.landscape").verdict is Verdict.UNDETERMINED
    found = judged(filled, inside).finding("plu.landscape")
    assert found.verdict is Verdict.FAIL
    assert found.measure.share == pytest.approx(share, rel=1e-5)


# --- lines and points -----------------------------------------------------------------------------


def test_a_building_line_is_measured_in_metres(french: Plan, french_plan_dir: Path) -> None:
    lines = raw(french_plan_dir, "PRESCRIPTION_LIN")
    places = [line.interpolate(0.5, normalized=True) for line in lines.geometry]
    sites = [square(p.x, p.y, 25.0) for p in places]
    known = [site for site in sites if in_plan(french_plan_dir, site)]
    assert len(known) >= 3
    for site in known[:4]:
        expected = sum(g.intersection(site).length for g in lines.geometry)
        found = judged(french, site).finding("plu.building-line")
        assert found.verdict is Verdict.CONDITIONAL
        assert found.measure.unit == "m"
        assert found.measure.value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("rule", "name"), [("plu.built-heritage", "PRESCRIPTION_PCT"), ("plu.archaeology", "INFO_PCT")]
)
def test_points_are_counted(french: Plan, french_plan_dir: Path, rule: str, name: str) -> None:
    points = raw(french_plan_dir, name).geometry
    counts = []
    places = [square(p.x, p.y, half) for half in (120.0, 50.0, 20.0) for p in points]
    for site in [place for place in places if in_plan(french_plan_dir, place)][:5]:
        expected = sum(p.within(site) for p in points)
        found = judged(french, site).finding(rule)
        assert (found.verdict, found.measure.value) == (Verdict.CONDITIONAL, expected)
        counts.append(expected)
    assert len(counts) == 5
    assert len(set(counts)) > 1 or rule == "plu.archaeology"
    away = fields(french_plan_dir)
    assert points.distance(away).min() > 10
    assert judged(french, square(away.x, away.y, 5.0)).finding(rule).verdict is Verdict.PASS


# --- letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "use", "verdict"),
    [
        ("Uc", "0701", Verdict.PASS),
        ("Ua", "0901", Verdict.PASS),
        ("IAU", "0701", Verdict.CONDITIONAL),
        ("A", "06", Verdict.PASS),
        ("A", "0701", Verdict.FAIL),
        ("Ap", "06", Verdict.FAIL),
        ("Abp", "1302", Verdict.FAIL),
        ("N", "0901", Verdict.FAIL),
        ("Ns", "0805", Verdict.PASS),
        ("Nt", "0903", Verdict.CONDITIONAL),
        ("Nt", "0701", Verdict.UNDETERMINED),  # an assumption never fails a site
        ("N", "0805", Verdict.UNDETERMINED),  # no sentence of the plan names it
    ],
)
def test_the_letter_of_the_sector_decides(french, french_plan_dir, letter, use, verdict) -> None:
    zones = raw(french_plan_dir, "ZONE_URBA")
    own = zones[letter == zones.LIBELLE].union_all()
    alone = own.difference(zones[letter != zones.LIBELLE].union_all())
    place = shapely.maximum_inscribed_circle(alone, tolerance=1.0).interpolate(0.0)
    site = shapely.box(place.x - 2, place.y - 2, place.x + 2, place.y + 2)
    if not alone.covers(site):
        place = max(shapely.get_parts(alone), key=lambda g: g.area).representative_point()
        site = square(place.x, place.y, 1.5)
    assert judged(french, site, use).finding("plu.zone-use").verdict is verdict


def test_land_to_be_urbanised_names_the_procedure_of_its_letter(french, french_plan_dir) -> None:
    zones = raw(french_plan_dir, "ZONE_URBA")
    second = zones[zones.LIBELLE == "IIAU"].union_all()
    place = second.representative_point()
    site = square(place.x, place.y, 20.0)
    found = judged(french, site).finding("plu.opening")
    assert found.verdict is Verdict.CONDITIONAL
    expected = ellipsoidal(zones[zones.TYPEZONE == "AUc"].union_all().intersection(site))
    assert found.measure.value == pytest.approx(expected, rel=2e-6, abs=0.01)
    assert "修改或修订规划" in found.reason


# --- distances ------------------------------------------------------------------------------------


def beside(root: Path, gap: float) -> shapely.Polygon:
    """A square of 20 m whose eastern edge is ``gap`` metres from the axis of the main road."""
    middle = fields(root)
    east = middle.x + 85.0 - gap
    return shapely.box(east - 20.0, middle.y - 10.0, east, middle.y + 10.0)


@pytest.mark.parametrize(
    ("gap", "use", "verdict"),
    [
        (75.0, "0701", Verdict.PASS),
        (74.99, "0701", Verdict.FAIL),
        (74.99, "06", Verdict.PASS),
        (74.99, None, Verdict.UNDETERMINED),
        (90.0, "0701", Verdict.PASS),
    ],
)
def test_the_strip_along_a_main_road_counts_from_its_axis(
    filled: Plan, french_plan_dir: Path, gap: float, use: str | None, verdict: Verdict
) -> None:
    found = judged(filled, beside(french_plan_dir, gap), use).finding("plu.main-roads")
    assert found.verdict is verdict
    if verdict is Verdict.FAIL:
        assert found.measure.value == pytest.approx(gap, abs=0.005)


def test_without_the_roads_the_strip_stays_open_outside_the_town_only(
    french: Plan, french_plan_dir: Path
) -> None:
    check = judged(french, beside(french_plan_dir, 90.0))
    assert check.finding("plu.main-roads").verdict is Verdict.UNDETERMINED
    town = in_town(french_plan_dir)
    assert judged(french, town).finding("plu.main-roads").verdict is Verdict.NOT_APPLICABLE


# --- limits and procedures ------------------------------------------------------------------------


@cache
def in_town(root: Path) -> shapely.Polygon:
    """Open ground of the sector Uc without any prescription."""
    zones, marks = raw(root, "ZONE_URBA"), raw(root, "PRESCRIPTION_SURF")
    town = zones[zones.LIBELLE == "Uc"].union_all()
    ground = town.difference(zones[zones.LIBELLE != "Uc"].union_all())
    for name in ("PRESCRIPTION_LIN", "PRESCRIPTION_PCT", "INFO_PCT"):
        ground = ground.difference(raw(root, name).union_all().buffer(20))
    ground = ground.difference(marks.union_all().buffer(1))
    place = shapely.maximum_inscribed_circle(ground, tolerance=1.0).interpolate(0.0)
    site = shapely.box(place.x - 5, place.y - 5, place.x + 5, place.y + 5)
    assert ground.covers(site)
    return site


@pytest.mark.parametrize(
    ("claims", "height", "verdict"),
    [
        ({"height_m": 9.0, "building_density": 0.4}, Verdict.PASS, Verdict.PASS),
        ({"height_m": 9.01, "building_density": 0.4}, Verdict.FAIL, Verdict.FAIL),
        ({"building_density": 0.4}, Verdict.UNDETERMINED, Verdict.UNDETERMINED),
    ],
)
def test_a_house_passes_once_the_written_regulation_is_filled_in(
    filled: Plan, french_plan_dir: Path, claims, height, verdict
) -> None:
    check = judged(filled, in_town(french_plan_dir), **claims)
    assert check.finding("plu.height").verdict is height
    assert check.verdict is verdict


def test_the_procedures_follow_from_where_the_site_lies(french, french_plan_dir) -> None:
    pre = raw(french_plan_dir, "INFO_SURF")
    town = in_town(french_plan_dir)
    assert pre[pre.TYPEINF == "04"].union_all().covers(town)
    found = judged(french, town).finding("plu.documents")
    assert "Déclaration d'intention d'aliéner" in found.reason
    assert "archéologie" not in found.reason
    dig = pre[pre.TYPEINF == "16"].geometry.iloc[0].representative_point()
    there = judged(french, square(dig.x, dig.y, 5.0)).finding("plu.documents")
    assert "archéologie" in there.reason


def test_every_finding_of_the_plan_cites_a_document_and_says_its_title_in_english(
    french: Plan, french_plan_dir: Path
) -> None:
    findings: tuple[Finding, ...] = judged(french, in_town(french_plan_dir)).findings
    assert len(findings) == len(french.rulebook.rules)
    assert all(f.basis and f.title_en for f in findings)
