"""How does a ``plan.toml`` read once its layers stand in a database? The same, but for the places.

Works on the text, so that comments and order stay as somebody wrote them, and proves by reading the
result that nothing else has changed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence

from gis.errors import PlanError
from gis.plan.schema import PlanFile
from gis.plan.sources.loading import Loaded
from gis.tomlfile import key_lines


def lines_of(layer: Loaded, connection: str) -> tuple[str, ...]:
    """Return the lines that stand in ``plan.toml`` in place of ``path``."""
    return (
        f"postgis = {json.dumps(connection)}",
        f"table = {json.dumps(layer.table, ensure_ascii=False)}",
        f"geometry_column = {json.dumps(layer.geometry_column)}",
    )


def with_tables(text: str, layers: Sequence[Loaded], connection: str) -> str:
    """Return the text of a ``plan.toml`` whose layers are read from tables.

    Parameters
    ----------
    text
        Of the package that was loaded.
    layers
        What came into the database; other layers keep their files.
    connection
        Name of the connection.

    Raises
    ------
    PlanError
        The text is written in a way that cannot be changed line by line.
    """
    loaded = {layer.id: layer for layer in layers}
    where, out = key_lines(text), text.splitlines()
    for number, entry in enumerate(tomllib.loads(text).get("layer", [])):
        layer = loaded.get(entry["id"])
        if layer is None:
            continue
        for key, lines in (("path", lines_of(layer, connection)), ("encoding", ())):
            at = where.get(("layer", number, key))
            if at is not None:
                out[at - 1] = "\n".join(lines)
    made = "\n".join(out) + "\n"
    if _read(made) != _expected(text, loaded, connection):
        raise PlanError(
            "这个 plan.toml 的写法不能逐行改写",
            expected="每个图层的 path 独占一行",
            advice="照所列各行手工修改",
        )
    return made


def _read(text: str) -> PlanFile | None:
    try:
        return PlanFile.model_validate(tomllib.loads(text))
    except ValueError:
        return None


def _expected(text: str, loaded: dict[str, Loaded], connection: str) -> PlanFile:
    data = tomllib.loads(text)
    for entry in data.get("layer", []):
        layer = loaded.get(entry["id"])
        if layer is not None:
            entry.pop("path")
            entry.pop("encoding", None)
            entry |= {
                "postgis": connection,
                "table": layer.table,
                "geometry_column": layer.geometry_column,
            }
    return PlanFile.model_validate(data)
