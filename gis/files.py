"""How does a file leave the house so that office and desktop programs open it safely?

Tables are UTF-8 with a mark that Excel understands and hold no formulas; a GeoPackage is made
beside its target and moved over it, and equal content gives equal bytes. What is written is
decided elsewhere.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gis.errors import ClaimError

# A cell that begins with one of these is run as a formula by spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NO_FILE_NAME = re.compile(r'[\x00-\x1f\\/:*?"<>|]')
_LONGEST_NAME = 80
# GeoPackage stamps its tables with the clock; a fixed day keeps equal content equal.
_STAMP = "2000-01-01T00:00:00Z"


def safe_cell(value: Any) -> Any:
    """Return the value as a spreadsheet may read it: text that starts a formula gets a ``'``.

    >>> safe_cell("=1+1"), safe_cell(-3.5)
    ("'=1+1", -3.5)
    """
    # Some programs skip leading blanks before they look for the formula sign.
    risky = isinstance(value, str) and (
        value.startswith(_FORMULA_STARTS) or value.lstrip().startswith(_FORMULA_STARTS)
    )
    return f"'{value}" if risky else value


def file_name(name: str) -> str:
    """Return the name of a site as a file may be called on every system, without suffix.

    >>> file_name("a/b: c."), file_name("..")
    ('a_b_ c', 'report')
    """
    plain = _NO_FILE_NAME.sub("_", safe_text(name)).strip(" .")
    return plain[:_LONGEST_NAME].rstrip(" .") or "report"


def safe_text(value: Any) -> Any:
    """Return text that UTF-8 can say: half a surrogate pair becomes ``?``."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def write_table(rows: Iterable[Iterable[Any]], path: Path) -> Path:
    """Write rows as CSV readable by Excel; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Excel takes UTF-8 for GBK unless the file starts with a byte order mark.
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([safe_cell(value) for value in row] for row in rows)
    return path


def free_folder(folder: Path) -> Path:
    """Return a folder that something may be written to; raise ClaimError when it is in use."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ClaimError(
            f"“{folder}”已经存在且不是空文件夹",
            expected="还不存在的文件夹",
            advice="换一个名称；已有的内容不会被覆盖",
        )
    return folder


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside its place; at the end it is moved there, so that half is never seen.

    What fails leaves nothing behind. ``target`` must be a ``free_folder``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=target.parent) as work:
        made = Path(work) / "whole"
        made.mkdir()
        yield made
        if target.exists():
            target.rmdir()
        made.rename(target)


def write_gpkg(layers: Mapping[str, Any], path: Path) -> Path:
    """Write data frames as layers of one GeoPackage; return the path.

    Parameters
    ----------
    layers
        Name of the layer and its frame: a GeoDataFrame, or a DataFrame for a table without places.
    path
        The target; a reader never meets half of it.
    """
    import pyogrio

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".export-") as folder:
        draft = Path(folder) / "draft.gpkg"
        with _dated():
            for name, frame in layers.items():
                # A frame without rows cannot show its type of geometry and may name it.
                kind = frame.attrs.get("geometry_type")
                pyogrio.write_dataframe(frame, draft, layer=name, driver="GPKG", geometry_type=kind)
        draft.replace(path)
    return path


def write_gpkg_slices(layer: str, slices: Iterable[Any], draft: Path) -> None:
    """Write frames of polygons one behind the other as one layer of a new GeoPackage.

    For tables that are too long for one frame; the caller moves the draft over its target.
    """
    import pyogrio

    with _dated():
        for n, part in enumerate(slices):
            pyogrio.write_dataframe(
                part,
                draft,
                layer=layer,
                driver="GPKG",
                geometry_type="MultiPolygon",
                promote_to_multi=True,
                append=n > 0,
            )


@contextmanager
def _dated() -> Iterator[None]:
    """Write GeoPackages as of a fixed day."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
