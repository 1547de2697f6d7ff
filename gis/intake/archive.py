"""Which layers are in a zip from outside, and is it safe to unpack?

Members are inflated into memory and counted while they inflate; names serve only to group the
files of a shapefile and never become paths. Traversal, links, encryption, nesting, bombs and
damaged members are refused.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from gis.errors import FormatError, LimitError
from gis.intake.draft import clean_text

MAX_ENTRIES = 200
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_RATIO = 200
_RATIO_FROM_BYTES = 1024 * 1024
_CHUNK = 256 * 1024
_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_NESTED = (".zip", ".rar", ".7z", ".gz", ".tar", ".kmz", ".bz2", ".xz")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One shapefile: name for people, and content by suffix without dot."""

    name: str
    members: Mapping[str, bytes]


def unpack_shapefiles(data: bytes) -> tuple[PackedLayer, ...]:
    """Return the shapefiles of a zip, in order of their names.

    Raises
    ------
    FormatError
        No zip, unsafe, damaged, or without a shapefile.
    LimitError
        Too many members, too large once unpacked, or inflating beyond reason.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _layers(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError) as error:
        if isinstance(error, FormatError | LimitError):
            raise
        raise FormatError("压缩包已损坏（校验不符或不完整）", advice="重新压缩后再提交") from None
    except (NotImplementedError, RuntimeError):
        raise FormatError("压缩包用了不支持的压缩或加密方式", expected="普通 zip") from None


def _layers(archive: zipfile.ZipFile) -> tuple[PackedLayer, ...]:
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise LimitError(f"压缩包内有 {len(infos)} 个文件", expected=f"不超过 {MAX_ENTRIES} 个")
    groups: dict[str, dict[str, zipfile.ZipInfo]] = {}
    others: list[str] = []
    for info in infos:
        name = _member_name(info)
        _refuse_unsafe(info, name)
        if info.is_dir() or _JUNK.search(name):
            continue
        stem, dot, suffix = name.rpartition(".")
        if dot and suffix.lower() in _PARTS:
            _add(groups.setdefault(stem.lower(), {}), suffix.lower(), info, name)
        else:
            others.append(name)
    with_shape = {key: group for key, group in sorted(groups.items()) if "shp" in group}
    if not with_shape:
        listed = "、".join(clean_text(n, limit=40)[0] for n in others[:5])
        raise FormatError(
            "压缩包内没有 .shp 文件" + (f"（有 {listed}）" if listed else ""),
            expected="一个 Shapefile 的 .shp、.shx、.dbf、.prj",
        )
    budget = _Budget(archive)
    return tuple(
        PackedLayer(
            clean_text(_member_name(group["shp"])[:-4].rpartition("/")[2])[0],
            {suffix: budget.read(info) for suffix, info in group.items()},
        )
        for group in with_shape.values()
    )


def _add(group: dict[str, zipfile.ZipInfo], suffix: str, info: zipfile.ZipInfo, name: str) -> None:
    if suffix in group:
        raise FormatError(f"压缩包内有同名文件“{clean_text(name, limit=60)[0]}”")
    group[suffix] = info


def _member_name(info: zipfile.ZipInfo) -> str:
    """Name of a member; without the UTF-8 flag Windows tools mean GBK, zipfile reads cp437."""
    if info.flag_bits & 0x800:
        return info.orig_filename.replace("\\", "/")
    try:
        raw = info.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return info.orig_filename.replace("\\", "/")
    for codec in ("utf-8", "gb18030"):
        try:
            # Decode first: 0x5C is the second byte of some GBK characters.
            return raw.decode(codec).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.orig_filename.replace("\\", "/")


def _refuse_unsafe(info: zipfile.ZipInfo, name: str) -> None:
    shown = clean_text(name, limit=60)[0]
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise FormatError(f"压缩包内有越界路径“{shown}”", advice="重新压缩，不含上级目录")
    if "\x00" in name:
        raise FormatError("压缩包内有无效文件名")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FormatError(f"压缩包内有链接“{shown}”", advice="重新压缩，只含普通文件")
    if info.flag_bits & 0x1:
        raise FormatError("压缩包有密码", advice="去掉密码后再提交")
    if name.lower().endswith(_NESTED):
        raise FormatError(f"压缩包内还有压缩包“{shown}”", advice="解开后把 Shapefile 直接压缩")


class _Budget:
    """Inflates members and stops at the limits, whatever the headers claim."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.left = MAX_UNPACKED_BYTES

    def read(self, info: zipfile.ZipInfo) -> bytes:
        chunks: list[bytes] = []
        size = 0
        with self.archive.open(info) as member:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                self.left -= len(chunk)
                ratio = size / max(info.compress_size, 1)
                if self.left < 0 or (size > _RATIO_FROM_BYTES and ratio > MAX_RATIO):
                    raise LimitError(
                        "压缩包解开后过大",
                        expected=f"解开后不超过 {MAX_UNPACKED_BYTES // 1024**2} MB",
                        advice="只压缩地块本身的图层",
                    )
                chunks.append(chunk)
        return b"".join(chunks)
