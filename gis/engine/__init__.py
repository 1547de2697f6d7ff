"""How much? The measuring wing: sites against layers, numbers out.

It knows nothing of files, laws or plans. ``index`` holds the features of a layer ready to be
queried. ``kernel`` sums the area that two polygons share without building the overlap, ``screen``
asks it what a site meets. ``survey`` is what is asked of all layers, ``overlay`` measures one site
by it: ``cut`` by the features, ``around`` for the land around them, ``answers`` for what rules want
to know, ``ruler`` and ``areal`` for areas on the ellipsoid. ``cross`` divides it by two layers.
``raster`` counts the pixels of a grid in polygons, by exact coverage or by their centres: edges
leave ``marks`` on its rows, ``running`` sums count what they enclose. ``spectral`` turns bands into
indices.
"""

from gis.engine.cross import cross
from gis.engine.index import LayerIndex
from gis.engine.overlay import Measurement, measure, surveyed
from gis.engine.ruler import drawn
from gis.engine.screen import Screened, screen
from gis.engine.stack import Stack
from gis.engine.survey import Survey

__all__ = [
    "LayerIndex",
    "Measurement",
    "Screened",
    "Stack",
    "Survey",
    "cross",
    "drawn",
    "measure",
    "screen",
    "surveyed",
]
