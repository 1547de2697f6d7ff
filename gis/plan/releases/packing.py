"""How does a package get into the folder of releases? Copied, hashed while copied, on the disk.

A copy stands under a hidden name until it was checked; it is renamed into place whole. What a
killed process left of one is removed later.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from gis.errors import Fault, PlanError
from gis.plan.releases.folder import MANIFEST
from gis.plan.releases.manifest import FileMark, Manifest, members
from gis.plan.schema import PlanFile

_STAGING = ".staging-"
_AT_ONCE = 1 << 20
# A copy this old belongs to a process that was killed.
_LEFT_OVER_S = 86_400


@contextmanager
def staging(releases: Path) -> Iterator[Path]:
    """Give a hidden folder beside the releases; what is left in it at the end is removed."""
    releases.mkdir(parents=True, exist_ok=True)
    _remove_left_over(releases)
    folder = Path(tempfile.mkdtemp(prefix=_STAGING, dir=releases))
    # ``mkdtemp`` lets only its user in; a service runs under another one.
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_over(releases: Path) -> None:
    for folder in releases.glob(f"{_STAGING}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _LEFT_OVER_S:
                shutil.rmtree(folder, ignore_errors=True)


def copy_package(root: Path, target: Path) -> dict[str, FileMark]:
    """Copy a package and return what each file is like, taken from the bytes that were written.

    Raises
    ------
    PlanError
        A file is no file, or a link leads round in a circle.
    OSError
        The disk refuses.
    """
    marks: dict[str, FileMark] = {}
    for name, path in members(root):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        marks[name] = _copied(path, copy)
    return marks


def _copied(path: Path, copy: Path) -> FileMark:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, copy.open("wb") as out:
        while piece := source.read(_AT_ONCE):
            digest.update(piece)
            size += out.write(piece)
        _on_disk(out.fileno())
    # Nobody edits a version that answers cite.
    copy.chmod(0o444)
    return FileMark(sha256=digest.hexdigest(), bytes=size)


def write_manifest(manifest: Manifest, root: Path) -> None:
    """Write ``release.json``, and put the folders of the release on the disk."""
    with (root / MANIFEST).open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=1) + "\n")
        file.flush()
        _on_disk(file.fileno())
    (root / MANIFEST).chmod(0o444)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        sync_folder(folder)


def put_in_place(copy: Path, place: Path) -> None:
    """Rename a finished copy to the name of its release; the new name is on the disk afterwards."""
    copy.rename(place)
    sync_folder(place.parent)


def _on_disk(descriptor: int) -> None:
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a folder cannot be opened everywhere."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def refuse_outside(file: PlanFile) -> None:
    """Raise PlanError when a plan names files outside its folder: a copy would not hold them."""
    named = {f"图层 {e.id}": e.path for e in file.layer if e.path}
    for raster in file.raster:
        named[f"栅格 {raster.id}"] = raster.path
        named[f"栅格 {raster.id} 的编码表"] = raster.table or ""
    faults = [Fault(where, path) for where, path in named.items() if path and _leads_out(path)]
    if faults:
        raise PlanError(
            f"{faults[0].where}的文件 {faults[0].message} 在规划数据包之外，或是隐藏文件",
            expected="数据包文件夹内的相对路径，不含以 . 开头的名称",
            advice="把文件放进数据包，或改用数据库中的表",
            faults=faults,
        )


def _leads_out(path: str) -> bool:
    windows, plain = PureWindowsPath(path), PurePosixPath(path)
    hidden = any(part.startswith(".") for part in windows.parts)
    return bool(windows.drive or windows.root or plain.is_absolute()) or hidden
