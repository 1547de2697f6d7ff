"""How much? The measuring wing: sites against layers, numbers out.

It knows nothing of files, laws or plans. ``index`` holds the features of a layer ready to be
queried, ``overlay`` measures one site against many layers: ``cut`` by the features, ``around`` for
the land around them, ``answers`` for what rules want to know. ``cross`` divides it by two at once.
``raster`` counts the pixels of a grid in polygons, by exact ``coverage`` or by ``scanlines``
through their centres; ``spectral`` turns bands into indices.
"""

from gis.engine.cross import cross
from gis.engine.index import LayerIndex
from gis.engine.overlay import Measurement, measure

__all__ = ["LayerIndex", "Measurement", "cross", "measure"]
