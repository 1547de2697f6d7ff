"""Which sites are in the files of a zip?

Shapefiles, geodatabases and single files are read each by its own reader; several are all read,
and the names of their sites tell the file. A file beside them that is no site, such as a readme, or
of a kind that is not read, is told and left out; one that is read and has faults refuses the whole,
because it may be the site. Nothing is unpacked here; see :mod:`gis.intake.outside.archive`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from gis.errors import Fault, FormatError, InputError, LimitError
from gis.intake.draft import (
    MAX_BYTES,
    Document,
    Draft,
    Faults,
    Hints,
    check_features,
    check_vertices,
    first_of,
)
from gis.intake.outside.archive import Contents, PackedFile, is_unread, unpack
from gis.intake.outside.filegdb import read_geodatabases
from gis.intake.outside.sandbox import deadline_from_now
from gis.intake.outside.shapefile import read_shapefiles
from gis.intake.tables import NoCoordinatesError
from gis.model import Remark

# Reads the content of a file; None when it is in no format that is read here.
ReadFile: TypeAlias = Callable[[bytes, Hints], Document | None]

# What programs lay beside a shapefile or a geodatabase.
_SIDE_FILE = re.compile(
    r".*\.(shx|cpg|prj|q(pj|md|ml|ix)|sb[nx]|fb[nx]|xml|a(in|ih|tx|vl)|[im]xs|spx|lyrx?|sld|lock)",
    re.IGNORECASE,
)
_MAX_NAMED = 5


def read_zip(data: bytes, hints: Hints, read_file: ReadFile) -> Document:
    """Return the sites of all files of a zip.

    Parameters
    ----------
    data
        The zip.
    hints
        What the user knows; holds for every file.
    read_file
        Reads a single file by its content.

    Raises
    ------
    FormatError
        Unsafe, damaged, or nothing in it that could be a site.
    InputError
        What the reader of a file refuses; its name is told.
    """
    contents = unpack(data)
    if hints.deadline is None:
        hints = replace(hints, deadline=deadline_from_now())
    found: list[tuple[str, Document]] = []
    if contents.shapefiles:
        # Several name their sites by layer already.
        name = contents.shapefiles[0].name if len(contents.shapefiles) == 1 else ""
        found.append((name, read_shapefiles(contents.shapefiles, hints)))
    if contents.geodatabases:
        name = contents.geodatabases[0].name if len(contents.geodatabases) == 1 else "GDB"
        found.append((name, read_geodatabases(contents.geodatabases, hints)))
    files = _Files(contents, is_alone=not found)
    found += files.read(hints, read_file)
    if not found:
        raise _nothing(contents)
    document = found[0][1] if len(found) == 1 else _merged(found)
    return replace(
        document,
        notes=(*document.notes, *files.notes()),
        warnings=(*document.warnings, *files.warnings()),
    )


class _Files:
    """Reads the single files; what is no site is told, what has faults refuses them all."""

    def __init__(self, contents: Contents, *, is_alone: bool) -> None:
        self.files = contents.files
        self.others = contents.others
        self.is_alone = is_alone
        self.unknown: list[str] = []

    def read(self, hints: Hints, read_file: ReadFile) -> list[tuple[str, Document]]:
        """Return the documents, each with the name of its file."""
        found: list[tuple[str, Document]] = []
        failed: list[tuple[str, InputError]] = []
        empty: list[tuple[str, InputError]] = []
        for file in self.files:
            try:
                _check_size(file)
                document = read_file(file.content, hints)
            except NoCoordinatesError as error:
                empty.append((file.name, error))
                continue
            except InputError as error:
                failed.append((file.name, error))
                continue
            if document is None:
                self.unknown.append(file.name)
            else:
                found.append((file.name, document))
        if self.is_alone and not found:
            failed += empty  # nothing else could be the site
        if failed:
            raise self._refusal(failed)
        self.unknown += [name for name, _ in empty]
        return found

    def _refusal(self, failed: Sequence[tuple[str, InputError]]) -> InputError:
        """Return one error with the faults of all files; a file alone needs no name."""
        name, reason = failed[0]
        if self.is_alone and len(self.files) == 1:
            return reason
        advice = reason.advice or "改正后再提交；不是地块的文件请移出压缩包"
        if len(failed) == 1:
            told = [replace(fault, where=_in(name, fault)) for fault in reason.faults]
            return _refused(reason)(
                f"“{name}”：{reason.found}", expected=reason.expected, advice=advice, faults=told
            )
        faults = Faults()
        for name, error in failed:
            for fault in error.faults or (Fault("全文", error.found),):
                faults.add_fault(replace(fault, where=_in(name, fault)))
        found = f"压缩包内有 {len(failed)} 个文件无法读取"
        return faults.error(_refused(reason), found, advice=advice)

    def notes(self) -> tuple[Remark, ...]:
        """Return the note on files that are no drawings."""
        others = [n for n in self.others if not (is_unread(n) or _SIDE_FILE.fullmatch(n))]
        names = [*self.unknown, *others]
        if not names:
            return ()
        text = f"压缩包内的 {first_of(names, counted='个文件')} 不是地块图形，未采用"
        return (Remark("member_ignored", text),)

    def warnings(self) -> tuple[Remark, ...]:
        """Return the warning on drawings of kinds that are not read."""
        unread = [name for name in self.others if is_unread(name)]
        if not unread:
            return ()
        text = (
            f"压缩包内的 {first_of(unread, counted='个文件')} 是不能读取的格式，未采用；"
            "其中如有地块，请转换后再提交（DWG 另存为 DXF，MDB 导出为 GDB 或 Shapefile）"
        )
        return (Remark("member_unread", text),)


def _refused(reason: InputError) -> type[InputError]:
    return FormatError if isinstance(reason, NoCoordinatesError) else type(reason)


def _check_size(file: PackedFile) -> None:
    if len(file.content) > MAX_BYTES:
        raise LimitError(
            f"解开后为 {len(file.content) / 1024**2:.1f} MB",
            expected=f"不超过 {MAX_BYTES // 1024**2} MB",
            advice="简化图形或分成几个文件提交",
        )


def _nothing(contents: Contents) -> FormatError:
    names = [*(file.name for file in contents.files), *contents.others]
    return FormatError(
        f"压缩包内没有可识别的地块图形（有 {'、'.join(names[:_MAX_NAMED])}）",
        expected="Shapefile、GDB、GeoPackage、DXF、KML、GeoJSON、WKT 或界址点 TXT",
    )


# --- several documents as one ---------------------------------------------------------------------


def _merged(found: Sequence[tuple[str, Document]]) -> Document:
    """Return all sites as one document; what a document says about all its sites goes to each."""
    documents = [document for _, document in found]
    kinds = {document.kind for document in documents}
    drafts = [_prefixed(d, name, document) for name, document in found for d in document.drafts]
    check_features(len(drafts))
    check_vertices(sum(len(ring.xy) for d in drafts for ring in d.shape.rings))
    return Document(
        kinds.pop() if len(kinds) == 1 else "zip",
        tuple(drafts),
        # A mixture is read by the rules that all its parts share.
        lonlat_by_default=all(d.lonlat_by_default for d in documents),
        may_swap=all(d.may_swap for d in documents),
        clockwise_is_usual=all(d.clockwise_is_usual for d in documents),
        faults=tuple(
            replace(fault, where=_in(name, fault)) for name, d in found for fault in d.faults
        ),
        refused=next((d.refused for d in documents if d.refused is not None), None),
    )


def _prefixed(draft: Draft, name: str, document: Document) -> Draft:
    return replace(
        draft,
        name=f"{name}／{draft.name}" if name else draft.name,
        declared=draft.declared or document.declared,
        trace=draft.trace or document.trace,
        notes=(*document.notes, *draft.notes),
        warnings=(*document.warnings, *draft.warnings),
    )


def _in(name: str, fault: Fault) -> str:
    return f"{name}：{fault.where}" if name else fault.where
