"""What is an account of the quota ledger, and which use of land draws on it?

Words only: the kinds of scarce land, what was measured of one of them, and the rule by which a use
takes nothing (a park keeps planned green, a field stays cultivated). Nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from gis.errors import ClaimError, NotFoundError
from gis.model import class_matches
from gis.model.answer import ClassTaken
from gis.plan.schema import QuotaEntry
from gis.rulebook import land_classes
from gis.units import M2_PER

DEFINITION = "B"  # of green and water: the default of the land balance
AGRICULTURAL, CONSTRUCTION = "农用地", "建设用地"
# Gaps between drawn edges are not land; the same allowance as for any area of the law.
_SMALL_M2, _SMALL_SHARE = 1.0, 1e-6


class Kind(StrEnum):
    """The kinds of scarce land; only the development boundary has one account per class."""

    DEV_BOUNDARY = "dev_boundary"
    FARMLAND = "permanent_farmland"
    CULTIVATED = "cultivated_land"
    CONVERSION = "conversion"
    REPLACEMENT = "replacement"
    GREEN_WATER = "planned_green_water"

    __hash__ = str.__hash__  # that of an enumeration is worked out anew each time

    @property
    def is_quota(self) -> bool:
        """Whether the total is granted by an authority and not drawn in a layer."""
        return self in {Kind.CONVERSION, Kind.REPLACEMENT}


@dataclass(frozen=True, slots=True)
class Land:
    """What one account has on a piece of land, m² on the ellipsoid.

    ``covered_m2`` is of the kind of the account; of that ``used_m2`` is construction land already
    and of ``unclassed_m2`` nobody knows the current class. ``beyond_m2`` is land about which the
    layer says nothing at all. ``inside_m2`` is the part of the covered land that counts for the
    share of the account. ``parts`` divide the covered land by class.
    """

    covered_m2: float
    used_m2: float = 0.0
    unclassed_m2: float = 0.0
    beyond_m2: float = 0.0
    inside_m2: float = 0.0
    parts: tuple[ClassTaken, ...] = ()

    @property
    def open_m2(self) -> float:
        """The covered land that is certainly not used yet."""
        return max(self.covered_m2 - self.used_m2 - self.unclassed_m2, 0.0)

    @property
    def unknown_m2(self) -> float:
        """The land on which the account may or may not lose something."""
        return self.unclassed_m2 + self.beyond_m2

    @property
    def is_known(self) -> bool:
        """Whether what is unknown is no more than gaps between drawn edges."""
        return is_small(self.unknown_m2, self.covered_m2)


@dataclass(frozen=True, slots=True)
class Account:
    """One scarce kind of land of a plan.

    ``land`` is what the layers hold in all, None when a layer has no data; ``stated_m2`` is the
    granted amount of a quota, None when nobody stated one. ``lacks`` says why nothing can be
    measured for the account, ``reason`` what else there is to know about its total, ``remarks``
    how its numbers are meant. ``is_changing``: no layer of it is in force.
    ``title`` is what the layer is called, ``name`` its class or the account itself, ``vintage``
    the date of the layer.
    """

    id: str
    kind: Kind
    title: str
    name: str
    layer: str | None
    cls: str | None = None
    vintage: str = ""
    land: Land | None = None
    stated_m2: float | None = None
    lacks: str = ""
    reason: str = ""
    quotas: tuple[QuotaEntry, ...] = ()
    remarks: tuple[str, ...] = ()
    is_changing: bool = False

    @property
    def total_m2(self) -> float | None:
        """What there is in all, m²; None when unknown."""
        if self.kind.is_quota:
            return self.stated_m2
        return None if self.land is None else self.land.covered_m2

    @property
    def open_m2(self) -> float | None:
        """What is not used, before any reservation, m²; None when unknown."""
        if self.kind.is_quota:
            return self.stated_m2
        return None if self.land is None or not self.land.is_known else self.land.open_m2


def is_small(area_m2: float, of_m2: float) -> bool:
    """Whether an area is no more than the gaps between edges that were drawn twice."""
    return area_m2 <= max(_SMALL_M2, _SMALL_SHARE * of_m2)


def stated_m2(quotas: Iterable[QuotaEntry]) -> float | None:
    """Return the sum of some quotas in m², None when there is none."""
    amounts = [quota.value * M2_PER[quota.unit] for quota in quotas]
    return math.fsum(amounts) if amounts else None


def checked_use(use: str | None) -> str | None:
    """Return a 2023 land-use code as it is; raise ClaimError when the edition has none such."""
    if use is None or land_classes.uses().exists(use):
        return use
    raise ClaimError(
        f"用途代码“{use[:40]}”不在《用地用海分类指南》2023 年版中",
        expected="2023 年版用地用海分类代码，如 080403（中小学用地）",
        advice="核对代码；三调地类编码不能作为用途",
    )


@lru_cache(maxsize=1024)
def takes(kind: Kind, use: str | None) -> bool:
    """Whether a use takes from an account the land that it stands on.

    No use given: the worst is assumed. A use whose major class nobody states counts as
    construction. Farm buildings, orchards and ponds take cultivated land, which has to be replaced,
    but convert none.
    """
    if use is None:
        return True
    if kind is Kind.GREEN_WATER:
        definition = land_classes.green_water(DEFINITION)
        return not class_matches(use, (*definition.green, *definition.water))
    if kind in {Kind.FARMLAND, Kind.CULTIVATED, Kind.REPLACEMENT}:
        return not class_matches(use, cultivated(land_classes.uses()) or ())
    return major(land_classes.uses(), use) in {CONSTRUCTION, ""}


def cultivated(scheme: land_classes.Scheme) -> tuple[str, ...] | None:
    """Return the patterns of the classes that count as cultivated land, None where nobody says.

    Land marked K can be tilled again at once and counts as cultivated when it is replaced.
    """
    try:
        return land_classes.cultivated(scheme)
    except NotFoundError:
        return None


def major(scheme: land_classes.Scheme, code: str | None) -> str:
    """Return 农用地, 建设用地 or 未利用地, as a conversion is approved; empty where undecided."""
    return land_classes.major(scheme, code).value
