"""What would each draft of a plan change: land, stated figures, budgets, feasible land, projects?

The plan in force and its drafts side by side, every number from the same functions as that plan
alone would give. Nothing is measured or judged here in a way of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from gis.canonical import SCHEMA_VERSION
from gis.check import legal_day
from gis.errors import ClaimError, CrsError, NotFoundError
from gis.files import write_table
from gis.plan.area import Plan
from gis.plan.budgets import budget_rows
from gis.portfolio.check import check_portfolio
from gis.portfolio.register import load_projects
from gis.scenario.land import changed_layers
from gis.siting import SiteSearch, find_sites
from gis.viewable import Viewable

Row = dict[str, Any]
_AMOUNTS = ("total_m2", "used_m2", "reserved_m2", "unknown_m2", "free_m2")
_VERDICT = ("verdict", "verdict_label", "deciding_rule", "deciding_title", "digest", "lacks")


@dataclass(frozen=True, slots=True)
class Wish:
    """A site that somebody looks for: 2023 use code, area in mu, more options of ``find_sites``."""

    use: str
    area_mu: float
    options: Mapping[str, Any] = field(default_factory=dict)

    def search(self, plan: Plan, day: date) -> SiteSearch:
        """Return where such a site could stand in a plan."""
        return find_sites(plan, use=self.use, area_mu=self.area_mu, as_of=day, **self.options)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Viewable):
    """The plan in force and its drafts side by side; every list of sides is in that order.

    ``searches`` holds the answers to each wish, one a plan, for maps.
    """

    plans: tuple[Plan, ...]
    document: Row
    searches: tuple[tuple[SiteSearch, ...], ...]

    def to_dict(self) -> Row:
        """Return plain JSON values."""
        return self.document

    def to_frame(self) -> Any:
        """Return one row per number that was compared: topic, subject, unit, one column a plan."""
        import pandas as pd

        names = [p["version"] for p in self.document["plans"]]
        rows = [
            {"topic": topic, "subject": subject, "unit": unit}
            | dict(zip(names, values, strict=True))
            for topic, subject, unit, values in flat_rows(self.document)
        ]
        return pd.DataFrame(rows, columns=["topic", "subject", "unit", *names])

    def to_csv(self, path: str | Path) -> Path:
        """Write the same rows for office programs; return the path."""
        heads = ("类别", "对象", "单位", *(p["version"] for p in self.document["plans"]))
        rows = ((*row[:3], *row[3]) for row in flat_rows(self.document))
        return write_table([heads, *rows], Path(path))


def compare_scenarios(
    plan: Plan,
    scenarios: Sequence[Plan],
    *,
    wishes: Sequence[Wish] = (),
    as_of: date | None = None,
    each: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Set a plan and drafts of it side by side.

    Parameters
    ----------
    plan
        The plan in force.
    scenarios
        Drafts of it, from ``make_scenario`` or ``load_plan``.
    wishes
        Sites that somebody looks for; feasible land and candidates of each in each plan.
    as_of
        The day of the law, the same for all; default today in China.
    each
        Called before each piece of work with what it is, in Chinese.

    Returns
    -------
    comparison
        Changed layers with what each class gains and loses, stated figures, land balance of each
        area, budgets, feasible land, and the verdict of every project of the register.

    Raises
    ------
    ClaimError
        No scenario, or two that cannot be told apart.
    CrsError
        Plans with different work CRS.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import date
    >>> from pathlib import Path
    >>> import gis
    >>> plan = gis.load_plan()
    >>> wet = plan.layer("redline").index.geometries[0].centroid.buffer(100)
    >>> change = gis.Change("redline", "remove", wet)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draft = gis.make_scenario(plan, Path(folder) / "less", [change], title="退出")
    ...     found = gis.compare_scenarios(plan, [draft], as_of=date(2026, 11, 22))
    >>> [row["layer"] for row in found.to_dict()["changes"][0]]
    ['redline']
    """
    plans = (plan, *scenarios)
    _check(plans)
    day = as_of or legal_day()
    each("图层、指标和用地平衡")
    document: Row = {
        "schema_version": SCHEMA_VERSION,
        "as_of": day.isoformat(),
        "plans": [_plan_row(p) for p in plans],
        "changes": [list(changed_layers(plan, other)) for other in scenarios],
        "figures": list(_figures(plans)),
        "balance": list(_balances(plans)),
        "budgets": list(_budgets(plans)),
    }
    searches = tuple(_searched(plans, wish, day, each) for wish in wishes)
    document["feasible"] = [_wish_row(found) for found in searches]
    each("项目")
    document["projects"] = list(_projects(plans, day))
    return Comparison(plans, document, searches)


def _check(plans: Sequence[Plan]) -> None:
    if len(plans) < 2:
        raise ClaimError("没有情景可比", expected="至少一个情景")
    versions = [p.ref.version for p in plans]
    doubled = sorted({v for v in versions if versions.count(v) > 1})
    if doubled:
        raise ClaimError(f"有两个版本都是“{doubled[0]}”", advice="生成情景时写明 version")
    codes = {p.work_epsg for p in plans}
    if len(codes) > 1:
        raise CrsError(f"工作坐标系不同：{'、'.join(f'EPSG:{c}' for c in sorted(codes))}")


