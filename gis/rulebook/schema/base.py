"""What every rule has, whatever its kind: documents, citations, conditions, limits, texts.

Pydantic models of the TOML. Unknown keys are refused. Nothing is judged here, and no rule knows a
place.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Outcome = Literal["pass", "conditional", "undetermined", "fail"]
Against = Literal["conditional", "undetermined", "fail"]
Use = Literal["permitted", "conditional", "prohibited"]
Origin = Literal["statute", "plan", "assumption"]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+([.\-_][a-z0-9]+)*$")]
# A class as the data write it, or a prefix and ``*``; a star elsewhere would match nothing.
ClassPattern = Annotated[str, Field(min_length=1, pattern=r"^[^*]*\*?$")]
Metres = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
SquareMetres = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]
Claims = dict[str, bool | float | str]
# The units in which a limit may be given; the shares are 0-1.
Unit = Literal["m", "m2", "ha", "share", "ratio", "storeys", "wan", "wan_per_ha", "wan_per_mu"]


class Strict(BaseModel):
    """Base of every model here: no unknown key, no later change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- documents and citations ---------------------------------------------------------------------


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


# --- numbers -------------------------------------------------------------------------------------


class ParameterEntry(Strict):
    """A number that no text has published: declared here, filled in by a plan, never invented."""

    id: Id
    title: Text
    unit: Unit
    note: str = ""


class ParameterValue(Strict):
    """What a plan package says that a parameter is, and on what ground."""

    parameter: Text
    value: Number
    source: Text


_LIMIT_FORMS = "限值应为一个数、{ parameter = … } 或 { field = … } 之一"


class Limit(Strict):
    """A number that decides: given, an empty parameter of the plan, or a field of the layer.

    In TOML: ``at_most = 0.07``, ``at_least = { parameter = "z3.output" }``, ``at_most = { field =
    "plot_ratio_max" }``. The loader fills ``value`` and ``title`` of a parameter; ``value`` stays
    None while nobody has published it.
    """

    value: Number | None = None
    parameter: str = ""
    field: str = ""
    title: str = ""

    @model_validator(mode="after")
    def _one_source(self) -> Limit:
        given = [self.value is not None, self.parameter, self.field]
        if sum(map(bool, given)) != 1:
            raise ValueError(_LIMIT_FORMS)
        return self


def _limit_of(given: object) -> object:
    if isinstance(given, bool | str):
        raise ValueError(_LIMIT_FORMS)
    return {"value": float(given)} if isinstance(given, int | float) else given


LimitValue = Annotated[Limit, BeforeValidator(_limit_of)]


# --- conditions ----------------------------------------------------------------------------------


class LayerPart(Strict):
    """Some classes of a layer; without classes the whole layer."""

    layer: Text
    classes: tuple[ClassPattern, ...] = ()


class Condition(Strict):
    """One condition of ``when``; all of a rule's conditions must hold. No code is evaluated.

    Exactly one subject: ``site`` (``area_m2``, ``corridor_width_m``, or ``corridor``: whether it
    is a road or pipe with a width), ``attribute`` (a claim of the applicant), or ``layer`` (with
    ``classes``). A number is compared by ``at_least``, ``above``, ``at_most`` or ``below``, a word
    or flag by ``one_of``; a layer by ``lies``: ``on`` (the site touches it with more than slivers),
    ``off`` (it does not) or ``within`` (the whole site lies on it). ``label`` says in words what
    the classes are. What cannot be known, because the claim or the layer is missing, leaves the
    rule open.
    """

    site: Literal["", "area_m2", "corridor", "corridor_width_m"] = ""
    attribute: str = ""
    layer: str = ""
    classes: tuple[ClassPattern, ...] = ()
    label: str = ""
    lies: Literal["", "on", "off", "within"] = ""
    at_least: Number | None = None
    above: Number | None = None
    at_most: Number | None = None
    below: Number | None = None
    one_of: tuple[bool | str, ...] = ()

    @property
    def is_number(self) -> bool:
        """Whether the condition compares a number."""
        return any(v is not None for v in (self.at_least, self.above, self.at_most, self.below))

    @model_validator(mode="after")
    def _one_subject(self) -> Condition:
        if sum(map(bool, (self.site, self.attribute, self.layer))) != 1:
            raise ValueError("when 的每一条应写明 site、attribute、layer 之一")
        if self.label and not self.classes:
            raise ValueError("label 是 classes 的说明，没有 classes 时不写")
        if bool(self.layer) != bool(self.lies) or (self.classes and not self.layer):
            raise ValueError(
                "layer 条件应写 lies（on、off 或 within），其他条件不写 lies 和 classes"
            )
        asked = [self.is_number, bool(self.one_of)]
        if sum(asked) != (0 if self.layer else 1):
            raise ValueError("site、attribute 条件应写一个范围或者 one_of，layer 条件都不写")
        if self.site and (self.site == "corridor") != bool(self.one_of):
            raise ValueError("site = corridor 用 one_of = [true]；面积和宽度用 at_least 等范围")
        if self.site and not all(isinstance(word, bool) for word in self.one_of):
            raise ValueError("site = corridor 的 one_of 应为 true 或 false")
        return self


# --- rules ---------------------------------------------------------------------------------------


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
    """What every rule has, whatever its kind.

    ``layer`` is empty for the kinds that look at claims, documents or budgets only. ``threshold``
    says what is allowed where the kind's own words do not do; ``{numbers}`` in it stands for them,
    so that no number is written twice.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset()

    id: Id
    title: Text
    title_en: str = ""
    layer: str = ""
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
    when: tuple[Condition, ...] = ()
    exceptions: tuple[ExceptionEntry, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer without which the rule cannot be judged; those of ``when`` stand apart."""
        return (self.layer,) if self.layer else ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition of the rule, wherever it stands in it."""
        return self.when

    @property
    def when_layers(self) -> tuple[str, ...]:
        """The layers that its conditions look at."""
        return tuple(dict.fromkeys(c.layer for c in self.conditions if c.layer))

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


def plain(model: BaseModel) -> dict[str, Any]:
    """Return a model as JSON values, defaults included; what the hash of a rule book sees."""
    return model.model_dump(mode="json")
