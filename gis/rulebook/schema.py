"""What may stand in a rule book file, key by key.

Pydantic models of the TOML: documents, rules and one model per kind of rule, told apart by
``kind``. Unknown keys are refused. Nothing is judged here, and no rule knows a place.

A new kind is one model here, one function in a ``kind_*`` file and one line in ``kinds.py``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Outcome = Literal["pass", "conditional", "undetermined", "fail"]
Use = Literal["permitted", "conditional", "prohibited"]
Origin = Literal["statute", "plan", "assumption"]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+([.\-_][a-z0-9]+)*$")]
Metres = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
SquareMetres = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]
Claims = dict[str, bool | float | str]


class Strict(BaseModel):
    """Base of every model here: no unknown key, no later change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentEntry(Strict):
    """One text of a law, notice, standard or plan; a revision is a document of its own."""

    id: Id
    title: Text
    number: str = ""
    issuer: str = ""
    valid_from: Day | None = None
    valid_to: Day | None = None
    verified: Flag
    checked_on: Day
    source: Text


class BasisEntry(Strict):
    """One citation: document and article; ``verified`` speaks of the article."""

    document: Text
    article: str = ""
    verified: Flag


class Texts(Strict):
    """The two sentences of a rule, with placeholders for the measured numbers.

    ``clear`` is said when nothing stands against the site, ``hit`` when something does.
    """

    clear: Text
    hit: Text


class ExceptionEntry(Strict):
    """A different outcome for some uses, on some days, or under a claim of the applicant.

    ``uses`` are codes that stand for everything under them; the longest match wins. ``classes``
    are labels of the rule's own groups of classes; without them the exception holds everywhere.
    """

    uses: Annotated[tuple[Text, ...], Field(min_length=1)]
    verdict: Outcome
    reason: Text
    classes: tuple[Text, ...] = ()
    attributes: Claims = Field(default_factory=dict)
    origin: Origin = "statute"
    verified: Flag = True
    valid_from: Day | None = None
    valid_to: Day | None = None


class RuleEntry(Strict):
    """What every rule has, whatever its kind."""

    placeholders: ClassVar[frozenset[str]] = frozenset()

    id: Id
    title: Text
    layer: Text
    origin: Origin
    effect_verified: Flag
    basis: Annotated[tuple[BasisEntry, ...], Field(min_length=1)]
    office: Text
    priority: Annotated[int, Field(ge=0, le=999, strict=True)]
    valid_from: Day | None = None
    valid_to: Day | None = None
    checked_on: Day
    remedy: Text
    threshold: str = ""
    text: Texts
    applies_to: tuple[Text, ...] = ()
    exceptions: tuple[ExceptionEntry, ...] = ()

    @property
    def use_codes(self) -> tuple[str, ...]:
        """Every use code that the rule names."""
        return (*self.applies_to, *(code for e in self.exceptions for code in e.uses))

    @property
    def class_codes(self) -> tuple[str, ...]:
        """Every land class that the rule names in its declared scheme."""
        return ()

    @property
    def land_scheme(self) -> tuple[str, str] | None:
        """Scheme and edition of the land classes that the rule names, None when it names none."""
        return None

    @property
    def labels(self) -> tuple[str, ...]:
        """The groups of classes that an exception may name."""
        return ()


class AreaRule(RuleEntry):
    """Base of the kinds that measure areas: which parts are slivers, and when they matter."""

    placeholders: ClassVar[frozenset[str]] = frozenset({"area", "parts", "use"})

    width_tolerance_m: Metres = 0.1
    area_tolerance_m2: SquareMetres = 1.0
    sliver_limit_m2: SquareMetres = 10.0
    strict_slivers: Flag = False


class ForbidOverlap(AreaRule):
    """The site must stay off the layer, or off some of its classes."""

    kind: Literal["forbid_overlap"]
    classes: tuple[Text, ...] = ()
    threshold_m2: SquareMetres = 0.0
    outcome: Literal["conditional", "undetermined", "fail"]


class ClassOutcome(Strict):
    """What some classes of the layer allow; ``label`` is what people read."""

    label: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=1)]
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


class LandClassGroup(Strict):
    """Current land classes that share one procedure; ``procedure`` adds to the rule's own text."""

    label: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=1)]
    outcome: Literal["conditional", "undetermined", "fail"] = "conditional"
    procedure: str = ""


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


class UseCell(Strict):
    """One cell of the zone x use matrix: what these zones say to these uses.

    ``attribute`` makes the cell depend on a claim: values in ``accepted`` give the verdict, values
    in ``refused`` prohibit, anything else is undetermined.
    """

    zones: Annotated[tuple[Text, ...], Field(min_length=1)]
    uses: Annotated[tuple[Text, ...], Field(min_length=1)]
    verdict: Use
    phrase: Text
    origin: Origin
    condition: str = ""
    attribute: str = ""
    accepted: tuple[bool | float | str, ...] = ()
    refused: tuple[bool | float | str, ...] = ()

    @model_validator(mode="after")
    def _conditions_are_stated(self) -> UseCell:
        if self.attribute and not self.accepted:
            raise ValueError("写了 attribute 就必须写 accepted")
        if self.verdict == "conditional" and not self.condition:
            raise ValueError("verdict = conditional 时必须写 condition")
        return self


class UsePermitted(AreaRule):
    """The use must be permitted in every zone that the site touches."""

    kind: Literal["use_permitted"]
    outside: Outcome = "undetermined"
    zone_names: dict[str, str] = Field(default_factory=dict)
    cells: Annotated[tuple[UseCell, ...], Field(min_length=1)]

    placeholders: ClassVar[frozenset[str]] = AreaRule.placeholders | {"cells"}

    @property
    def use_codes(self) -> tuple[str, ...]:
        """Every use code that the rule names."""
        return (*super().use_codes, *(u for c in self.cells for u in c.uses))


class MinDistance(RuleEntry):
    """The site must keep its distance from the edge of some features.

    ``distance_m`` is a number per class, or ``[least, most]`` where the exact number depends on a
    setting that the layer does not know: nearer than the least is a hit, between is undetermined.
    ``no_distance`` names the classes the rule leaves alone; an unknown class is undetermined.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"distance", "required", "feature", "use"})

    kind: Literal["min_distance"]
    edge: Text
    distance_m: Annotated[dict[str, Metres | tuple[Metres, Metres]], Field(min_length=1)]
    no_distance: tuple[Text, ...] = ()
    plausible_half_width_m: Metres
    outcome: Literal["conditional", "undetermined", "fail"]

    @model_validator(mode="after")
    def _ranges_rise(self) -> MinDistance:
        for cls, value in self.distance_m.items():
            if isinstance(value, tuple) and not value[0] < value[1]:
                raise ValueError(f"{cls} 的距离区间应由小到大")
        return self


RuleModel = Annotated[
    ForbidOverlap | RequireWithin | Convert | UsePermitted | MinDistance,
    Field(discriminator="kind"),
]


class RuleFile(Strict):
    """One file of a rule book."""

    document: tuple[DocumentEntry, ...] = ()
    rule: tuple[RuleModel, ...] = ()


def plain(model: BaseModel) -> dict[str, Any]:
    """Return a model as JSON values, defaults included; what the hash of a rule book sees."""
    return model.model_dump(mode="json")
