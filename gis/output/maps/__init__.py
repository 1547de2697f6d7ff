"""Offline maps: one HTML file that opens on an intranet, a phone, a projector and on paper.

Shows a plan and the checks of sites; never measures, never judges, never touches the network.
"""

from __future__ import annotations

from gis.output.maps.pages import plan_map, served_plan_map, site_map
from gis.output.maps.pair import comparison_map
from gis.output.maps.portfolio_page import portfolio_map
from gis.output.maps.search import search_map
from gis.output.maps.sheet import ServedMap

__all__ = [
    "ServedMap",
    "comparison_map",
    "plan_map",
    "portfolio_map",
    "search_map",
    "served_plan_map",
    "site_map",
]