def _plan_row(plan: Plan) -> Row:
    ref = plan.ref.to_dict()
    return {**ref, "status_label": plan.status_label, "rulebook_sha256": plan.rulebook.sha256}


# --- what the layers say -------------------------------------------------------------------------


def _figures(plans: Sequence[Plan]) -> Iterator[Row]:
    """Yield each stated figure of any of the plans with what each plan computes."""
    told = [{f.id: f for f in plan.figures()} for plan in plans]
    for name in dict.fromkeys(name for side in told for name in side):
        sides = [side.get(name) for side in told]
        shown = next(f for f in sides if f)
        yield {
            "id": name,
            "title": shown.title,
            "unit": shown.unit,
            "stated": shown.stated,
            "computed": [f and f.computed for f in sides],
        }


def _balances(plans: Sequence[Plan]) -> Iterator[Row]:
    """Yield the share of green and water of each area in each plan; None where it has no number."""
    for name, title in {a.id: a.title for plan in plans for a in plan.areas}.items():
        sides = [_share(plan, name) for plan in plans]
        if any(sides):
            told = [side or (None, "无数据") for side in sides]
            yield {
                "area": name,
                "title": title,
                "share": [share for share, _ in told],
                "share_text": [text for _, text in told],
            }


def _share(plan: Plan, area: str) -> tuple[float | None, str] | None:
    try:
        found = plan.land_balance(area).to_dict()
    except NotFoundError:
        return None
    text = next(d["share_text"] for d in found["definitions"] if d["id"] == found["definition"])
    return found["green_water_share"], text


def _budgets(plans: Sequence[Plan]) -> Iterator[Row]:
    told = [{row["id"]: row for row in budget_rows(plan)} for plan in plans]
    for name in dict.fromkeys(name for side in told for name in side):
        sides = [side.get(name) for side in told]
        shown = next(row for row in sides if row)
        yield {
            "id": name,
            "title": shown["title"],
            "name": shown["name"],
            "amounts": [row and {key: row[key] for key in _AMOUNTS} for row in sides],
        }


# --- what could be built -------------------------------------------------------------------------


def _searched(
    plans: Sequence[Plan], wish: Wish, day: date, each: Callable[[str], None]
) -> tuple[SiteSearch, ...]:
    found = []
    for plan in plans:
        each(f"{plan.ref.version}：找地 {wish.use} {wish.area_mu:g} 亩")
        found.append(wish.search(plan, day))
    return tuple(found)


def _wish_row(found: Sequence[SiteSearch]) -> Row:
    return {"query": found[0].query.to_dict(), "plans": [_search_row(search) for search in found]}


def _search_row(search: SiteSearch) -> Row:
    """Return an answer in short: land by class, candidates, the rule that binds most."""
    land = search.feasible.to_dict()
    best = search.candidates[0].to_dict() if search.candidates else None
    kept = ("name", "verdict", "verdict_label", "score", "area_mu", "digest")
    return {
        "classes": {c["class"]: c["area_m2"] for c in land["classes"]},
        "largest_m2": land["largest_m2"],
        "candidates": len(search.candidates),
        "best": best and {key: best[key] for key in kept},
        "binding": search.binding[0].to_dict() if search.binding else None,
        "nearest_miss": search.nearest_miss.text if search.nearest_miss else None,
    }


def _projects(plans: Sequence[Plan], day: date) -> Iterator[Row]:
    """Yield each project of the register of the plan in force with its verdict in each plan."""
    try:
        register = load_projects(plans[0])
    except NotFoundError:
        return
    sides = [check_portfolio(p, register, as_of=day).to_dict()["projects"] for p in plans]
    for rows in zip(*sides, strict=True):
        yield {
            "id": rows[0]["id"],
            "name": rows[0]["name"],
            "changed": len({row["verdict"] for row in rows}) > 1,
            "sides": [{key: row[key] for key in _VERDICT} for row in rows],
        }


# --- as a table ----------------------------------------------------------------------------------


def flat_rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Yield every number of a comparison: topic, subject, unit, one value a plan."""
    for row in document["figures"]:
        yield "公布指标", row["title"], row["unit"], row["computed"]
    for row in document["balance"]:
        yield "绿地和水域占比", row["title"], "", row["share"]
    for row in document["budgets"]:
        for key, word in (("total_m2", "总量"), ("free_m2", "尚余")):
            values = [side and side[key] for side in row["amounts"]]
            yield f"指标{word}", row["name"] or row["title"], "m2", values
    for row in document["feasible"]:
        yield from _feasible_rows(row)
    for row in document["projects"]:
        yield "项目", row["name"], "", [side["verdict_label"] for side in row["sides"]]


def _feasible_rows(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, list[Any]]]:
    query, sides = row["query"], row["plans"]
    subject = f"{query['use_label']} {query['area_mu']:g} 亩"
    yield "候选地块", subject, "个", [side["candidates"] for side in sides]
    for key, word in (("permitted", "可用"), ("conditional", "有条件可用")):
        yield f"{word}土地", subject, "m2", [side["classes"][key] for side in sides]
    yield "最大一片可用地", subject, "m2", [side["largest_m2"] for side in sides]
