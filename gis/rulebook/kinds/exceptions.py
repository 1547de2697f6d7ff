"""Which exception of a rule fits the use, the claims and the day, and what does it leave?

The longest code that the use falls under wins, and of equal ones the exception that asks for more.
A use that is missing, or too coarse to choose by, leaves the answer open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from gis.model import Claim, Verdict
from gis.rulebook import land_classes
from gis.rulebook.facts import Facts
from gis.rulebook.remembered import once
from gis.rulebook.schema import ExceptionEntry, RuleEntry

NO_USE = "未说明拟建用途（用地用海分类代码），本条结论随用途而定"


def needs_finer(use: str) -> str:
    """Say that the use is too coarse for the rule."""
    label = land_classes.use_label(use)
    return f"拟建用途 {label} 不够细，下级用途的结论不同，须补充到下级分类代码"


def is_coarser(use: str, codes: Iterable[str]) -> bool:
    """Whether the use may turn out to be one of the codes, being shorter than it.

    >>> is_coarser("08", ["0804"]), is_coarser("0804", ["0804"]), is_coarser("07", ["0804"])
    (True, False, False)
    """
    return any(c.startswith(use) and c != use for c in codes)


def longest_match(use: str, codes: Iterable[str]) -> int:
    """Return the length of the longest code that the use falls under; 0 when none does.

    >>> longest_match("080403", ["08", "0804", "0803"])
    4
    """
    return max((len(c) for c in codes if use.startswith(c)), default=0)


def resolve(
    rule: RuleEntry, facts: Facts, base: Verdict, *, cls: str = "", note: str = ""
) -> tuple[Verdict, str]:
    """Return the outcome for the use of the site: the base, or that of the best exception.

    Without a use, or with one too coarse to choose between exceptions, the answer is
    ``undetermined``, unless it is the same for every use that may be meant.
    """
    if not rule.exceptions:
        return base, note
    names = _claims_of(rule)
    made = tuple([(name, facts.attributes.get(name)) for name in names]) if names else ()
    kinds = _kinds_of(made) if made else ()
    verdict, reason = _resolved(rule, facts.use, facts.as_of, base, cls, made, kinds)
    return verdict, note if reason is None else reason


@once
def _claims_of(rule: RuleEntry) -> tuple[str, ...]:
    return tuple(sorted({name for e in rule.exceptions for name in e.attributes}))


def _kinds_of(claims: Iterable[tuple[str, Claim | None]]) -> tuple[type, ...]:
    """Return what tells True from 1, which are one key in a table."""
    return tuple([type(value) for _, value in claims])


@once
def _resolved(
    rule: RuleEntry,
    use: str | None,
    as_of: date,
    base: Verdict,
    cls: str,
    claims: tuple[tuple[str, Claim | None], ...],
    _: tuple[type, ...],
) -> tuple[Verdict, str | None]:
    """Return the outcome for a use and some claims, and why; None where nothing is excepted."""
    open_ = [e for e in rule.exceptions if _is_open(e, as_of, cls)]
    if use is None:
        same = all(_capped(e) is base for e in open_)
        return (base, None) if same else (Verdict.UNDETERMINED, NO_USE)
    made = dict(claims)
    best = _best(open_, made, use)
    finer = [_best(open_, made, c) for e in open_ for c in e.uses if is_coarser(use, [c])]
    if len({_capped(e) if e else base for e in [best, *finer]}) > 1:
        return Verdict.UNDETERMINED, needs_finer(use)
    return (_capped(best), best.reason) if best else (base, None)


def _best(
    entries: Iterable[ExceptionEntry], claims: Mapping[str, Claim | None], use: str
) -> ExceptionEntry | None:
    return max(
        (e for e in entries if _fits(e, claims, use)),
        key=lambda e: (longest_match(use, e.uses), len(e.attributes)),
        default=None,
    )


def _is_open(entry: ExceptionEntry, as_of: date, cls: str) -> bool:
    begun = entry.valid_from is None or entry.valid_from <= as_of
    running = entry.valid_to is None or as_of <= entry.valid_to
    return begun and running and (not entry.classes or cls in entry.classes)


def _fits(entry: ExceptionEntry, claims: Mapping[str, Claim | None], use: str) -> bool:
    claimed = all(claims.get(k) == v for k, v in entry.attributes.items())
    return claimed and longest_match(use, entry.uses) > 0


def _capped(entry: ExceptionEntry) -> Verdict:
    unsure = entry.origin == "assumption" or not entry.verified
    return cap(Verdict(entry.verdict), unsure=unsure)


def cap(verdict: Verdict, *, unsure: bool) -> Verdict:
    """Return the verdict, at worst ``undetermined`` when its ground is not sure."""
    return Verdict.UNDETERMINED if unsure and verdict is Verdict.FAIL else verdict
