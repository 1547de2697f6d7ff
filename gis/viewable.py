"""How does an object show itself in a notebook, although what shows things stands far above it?

A plan, a check or a land balance knows nothing of maps, charts and HTML. It only says that it can
be shown; the views are found by their name when somebody looks, so that ``import gis`` stays light
and a service never loads them.
"""

from __future__ import annotations

import importlib
from typing import Any

_VIEWS = "gis.output.notebook"


class Viewable:
    """Something that a notebook shows as a card, a map, a picture or a table.

    The views stand in ``gis.output.notebook``, one function for each kind of object.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        """Return the card that a notebook shows for the object: safe HTML, light or dark."""
        return str(_view("card", self))

    def explore(self, *args: Any, **options: Any) -> Any:
        """Return the map page of the object: works without a network, shown in the notebook.

        The page has ``save(path)``. A check needs the plan: ``check.explore(plan)``; other options
        are those of ``plan_map``, ``site_map`` and ``search_map``.

        Raises
        ------
        ClaimError
            There is no map of such an object.
        """
        return _view("explore", self, *args, **options)

    def plot(self, *args: Any, **options: Any) -> Any:
        """Return a matplotlib figure of the object, in the colours of the maps.

        A check needs the plan: ``check.plot(plan)``.

        Raises
        ------
        ClaimError
            matplotlib is not installed, or there is no picture of such an object.
        """
        return _view("plot", self, *args, **options)


def _view(kind: str, shown: object, *args: Any, **options: Any) -> Any:
    return getattr(importlib.import_module(_VIEWS), kind)(shown, *args, **options)
