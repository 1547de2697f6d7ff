"""Layers, what a rule wants measured on them, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakValueDictionary

from gis.model.record import quickly_made
from gis.model.site import Area
from gis.model.words import LayerState, Quantity

NOTHING = Area(0.0, 0.0)
# From open to closed; a ceiling is one of them.
SECRECY_LEVELS = ("public", "internal", "restricted")


def may_show(secrecy: str, ceiling: str) -> bool:
    """Whether coordinates of a layer may leave under a ceiling.

    A level that nobody knows counts as the most secret one.

    Raises
    ------
    ValueError
        The ceiling is none of ``public``, ``internal``, ``restricted``.
    """
    if ceiling not in SECRECY_LEVELS:
        raise ValueError(f"ceiling must be one of {SECRECY_LEVELS}, not {ceiling!r}")
    level = SECRECY_LEVELS.index(secrecy) if secrecy in SECRECY_LEVELS else len(SECRECY_LEVELS)
    return level <= SECRECY_LEVELS.index(ceiling)


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What the plan says about a layer; ``coverage`` is a layer id or ``bounds``."""

    id: str
    title: str
    role: str
    geometry: str
    vintage: str
    status: str
    law_status: str = "in_force"
    coverage: str = "bounds"
    scheme: str | None = None
    edition: str | None = None
    secrecy: str = "public"
    licence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class LayerReport:
    """The state of one layer for one site.

    ``uncovered_share`` is the share of the site outside the declared coverage, None when the
    coverage itself is unknown.
    """

    info: LayerInfo
    state: LayerState
    content_sha256: str | None
    uncovered_share: float | None
    reason: str = ""


@quickly_made
@dataclass(frozen=True, slots=True)
class Evidence:
    """What the site touches on one class of one layer, whatever the rules say.

    Lengths and distances in metres, areas in m², ``share`` 0-1 of the site's ellipsoidal area.
    """

    layer: str
    cls: str | None
    name: str | None
    kind: str
    area_m2: float | None = None
    planar_m2: float | None = None
    length_m: float | None = None
    count: int | None = None
    distance_m: float | None = None
    share: float | None = None
    feature_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrossRow:
    """Area of a site on one class of a first layer and one class of a second, m²; share 0-1.

    A class is None where the layer has no feature.
    """

    first: str | None
    first_name: str | None
    second: str | None
    second_name: str | None
    area_m2: float
    share: float


