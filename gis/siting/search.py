"""Where in the plan could a project stand? The search, one arrow after another.

``Query -> Cells -> Ground -> Judged -> Summary -> Offers -> SiteSearch``. What does not depend on
the use is kept with the plan, so that the second question is answered faster than the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from threading import Lock
from weakref import WeakKeyDictionary

from gis.errors import ClaimError
from gis.plan import Plan
from gis.plan.quota.standing import standing_of
from gis.siting.answer import CLASS_LABELS, Candidate, NearestMiss, SiteSearch
from gis.siting.cells import Cells, cells_over
from gis.siting.kinds import Ground, ground_of
from gis.siting.offers import Offers
from gis.siting.query import Query, query_of
from gis.siting.summary import Summary
from gis.siting.verdicts import CONDITIONAL, FAIL, OPEN, Judged, rule_lands
from gis.siting.wishes import wish_lands
from gis.units import m2_to_mu

# Grounds that are kept for a plan; one has some tens of megabytes.
_KEPT = 2
_ONE_AT_A_TIME = Lock()
_GROUNDS: WeakKeyDictionary[Plan, dict[object, Ground]] = WeakKeyDictionary()
# Outlines that are shown where none complies.
_MISSES = 3


def find_sites(
    plan: Plan,
    *,
    use: str,
    area_mu: float,
    zone: str | None = None,
    min_width_m: float | None = None,
    near_road_m: float | None = None,
    away: Mapping[str, float] | None = None,
    keep: Mapping[str, float] | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    most: int = 5,
    weights: Mapping[str, float] | None = None,
    cell_m: float | None = None,
) -> SiteSearch:
    """Return where a project could stand under all rules in force, or what comes nearest.

    Parameters
    ----------
    plan
        An opened plan package.
    use
        2023 land-use code of the project.
    area_mu
        The wanted area, mu (on the ellipsoid).
    zone
        Where to look: a zone or another named area; default the whole planning area.
    min_width_m
        A site is nowhere narrower, planar metres; default one cell of the grid.
    near_road_m
        A site comes at least so near to the edge of a road, m.
    away
        How far a site stays from the features of layers, m, by layer id.
    keep
        What is to be left of budgets, mu, by budget id or kind (``dev_boundary``).
    attributes
        Claims of the applicant, see ``gis.claims.ATTRIBUTES``.
    as_of
        The day of the law; default today in China.
    most
        How many candidates at most.
    weights
        Of criteria, in place of those of ``gis.siting.criteria``.
    cell_m
        Side of the cells of the grid, m; default by the wanted size and the area to look in.

    Returns
    -------
    search
        Land by class, ranked candidates, the rules that bind, and the nearest miss where there is
        no candidate. Every candidate passes or is conditional under ``check_site``.

    Raises
    ------
    ClaimError
        An unknown use, zone, layer, budget, attribute or criterion, or a size that cannot be.

    Examples
    --------
    >>> import gis
    >>> found = gis.find_sites(gis.load_plan(), use="0903", area_mu=2000)
    >>> found.nearest_miss.text
    '没有找到可容纳 2,000 亩...'
    """
    query = query_of(
        plan, use=use, area_mu=area_mu, zone=zone, min_width_m=min_width_m,
        near_road_m=near_road_m, away=away, keep=keep, attributes=attributes, as_of=as_of,
        most=most, weights=weights, cell_m=cell_m,
    )  # fmt: skip
    return search_for(plan, query)


def search_for(plan: Plan, query: Query) -> SiteSearch:
    """Return the answer to a query that was checked in this plan (``query_of``).

    Raises
    ------
    ClaimError
        The place to look in is smaller than a cell.
    """
    cells = cells_over(
        query.within, plan.work_epsg, query.wanted_m2, query.min_width_m, query.cell_m
    )
    if not len(cells):
        raise ClaimError(
            f"范围“{query.within_title}”容不下一个边长 {cells.size_m:g} 米的统计单元",
            expected="更大的范围",
            advice="换一个范围，或者不限定范围",
        )
    ground = _ground(plan, query, cells)
    rules = rule_lands(ground, query.use, query.attributes, query.wanted_m2)
    judged = Judged(ground, (*rules, *wish_lands(plan, query, cells)))
    width = 1 if query.min_width_m is None else max(round(query.min_width_m / cells.size_m), 1)
    return _answered(query, Summary(judged, width))


def _ground(plan: Plan, query: Query, cells: Cells) -> Ground:
    """Return the ground of a plan on cells, as it was kept or made anew."""
    register = standing_of(plan).register
    held = tuple(r.id for r in register.open) if register else ()
    key = query.as_of, cells.polygon.wkb, cells.grid, plan.rulebook.sha256, held
    # One thread at a time: who asks for the same waits for it, instead of doing it again.
    with _ONE_AT_A_TIME:
        kept = _GROUNDS.setdefault(plan, {})
        found = kept.get(key)
        if found is None:
            if len(kept) >= _KEPT:
                kept.clear()
            found = kept[key] = ground_of(plan, query.as_of, cells)
            _ = found.samples
        return found


def _answered(query: Query, summary: Summary) -> SiteSearch:
    offers, plan = Offers(query, summary), summary.judged.ground.plan
    found = offers.candidates()
    rejected = tuple(offers.rejected)
    shaping = {x.id for x in summary.judged.lands if x.rank.size > 1 and x.rank.min() != x.worst}
    layers = {name for rule in summary.judged.ground.rules if rule.id in shaping
              for name in (*rule.layers, *rule.params.when_layers)}  # fmt: skip
    return SiteSearch(
        query=query,
        feasible=summary.feasible(),
        candidates=found,
        binding=summary.binding(),
        nearest_miss=None if found else _nearest(query, summary, offers),
        rejected=rejected,
        layers=frozenset(layers | set(query.away)),
        plan=plan.ref.to_dict(),
        epsg=plan.work_epsg,
    )


def _nearest(query: Query, summary: Summary, offers: Offers) -> NearestMiss:
    """Return what comes nearest: land that only waits for an answer, else what fails least."""
    rank = summary.judged.rank
    largest = summary.largest_m2(summary.mask(rank, CONDITIONAL))
    open_largest = summary.largest_m2(summary.mask(rank, OPEN))
    # What all land waits for alike comes first, then land that waits for something of its own.
    tiers = (summary.mask(summary.by_place, CONDITIONAL), summary.mask(rank, OPEN))
    sites: tuple[Candidate, ...] = ()
    for free in tiers:
        sites = sites or offers.misses(free, _MISSES)
    if not sites:
        cells = offers.least_bad(rank)
        sites = () if cells is None else offers.misses(cells, 1)
    missing = max(query.wanted_m2 - largest, 0.0)
    text = _told(query, largest, missing, open_largest, sites)
    return NearestMiss(text, largest, missing, open_largest, sites)


def _told(
    query: Query, largest: float, missing: float, open_largest: float, sites: tuple[Candidate, ...]
) -> str:
    wanted = f"{query.area_mu:,.2f}".rstrip("0").rstrip(".")
    said = [f"没有找到可容纳 {wanted} 亩、用途 {query.use_label} 且符合或有条件符合的地块"]
    here, fits = m2_to_mu(largest), missing <= 0
    word = f"{CLASS_LABELS['permitted']}和{CLASS_LABELS['conditional']}的连片用地"
    if fits:
        said.append(f"{word}最大 {here:,.2f} 亩，面积够，但没有一处同时满足其他要求")
    else:
        said.append(f"{word}最大 {here:,.2f} 亩，缺 {m2_to_mu(missing):,.2f} 亩")
    if open_largest > largest:
        said.append(f"连同需核实的用地，最大一片 {m2_to_mu(open_largest):,.2f} 亩")
    if sites:
        first = sites[0]
        why = "、".join(f"“{f.title}”" for f in first.against[:3])
        more = f"等 {len(first.against)} 条" if len(first.against) > 3 else ""
        ends = "不符合" if first.verdict.rank == FAIL else first.verdict.label
        said.append(f"最接近的地块检测结论为“{ends}”" + (f"，受限于{why}{more}" if why else ""))
    return "；".join(said) + "。"
