"""How do plans, checks and balances look in a notebook? Cards, pages and pictures.

``cards`` are safe HTML for light and dark, ``pages`` our own offline maps in a frame, ``pictures``
matplotlib. Nothing is measured or judged here.
"""

from __future__ import annotations

from gis.output.maps.page import Page
from gis.output.notebook.cards import card
from gis.output.notebook.pages import explore
from gis.output.notebook.pictures import plot, use_chinese_font

__all__ = ["Page", "card", "explore", "plot", "use_chinese_font"]
