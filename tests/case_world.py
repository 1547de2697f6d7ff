"""The world in which the sentences of ``tests/cases`` play, and how a sentence is judged.

The origin lies on the central meridian of the work CRS, where the scale is 1: a square of 100 m is
10,000.00 m² on the ellipsoid as well (at 6 km from it the two areas differ by 0.5 millionths), so a
planner can work every expected number out on paper. Every layer of the bundled plan package is
there, covered everywhere, empty unless a case draws something.
"""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.check import check_site
from gis.crs import ellipsoidal_area, transform
from gis.engine import LayerIndex
from gis.intake import read_site
from gis.intake.drawing.geometry import corridor
from gis.model import Area, CrsDecision, Finding, LayerState, Site, SiteCheck, Source
from gis.plan import Plan, load_plan
from gis.plan.catalogue import Layer
from gis.plan.reservations import FILE as REGISTER
from gis.plan.reservations import reserve
from gis.plan.schema import QuotaEntry
from gis.rulebook import RuleBook

REPO = Path(__file__).resolve().parents[1]
CASES = REPO / "tests" / "cases"
EPSG = 4548
EAST, NORTH = 500_000.0, 4_030_000.0  # the origin: on the central meridian of EPSG:4548
HALF = 6_000.0  # half a side of the world, m
AS_OF = date(2026, 11, 22)
SHOWS = ("clear", "edge", "over", "missing", "other")
KEYS = {
    "rule", "shows", "name", "site", "use", "attributes", "as_of", "layers", "missing", "covered",
    "budgets", "reserved", "verdict", "deciding_rule", "finding", "measure", "share", "says",
    "says_not", "cites", "cites_not",
}  # fmt: skip
# What lies everywhere unless a case says otherwise; planned is what the case wants to build.
STANDARD = {
    "resort": "",
    "core": "",
    "approval_area": "",
    "zones": "Z5",
    "dev_boundary": "410",
    "landuse": "0701",
    "ownership": "国有",
}


