"""What is in a zip from outside, and is it safe to unpack?

Members are inflated into memory and counted while they inflate; names serve only to group what
belongs together and never become paths. Traversal, links, encryption, nesting, bombs and damaged
members are refused. What the members mean is decided by the readers of the formats.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gis.errors import FormatError, InputError, LimitError
from gis.intake.draft import clean_text

MAX_ENTRIES = 200
# A geodatabase is a folder of many small files.
MAX_GDB_ENTRIES = 2_000
MAX_UNPACKED_BYTES = 100 * 1024 * 1024
MAX_RATIO = 200
_RATIO_FROM_BYTES = 1024 * 1024
_CHUNK = 256 * 1024
_ENTRY = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

SHAPEFILE_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
FILE_KINDS = ("gpkg", "dxf", "kml", "ovkml", "geojson", "json", "txt", "wkt", "csv", "xlsx")
# Kinds of drawings that are not read: the site may be in them.
_UNREAD = "dwg dxb dgn mdb accdb ovobj ovjsn ovkmz tab mif e00 vct wl wt wp gml xls"
_NESTED = (".zip", ".rar", ".7z", ".gz", ".tar", ".kmz", ".bz2", ".xz")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_GDB_FOLDER = re.compile(r"^(.*?\.gdb)/[^/]+$", re.IGNORECASE)
# Tables of a geodatabase; its indexes are not needed for reading.
_GDB_MEMBER = re.compile(r"a[0-9a-f]{8}\.gdbtabl[ex]|gdb|timestamps", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One shapefile: name for people, and content by suffix without dot."""

    name: str
    members: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PackedFolder:
    """One geodatabase: name for people, and its tables by the fixed names that they have."""

    name: str
    members: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of another kind: its name with suffix for people, and its content.

    Like the names of layers it has no folders but those that tell it from others of one name.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a zip holds; ``others`` are the names of the files that are not read."""

    shapefiles: tuple[PackedLayer, ...] = ()
    geodatabases: tuple[PackedFolder, ...] = ()
    files: tuple[PackedFile, ...] = ()
    others: tuple[str, ...] = ()


class Package:
    """A zip from outside whose names have been checked; members are inflated on demand.

    ``names`` holds the members in order, with forward slashes; folders and the litter of other
    systems are left out. All reading of one package shares one budget.

    Raises
    ------
    FormatError
        No zip, unsafe, or damaged.
    LimitError
        Too many members, or (while reading) too large once unpacked.
    """

    def __init__(
        self, data: bytes, *, entries: int = MAX_ENTRIES, unpacked: int | None = None
    ) -> None:
        # Counted before the list is built: four hundred thousand entries fit into 20 MB.
        if data.count(_ENTRY) > entries + MAX_GDB_ENTRIES:
            raise _too_many(data.count(_ENTRY), entries)
        with _told_as_damage():
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._infos: dict[str, zipfile.ZipInfo] = {}
            for info in self._zip.infolist():
                self._add(info)
        self.names = tuple(self._infos)
        count = sum(not _GDB_FOLDER.match(name) for name in self.names)
        if count > entries:
            raise _too_many(count, entries)
        self._left = self._most = MAX_UNPACKED_BYTES if unpacked is None else unpacked

    def _add(self, info: zipfile.ZipInfo) -> None:
        name = _member_name(info)
        _refuse_unsafe(info, name)
        if info.is_dir() or _JUNK.search(name):
            return
        if name in self._infos:
            raise _twice(name)
        self._infos[name] = info

    def read(self, name: str) -> bytes:
        """Return one member; stop at the limits, whatever the headers claim."""
        info = self._infos[name]
        if info.compress_type not in _METHODS:
            raise FormatError("压缩包用了不支持的压缩方式", expected="普通 zip（Deflate）")
        chunks: list[bytes] = []
        size = 0
        with _told_as_damage(), self._zip.open(info) as member:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                self._left -= len(chunk)
                ratio = size / max(info.compress_size, 1)
                if self._left < 0 or (size > _RATIO_FROM_BYTES and ratio > MAX_RATIO):
                    raise LimitError(
                        "压缩包解开后过大",
                        expected=f"解开后不超过 {self._most // 1024**2} MB",
                        advice="只压缩地块本身的图层",
                    )
                chunks.append(chunk)
        return b"".join(chunks)


def unpack(data: bytes, *, entries: int = MAX_ENTRIES, unpacked: int | None = None) -> Contents:
    """Return the layers and files of a zip, in order of their names.

    Raises
    ------
    FormatError
        No zip, unsafe, damaged, holding further archives, or nothing that could be a site.
    LimitError
        Too many members, too large once unpacked, or inflating beyond reason.
    """
    package = Package(data, entries=entries, unpacked=unpacked)
    groups = _grouped(package.names)
    if not (groups.shapefiles or groups.geodatabases or groups.files):
        raise _nothing(package.names)
    stems = _told_apart([*groups.shapefiles, *groups.geodatabases], shown=_stem)
    files = _told_apart([*groups.files, *groups.others])
    return Contents(
        tuple(
            PackedLayer(stems[key], _read_all(package, group))
            for key, group in sorted(groups.shapefiles.items())
        ),
        tuple(
            PackedFolder(stems[key], _read_all(package, group))
            for key, group in sorted(groups.geodatabases.items())
        ),
        tuple(PackedFile(files[name], package.read(name)) for name in groups.files),
        tuple(files[name] for name in groups.others),
    )


def unpack_members(data: bytes, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """Return the members whose names end like this (with dot, lower case), in order.

    For formats that are zips themselves. Raises as :class:`Package` does.
    """
    package = Package(data)
    return {name: package.read(name) for name in package.names if name.lower().endswith(suffixes)}


def is_unread(name: str) -> bool:
    """Whether a name is that of a drawing of a kind that is not read here."""
    return name.rpartition(".")[2].lower() in _UNREAD.split()


# --- what belongs together ------------------------------------------------------------------------


@dataclass(slots=True)
class _Groups:
    shapefiles: dict[str, dict[str, str]] = field(default_factory=dict)
    geodatabases: dict[str, dict[str, str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def _grouped(names: Iterable[str]) -> _Groups:
    """Return names of members by what they are part of; keys are the names as first seen."""
    groups = _Groups()
    parts: dict[str, dict[str, str]] = {}
    stems: dict[str, str] = {}
    for name in names:
        _refuse_nested(name)
        folder = _gdb_folder(name)
        stem, _, suffix = name.rpartition(".")
        if folder is not None:
            base = name.rpartition("/")[2].lower()
            if _GDB_MEMBER.fullmatch(base):
                _put(groups.geodatabases.setdefault(folder, {}), base, name)
        elif stem and suffix.lower() in SHAPEFILE_PARTS:
            key = stems.setdefault(stem.lower(), stem)
            _put(parts.setdefault(key, {}), suffix.lower(), name)
        elif stem and suffix.lower() in FILE_KINDS:
            groups.files.append(name)
        else:
            groups.others.append(name)
    for key, group in parts.items():
        if "shp" in group:
            groups.shapefiles[key] = group
        else:
            groups.others += group.values()
    for key, group in list(groups.geodatabases.items()):
        if not any(base.endswith(".gdbtable") for base in group):
            groups.others += groups.geodatabases.pop(key).values()
    groups.files.sort()
    return groups


def _gdb_folder(name: str) -> str | None:
    """Return the geodatabase that a member belongs to; its files may also lie at the top."""
    inside = _GDB_FOLDER.match(name)
    if inside:
        return inside[1]
    folder, _, base = name.rpartition("/")
    return folder if _GDB_MEMBER.fullmatch(base) else None


def _put(group: dict[str, str], part: str, name: str) -> None:
    if part in group:
        raise _twice(name)
    group[part] = name


def _read_all(package: Package, group: Mapping[str, str]) -> dict[str, bytes]:
    return {part: package.read(name) for part, name in group.items()}


def _nothing(names: Iterable[str]) -> FormatError:
    listed = "、".join(_shown(name, 40) for name in list(names)[:5])
    advice = ""
    if any(name.lower().endswith((".dwg", ".mdb")) for name in names):
        advice = "DWG 请另存为 DXF，MDB 请导出为 GDB 或 Shapefile"
    return FormatError(
        "压缩包内没有 .shp 文件，也没有其他可读的文件" + (f"（有 {listed}）" if listed else ""),
        expected="Shapefile 的 .shp、.shx、.dbf、.prj，.gdb 文件夹，或 "
        + "、".join(f".{kind}" for kind in FILE_KINDS),
        advice=advice,
    )


# --- safety ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _told_as_damage() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (NotImplementedError, RuntimeError):
        raise FormatError("压缩包用了不支持的压缩或加密方式", expected="普通 zip") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError):
        raise FormatError("压缩包已损坏（校验不符或不完整）", advice="重新压缩后再提交") from None


def _too_many(count: int, most: int) -> LimitError:
    return LimitError(f"压缩包内有 {count} 个文件", expected=f"不超过 {most} 个")


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
    shown = _shown(name, 60)
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/"):
        raise FormatError(f"压缩包内有越界路径“{shown}”", advice="重新压缩，不含上级目录")
    if "\x00" in name:
        raise FormatError("压缩包内有无效文件名")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FormatError(f"压缩包内有链接“{shown}”", advice="重新压缩，只含普通文件")
    if info.flag_bits & 0x1:
        raise FormatError("压缩包有密码", advice="去掉密码后再提交")


def _refuse_nested(name: str) -> None:
    if name.lower().endswith(_NESTED):
        raise FormatError(
            f"压缩包内还有压缩包“{_shown(name, 60)}”", advice="解开后把其中的文件直接压缩"
        )


def _twice(name: str) -> FormatError:
    return FormatError(f"压缩包内有同名文件“{_shown(name, 60)}”")


def _shown(name: str, limit: int) -> str:
    return clean_text(name, limit=limit)[0]


def _stem(key: str) -> str:
    """Return the path of a layer or database without the suffix ``.gdb``."""
    return key[:-4] if key.lower().endswith(".gdb") else key


def _told_apart(names: Sequence[str], *, shown: Callable[[str], str] = str) -> dict[str, str]:
    """Return the names for people by their full names: with as few folders as tell them apart."""
    paths = {name: shown(name).split("/") for name in dict.fromkeys(names)}
    found: dict[str, str] = {}
    depth = 1
    while left := [name for name in paths if name not in found]:
        ends = {name: "/".join(path[-depth:]) for name, path in paths.items()}
        count = Counter(ends.values())
        for name in left:
            if count[ends[name]] == 1 or depth >= len(paths[name]):
                found[name] = _shown(ends[name], 120)
        depth += 1
    return found
