"""SedonaDB: subdivided layers, spatial join, covers shortcut, nearest neighbours, one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from job import Answers, Array, Engine, MissingError

from peers.sql import COVERED, answers_of, tables

_NEAR = """
SELECT p.id AS parcel, ST_Distance(p.geom, r.geom) AS m
FROM parcels p JOIN roads r ON ST_KNN(p.geom, r.geom, 1, FALSE)
"""


def load(place: Path, parcels: Array) -> Callable[[], Answers]:
    """Bring the layers and the parcels into views in memory."""
    os.environ["TOKIO_WORKER_THREADS"] = "1"
    try:
        import pandas
        import sedonadb
    except ImportError as problem:
        raise MissingError(f"sedonadb: {problem.name} is not installed") from problem
    base = sedonadb.connect()
    base.sql("SET datafusion.execution.target_partitions = 1").execute()
    for name, columns in tables(place, parcels)._asdict().items():
        base.create_data_frame(pandas.DataFrame(columns)).to_view(f"{name}_wkb")
        others = ", ".join(column for column in columns if column != "wkb")
        made = base.sql(f"SELECT {others}, ST_GeomFromWKB(wkb) AS geom FROM {name}_wkb")
        made.to_memtable().to_view(name)
    return partial(run, base, len(parcels))


def run(base: Any, count: int) -> Answers:
    """Return the answers."""
    found = _fetched(base.sql(COVERED))
    rows = tuple(found[name].to_numpy() for name in ("parcel", "layer", "feature", "m2"))
    near = _fetched(base.sql(_NEAR)).groupby("parcel")["m"].min()
    return answers_of(count, rows, (near.index.to_numpy(), near.to_numpy()))


def _fetched(frame: Any) -> Any:
    # Through the Arrow interface: its own to_pandas wants a package for geometries.
    import pyarrow

    return pyarrow.table(frame).to_pandas()


ENGINES = {"sedonadb": Engine("sedonadb", load, ("sedonadb",))}
