"""What a rule may know about a site, and what it answers.

Numbers only: no geometry, no file. ``Facts`` go in, one ``Outcome`` per rule comes out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from gis.model import Claim, Demand, Impact, LayerReport, Measure, Measured, Rest, Verdict

_INF = math.inf


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rules may know about one site.

    Parameters
    ----------
    use
        Land-use code (2023 edition), or None when none was given.
    attributes
        Claims of the applicant.
    as_of
        The day whose law applies.
    site_area_m2
        Ellipsoidal area.
    measures
        The answers to the demands of the rule book.
    layers
        The state of each layer for this site, by layer id.
    corridor_width_m
        Width of a road or pipe project, None for any other site.
    budgets
        What the site takes from each budget of the plan, by account id.
    rest
        What the measures and layers would be if the site met nothing, where somebody knows; it
        tells what rules have found already, never what they find.
    """

    use: str | None
    attributes: Mapping[str, Claim]
    as_of: date
    site_area_m2: float
    measures: Mapping[Demand, Measure] = field(default_factory=dict)
    layers: Mapping[str, LayerReport] = field(default_factory=dict)
    corridor_width_m: float | None = None
    budgets: Mapping[str, Impact] = field(default_factory=dict)
    rest: Rest | None = None

    def share(self, area_m2: float) -> float:
        """Return an area as a share of the site, 0 to 1."""
        whole = self.site_area_m2
        if not 0.0 < whole < _INF:
            return 0.0
        share = area_m2 / whole
        if share > 1.0:
            return 1.0
        return 0.0 if share < 0.0 else share


class Outcome(NamedTuple):
    """What one kind of rule found, before dates, states of layers and caps are looked at.

    ``clear`` is the sentence that nothing stands against the site. It speaks of the whole site, so
    it is kept apart from the ``reason`` until the coverage of the layer is known. Both are whole
    sentences, as ``texts.join`` gives them, so that one follows the other as it is.
    """

    verdict: Verdict
    reason: str
    measure: Measured | None = None
    geometry: Any = None
    clear: str = ""


def is_sound(measure: Measure) -> bool:
    """Whether every number of a measure is finite and not negative."""
    area = measure.area
    if not (
        0.0 <= area.ellipsoidal_m2 < _INF
        and 0.0 <= area.planar_m2 < _INF
        and 0.0 <= measure.share < _INF
        and 0.0 <= measure.decisive_m2 < _INF
        and 0.0 <= measure.length_m < _INF
    ):
        return False
    if measure.slivers or measure.near or measure.features:
        return _has_sound_parts(measure)
    return True


def _has_sound_parts(measure: Measure) -> bool:
    parts = [
        *(x for s in measure.slivers for x in (s.area_m2, s.width_m)),
        *(n.axis_m for n in measure.near),
        *(n.edge_m for n in measure.near if n.edge_m is not None),
        *(x for f in measure.features for x in (f.area_m2, f.decisive_m2)),
    ]
    return all(0 <= x < _INF for x in parts)
