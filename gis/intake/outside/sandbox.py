"""How do files from outside meet GDAL and SQLite without harm? In a child that can be killed.

Own temporary folder, limits on memory, processor time and file size, a deadline after which the
child and all that it started are killed, and an environment in which only the wanted driver is
left. The file name of the sender never becomes a path. What the child hands back is checked like
any other input; what it means is decided by the reader of the format.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gis.errors import BusyError
from gis.intake.draft import limits
from gis.intake.outside.answer import (
    DEADLINE_S,
    MAX_LAYERS,
    RESULT_BYTES,
    LayerRows,
    Task,
    layers_of,
    read_answer,
    too_slow,
)

MEMORY_BYTES = 1024**3
_RESULT = "answer.json"
_CHILD = Path(__file__).with_name("child.py")
# Two children at once, whatever the number of uploads: memory stays bounded. Whoever waits leaves
# his child at least this much of the deadline.
_SEATS = threading.BoundedSemaphore(2)
_LEAST_S = 2.0
# What the child may use. The parent sets it from outside, the child sets it once more itself where
# the system cannot do that.
_LIMITS = {
    "AS": MEMORY_BYTES,
    "CPU": int(DEADLINE_S),
    "FSIZE": RESULT_BYTES,
    "NOFILE": 256,
    "NPROC": 0,
    "CORE": 0,
}
# Every driver of the wheels that opens vector files, and the raster VRT: GDAL must not even try
# them. GDAL_SKIP has to stand in the environment before the library is loaded.
_DRIVERS = (
    "ADBC,AIVector,AVCBin,AVCE00,AmigoCloud,CSV,CSW,Carto,DGN,DXF,EDIGEO,EEDA,ESRI Shapefile,"
    "ESRIJSON,Elasticsearch,FlatGeobuf,GDALG,GML,GPKG,GPSBabel,GPX,GTFS,GeoJSON,GeoJSONSeq,GeoRSS,"
    "HTTP,Idrisi,JML,JSONFG,KML,LIBKML,LVBAG,MBTiles,MVT,MapInfo File,MapML,MiraMonVector,NGW,"
    "OAPIF,ODS,OGCAPI,OGR_GMT,OGR_PDS,OGR_VRT,OSM,OpenFileGDB,PCIDSK,PDF,PDS4,PGDUMP,PLSCENES,"
    "PMTiles,S57,SQLite,SXF,Selafin,TopoJSON,VDV,VFK,VICAR,VRT,WAsP,WFS,XLSX"
)


def deadline_from_now() -> float:
    """Return the moment, on the clock of ``time.monotonic``, at which reading must have ended."""
    return time.monotonic() + DEADLINE_S


def read_in_child(
    files: Mapping[str, bytes], task: Task, *, deadline: float | None = None
) -> tuple[LayerRows, ...]:
    """Return the layers that the child finds.

    Parameters
    ----------
    files
        Content by path inside the temporary folder. The paths are written by the house.
    task
        What to open.
    deadline
        When everything must have ended, the wait for a free place included; 8 s when not given.

    Raises
    ------
    FormatError
        Not of this format, damaged, the child died, or it needed longer than its deadline.
    LimitError
        Too many layers, features or vertices, or too large.
    BusyError
        Too many files at once, or no room on this machine for another one.
    """
    deadline = deadline_from_now() if deadline is None else deadline
    try:
        with _seat(deadline), _folder() as folder:
            _lay_out(files, folder)
            code = _run(folder, task, deadline)
            answer = read_answer(folder / _RESULT, code)
    except OSError:  # no room on the disk, no further process
        raise BusyError("服务器暂时没有资源读取这个文件") from None
    return layers_of(answer, task)


@contextlib.contextmanager
def _seat(deadline: float) -> Iterator[None]:
    wait_s = max(deadline - time.monotonic() - _LEAST_S, 0.0)
    if not _SEATS.acquire(timeout=wait_s):
        raise BusyError("正在读取的文件过多")
    try:
        yield
    finally:
        _SEATS.release()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards, even when something dying still writes into it."""
    with tempfile.TemporaryDirectory(prefix="wuqu-", ignore_cleanup_errors=True) as name:
        yield Path(name)
    for _ in range(40):
        if not Path(name).exists():
            return
        time.sleep(0.025)
        shutil.rmtree(name, ignore_errors=True)


def _lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


# --- the child ------------------------------------------------------------------------------------


def _run(folder: Path, task: Task, deadline: float) -> int:
    """Run the child to its end and return its exit code; kill it at the deadline."""
    command = [sys.executable, "-I", "-B", str(_CHILD), json.dumps(_request(task, deadline))]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder, task),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _limit(process.pid)
        return _ended(process, max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        raise too_slow() from None
    finally:
        _kill(process)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Return the exit code; raise TimeoutExpired when the time is up."""
    if sys.platform == "linux":
        # Woken at the very end of the child; wait() with a timeout looks every 50 ms only.
        with contextlib.suppress(OSError):
            watch = os.pidfd_open(process.pid)
            try:
                poll = select.poll()
                poll.register(watch, select.POLLIN)
                poll.poll(seconds * 1000)
            finally:
                os.close(watch)
            seconds = 0.0
    return process.wait(timeout=seconds)


def _request(task: Task, deadline: float) -> dict[str, Any]:
    return {
        "parent": os.getpid(),
        "limits": _LIMITS,
        "reader": task.reader,
        "path": task.path,
        "driver": task.driver,
        "encoding": task.encoding,
        "columns": task.columns,
        "result": _RESULT,
        "seconds": max(deadline - time.monotonic(), 0.0),
        "max_layers": MAX_LAYERS,
        "max_rows": limits().features if task.max_rows is None else task.max_rows,
        # As WKB with Z and M, the heads of many small rings included; the reader counts exactly.
        "max_bytes": limits().vertices * 32 + 1024**2,
    }


def _limit(pid: int) -> None:
    """Set the limits from outside, before anything of the file has been read."""
    if sys.platform != "linux":
        return
    import resource

    for name, value in _LIMITS.items():
        with contextlib.suppress(ValueError, OSError):
            resource.prlimit(pid, getattr(resource, f"RLIMIT_{name}"), (value, value))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the child with everything that it started, also when it has ended by itself."""
    if sys.platform != "win32":
        # The child leads its own group. The number cannot belong to others by now: the system
        # gives numbers out in turn, and the child was collected a moment ago.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1.0)


def _environment(folder: Path | str, task: Task | None = None) -> dict[str, str]:
    """Nothing of the server's environment but what the system needs to start a process.

    Without a task no driver is left.
    """
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH")
    skipped = ",".join(name for name in _DRIVERS.split(",") if task is None or name != task.driver)
    own = str(folder)
    return {key: os.environ[key] for key in kept if key in os.environ} | {
        "GDAL_SKIP": skipped,
        "OGR_SKIP": skipped,
        "GDAL_NUM_THREADS": "1",
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_HTTP_TIMEOUT": "1",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "CPL_TMPDIR": own,
        "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "HOME": own,
        "TMPDIR": own,
        "TEMP": own,
        "LC_ALL": "C.UTF-8",
        **(task.options if task is not None else {}),
    }
