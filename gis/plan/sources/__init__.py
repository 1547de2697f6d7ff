"""Where do the layers of a plan stand: in files beside it, or in tables of a PostGIS database?

``stored`` is what both give; ``files`` and ``postgis`` read it, ``addresses`` says which database
is meant, ``tables`` what a table is made of, ``faults`` what a database refuses, ``loading``
writes the layers of a package into a database.
"""
