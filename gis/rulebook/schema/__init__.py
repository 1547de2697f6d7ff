"""What may stand in a rule book file, key by key: one typed model per kind of rule.

A new kind is one model here, one file in ``kinds/`` and one line in ``kinds/__init__.py``.
"""

from gis.rulebook.schema.area import (
    SLIVER_LIMIT_M2,
    Above,
    AreaRule,
    ClassOutcome,
    Convert,
    ForbidOverlap,
    LandClassGroup,
    RequireWithin,
    ShareLimit,
)
from gis.rulebook.schema.base import (
    Condition,
    DocumentEntry,
    ExceptionEntry,
    LayerPart,
    Limit,
    ParameterEntry,
    ParameterValue,
    RuleEntry,
    plain,
)
from gis.rulebook.schema.book import RuleFile
from gis.rulebook.schema.claims import (
    AttributeLimit,
    DocumentRequired,
    LimitRow,
    Quota,
    RequiredDocument,
)
from gis.rulebook.schema.distance import MinDistance
from gis.rulebook.schema.use import (
    CompatibleEntry,
    CompatibleUse,
    UseCell,
    UsePermitted,
    ZoneArea,
)

__all__ = [
    "SLIVER_LIMIT_M2",
    "Above",
    "AreaRule",
    "AttributeLimit",
    "ClassOutcome",
    "CompatibleEntry",
    "CompatibleUse",
    "Condition",
    "Convert",
    "DocumentEntry",
    "DocumentRequired",
    "ExceptionEntry",
    "ForbidOverlap",
    "LandClassGroup",
    "LayerPart",
    "Limit",
    "LimitRow",
    "MinDistance",
    "ParameterEntry",
    "ParameterValue",
    "Quota",
    "RequireWithin",
    "RequiredDocument",
    "RuleEntry",
    "RuleFile",
    "ShareLimit",
    "UseCell",
    "UsePermitted",
    "ZoneArea",
    "plain",
]