@dataclass(frozen=True)
class Case:
    """One sentence, as it stands in its file."""

    file: str
    number: int
    row: Mapping[str, Any]
    world: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What pytest prints: file, number, rule, and what the case shows."""
        return f"{self.file}-{self.number:03d}-{self.rule}-{self.row['shows']}"

    @property
    def rule(self) -> str:
        """The rule that the case is about."""
        return str(self.row["rule"])

    @property
    def day(self) -> date:
        """The day of the law."""
        day: date = self.row.get("as_of", AS_OF)
        return day

    @property
    def use(self) -> str | None:
        """The use of the project, None when the case gives none."""
        return self.row.get("use")

    @property
    def wanted(self) -> str:
        """The verdict that the rule itself must give."""
        return str(self.row.get("finding", self.row["verdict"]))


def load_cases() -> list[Case]:
    """Return every sentence of every file, refusing words that mean nothing."""
    found = []
    for path in sorted(CASES.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        world = content.pop("world", {})
        rows = content.pop("case", [])
        assert not content, f"{path.name}: unknown tables {sorted(content)}"
        for number, row in enumerate(rows, start=1):
            where = f"{path.name}, case {number}"
            assert not set(row) - KEYS, f"{where}: unknown keys {sorted(set(row) - KEYS)}"
            assert row.get("shows") in SHOWS, f"{where}: shows = one of {SHOWS}"
            missing = {"rule", "name", "site", "verdict"} - set(row)
            assert not missing, f"{where}: lacks {sorted(missing)}"
            found.append(Case(path.stem, number, row, world))
    return found


# --- the world -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def bundled() -> Plan:
    """Return the bundled plan: the catalogue of layers, and the place of cases with a sample."""
    return load_plan(REPO / "data")


def box(sides: list[float]) -> shapely.Polygon:
    """Return a box west, south, east, north in metres from the origin."""
    west, south, east, north = sides
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


WORLD = box([-HALF, -HALF, HALF, HALF])


def drawn(feature: Mapping[str, Any]) -> Any:
    """Return the geometry of a feature of a case."""
    if "box" in feature:
        return box(feature["box"])
    make = {"polygon": shapely.Polygon, "line": shapely.LineString}
    for key, shape in make.items():
        if key in feature:
            return shape([(EAST + x, NORTH + y) for x, y in feature[key]])
    x, y = feature["point"]
    return shapely.Point(EAST + x, NORTH + y)


def _index(layer: Layer, features: str | list[Mapping[str, Any]]) -> LayerIndex:
    rows: list[dict[str, Any]] = (
        [{"class": features, "shape": WORLD}]
        if isinstance(features, str)
        else [{**f, "shape": drawn(f)} for f in features]
    )
    line = layer.info.geometry == "line"
    names = ("box", "polygon", "line", "point", "class", "name", "half_width", "shape")
    values = sorted({k for row in rows for k in row if k not in names} | set(layer.index.values))

    def column(key: str, dtype: Any = object, default: Any = None) -> np.ndarray:
        filled = np.empty(len(rows), dtype=dtype)
        filled[:] = [row.get(key, default) for row in rows]
        return filled

    return replace(
        layer.index,
        state=LayerState.CHECKED,
        reason="",
        content_sha256="0" * 64,
        ids=np.array([f"{layer.info.id}-{n}" for n in range(len(rows))], dtype=object),
        classes=column("class"),
        names=column("name"),
        half_widths=column("half_width", float, np.nan if line else 0.0),
        geometries=column("shape"),
        values={key: column(key) for key in values},
    )


@lru_cache(maxsize=64)
def _world(key: str) -> Plan:
    given = json.loads(key)
    base = bundled()
    unknown = {*given["layers"], *given["missing"], *given["covered"]} - set(base.layers)
    assert not unknown, f"no such layers: {sorted(unknown)}"
    layers = {}
    for name, layer in base.layers.items():
        index = _index(layer, given["layers"].get(name, []))
        if name in given["missing"]:
            index = _index(layer, [])
            index = replace(index, state=LayerState.NO_DATA, content_sha256=None)
        layers[name] = replace(layer, index=index)
    quotas = tuple(
        QuotaEntry(id=k, title=k, kind=k, value=v, unit="m2", source="case")
        for k, v in given["budgets"].items()
    )
    file = base.file.model_copy(update={"quota": quotas, "stated": ()})
    root = _folder() if given["reserved"] else base.root / "case"
    plan = Plan(root, file, layers, base.rulebook)
    coverages = {n: box(given["covered"][n]) if n in given["covered"] else WORLD for n in layers}
    # Computed once by a plan; a case says them instead.
    plan.__dict__["coverages"] = coverages
    plan.__dict__["bounds_polygon"] = WORLD
    _reserve(plan, given["reserved"])
    return plan


_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []  # kept until the tests are over


def _folder() -> Path:
    _FOLDERS.append(tempfile.TemporaryDirectory())
    return Path(_FOLDERS[-1].name)


def _reserve(plan: Plan, given: str | list[Mapping[str, Any]]) -> None:
    """Enter reservations; a text stands in the register as it is, which nobody can read."""
    if isinstance(given, str):
        (plan.root / REGISTER).write_text(given, encoding="utf-8")
        return
    for row in given:
        site = _site(drawn(row), row["project"])
        reserve(plan, site, project=row["project"], on=AS_OF, use=row.get("use"))


def plan_of(case: Case) -> Plan:
    """Return the plan of a case: the bundled one for a sample, else the world it draws."""
    if _is_real(case):
        return bundled()
    layers: dict[str, Any] = {k: v for k, v in STANDARD.items() if k in bundled().layers}
    layers["planned_use"] = case.use or "0701"
    layers |= case.world | case.row.get("layers", {})
    given = {
        "layers": layers,
        "missing": case.row.get("missing", []),
        "covered": case.row.get("covered", {}),
        "budgets": case.row.get("budgets", {}),
        "reserved": case.row.get("reserved", []),
    }
    return _world(json.dumps(given, sort_keys=True))


def _is_real(case: Case) -> bool:
    site = case.row["site"]
    return isinstance(site, Mapping) and bool({"sample", "lonlat"} & set(site))


def site_of(case: Case) -> Site:
    """Return the site of a case."""
    given = case.row["site"]
    if isinstance(given, list):
        given = {"box": given}
    if "sample" in given:
        return read_site(REPO / "data" / "samples" / given["sample"], bundled())
    if "lonlat" in given:
        outline = transform(shapely.Polygon(given["lonlat"]), 4490, EPSG)
    else:
        outline = drawn(given)
    width = given.get("width")
    if width is not None:
        outline = corridor(outline, width_m=width)
    return _site(outline, case.row["name"], width)


def _site(outline: Any, name: str, width: float | None = None) -> Site:
    area = Area(ellipsoidal_area(outline, EPSG), float(outline.area))
    crs, source = CrsDecision(EPSG, EPSG, "given"), Source("case", name, "")
    return Site(name, outline, area, crs, source, corridor_width_m=width)


def checked(case: Case, **options: Any) -> SiteCheck:
    """Return the check of a case."""
    return check_site(
        site_of(case),
        plan_of(case),
        use=case.use,
        attributes=case.row.get("attributes"),
        as_of=case.day,
        # No sentence speaks of them, and a search for outlines takes ten times as long.
        **{"remedies": False, **options},
    )


@contextmanager
def with_rulebook(plan: Plan, book: RuleBook) -> Iterator[None]:
    """Put another rule book into a plan for a while; what the plan has measured stays."""
    own = plan.rulebook
    object.__setattr__(plan, "rulebook", book)
    try:
        yield
    finally:
        object.__setattr__(plan, "rulebook", own)


# --- what a sentence promises --------------------------------------------------------------------


def disagreements(case: Case, check: SiteCheck, *, whole: bool = True) -> list[str]:
    """Return how a check differs from what the case says; ``whole`` looks at the verdict too."""
    found: list[str] = []
    row = case.row
    if whole:
        found += _differs("verdict", row["verdict"], check.verdict.value)
        found += _differs("deciding_rule", row.get("deciding_rule"), check.deciding_rule)
    try:
        finding = check.finding(case.rule)
    except KeyError:
        return [*found, f"{case.rule} is not in force on {case.day}"]
    found += _differs("finding", case.wanted, finding.verdict.value)
    return found + _numbers(row, finding) + _words(row, finding)


def _differs(what: str, wanted: Any, got: Any) -> list[str]:
    return [] if wanted == got else [f"{what}: {wanted!r} expected, {got!r} found"]


def _numbers(row: Mapping[str, Any], finding: Finding) -> list[str]:
    found = []
    for key, got in (("measure", "value"), ("share", "share")):
        if key not in row:
            continue
        value = getattr(finding.measure, got, None)
        near = 1e-6 if key == "share" else max(0.01, 1e-6 * abs(row[key]))
        if value is None or abs(value - row[key]) > near:
            found.append(f"{key}: {row[key]!r} expected, {value!r} found")
    return found


def _words(row: Mapping[str, Any], finding: Finding) -> list[str]:
    said = f"{finding.reason}{finding.remedy}"
    titles = "、".join(b.document.title for b in finding.basis)
    tests = (("says", said, True), ("says_not", said, False))
    tests += (("cites", titles, True), ("cites_not", titles, False))
    return [
        f"{key}: {part!r} in {text!r}"
        for key, text, wanted in tests
        for part in row.get(key, [])
        if (part in text) is not wanted
    ]
