"""Is a class 农用地, 建设用地 or 未利用地, and how sure is that?

The three major classes decide what a conversion has to be approved for. The table says where a
class belongs; classes that good sources place differently are named as doubtful, with the readings
to choose from. A class that does not decide stays 未分类: it is never put somewhere by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

from gis.errors import ClaimError
from gis.model import class_matches
from gis.rulebook.class_tables import Scheme, read_toml

Basis = Literal["approval", "plan"]
UNDECIDED, SEA = "未分类", "海域，不属土地"


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Classes that may be placed in one major class or another, with good reason.

    ``choices`` are the readings that may be chosen ("" leaves the class undecided), ``plan`` is the
    reading of the planning classification where it differs from the table.
    """

    id: str
    title: str
    scheme: str
    edition: str
    classes: tuple[str, ...]
    choices: tuple[str, ...]
    note: str
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Major:
    """The major class of one code; ``value`` is "" when the code does not decide it.

    ``doubtful`` is the id of the entry that makes it doubtful, or "". ``note`` says why it is
    doubtful or undecided.
    """

    code: str
    name: str
    value: str
    label: str
    doubtful: str = ""
    note: str = ""


def names() -> tuple[str, ...]:
    """Return the three major classes, in the order in which they are printed."""
    return tuple(_file()["names"])


def doubtful_majors(scheme: Scheme) -> tuple[Doubtful, ...]:
    """Return what is open to argument in an edition, in file order."""
    return tuple(d for d in _doubtful() if (d.scheme, d.edition) == scheme.key)


def major(
    scheme: Scheme,
    code: str | None,
    *,
    basis: Basis = "approval",
    choices: Mapping[str, str] | None = None,
) -> Major:
    """Return the major class of a code.

    Parameters
    ----------
    scheme
        The edition that the code belongs to.
    code
        A class of the edition; unknown or missing ones are 未分类, never refused.
    basis
        ``approval``: as a conversion is approved; ``plan``: as the planning classification has it.
    choices
        The reading that a plan has chosen for doubtful classes, by the id of the entry.

    Raises
    ------
    ClaimError
        Unknown basis, an id that the edition does not have, or a reading that is not offered.

    Notes
    -----
    GB/T 21010-2017, annex; classes of 用地用海 follow the survey classes they correspond to.
    """
    _refuse_unknown(scheme, basis, choices or {})
    return _major(scheme, code, basis, choices or {})


def majors(
    scheme: Scheme, *, basis: Basis = "approval", choices: Mapping[str, str] | None = None
) -> Mapping[str, Major]:
    """Return the major class of every code of an edition; see ``major``."""
    _refuse_unknown(scheme, basis, choices or {})
    return {code: _major(scheme, code, basis, choices or {}) for code in scheme.classes}


def _major(scheme: Scheme, code: str | None, basis: Basis, choices: Mapping[str, str]) -> Major:
    if code is None or not scheme.exists(code):
        note = "没有编码" if not code else f"{scheme.id}（{scheme.edition}）没有编码“{code}”"
        return Major(code or "", "", "", UNDECIDED, note=note)
    entry = scheme.classes[code]
    if _is_sea(scheme, code):
        return Major(code, entry.name, "", SEA, note="不参加农用地、建设用地、未利用地划分")
    doubt = next((d for d in doubtful_majors(scheme) if class_matches(code, d.classes)), None)
    value = _reading(entry.major, doubt, basis, choices)
    note = doubt.note if doubt else "" if value else "所含地类分属不同的三大类，须细分后确定"
    return Major(code, entry.name, value, value or UNDECIDED, doubt.id if doubt else "", note)


def _reading(own: str, doubt: Doubtful | None, basis: Basis, choices: Mapping[str, str]) -> str:
    if doubt is None:
        return own
    if doubt.id in choices:
        return choices[doubt.id]
    return doubt.plan if basis == "plan" and doubt.plan is not None else own


def _is_sea(scheme: Scheme, code: str) -> bool:
    return any(
        row["scheme"] == scheme.id
        and scheme.edition in row["editions"]
        and class_matches(code, row["classes"])
        for row in _file()["sea"]
    )


def _refuse_unknown(scheme: Scheme, basis: str, choices: Mapping[str, str]) -> None:
    if basis not in get_args(Basis):
        raise ClaimError(f"未知的三大类口径“{basis}”", expected="、".join(get_args(Basis)))
    offered = {d.id: d.choices for d in doubtful_majors(scheme)}
    for doubt_id, value in choices.items():
        if doubt_id not in offered:
            raise ClaimError(
                f"{scheme.id}（{scheme.edition}）没有三大类存疑项“{doubt_id}”",
                expected="、".join(offered),
            )
        if value not in offered[doubt_id]:
            expected = "、".join(c or f"空（{UNDECIDED}）" for c in offered[doubt_id])
            raise ClaimError(f"三大类存疑项“{doubt_id}”不能归为“{value}”", expected=expected)


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    return read_toml("majors.toml")


@lru_cache(maxsize=1)
def _doubtful() -> tuple[Doubtful, ...]:
    return tuple(
        Doubtful(**(row | {"classes": tuple(row["classes"]), "choices": tuple(row["choices"])}))
        for row in _file()["doubtful"]
    )
