"""Is a release still what was published? Its files byte for byte, its tables by their content.

``release.json`` in the release says what was there when it was published. Whoever opens a release
compares; a release that was touched is not opened, so that no answer cites a version that it was
not given by.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gis.errors import PlanError
from gis.plan.releases.folder import MANIFEST

if TYPE_CHECKING:
    from gis.plan.catalogue import Layer

_AT_ONCE = 1 << 20
# The register of reservations lives on while versions come and go.
REGISTER = frozenset({"reservations.jsonl", "reservations.head", "reservations.torn"})
_LEFT_OUT = frozenset({MANIFEST, "__pycache__", *REGISTER})


class FileMark(BaseModel):
    """What a file was like: SHA-256 of its bytes, and their number."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """What a release consists of.

    ``files`` by their path in the package; ``tables`` the content hash of each layer that stands in
    a database, by id.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    plan: str
    version: str
    files: dict[str, FileMark]
    tables: dict[str, str]

    @property
    def sha256(self) -> str:
        """Content hash of the release: everything that can change an answer."""
        files = {name: mark.sha256 for name, mark in self.files.items()}
        text = json.dumps(
            {"files": files, "tables": self.tables}, sort_keys=True, ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def release(self) -> str:
        """Name of the release: its version and the start of its content hash."""
        return f"{self.version}-{self.sha256[:12]}"


def read_manifest(root: Path) -> Manifest | None:
    """Return the manifest of a release; None for a package that was not published.

    Raises
    ------
    PlanError
        The manifest cannot be read, or is not that of this folder.
    """
    try:
        text = (root / MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise _broken("清单无法读取") from None
    try:
        found = Manifest.model_validate_json(text)
    except ValidationError:
        raise _broken("清单内容有误") from None
    if root.name != found.release and not root.name.startswith("."):
        raise _broken("清单与版本文件夹的名称不符")
    return found


def verify_files(root: Path, manifest: Manifest, *, by_size: Collection[str] = ()) -> None:
    """Raise PlanError, with the first file, when a release is not byte for byte the published one.

    Parameters
    ----------
    root
        Folder of the release.
    manifest
        What it should be.
    by_size
        Files whose size alone is compared: images of gigabytes, which no check reads.
    """
    there = dict(members(root))
    for name in sorted(there.keys() ^ manifest.files.keys()):
        raise _broken(f"{name} 是后来增加的" if name in there else f"{name} 不见了")
    for name, path in there.items():
        mark = manifest.files[name]
        same = path.stat().st_size == mark.bytes
        if not same or (name not in by_size and sha256_of(path) != mark.sha256):
            raise _broken(f"{name} 被改动过")


def verify_tables(manifest: Manifest, layers: Mapping[str, Layer]) -> None:
    """Raise PlanError when a layer in a database is not what was published."""
    for name, wanted in manifest.tables.items():
        layer = layers[name]
        if layer.content_sha256 == wanted:
            continue
        found = layer.reason or "内容与发布时不同"
        raise PlanError(
            f"发布版本 {manifest.release} 的图层 {name} 与发布时不同：{found}",
            advice="恢复数据库中的表，或者发布新的版本；不同版本的表放在不同的模式（schema）中",
        )


def _broken(found: str) -> PlanError:
    return PlanError(
        f"发布版本已不是发布时的内容：{found}",
        expected="与发布时逐字节相同的文件",
        advice="从备份恢复该版本，或退回另一个版本；修改应作为新版本发布",
    )


# --- files ---------------------------------------------------------------------------------------


def members(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a package, sorted: path in the package and on this machine.

    Hidden files (caches), the register of reservations and the manifest are no part of a version.
    """
    yield from sorted(_walked(root, "", frozenset()))


def _walked(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[tuple[str, Path]]:
    real = os.path.realpath(folder)
    if real in above:
        raise PlanError(f"文件夹 {prefix or '.'} 链接到自身的上级", advice="去掉这个链接")
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _LEFT_OUT:
            continue
        if path.is_dir():
            yield from _walked(path, f"{prefix}{path.name}/", above | {real})
        elif path.is_file():
            yield prefix + path.name, path
        else:
            raise PlanError(f"{prefix}{path.name} 不是文件，或链接到不存在的位置")


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()
