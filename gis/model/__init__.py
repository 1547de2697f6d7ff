"""The words of the work as frozen types: site, layer, evidence, rule, finding, verdict, check.

Data only: no file is read, nothing is measured, no geometry library is imported. A geometry is
carried as an opaque object (shapely, in the work CRS of the plan) or, where it is shown, as a
GeoJSON mapping in longitude/latitude.
"""

from gis.model.answer import (
    Contact,
    Finding,
    Impact,
    Measured,
    OutOfScope,
    PlanRef,
    Remedy,
    SiteCheck,
)
from gis.model.measures import (
    CrossRow,
    Demand,
    Evidence,
    LayerClasses,
    LayerInfo,
    LayerReport,
    Measure,
    Near,
    Rest,
    Sliver,
    Touched,
    may_show,
)
from gis.model.rules import Basis, Document, Parameter, Rule, citation
from gis.model.site import Area, CrsDecision, Doubt, Remark, Site, Source
from gis.model.words import (
    VERDICTS,
    Claim,
    GeoJson,
    LayerState,
    Quantity,
    Verdict,
    class_matches,
    worst,
)

__all__ = [
    "VERDICTS",
    "Area",
    "Basis",
    "Claim",
    "Contact",
    "CrossRow",
    "CrsDecision",
    "Demand",
    "Document",
    "Doubt",
    "Evidence",
    "Finding",
    "GeoJson",
    "Impact",
    "LayerClasses",
    "LayerInfo",
    "LayerReport",
    "LayerState",
    "Measure",
    "Measured",
    "Near",
    "OutOfScope",
    "Parameter",
    "PlanRef",
    "Quantity",
    "Remark",
    "Remedy",
    "Rest",
    "Rule",
    "Site",
    "SiteCheck",
    "Sliver",
    "Source",
    "Touched",
    "Verdict",
    "citation",
    "class_matches",
    "may_show",
    "worst",
]
