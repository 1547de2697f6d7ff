"""How is the stack of a large plan kept on disk, so that workers share it?

A folder of plain ``.npy`` arrays named after what they were made of: the content of every layer,
the version of this format and the numbers of the algorithm. The arrays are mapped into memory, so
processes on one machine share the pages; the tree is rebuilt by each from the boxes. A folder
appears whole (written beside and renamed) and is read only when every array has the size and the
checksum that were written down; anything else is made anew, never believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from gis.engine.index import Array, LayerIndex
from gis.engine.kernel import Edges
from gis.engine.lines import Segments
from gis.engine.stack import Stack
from gis.engine.subdivide import MOST_VERTICES

FORMAT = 2
# Below this many coordinates a stack is made as fast as it is read.
FROM_VERTICES = 500_000
_HEADER = "stack.json"
# A half-written stack this old belongs to a process that was killed.
_LEFT_OVER_S = 86_400


def stack_for(layers: Sequence[LayerIndex], folders: Sequence[Path]) -> Stack:
    """Return the stack of some layers, from the first folder that has it, else made and kept.

    Parameters
    ----------
    layers
        In the work CRS, with their content hashes.
    folders
        Where stacks of this plan may be kept, the first that can be written to is used. Older
        stacks in it are removed.

    Notes
    -----
    A layer whose content is not known by a hash cannot be recognised, and nothing is kept then.
    """
    key = key_of(layers)
    if key is None:
        return Stack.of(layers)
    for folder in folders:
        found = read(folder / key)
        if found is not None:
            return found
    made = Stack.of(layers)
    for folder in folders:
        with suppress(OSError):  # full, or not ours to write to: the next one, or none
            write(made, folder, key)
            break
    return made


def key_of(layers: Sequence[LayerIndex]) -> str | None:
    """Return the name of the stack of some layers; None when one of them has no content hash."""
    rows: list[object] = []
    for layer in layers:
        if layer.content_sha256 is None and len(layer):
            return None
        rows.append([layer.info.id, layer.info.geometry, layer.state.value, layer.content_sha256])
    text = json.dumps([FORMAT, MOST_VERTICES, rows], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# --- writing -------------------------------------------------------------------------------------


def write(stack: Stack, folder: Path, key: str) -> Path:
    """Write a stack into a folder of its own, whole or not at all; return it.

    Raises
    ------
    OSError
        The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{key}.", dir=folder))
    try:
        arrays = dict(_arrays(stack))
        for name, array in arrays.items():
            np.save(beside / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        header = {"format": FORMAT, "ids": list(stack.ids), "arrays": _described(arrays)}
        (beside / _HEADER).write_text(json.dumps(header, ensure_ascii=False), encoding="utf-8")
        _put_in_place(beside, folder / key)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    _forget_others(folder, key)
    return folder / key


def _arrays(stack: Stack) -> Iterator[tuple[str, Array]]:
    yield "disjoint", stack.disjoint
    yield "layer", stack.layer
    yield "feature", stack.feature
    yield from ((f"edges_{name}", array) for name, array in stack.edges._asdict().items())
    segments = stack.segments
    yield "segments_ends", segments.ends
    yield "segments_layer", segments.layer
    yield "segments_feature", segments.feature
    yield "segments_half_width", segments.half_width


def _described(arrays: dict[str, Array]) -> dict[str, dict[str, Any]]:
    return {
        name: {"shape": list(array.shape), "dtype": str(array.dtype), "crc32": checksum(array)}
        for name, array in arrays.items()
    }


def checksum(array: Array) -> int:
    """Return the CRC-32 of every byte of an array; a gigabyte takes about a second."""
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _put_in_place(beside: Path, place: Path) -> None:
    """Rename; where another process was first and its work is sound, that one stays."""
    try:
        beside.rename(place)
    except OSError:
        if read(place) is None:
            shutil.rmtree(place, ignore_errors=True)
            with suppress(OSError):
                beside.rename(place)


def _forget_others(folder: Path, key: str) -> None:
    """Remove stacks of earlier content; one that is being read stays readable until it is closed.

    Half-written ones of processes that were killed go as well, those of living ones do not.
    """
    for other in folder.iterdir():
        written = other.name != key and (other / _HEADER).is_file()
        if _is_left_over(other) if other.name.startswith(".") else written:
            shutil.rmtree(other, ignore_errors=True)


def _is_left_over(beside: Path) -> bool:
    with suppress(OSError):  # its process has just put it in place
        return beside.is_dir() and time.time() - beside.stat().st_mtime > _LEFT_OVER_S
    return False


# --- reading -------------------------------------------------------------------------------------


def read(place: Path) -> Stack | None:
    """Return the stack in a folder, its arrays mapped; None when it is not there or not whole."""
    try:
        header = json.loads((place / _HEADER).read_text(encoding="utf-8"))
        if header["format"] != FORMAT:
            return None
        arrays = {name: _mapped(place, name, row) for name, row in header["arrays"].items()}
        edges = Edges(*(arrays[f"edges_{name}"] for name in Edges._fields))
        segments = Segments(
            arrays["segments_ends"],
            arrays["segments_layer"],
            arrays["segments_feature"],
            arrays["segments_half_width"],
        )
        return Stack(
            [str(name) for name in header["ids"]],
            arrays["disjoint"],
            arrays["layer"],
            arrays["feature"],
            edges,
            segments,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mapped(place: Path, name: str, row: dict[str, Any]) -> Array:
    # An empty array cannot be mapped.
    file = place / f"{name}.npy"
    empty = 0 in row["shape"]
    array: Array = np.load(file) if empty else np.load(file, mmap_mode="r")
    if [list(array.shape), str(array.dtype)] != [row["shape"], row["dtype"]]:
        raise ValueError(f"{name}: {array.shape} {array.dtype}")
    if checksum(array) != row["crc32"]:
        raise ValueError(f"{name}: checksum")
    return array


def cache_folders(root: Path) -> tuple[Path, Path]:
    """Return where stacks of a plan package may be kept: beside it, else in the user's cache."""
    own = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / ".index", cache / "wuqu" / own
