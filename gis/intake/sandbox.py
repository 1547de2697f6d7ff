"""How do files from outside meet GDAL without harm? In a child process that can be killed.

Own temporary folder, limits on memory, processor time and file size, a deadline after which it is
killed, and an environment in which only the wanted driver is left. The driver that opened the file
is checked before anything is read. The file name of the sender never becomes a path.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.errors import FormatError, LimitError
from gis.intake.draft import MAX_FEATURES, MAX_VERTICES, check_features, check_vertices

DEADLINE_S = 8.0
_CHILD = Path(__file__).with_name("sandbox_child.py")
_RESULT = "answer.json"
_RESULT_BYTES = 64 * 1024 * 1024
# Every vector driver of the wheels except the shapefile's, and the raster VRT: GDAL must not even
# try them. GDAL_SKIP has to stand in the environment before the library is loaded.
_SKIPPED = (
    "ADBC,AIVector,AVCBin,AVCE00,AmigoCloud,CSV,CSW,Carto,DGN,DXF,EDIGEO,EEDA,ESRIJSON,"
    "Elasticsearch,FlatGeobuf,GDALG,GML,GPKG,GPSBabel,GPX,GTFS,GeoJSON,GeoJSONSeq,GeoRSS,HTTP,"
    "Idrisi,JML,JSONFG,KML,LIBKML,LVBAG,MBTiles,MVT,MapInfo File,MapML,MiraMonVector,NGW,OAPIF,"
    "ODS,OGCAPI,OGR_GMT,OGR_PDS,OGR_VRT,OSM,OpenFileGDB,PCIDSK,PDF,PDS4,PGDUMP,PLSCENES,PMTiles,"
    "S57,SQLite,SXF,Selafin,TopoJSON,VDV,VFK,VICAR,VRT,WAsP,WFS,XLSX"
)


@dataclass(frozen=True, slots=True, eq=False)
class LayerRows:
    """What GDAL found: WKB per feature (None where missing) and rows of raw attributes.

    Texts and field names hold one character per byte of the table (ISO 8859-1).
    """

    wkb: Sequence[bytes | None]
    fields: Sequence[str]
    rows: Sequence[Sequence[Any]]
    geometry_type: str


def read_shapefile(members: Mapping[str, bytes], *, deadline_s: float = DEADLINE_S) -> LayerRows:
    """Return the content of one shapefile.

    Parameters
    ----------
    members
        Content by suffix without dot; ``shp`` is needed, the rest helps.
    deadline_s
        Seconds after which the child is killed.

    Raises
    ------
    FormatError
        GDAL cannot read it, opens it as something else, or needs longer than the deadline.
    LimitError
        Too many features or vertices.
    """
    with tempfile.TemporaryDirectory(prefix="wuqu-") as folder:
        for suffix, content in members.items():
            (Path(folder) / f"layer.{suffix}").write_bytes(content)
        _run(folder, deadline_s)
        answer = _answer(Path(folder) / _RESULT)
    return LayerRows(
        wkb=[None if text is None else bytes.fromhex(text) for text in answer["wkb"]],
        fields=answer["fields"],
        rows=list(zip(*answer["columns"], strict=True)) or [()] * len(answer["wkb"]),
        geometry_type=answer["geometry_type"],
    )


def _run(folder: str, deadline_s: float) -> None:
    arguments = ["layer.shp", "ESRI Shapefile", _RESULT, str(MAX_FEATURES), str(MAX_VERTICES)]
    try:
        subprocess.run(
            [sys.executable, "-I", str(_CHILD), *arguments],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=deadline_s,
            check=False,
        )
    except subprocess.TimeoutExpired:  # run() has killed the child by then
        raise FormatError(
            f"读取文件超过 {DEADLINE_S:g} 秒，已终止", advice="检查文件是否损坏，或重新导出"
        ) from None


def _environment(folder: str) -> dict[str, str]:
    """Nothing of the server's environment but what the system needs to start a process."""
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
    return {key: os.environ[key] for key in kept if key in os.environ} | {
        "GDAL_SKIP": _SKIPPED,
        "OGR_SKIP": _SKIPPED,
        "SHAPE_RESTORE_SHX": "YES",
        "GDAL_HTTP_TIMEOUT": "1",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "CPL_TMPDIR": folder,
        "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "HOME": folder,
        "TMPDIR": folder,
        "TEMP": folder,
        "LC_ALL": "C.UTF-8",
    }


def _answer(path: Path) -> dict[str, Any]:
    broken = FormatError("文件无法读取，可能已损坏", advice="重新导出后再提交")
    if not path.is_file():
        raise broken
    if path.stat().st_size > _RESULT_BYTES:
        raise LimitError("属性表过大", advice="只保留地块图形和必要的字段")
    try:
        answer = json.loads(path.read_bytes())
    except ValueError:
        raise broken from None
    error = answer.get("error")
    if error == "features":
        check_features(int(answer["found"]))
    if error == "vertices":
        check_vertices(int(answer["found"]))
    if error == "driver":
        raise FormatError("内容不是 Shapefile", expected="由 .shp/.shx/.dbf 组成的 Shapefile")
    if error:
        raise broken
    return dict(answer)
