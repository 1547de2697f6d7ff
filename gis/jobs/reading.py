"""Which rows are in an upload, and which of its files or sites cannot be read?

Everything goes through the one door, ``gis.intake``: what comes from outside never meets GDAL in
this process. A zip is taken apart first, so that one bad file is one row with a problem and the
others are judged all the same. The limits are wider than those of a single request, because nobody
waits for the answer; they stand here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from gis.batch.rows import Origin, Row, problem_of
from gis.crs import CrsPolicy
from gis.errors import BusyError, FormatError, InputError, LimitError, SeveralSitesError
from gis.intake.draft import MAX_BYTES, Limits, limited_to
from gis.intake.kml import is_kmz
from gis.intake.outside.archive import MAX_ENTRIES as MAX_ENTRIES_OF_ONE
from gis.intake.outside.archive import Contents, Package, is_unread, unpack
from gis.intake.read import read_each, read_sites
from gis.intake.table.workbook import is_workbook
from gis.jobs.model import Call, Options
from gis.model import Site

MAX_ENTRIES = 5_000
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
MAX_VERTICES = 800_000
_ZIP = b"PK\x03\x04"
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an upload, a zip of what belongs together, or why it cannot be read."""

    name: str
    content: bytes = b""
    error: InputError | None = None


def examine(content: bytes) -> None:
    """Refuse at once what can be seen at a glance: too large for one file, or a bad package.

    Nothing is unpacked.

    Raises
    ------
    LimitError
        Too large, or too many files.
    FormatError
        A zip that is damaged, has a password, or has names that lead out of it.
    """
    if content.startswith(_ZIP):
        Package(content, entries=MAX_ENTRIES)
        return
    if len(content) > MAX_BYTES:
        raise LimitError(
            f"文件为 {len(content) / 1024**2:.1f} MB",
            expected=f"单个文件不超过 {MAX_BYTES // 1024**2} MB；压缩包可以更大",
            advice="压缩成 zip，或分成几个文件",
        )


def rows_of(
    content: bytes,
    name: str,
    policy: CrsPolicy,
    options: Options,
    most: int,
    going_on: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Origin, Row]]:
    """Yield the rows of an upload in the order of its files, each with the file that it is from.

    Parameters
    ----------
    content, name
        The upload, and what its sender calls it.
    policy
        The CRS policy of the plan.
    options
        What the user said about all rows.
    most
        The largest number of sites.
    going_on
        Called before each file; what it raises ends the reading.

    Raises
    ------
    LimitError
        More sites, files or bytes than a job may have.
    InputError
        Nothing of the upload can be read.
    """
    if options.call is not None:
        yield from _called(content, policy, options, options.call)
        return
    count, good = 0, False
    first: InputError | None = None
    for origin, (member, found) in enumerate(_read(content, name, policy, options, most, going_on)):
        label = member.name
        shown = Origin("file", label)
        items = [found] if isinstance(found, InputError) else found
        for place, item in enumerate(items, start=1):
            if count >= most:
                raise _too_many(most)
            row_name = label if isinstance(found, InputError) else f"{label or '地块'} {place}"
            yield shown, _row(count, place, origin, row_name, item)
            good = good or isinstance(item, Site)
            first = first or (item if isinstance(item, InputError) else None)
            count += 1
    if not count:
        raise FormatError("上传内容中没有地块", advice="核对文件后重新提交")
    if not good and count == 1 and first is not None:
        raise first


def _called(
    content: bytes, policy: CrsPolicy, options: Options, call: Call
) -> Iterator[tuple[Origin, Row]]:
    """Yield the sites of a call, read as a single request reads them: all, or the error."""
    read = partial(
        read_sites,
        content,
        policy,
        crs=options.crs,
        encoding=options.encoding,
        repair=options.repair,
        width_m=options.width_m,
    )
    sites = read() if call.which == "all" else read(which=call.which)
    if len(sites) > 1 and call.which is None:
        raise SeveralSitesError([site.name for site in sites])
    for number, site in enumerate(sites):
        yield Origin("file", ""), _row(number, number + 1, 0, site.name, site)


def _read(
    content: bytes,
    name: str,
    policy: CrsPolicy,
    options: Options,
    most: int,
    going_on: Callable[[], None],
) -> Iterator[tuple[Member, InputError | tuple[Site | InputError, ...]]]:
    for member in _members(content, name):
        going_on()
        if member.error is not None:
            yield member, member.error
            continue
        with limited_to(Limits(most, MAX_VERTICES)):
            yield member, _each(member, policy, options)


def _each(
    member: Member, policy: CrsPolicy, options: Options
) -> InputError | tuple[Site | InputError, ...]:
    """Return the sites of one file, or why the file cannot be read."""
    for attempt in range(_ATTEMPTS):
        try:
            return read_each(
                member.content,
                policy,
                name=member.name,
                crs=options.crs,
                encoding=options.encoding,
                repair=options.repair,
                width_m=options.width_m,
            )
        except BusyError as error:
            # The service reads other files at the moment; a job has time.
            if attempt == _ATTEMPTS - 1:
                return error
        except InputError as error:
            return error
        except RecursionError:
            return FormatError("内容嵌套层数过多", expected="有效的 GeoJSON", advice="核对文件")
    raise AssertionError("unreachable")


def _row(number: int, place: int, origin: int, name: str, item: Site | InputError) -> Row:
    if isinstance(item, Site):
        return Row(number, place, origin, item.name, site=item)
    return Row(number, place, origin, name, problem=problem_of(item))


def _too_many(most: int) -> LimitError:
    return LimitError(
        f"上传内容中的地块超过 {most} 个",
        expected=f"一个任务不超过 {most} 个",
        advice="分成几个任务提交，或用命令行 wuqu batch",
    )


# --- a zip taken apart ---------------------------------------------------------------------------


def _members(content: bytes, name: str) -> Iterator[Member]:
    if not content.startswith(_ZIP) or _is_one_document(content):
        yield Member(name, content)
        return
    contents = unpack(content, entries=MAX_ENTRIES, unpacked=MAX_UNPACKED_BYTES)
    yield from _parts(contents)
    for other in contents.others:
        if is_unread(other):
            advice = "转换后再提交（DWG 另存为 DXF，MDB 导出为 GDB 或 Shapefile）"
            yield Member(other, error=FormatError(f"“{other}”是不能读取的格式", advice=advice))


def _parts(contents: Contents) -> Iterator[Member]:
    """Yield what belongs together as a zip of its own, and single files as they are."""
    for layer in contents.shapefiles:
        stem = layer.name.rpartition("/")[2]
        parts = {f"{stem}.{suffix}": data for suffix, data in layer.members.items()}
        yield Member(f"{layer.name}.shp", _packed(parts))
    for folder in contents.geodatabases:
        stem = folder.name.rpartition("/")[2]
        tables = {f"{stem}.gdb/{part}": data for part, data in folder.members.items()}
        yield Member(f"{folder.name}.gdb", _packed(tables))
    for file in contents.files:
        yield Member(file.name, file.content)


def _packed(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return stream.getvalue()


def _is_one_document(content: bytes) -> bool:
    """Whether a zip is itself a document, of Excel or of Google Earth; none has many members."""
    if len(Package(content, entries=MAX_ENTRIES).names) > MAX_ENTRIES_OF_ONE:
        return False
    return is_workbook(content) or is_kmz(content)
