"""The one door: which sites does this file, text or object hold?

Content is recognised by content, never by name. Whatever is wrong with an input is told at once,
every fault with its place. Nothing is fetched, no name from outside becomes a path, and only
InputError leaves this door.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from gis.crs import CrsPolicy, HasCrsPolicy
from gis.errors import ClaimError, Fault, FormatError, InputError, LimitError, SeveralSitesError
from gis.intake.build import Options, placed, site_of
from gis.intake.draft import (
    MAX_BYTES,
    MAX_FAULTS,
    Document,
    Draft,
    Faults,
    Hints,
    clean_text,
    name_warning,
)
from gis.intake.drawing.neighbours import with_neighbours
from gis.intake.encoding import named_codec
from gis.intake.outside.shapefile import SHP_MAGIC, loose_shapefile, read_shapefiles
from gis.intake.position.naming import declared_by, traced
from gis.intake.recognise import ACCEPTED, recognise
from gis.intake.strict_json import canonical_text
from gis.model import Site, Source

SiteSource: TypeAlias = Path | bytes | str | Mapping[str, Any]

MAX_WIDTH_M = 1_000.0
_MAX_NAME = 4096
_MEND = "按所列位置改正后再提交"


def read_site(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    name: str | None = None,
    crs: int | str | None = None,
    which: int | None = None,
    repair: bool = False,
    width_m: float | None = None,
    encoding: str | None = None,
) -> Site:
    """Return the one site of an input.

    Parameters
    ----------
    source
        A file (path or its name); bytes of a file; GeoJSON, WKT or TXT as text; or a GeoJSON
        mapping. A service hands in bytes, which are never taken for a name.
    plan_or_policy
        The plan, or only its CRS policy.
    name
        What people call the source: a file name or a label. The site takes it (without suffix)
        when the content names none.
    crs
        EPSG code that the user knows, or ``GCJ-02`` or ``BD-09`` for an outline traced on a web
        map; goes before what the file declares.
    which
        Number of the site in the file, from 1, when there are several.
    repair
        Repair an invalid polygon (method ``structure``) with a warning that gives both areas.
    width_m
        Width of the corridor along a line; a line without it is refused.
    encoding
        Codec of texts and attribute tables, when the user knows it better than the file.

    Raises
    ------
    SeveralSitesError
        Several sites and no ``which``.
    InputError
        The subclass that fits: format, geometry, CRS, outside the plan, limit, area, claim. It
        lists every fault of the input.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
    >>> round(site.area.mu, 2), site.crs.source_epsg
    (419.17, 4527)
    """
    document, options = _open(
        source, plan_or_policy, name, crs, repair=repair, width_m=width_m, encoding=encoding
    )
    if which is None and len(document.drafts) > 1 and not _is_faulty(document):
        raise SeveralSitesError([draft.name for draft in document.drafts])
    return _sites(document, options, which)[0]


def read_sites(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    name: str | None = None,
    crs: int | str | None = None,
    which: int | None = None,
    repair: bool = False,
    width_m: float | None = None,
    encoding: str | None = None,
) -> tuple[Site, ...]:
    """Return all sites of an input in file order; parameters as :func:`read_site`.

    Raises
    ------
    InputError
        Any site cannot be judged; the faults of all sites are listed.
    """
    document, options = _open(
        source, plan_or_policy, name, crs, repair=repair, width_m=width_m, encoding=encoding
    )
    sites = _sites(document, options, which)
    return with_neighbours(sites) if which is None else sites


def read_each(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    name: str | None = None,
    crs: int | str | None = None,
    repair: bool = False,
    width_m: float | None = None,
    encoding: str | None = None,
) -> tuple[Site | InputError, ...]:
    """Return for each site of an input, in file order, the site or why it cannot be judged.

    For batches, where one bad plot must not stop the others; parameters as :func:`read_site`.

    Raises
    ------
    InputError
        The input as a whole cannot be read.
    """
    document, options = _open(
        source, plan_or_policy, name, crs, repair=repair, width_m=width_m, encoding=encoding
    )
    broken = any(draft.broken for draft in document.drafts)
    if document.refused is not None:
        raise _merged(document, [document.refused], options)
    if document.faults and not broken:
        raise _merged(document, [], options)
    return tuple(_site_or_error(draft, document, options) for draft in document.drafts)


def _site_or_error(draft: Draft, document: Document, options: Options) -> Site | InputError:
    if draft.broken:
        where = draft.shape.where
        own = [f for f in document.faults if f.where.startswith(where)] or list(document.faults)
        return FormatError(f"“{draft.name}”有错误", advice=_MEND, faults=own)
    try:
        return site_of(draft, document, options)
    except InputError as error:
        return error


def _sites(document: Document, options: Options, which: int | None) -> tuple[Site, ...]:
    """Return the picked sites, or raise one error with everything that is wrong."""
    drafts = document.drafts if which is None else (_picked(document.drafts, which),)
    sites: list[Site] = []
    errors: list[InputError] = [] if document.refused is None else [document.refused]
    for draft in drafts:
        if document.refused is not None or draft.broken:
            continue  # its outline proves nothing; the faults of the document say why
        try:
            sites.append(site_of(draft, document, options))
        except InputError as error:
            if not error.faults and (len(drafts) > 1 or document.faults):
                error.faults = (Fault(draft.shape.where, error.found),)  # which of them it is
            errors.append(error)
            if isinstance(error, LimitError):
                break  # the others would cost as much
    if document.faults or errors:
        raise _merged(document, errors, options)
    return tuple(sites)


def _is_faulty(document: Document) -> bool:
    return bool(document.faults) or document.refused is not None


def _merged(document: Document, errors: Sequence[InputError], options: Options) -> InputError:
    """Return one error that lists all faults, of the class of the first in the file.

    An error about the whole, such as an old datum, goes before its details.
    """
    if len(errors) == 1 and not document.faults:
        return errors[0]
    told: list[tuple[Fault, InputError | None]] = [
        (placed(fault, document, options), None) for fault in document.faults
    ]
    for error in errors:
        told += [(fault, error) for fault in error.faults or (Fault("全文", error.found),)]
    told.sort(key=lambda row: _line(row[0]))
    leading = document.refused or told[0][1] or FormatError("", advice=_MEND)
    faults = Faults()
    for fault, _ in told:
        faults.add_fault(fault)
    found = "文件有错误" if _is_faulty(document) else f"{len(errors)} 个地块有错误"
    merged = faults.error(
        type(leading), found, expected=leading.expected, advice=leading.advice or _MEND
    )
    merged.outline = _outlines(errors)
    return merged


def _outlines(errors: Sequence[InputError]) -> Mapping[str, object] | None:
    """Return the outlines of several sites with errors as one."""
    drawn = [error.outline for error in errors if error.outline is not None]
    return {"type": "GeometryCollection", "geometries": drawn} if drawn else None


def _line(fault: Fault) -> int:
    """Line number of a fault, so that all are told in the order of the file."""
    found = re.match(r"第 (\d+) 行", fault.where)
    return int(found[1]) if found else 0


# --- opening --------------------------------------------------------------------------------------


def _policy(plan_or_policy: HasCrsPolicy | CrsPolicy) -> CrsPolicy:
    if isinstance(plan_or_policy, CrsPolicy):
        return plan_or_policy
    policy = getattr(plan_or_policy, "crs_policy", None)
    if isinstance(policy, CrsPolicy):
        return policy
    raise ClaimError(
        f"第二个参数是 {type(plan_or_policy).__name__}，不是打开的规划",
        expected="read_site(文件, plan)，plan 是 load_plan 的结果",
    )


def _open(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    name: str | None,
    crs: int | str | None,
    *,
    repair: bool,
    width_m: float | None,
    encoding: str | None,
) -> tuple[Document, Options]:
    policy = _policy(plan_or_policy)
    given = None if crs is None else declared_by(crs)
    _check_width(width_m)
    hints = Hints(policy, crs is not None, None if encoding is None else named_codec(encoding))
    source = _named_file(source)
    label = name if name is not None else source.name if isinstance(source, Path) else ""
    content, data = _content(source)
    if isinstance(source, Path) and isinstance(content, bytes) and content.startswith(SHP_MAGIC):
        document = read_shapefiles((loose_shapefile(source, content),), hints)
    else:
        document = recognise(content, hints)
    label, changed = clean_text(label.replace("\\", "/").rpartition("/")[2])
    document = _named(document, label)
    if changed:
        document = replace(document, warnings=(*document.warnings, name_warning("文件名")))
    if document.trace is None or not document.trace.shifts:
        trace = traced([label], where="文件名")
        document = document if trace is None else replace(document, trace=trace)
    shown = Source(document.kind, label, hashlib.sha256(data).hexdigest())
    return document, Options(policy, given, repair, width_m, shown)


def _named_file(source: SiteSource) -> SiteSource:
    """Return the path when a text is the name of a file: in a notebook people type names.

    No format is a single line that also names a file. What comes from outside is handed in as
    bytes, which are never a name.
    """
    if not isinstance(source, str) or len(source) > _MAX_NAME or "\n" in source:
        return source
    try:
        return Path(source) if Path(source).is_file() else source
    except (OSError, ValueError):
        return source


def _content(source: SiteSource) -> tuple[bytes | str, bytes]:
    """Return the content to recognise, and the bytes that are hashed."""
    if isinstance(source, Mapping):
        text = canonical_text(source)
        data = text.encode("utf-8", "surrogatepass")
        _check_size(len(data))
        return text, data
    if isinstance(source, str):
        _check_size(len(source))
        data = source.encode("utf-8", "surrogatepass")
        _check_size(len(data))
        return source, data
    if isinstance(source, Path):
        source = _file_bytes(source)
    if not isinstance(source, bytes | bytearray | memoryview):
        raise FormatError(
            f"不能读取 {type(source).__name__} 类型的输入",
            expected=ACCEPTED,
            advice='图形写成 f"SRID={plan.work_epsg};{图形.wkt}"；整张 GeoDataFrame 用 check_sites',
        )
    _check_size(len(source))
    return bytes(source), bytes(source)


def _file_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FormatError(f"文件“{path.name}”不存在或不是普通文件", expected=ACCEPTED)
    try:
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError:
        raise FormatError(f"文件“{path.name}”无法打开", advice="检查文件权限") from None


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise LimitError(
            f"输入为 {size / 1024**2:.1f} MB",
            expected=f"不超过 {MAX_BYTES // 1024**2} MB",
            advice="简化图形或分成几个文件提交",
        )


def _named(document: Document, label: str) -> Document:
    """Give a single site without a name of its own the name of the source."""
    stem = label.rpartition(".")[0] or label
    if len(document.drafts) != 1 or not stem or document.drafts[0].name != "地块 1":
        return document
    return replace(document, drafts=(replace(document.drafts[0], name=stem),))


def _check_width(width_m: float | None) -> None:
    if width_m is None:
        return
    if isinstance(width_m, bool) or not math.isfinite(width_m) or not 0 < width_m <= MAX_WIDTH_M:
        raise ClaimError(
            f"宽度 width_m 为 {width_m}", expected=f"大于 0、不超过 {MAX_WIDTH_M:g} 米"
        )


def _picked(drafts: Sequence[Draft], which: int | None) -> Draft:
    number = 1 if which is None else which
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(drafts):
        raise ClaimError(
            f"which={number}",
            expected=f"1 到 {len(drafts)} 的序号",
            faults=[Fault(f"which={n}", draft.name) for n, draft in enumerate(drafts, start=1)][
                :MAX_FAULTS
            ],
        )
    return drafts[number - 1]
