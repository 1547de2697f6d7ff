"""Which remedies are worth offering for a site? Geometry first, then the procedures.

A corridor is neither trimmed nor moved: a road cut in two leads nowhere, and its ends are given.
Where the position of a site is in doubt, metres that were not surveyed cannot be put right by
metres: it gets procedures only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from gis.model import Finding, Remedy, Site, Verdict
from gis.remedy.ground import Ground, against
from gis.remedy.shift import DISTANCE_M, shifted
from gis.remedy.trim import MIN_WIDTH_M, trims

# A site that loses less than this need not move.
_SMALL_LOSS = 0.01


def remedies_for(
    site: Site,
    findings: Sequence[Finding],
    ground: Ground | None,
    *,
    min_width_m: float = MIN_WIDTH_M,
    distance_m: float = DISTANCE_M,
) -> tuple[Remedy, ...]:
    """Return what would help, the surest first.

    Parameters
    ----------
    site
        The outline as judged, in the work CRS.
    findings
        Of the site, geometry in the work CRS.
    ground
        What may be asked about other outlines; None offers procedures only.
    min_width_m
        A trimmed outline is nowhere narrower, unless the site was.
    distance_m
        How far a site may be moved.
    """
    offers: list[Remedy] = []
    if ground is not None and site.doubt is None and site.corridor_width_m is None:
        offers.extend(_with_geometry(site, findings, ground, min_width_m, distance_m))
    return (*offers, *procedures(findings))


def _with_geometry(
    site: Site, findings: Sequence[Finding], ground: Ground, min_width_m: float, distance_m: float
) -> Iterator[Remedy]:
    lost = [1.0]
    for remedy in trims(site, findings, ground, min_width_m):
        lost.append((remedy.lost_m2 or 0.0) / site.area.ellipsoidal_m2)
        yield remedy
    if min(lost) > _SMALL_LOSS and against(findings, Verdict.FAIL):
        moved = shifted(site, findings, ground, distance_m)
        if moved is not None:
            yield moved


def procedures(findings: Iterable[Finding]) -> Iterator[Remedy]:
    """Return what to apply for or to put right, one remedy per office, worst first."""
    by_office: dict[str, list[Finding]] = {}
    for finding in against(findings, Verdict.CONDITIONAL):
        if finding.remedy:
            by_office.setdefault(finding.office, []).append(finding)
    for office, own in by_office.items():
        yield _procedure(office, tuple([(f.rule, f.remedy) for f in own]))


# The same few rules stand against most sites of a plan.
@lru_cache(maxsize=4_096)
def _procedure(office: str, asked: tuple[tuple[str, str], ...]) -> Remedy:
    """Return what to apply for at an office; ``asked`` are rules with what each asks for."""
    rules = tuple(rule for rule, _ in asked)
    texts = list(dict.fromkeys(remedy.rstrip("。") for _, remedy in asked))
    numbered = (f"{n}. {text}" for n, text in enumerate(texts, 1))
    text = texts[0] if len(texts) == 1 else "；".join(numbered)
    return Remedy(rules[0], text, rules=rules, office=office)
