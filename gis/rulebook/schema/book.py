"""One file of a rule book: documents, parameters, and rules told apart by ``kind``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gis.rulebook.schema.area import Convert, ForbidOverlap, RequireWithin, ShareLimit
from gis.rulebook.schema.base import DocumentEntry, ParameterEntry, ParameterValue, Strict
from gis.rulebook.schema.claims import AttributeLimit, DocumentRequired, Quota
from gis.rulebook.schema.distance import MinDistance
from gis.rulebook.schema.use import CompatibleUse, UsePermitted

RuleModel = Annotated[
    ForbidOverlap
    | RequireWithin
    | ShareLimit
    | MinDistance
    | UsePermitted
    | CompatibleUse
    | AttributeLimit
    | Convert
    | Quota
    | DocumentRequired,
    Field(discriminator="kind"),
]


class RuleFile(Strict):
    """One file of a rule book."""

    document: tuple[DocumentEntry, ...] = ()
    parameter: tuple[ParameterEntry, ...] = ()
    parameter_value: tuple[ParameterValue, ...] = ()
    rule: tuple[RuleModel, ...] = ()