@dataclass(frozen=True, slots=True)
class LayerClasses:
    """Some classes of a layer, exact values or prefixes ending in ``*``; empty means all."""

    layer: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Demand:
    """One thing that a rule wants measured.

    ``classes`` are exact class values, or prefixes ending in ``*``; empty means every class. With
    ``excluding`` the features of all *other* classes are meant, those without a class among them.
    For a distance ``within_m`` bounds the search. For an area it asks for the land around the
    features instead: up to ``within_m`` outward from their edge, less what is nearer than
    ``beyond_m`` (0: the features included). ``on`` and ``off`` keep the land that lies on, or off,
    all of the named layer classes. ``values`` asks for the touched features one by one
    (``Measure.features``) with these values, ``by_class`` for the land of each class. ``geometry``
    asks for the overlap to be shown. ``divided`` asks how the site divides by the lands of other
    demands: ``Measure.features`` has one entry for each combination of them that occurs, named by
    their places in the order ("0,2"), and one without a name for the land in none of them.

    Equal demands are one and the same object, so that they are told apart by identity: a check
    looks measures up by their demands a thousand times.
    """

    layer: str
    quantity: Quantity
    classes: tuple[str, ...] = ()
    excluding: bool = False
    width_tolerance_m: float = 0.1
    area_tolerance_m2: float = 1.0
    within_m: float = 0.0
    beyond_m: float = 0.0
    on: tuple[LayerClasses, ...] = ()
    off: tuple[LayerClasses, ...] = ()
    values: tuple[str, ...] = ()
    by_class: bool = False
    geometry: bool = False
    divided: tuple[Demand, ...] = ()
    layers: frozenset[str] = field(default=frozenset(), init=False, repr=False)

    def __new__(cls, *args: Any, **kwargs: Any) -> Demand:
        """Return the demand that there is already, or a new one."""
        key = _key(*args, **kwargs)
        return _DEMANDS.get(key) or _DEMANDS.setdefault(key, object.__new__(cls))

    def __post_init__(self) -> None:
        """Work out ``layers``: all that the answer depends on."""
        others = (part.layer for part in (*self.on, *self.off))
        inner = (name for demand in self.divided for name in demand.layers)
        object.__setattr__(self, "layers", frozenset((self.layer, *others, *inner)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Become the demand that there is already where it is read, too."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        return _demand, (own,)


_DEMANDS: WeakValueDictionary[tuple[Any, ...], Demand] = WeakValueDictionary()
_DEFAULTS = {f.name: f.default for f in fields(Demand) if f.init}


def _key(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Return the values of all fields, in their order."""
    given = dict(zip(_DEFAULTS, args, strict=False)) | kwargs
    return tuple(given.get(name, default) for name, default in _DEFAULTS.items())


def _demand(own: Mapping[str, Any]) -> Demand:
    return Demand(**own)


@dataclass(frozen=True, slots=True)
class Sliver:
    """A part under both tolerances: width is 2 · area / perimeter.

    ``geometry`` is the part in the work CRS, an opaque object here, perhaps not drawn yet; it makes
    no difference between slivers.
    """

    area_m2: float
    width_m: float
    geometry: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """A feature near the site; ``edge_m`` is None when its half width is not known.

    ``values`` are further fields of the feature that the plan names, None where empty.
    """

    feature_id: str
    cls: str | None
    name: str | None
    axis_m: float
    edge_m: float | None
    values: Mapping[str, str | float | None] = field(default_factory=dict)


@quickly_made
@dataclass(frozen=True, slots=True)
class Touched:
    """One feature that the site overlaps, m², with the values that were asked for.

    Where land was asked for by class, or divided, it stands for all land of one kind.
    ``decisive_m2`` leaves the slivers out: 0 means that the site only grazes it. ``geometry`` is
    the overlap in the work CRS where it was asked for, an opaque object here.
    """

    feature_id: str
    cls: str | None
    name: str | None
    area_m2: float
    decisive_m2: float
    values: Mapping[str, str | float | None] = field(default_factory=dict)
    slivers: tuple[Sliver, ...] = ()
    geometry: Any = field(default=None, compare=False)


@quickly_made
@dataclass(frozen=True, slots=True)
class Measure:
    """The answer to a demand.

    ``area`` is the full sum; ``decisive_m2`` leaves the slivers out and is what a threshold sees.
    Land off a layer is counted inside its coverage only: beyond it nothing is known.
    ``reach_covered`` is False when the land within the searched distance is not all covered, so
    that an unseen feature may be nearer than the nearest one seen. ``features`` are the features
    one by one where values were asked for. ``geometry`` is the overlap in the work CRS, an opaque
    object here.
    """

    demand: Demand
    area: Area = NOTHING
    share: float = 0.0
    decisive_m2: float = 0.0
    slivers: tuple[Sliver, ...] = ()
    length_m: float = 0.0
    count: int = 0
    near: tuple[Near, ...] = ()
    features: tuple[Touched, ...] = ()
    reach_covered: bool = True
    feature_ids: tuple[str, ...] = ()
    geometry: Any = None
    is_nothing: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out ``is_nothing``, which every rule asks for.

        Nothing was found, and nothing unseen may be there.
        """
        found = self.area.planar_m2 or self.near or self.features or self.feature_ids
        more = self.length_m or self.count or self.slivers or self.geometry
        object.__setattr__(self, "is_nothing", self.reach_covered and not found and not more)


@dataclass(frozen=True, eq=False, slots=True)
class Rest:
    """What there is to say of every site that meets nothing and lies in the same coverages.

    The same object, and the same measures and reports, for all of these sites. ``measures`` has all
    demands that are answered there, ``layers`` the states of all layers by id.
    """

    measures: Mapping[Demand, Measure]
    layers: Mapping[str, LayerReport]
    reports: tuple[LayerReport, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Keep the states of the layers as they stand in an answer."""
        object.__setattr__(self, "reports", tuple(self.layers.values()))
