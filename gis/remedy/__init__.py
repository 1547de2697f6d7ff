"""What would make the site comply? Remedies with geometry, each judged again before it is offered.

``trim`` cuts away the land that rules mark, ``shift`` moves the same outline to the nearest place
that fits, ``procedure`` names what to apply for and where. Nothing here knows a rule by name or
measures anything: what the rules mark, and whether an outline helps, says the engine.
"""

from gis.remedy.ground import Ground
from gis.remedy.offers import remedies_for

__all__ = ["Ground", "remedies_for"]
