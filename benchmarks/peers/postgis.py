"""PostGIS: ``ST_Subdivide``, GiST, covers shortcut, nearest road by ``<->``; prepared statements.

``cpu_s`` and ``rss_mb`` are those of the backend; the client only fetches rows.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import county
import numpy as np
import shapely
from job import Answers, Array, Engine, MissingError, wkb
from lines import peak_mb

from peers.cluster import cluster, cpu_s
from peers.sql import COVERED, answers_of

_NEAR = """
SELECT p.id, r.m FROM parcels p CROSS JOIN LATERAL
  (SELECT ST_Distance(p.geom, s.geom) AS m FROM roads s ORDER BY s.geom <-> p.geom LIMIT 1) r
"""
_ONE = """
SELECT l.layer, l.feature,
  SUM(CASE WHEN ST_Covers(p.geom, l.geom) THEN l.area
           WHEN ST_Covers(l.geom, p.geom) THEN ST_Area(p.geom)
           ELSE ST_Area(ST_Intersection(p.geom, l.geom)) END)
FROM (SELECT ST_GeomFromWKB(%(site)s) AS geom) p JOIN {table} l ON ST_Intersects(p.geom, l.geom)
GROUP BY l.layer, l.feature
"""
_ONE_NEAR = """
SELECT ST_Distance(p.geom, s.geom) FROM (SELECT ST_GeomFromWKB(%(site)s) AS geom) p, roads s
ORDER BY s.geom <-> p.geom LIMIT 1
"""


class PostGis:
    """Tables of a county and of parcels in a cluster of our own."""

    def __init__(self, place: Path, parcels: Array) -> None:
        try:
            import psycopg
        except ImportError as problem:
            raise MissingError("postgis: psycopg is not installed") from problem
        self.count = len(parcels)
        self._open = ExitStack()
        atexit.register(self.close)
        self._base: Any = psycopg.connect(**self._open.enter_context(cluster()), autocommit=True)
        self._open.callback(self._base.close)
        self.pid = self._base.info.backend_pid
        try:
            self._base.execute("CREATE EXTENSION postgis")
        except psycopg.Error as problem:
            raise MissingError("postgis: the extension is not installed") from problem
        self._fill(place, parcels)

    def _fill(self, place: Path, parcels: Array) -> None:
        layers = county.read(place)
        self._table("features", "layer int, feature int, geom geometry", _features(layers))
        self._base.execute(
            "CREATE TABLE pieces AS SELECT layer, feature, ST_Subdivide(geom, 128) AS geom "
            "FROM features"
        )
        self._base.execute("ALTER TABLE pieces ADD area float8")
        self._base.execute("UPDATE pieces SET area = ST_Area(geom)")
        roads = layers["roads"].geometry.to_numpy()
        self._table("roads", "id int, geom geometry", enumerate(wkb(roads)))
        rows = zip(range(self.count), shapely.area(parcels).tolist(), wkb(parcels), strict=True)
        self._table("parcels", "id int, area float8, geom geometry", rows)
        for name in ("pieces", "roads", "parcels"):
            self._base.execute(f"CREATE INDEX ON {name} USING gist (geom)")
            self._base.execute(f"VACUUM FULL ANALYZE {name}")

    def _table(self, name: str, columns: str, rows: Any) -> None:
        self._base.execute(f"CREATE TABLE {name} ({columns})")
        with self._base.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for *values, shape in rows:
                copy.write_row((*values, shape.hex()))

    def __call__(self) -> Answers:
        """Return the answers."""
        rows = np.array(self._base.execute(COVERED).fetchall(), dtype=float).reshape(-1, 4)
        near = np.array(self._base.execute(_NEAR).fetchall(), dtype=float).reshape(-1, 2)
        return answers_of(self.count, tuple(rows.T), (near[:, 0], near[:, 1]))

    def one(
        self, site: bytes, tables: Sequence[str] = ("pieces",)
    ) -> tuple[list[tuple[Any, ...]], float]:
        """Return layer, feature and m² of one parcel, and metres to the nearest road."""
        rows = []
        with self._base.cursor() as cursor:
            for table in tables:
                asked = _ONE.format(table=table)
                rows += cursor.execute(asked, {"site": site}, prepare=True).fetchall()
            (near,) = cursor.execute(_ONE_NEAR, {"site": site}, prepare=True).fetchone()
        return rows, near

    def split_by_layer(self) -> list[str]:
        """Keep the pieces of each layer in a table of its own, as most plans do; return names."""
        names = [f"pieces_{name}" for name in county.POLYGONS]
        for number, name in enumerate(names):
            self._base.execute(
                f"CREATE TABLE {name} AS SELECT * FROM pieces WHERE layer = {number}"
            )
            self._base.execute(f"CREATE INDEX ON {name} USING gist (geom)")
            self._base.execute(f"VACUUM FULL ANALYZE {name}")
        return names

    def close(self) -> None:
        """Stop the cluster and remove its folder."""
        self._open.close()

    def version(self) -> str:
        """Return the versions of PostGIS, GEOS and PostgreSQL."""
        found = self._base.execute("SELECT postgis_lib_version(), postgis_geos_version(), "
                                   "current_setting('server_version')").fetchone()  # fmt: skip
        return "PostGIS {}, GEOS {}, PostgreSQL {}".format(*found)

    def cpu_s(self) -> float:
        """Return the CPU seconds of the backend."""
        return cpu_s(self.pid)

    def peak_mb(self) -> float:
        """Return the peak memory of the backend."""
        return peak_mb(self.pid)


def _features(layers: Any) -> Any:
    for number, name in enumerate(county.POLYGONS):
        for feature, shape in enumerate(wkb(layers[name].geometry.to_numpy())):
            yield number, feature, shape


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Start a cluster and fill it."""
    return PostGis(place, parcels)


ENGINES = {"postgis": Engine("postgis", load, ())}
