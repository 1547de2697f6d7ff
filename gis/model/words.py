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

    # Equal texts are equal keys; that of an enumeration is worked out anew each time.
    __hash__ = str.__hash__

    label: str  # the Chinese word that users read
    label_en: str  # a short English rendering of it
    rank: int  # worst is highest; ``not_applicable`` is lowest


# Plain attributes: every rule of every check asks for the rank.
for _verdict, _label, _label_en, _rank in (
    (Verdict.NOT_APPLICABLE, "不涉及", "not applicable", 0),
    (Verdict.PASS, "符合", "complies", 1),
    (Verdict.CONDITIONAL, "有条件符合", "complies under conditions", 2),
    (Verdict.UNDETERMINED, "需核实", "to be verified", 3),
    (Verdict.FAIL, "不符合", "does not comply", 4),
):
    _verdict.label, _verdict.label_en, _verdict.rank = _label, _label_en, _rank


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; ``pass`` when nothing applies.

    >>> worst([Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE]).value
    'fail'
    """
    found = Verdict.PASS
    for verdict in verdicts:
        if verdict.rank > found.rank:
            found = verdict
    return found


# By their words, as rules write them.
VERDICTS: Mapping[str, Verdict] = {verdict.value: verdict for verdict in Verdict}


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

    __hash__ = str.__hash__  # as for verdicts


def class_matches(cls: str | None, patterns: Iterable[str]) -> bool:
    """Whether a class equals a pattern, or begins with one that ends in ``*``.

    >>> class_matches("0102", ["01*"]), class_matches("0810A", ["0810"]), class_matches(None, ["*"])
    (True, False, False)
    """
    if cls is None:
        return False
    return any(cls.startswith(p[:-1]) if p.endswith("*") else cls == p for p in patterns)
