"""Write the register of projects: what the deck states of each, and of its list as a whole.

An empty cell means that nothing is stated. The outline of a project is its sample site, or the
drawn feature where a control point places it; all others have none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frame import facts  # first: it makes the package importable from a checkout
from layers import Table

from gis.portfolio.columns import ASSUMED, COLUMNS

HEAD = """\
# Of which list projects.csv is, and what that list states in total. Written by data/build.

[list]
"""


def write_projects(path: Path, drawn: Table) -> None:
    """Write projects.csv; ``drawn`` is the layer of projects, in the same order."""
    buffer = io.StringIO()
    names = [column.name for column in COLUMNS]
    writer = csv.DictWriter(buffer, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for item, row in zip(facts()["project"], drawn.rows, strict=True):
        writer.writerow(_cells(item, str(row[0])))
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="\n")


def _cells(item: Mapping[str, Any], feature: str) -> dict[str, Any]:
    """Return the cells of one project."""
    cells = {**item, "source": facts()["projects"]["source"], "use_basis": ASSUMED}
    if "site_file" in item:
        cells["site_file"] = f"samples/{item['site_file']}"
    if item.get("outline") == "layer":
        cells["site_feature"] = feature
    return cells


def write_head(path: Path) -> None:
    """Write projects.toml."""
    head = {key: value for key, value in facts()["projects"].items() if key != "stated"}
    blocks = [HEAD + _lines(head)]
    blocks += ["\n[[stated]]\n" + _lines(entry) for entry in facts()["projects"]["stated"]]
    path.write_text("".join(blocks), encoding="utf-8", newline="\n")


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(
        f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value}\n"
        for key, value in table.items()
    )
