"""The closed sets of the work: verdicts, layer states, quantities, and the shapes of loose values.

``worst`` is the only order among verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

GeoJson = Mapping[str, Any]
Claim = str | float | bool


class Verdict(StrEnum):
    """Outcome of a rule or of a check; ``not_applicable`` never decides."""

    PASS = "pass"
    CONDITIONAL = "conditional"
    UNDETERMINED = "undetermined"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"

    @property
    def label(self) -> str:
        """The Chinese word that users read."""
        return _LABELS[self]

    @property
    def label_en(self) -> str:
        """A short English rendering of the label."""
        return _LABELS_EN[self]

    @property
    def rank(self) -> int:
        """Worst is highest; ``not_applicable`` is lowest."""
        return _RANKS[self]


_LABELS = {
    Verdict.PASS: "符合",
    Verdict.CONDITIONAL: "有条件符合",
    Verdict.UNDETERMINED: "需核实",
    Verdict.FAIL: "不符合",
    Verdict.NOT_APPLICABLE: "不涉及",
}
_LABELS_EN = {
    Verdict.PASS: "complies",
    Verdict.CONDITIONAL: "complies under conditions",
    Verdict.UNDETERMINED: "to be verified",
    Verdict.FAIL: "does not comply",
    Verdict.NOT_APPLICABLE: "not applicable",
}
_RANKS = {
    Verdict.NOT_APPLICABLE: 0,
    Verdict.PASS: 1,
    Verdict.CONDITIONAL: 2,
    Verdict.UNDETERMINED: 3,
    Verdict.FAIL: 4,
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; ``pass`` when nothing applies.

    >>> worst([Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE]).value
    'fail'
    """
    return max([Verdict.PASS, *verdicts], key=lambda v: v.rank)


class LayerState(StrEnum):
    """Whether a layer could answer for this site."""

    CHECKED = "checked"
    NO_DATA = "no_data"
    FAILED = "failed"


class Quantity(StrEnum):
    """What a rule wants measured against a layer."""

    INSIDE = "inside"  # area of the site on the layer
    OUTSIDE = "outside"  # area of the site off the layer
    LENGTH = "length"  # metres of line restriction on the site
    COUNT = "count"  # points on the site
    DISTANCE = "distance"  # metres from the site to the edge of the nearest feature


def class_matches(cls: str | None, patterns: Iterable[str]) -> bool:
    """Whether a class equals a pattern, or begins with one that ends in ``*``.

    >>> class_matches("0102", ["01*"]), class_matches("0810A", ["0810"]), class_matches(None, ["*"])
    (True, False, False)
    """
    if cls is None:
        return False
    return any(cls.startswith(p[:-1]) if p.endswith("*") else cls == p for p in patterns)
