"""The kinds that measure areas: forbid_overlap, require_within, share_limit, convert."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gis.rulebook.schema.base import (
    Against,
    ClassPattern,
    Flag,
    LayerPart,
    LimitValue,
    Metres,
    Outcome,
    RuleEntry,
    SquareMetres,
    Strict,
    Text,
)

# Slivers of one rule that together exceed this leave it open.
SLIVER_LIMIT_M2 = 10.0


class AreaRule(RuleEntry):
    """Base of the kinds that measure areas: where, which parts are slivers, when they matter.

    ``within_m`` and ``beyond_m`` ask for the land around the features instead of the features:
    up to ``within_m`` outward from their edge, less what is nearer than ``beyond_m`` (0: features
    included). ``on`` and ``off`` keep the land that lies on, or off, all of the named layer parts.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"area", "parts", "use"})

    within_m: Metres = 0.0
    beyond_m: Metres = 0.0
    on: tuple[LayerPart, ...] = ()
    off: tuple[LayerPart, ...] = ()
    width_tolerance_m: Metres = 0.1
    area_tolerance_m2: SquareMetres = 1.0
    sliver_limit_m2: SquareMetres = SLIVER_LIMIT_M2
    strict_slivers: Flag = False

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer without which the rule cannot be judged."""
        others = (part.layer for part in (*self.on, *self.off))
        return tuple(dict.fromkeys((*super().layers, *others)))

    @model_validator(mode="after")
    def _names_a_layer(self) -> AreaRule:
        if not self.layer:
            raise ValueError("这一类规则必须写明 layer")
        if self.beyond_m and not self.beyond_m < self.within_m:
            raise ValueError("beyond_m 应小于 within_m")
        return self


class ForbidOverlap(AreaRule):
    """The site must stay off the layer, or off some of its classes.

    ``measure`` is ``area`` for polygons, ``length`` for lines (m on the site), ``count`` for
    points; ``threshold_m2`` belongs to areas, ``threshold`` of the others is none at all.
    """

    kind: Literal["forbid_overlap"]
    classes: tuple[ClassPattern, ...] = ()
    measure: Literal["area", "length", "count"] = "area"
    threshold_m2: SquareMetres = 0.0
    outcome: Against

    @model_validator(mode="after")
    def _threshold_fits(self) -> ForbidOverlap:
        ring = self.within_m or self.on or self.off
        if self.measure != "area" and (self.threshold_m2 or ring):
            raise ValueError("线、点图层的规则不用 threshold_m2、within_m、on、off")
        return self


class ClassOutcome(Strict):
    """What some classes of the layer allow; ``label`` is what people read."""

    label: Text
    classes: Annotated[tuple[ClassPattern, ...], Field(min_length=1)]
    outcome: Outcome


class RequireWithin(AreaRule):
    """The site must lie on the layer; its classes may differ in what they allow."""

    kind: Literal["require_within"]
    by_class: tuple[ClassOutcome, ...] = ()
    outside: Outcome
    unlisted: Outcome = "undetermined"

    @property
    def labels(self) -> tuple[str, ...]:
        """The groups of classes that an exception may name."""
        return tuple(entry.label for entry in self.by_class)


class ShareLimit(AreaRule):
    """A share of the site must lie on the layer, or must not: 0-1 of its ellipsoidal area."""

    placeholders: ClassVar[frozenset[str]] = frozenset({"area", "share", "limit", "use"})

    kind: Literal["share_limit"]
    classes: tuple[ClassPattern, ...] = ()
    at_least: LimitValue | None = None
    at_most: LimitValue | None = None
    outcome: Against

    @model_validator(mode="after")
    def _one_limit(self) -> ShareLimit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("share_limit 应写 at_least 或 at_most 之一")
        for limit in (self.at_least, self.at_most):
            if limit is not None and (limit.field or (limit.value or 0) > 1):
                raise ValueError("占比限值应为 0 到 1 之间的数或规划参数")
        return self


class Above(Strict):
    """A further procedure when a group takes more than an area, m²."""

    area_m2: SquareMetres
    procedure: Text


class LandClassGroup(Strict):
    """Current land classes that share one procedure; ``procedure`` adds to the rule's own text."""

    label: Text
    classes: Annotated[tuple[ClassPattern, ...], Field(min_length=1)]
    outcome: Against = "conditional"
    procedure: str = ""
    above: tuple[Above, ...] = ()


class Convert(AreaRule):
    """Current land of some classes may be taken only by a procedure."""

    kind: Literal["convert"]
    scheme: str = ""
    edition: str = ""
    groups: Annotated[tuple[LandClassGroup, ...], Field(min_length=1)]

    @property
    def class_codes(self) -> tuple[str, ...]:
        """Every land class that the rule names in its declared scheme."""
        return tuple(c for g in self.groups for c in g.classes) if self.scheme else ()

    @property
    def land_scheme(self) -> tuple[str, str] | None:
        """Scheme and edition of the land classes that the rule names, None when it names none."""
        return (self.scheme, self.edition) if self.scheme else None

    @property
    def labels(self) -> tuple[str, ...]:
        """The groups of classes that an exception may name."""
        return tuple(group.label for group in self.groups)
