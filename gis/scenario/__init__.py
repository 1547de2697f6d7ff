"""What if one layer were different? Drafts of a plan, and what each would change.

``changes`` draws land onto or off a layer, ``package`` saves the result as a plan package with the
status ``draft``, ``land`` says which land changed hands, ``compare`` sets plans side by side.
"""

from __future__ import annotations

from gis.scenario.changes import Change
from gis.scenario.compare import Comparison, Wish, compare_scenarios
from gis.scenario.package import make_scenario

__all__ = ["Change", "Comparison", "Wish", "compare_scenarios", "make_scenario"]
