"""Where could a project stand? Feasible land, ranked candidate sites, and what stands in the way.

``query`` is what is wanted, ``cells`` the grid, ``lands`` what rules tell apart on it, ``kinds``
and ``verdicts`` what they say there; ``shapes`` and ``outlines`` make sites of it, ``offers``
checks and ranks them by ``criteria``. The law is not read here: all of it is asked of the rules
themselves.
"""

from gis.siting.answer import Candidate, SiteSearch
from gis.siting.search import find_sites

__all__ = ["Candidate", "SiteSearch", "find_sites"]
