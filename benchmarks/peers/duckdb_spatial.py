"""DuckDB with its spatial extension: subdivided layers, spatial join, covers shortcut, one thread.

The extension comes from its package, so nothing is fetched. There is no nearest-neighbour join:
roads within 300 m are joined first, and all roads for the parcels that are left.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from job import Answers, Array, Engine, MissingError

from peers.sql import COVERED, FAR_M, NEAR_M, answers_of, tables

_NEAR = """
SELECT p.id AS parcel, MIN(ST_Distance(p.geom, r.geom)) AS m
FROM {parcels} p JOIN roads r ON ST_DWithin(p.geom, r.geom, {reach}) GROUP BY p.id
"""


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Bring the layers and the parcels into tables with geometry columns."""
    try:
        import duckdb
        import duckdb_extension_spatial
        import pandas
    except ImportError as problem:
        raise MissingError(f"duckdb-spatial: {problem.name} is not installed") from problem
    base = duckdb.connect(config={"threads": 1})
    (extension,) = Path(duckdb_extension_spatial.__file__).parent.rglob("*.duckdb_extension")
    base.execute(f"LOAD '{extension}'")
    for name, columns in tables(place, parcels)._asdict().items():
        base.register("source", pandas.DataFrame(columns))
        base.execute(
            f"CREATE TABLE {name} AS SELECT * EXCLUDE wkb, ST_GeomFromWKB(wkb) AS geom FROM source"
        )
        base.unregister("source")
    return partial(run, base, len(parcels))


def run(base: Any, count: int) -> Answers:
    """Return the answers."""
    found = base.execute(COVERED).fetchnumpy()
    rows = tuple(np.asarray(found[name]) for name in ("parcel", "layer", "feature", "m2"))
    near = base.execute(_NEAR.format(parcels="parcels", reach=NEAR_M)).fetchnumpy()
    known = np.asarray(near["parcel"])
    left = np.setdiff1d(np.arange(count), known)
    base.execute("CREATE OR REPLACE TEMP TABLE alone AS SELECT * FROM parcels WHERE id IN "
                 "(SELECT unnest($1))", [left.tolist()])  # fmt: skip
    far = base.execute(_NEAR.format(parcels="alone", reach=FAR_M / 30)).fetchnumpy()
    parcel = np.concatenate([known, np.asarray(far["parcel"])])
    return answers_of(count, rows, (parcel, np.concatenate([near["m"], far["m"]])))


ENGINES = {
    "duckdb-spatial": Engine("duckdb-spatial", load, ("duckdb", "duckdb-extension-spatial")),
}
