"""What does a remedy achieve? The rules that pass once it is done, and the verdict then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gis.model import Finding, Verdict
from gis.rulebook import decide

_NAMED = 3


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of all findings together."""
    return decide(findings)[0]


def cured(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return the findings against the site whose rules pass on the new outline, worst first."""
    then = {f.rule: f.verdict.rank for f in after}
    passed = Verdict.PASS.rank
    return [f for f in before if f.decides and f.verdict.rank > passed >= then[f.rule]]


def outcome(gone: Sequence[Finding], after: Sequence[Finding]) -> str:
    """Say which rules pass now and what the whole check says."""
    names = "、".join(f"“{f.title}”" for f in gone[:_NAMED])
    more = f"等 {len(gone)} 条规则" if len(gone) > _NAMED else ""
    verdict, rule = decide(after)
    title = next((f.title for f in after if f.rule == rule), "")
    why = f"（{title}）" if title else ""
    return f"之后{names}{more}不再受限，整体结论为“{verdict.label}”{why}"
