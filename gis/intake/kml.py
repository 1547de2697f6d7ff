"""KML, KMZ and ovkml: which sites does a file of an earth viewer draw?

Every Placemark of every folder is one site; folders show in the names where there are several. KML
means WGS 84, ovkml names its coordinates itself. What was drawn on a web map is flagged. Network
links, overlays and all other addresses are told and never followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gis.errors import FormatError, InputError, LimitError
from gis.intake.draft import (
    MAX_BYTES,
    MAX_NAME,
    Declared,
    Document,
    Draft,
    Trace,
    clean_text,
    without_points,
)
from gis.intake.outside.archive import FILE_KINDS, Package, is_unread, unpack_members
from gis.intake.placemarks.walk import Found, Walker
from gis.intake.placemarks.xml_tree import parse_xml
from gis.intake.position.naming import traced
from gis.model import Remark
from gis.webmap import GCJ02

_WGS84 = Declared((4326,), "KML 标准：WGS 84")
_SUFFIXES = (".kml", ".ovkml")
# A zip with one of these beside the KML is somebody's folder, not a KMZ.
_OTHERS = (".shp", ".gdbtable", *{f".{kind}" for kind in FILE_KINDS}.difference(_SUFFIXES))
_SITE = "至少一个有面的地标（Placemark）"
# Programs in which people draw on imagery, by the marks they leave in texts.
_TOOLS = re.compile(
    r"奥维|ovital|bigemap|水经注|rivermap|91卫图|locaspace|图新地球|两步路|六只脚|google ?maps",
    re.IGNORECASE,
)


def read_kml(
    source: bytes | str, *, encoding: str | None = None, crs_given: bool = False
) -> Document:
    """Return the sites of a KML or ovkml file, in WGS 84 unless a Placemark says otherwise.

    Parameters
    ----------
    source
        The bytes of the file, or its text.
    encoding
        Codec that the user names (from ``named_codec``); goes before the XML declaration.
    crs_given
        The user names the CRS, so a coordinate type that nobody knows is only a warning.

    Raises
    ------
    FormatError
        Not XML, not KML, or without any Placemark.
    LimitError
        Larger, deeper or more than the service takes.
    """
    return _document("kml", {"": source}, encoding, crs_given)


def is_kmz(data: bytes) -> bool:
    """Whether a zip holds KML and nothing else that could be a site.

    Raises
    ------
    InputError
        The zip is damaged or unsafe.
    """
    names = [name.lower() for name in Package(data).names]
    others = any(name.endswith(_OTHERS) or is_unread(name) for name in names)
    return any(name.endswith(_SUFFIXES) for name in names) and not others


def read_kmz(data: bytes, *, encoding: str | None = None, crs_given: bool = False) -> Document:
    """Return the sites of all KML files in a KMZ; parameters and errors as :func:`read_kml`."""
    members = unpack_members(data, _SUFFIXES)
    if not members:
        raise FormatError("压缩包内没有 .kml 文件", expected="KMZ，或单独的 KML 文件")
    size = sum(len(content) for content in members.values())
    if size > MAX_BYTES:
        raise LimitError(
            f"压缩包内的 KML 共 {size / 1024**2:.1f} MB",
            expected=f"不超过 {MAX_BYTES // 1024**2} MB",
        )
    return _document("kmz", members, encoding, crs_given)


def _document(
    kind: str, files: Mapping[str, bytes | str], encoding: str | None, crs_given: bool
) -> Document:
    walker = Walker(crs_given)
    notes: list[Remark] = []
    warnings: list[Remark] = []
    for name, content in files.items():
        label = clean_text(name)[0] if len(files) > 1 else ""
        try:
            tree = parse_xml(content, encoding=encoding)
            walker.read(tree, label)
        except InputError as error:
            raise _in_file(error, label) from None
        notes += tree.notes
        warnings += tree.warnings
    if not walker.found:
        raise _nothing(walker)
    drafts, skipped = without_points([found.draft for found in walker.found])
    whole = _whole_trace(walker)
    return Document(
        f"ov{kind}" if walker.vendor else kind,
        _finished(drafts, walker, whole),
        declared=_WGS84,
        trace=whole,
        faults=tuple(walker.faults.rows),
        refused=walker.refused,
        notes=tuple(dict.fromkeys(notes)),
        warnings=(*dict.fromkeys(warnings), *skipped, *_left_out(walker)),
    )


# --- what is not there ----------------------------------------------------------------------------


def _in_file(error: InputError, label: str) -> InputError:
    """Return the error with the name of the file in the archive, when there are several."""
    if not label:
        return error
    found, faults = f"“{label}”：{error.found}", error.faults
    return type(error)(found, expected=error.expected, advice=error.advice, faults=faults)


def _nothing(walker: Walker) -> FormatError:
    if walker.links:
        return FormatError(
            f"文件中只有网络链接（NetworkLink，{walker.links} 个），没有地标",
            expected=_SITE,
            advice="本工具不访问任何链接；在地图软件中打开链接，把地块另存为 KML 再提交",
        )
    found = "文件中只有叠加图像，没有地标" if walker.overlays else "文件中没有地标（Placemark）"
    return FormatError(found, expected=_SITE, advice="在地图软件中画出地块，另存为 KML 再提交")


def _left_out(walker: Walker) -> tuple[Remark, ...]:
    """Return the warnings about what lies beside the Placemarks."""
    rows = (
        (walker.links, "links_skipped", "个网络链接（NetworkLink），不访问，其内容未检测"),
        (walker.overlays, "overlays_skipped", "个叠加图像，不是地块，已略去"),
        (walker.strays, "strays_skipped", "处图形不在地标（Placemark）里，已略去"),
    )
    return tuple(Remark(code, f"文件中有 {n} {text}") for n, code, text in rows if n)


# --- names ----------------------------------------------------------------------------------------


def _finished(drafts: Sequence[Draft], walker: Walker, whole: Trace | None) -> tuple[Draft, ...]:
    """Give each draft that is kept its name and its trace.

    The name shows the folders where they differ, and the file where there are several.
    """
    kept = {id(draft) for draft in drafts}
    rows = [found for found in walker.found if id(found.draft) in kept]
    files = dict.fromkeys(found.file for found in rows)
    shared = {file: _shared([f.folders for f in rows if f.file == file]) for file in files}
    finished = []
    for n, found in enumerate(rows, start=1):
        folders = found.folders[shared[found.file] :]
        if len(files) > 1:
            folders = (found.file, *folders)
        name = _joined(folders, found.draft.name or f"地块 {n}")
        finished.append(replace(found.draft, name=name, trace=_trace(found, walker, whole)))
    return tuple(finished)


def _shared(paths: Sequence[tuple[str, ...]]) -> int:
    """Return how many of the outer folders all paths have in common."""
    columns = list(zip(*paths, strict=False))
    return next((i for i, column in enumerate(columns) if len(set(column)) > 1), len(columns))


def _joined(folders: Iterable[str], name: str) -> str:
    """Return folders and name in one line; what is too long loses its beginning, not the name."""
    path, room = "／".join(folders), MAX_NAME - len(name) - 1
    if not path or room < 2:
        return name
    return f"{path if len(path) <= room else '…' + path[1 - room :]}／{name}"


# --- not survey grade -----------------------------------------------------------------------------


def _whole_trace(walker: Walker) -> Trace | None:
    """Return why the drawings of a file are coarse or may be shifted, by its own words."""
    told = traced(walker.texts, where="文件说明")
    if walker.vendor:
        return _merged(told, Trace("奥维互动地图文件，一般为手工勾绘"))
    texts = (*walker.texts, *(text for found in walker.found for text in found.texts))
    tool = next((found[0] for text in texts if (found := _TOOLS.search(text))), "")
    return _merged(told, Trace(f"文件提到网络地图工具（{tool}），一般为手工勾绘") if tool else None)


def _trace(found: Found, walker: Walker, whole: Trace | None) -> Trace | None:
    """Return the trace of one site where it says more than that of its file."""
    own = traced(found.texts, where="地标说明")
    if walker.vendor and found.draft.declared is None:
        # Newer versions of the program write GCJ-02 unless they say otherwise.
        text = f"奥维互动地图文件没有写明坐标类型（OvCoordType），可能为 {GCJ02}"
        own = _merged(own, Trace(text, (GCJ02,)))
    return _merged(own, whole) if own else None


def _merged(*traces: Trace | None) -> Trace | None:
    told = [trace for trace in traces if trace is not None]
    if not told:
        return None
    shifts = dict.fromkeys(shift for trace in told for shift in trace.shifts)
    return Trace("；".join(dict.fromkeys(trace.reason for trace in told)), tuple(shifts))
