"""The kinds that look at the project: attribute_limit, document_required, quota."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, model_validator

from gis.rulebook.schema.base import (
    Against,
    Condition,
    LimitValue,
    Outcome,
    RuleEntry,
    Strict,
    Text,
)

_Rule = TypeVar("_Rule", bound=RuleEntry)


class LimitRow(Strict):
    """One row of a table of limits: for which uses, under which claims, what holds.

    ``uses`` empty means every use; the longest match wins, then the most conditions.
    """

    label: Text
    uses: tuple[Text, ...] = ()
    when: tuple[Condition, ...] = ()
    at_least: LimitValue | None = None
    at_most: LimitValue | None = None
    one_of: tuple[bool | str, ...] = ()

    @model_validator(mode="after")
    def _limits_something(self) -> LimitRow:
        numbers = self.at_least is not None or self.at_most is not None
        if numbers == bool(self.one_of):
            raise ValueError("每一行应写 at_least、at_most（数）或者 one_of（词）")
        return self


class AttributeLimit(RuleEntry):
    """A claim of the applicant must keep within limits; without the claim nothing is known.

    ``per`` divides the claim by the area of the site: ``ha`` or ``mu``. A limit may be a field of
    the layer (``{ field = "plot_ratio_max" }``): then every feature that the site touches with more
    than slivers sets its own limit, and off the layer the rule does not apply.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"value", "limit", "label", "use"})

    kind: Literal["attribute_limit"]
    attribute: Text
    per: Literal["", "ha", "mu"] = ""
    outcome: Against
    rows: Annotated[tuple[LimitRow, ...], Field(min_length=1)]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the layer that set limits."""
        limits = (limit for row in self.rows for limit in (row.at_least, row.at_most) if limit)
        return tuple(dict.fromkeys(limit.field for limit in limits if limit.field))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition of the rule and of its rows."""
        return (*self.when, *(c for row in self.rows for c in row.when))

    @property
    def use_codes(self) -> tuple[str, ...]:
        """Every use code that the rule names."""
        return (*super().use_codes, *(u for row in self.rows for u in row.uses))

    @model_validator(mode="after")
    def _fields_need_a_layer(self) -> AttributeLimit:
        if bool(self.fields) != bool(self.layer):
            raise ValueError("限值来自图层字段（field）时写 layer，否则不写")
        return self


class RequiredDocument(Strict):
    """A document or procedure, and when it is needed; no condition: always."""

    title: Text
    office: str = ""
    when: tuple[Condition, ...] = ()


class DocumentRequired(RuleEntry):
    """The project needs documents before it may go on.

    ``outcome`` is ``conditional`` for a document that decides whether the project may stand there,
    ``pass`` for a step that every such project takes anyway and that is only named.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"documents", "area", "use"})

    kind: Literal["document_required"]
    documents: Annotated[tuple[RequiredDocument, ...], Field(min_length=1)]
    outcome: Outcome = "conditional"

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition of the rule and of its documents."""
        return (*self.when, *(c for document in self.documents for c in document.when))

    @model_validator(mode="after")
    def _measures_nothing(self) -> DocumentRequired:
        return _without_layer(self)


class Quota(RuleEntry):
    """What the site takes must still be left in a budget of the plan.

    ``account`` is an id of the budgets (``conversion``, ``replacement``, ``dev_boundary``, …); an
    account with several classes (``dev_boundary:410``) is meant as a whole. A budget whose total
    nobody has stated leaves the rule undetermined when the site takes from it.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"taken", "left", "short", "use"})

    kind: Literal["quota"]
    account: Text
    outcome: Against

    @model_validator(mode="after")
    def _measures_nothing(self) -> Quota:
        return _without_layer(self)


def _without_layer(rule: _Rule) -> _Rule:
    if rule.layer:
        raise ValueError("这一类规则不量测图层，地块位于何处写在 when 中，不写 layer")
    return rule
