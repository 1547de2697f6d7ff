"""Is the data of a plan package fit to decide with?

``check_plan`` looks at every layer and tells what is wrong, where, how large, and what to do:

``raw``, ``layer_data``    what stands in the file, faults included
``positions``, ``shifts``  where the layer belongs
``files``, ``encodings``, ``shapes``, ``attributes``, ``stated_areas``   what is wrong inside it
``coverages``, ``outside``, ``pieces``   gaps, overlaps, slivers, parts outside
``thresholds``, ``findings``, ``report``   from which size on, told how, as which report
"""

from gis.plan.quality.findings import Finding, Severity, without_places
from gis.plan.quality.report import (
    LayerQuality,
    PlanQuality,
    check_plan,
    figure_faults,
    quality,
)

__all__ = [
    "Finding",
    "LayerQuality",
    "PlanQuality",
    "Severity",
    "check_plan",
    "figure_faults",
    "quality",
    "without_places",
]
