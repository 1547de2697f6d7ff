"""The one door: which sites does this file, text or object hold?

Content is recognised by content, never by name. Each site comes out as a valid polygon in the work
CRS of the plan with both areas, and with a note for every decision and a warning for every defect.
Nothing is fetched, no name from outside becomes a path, and only InputError leaves this door.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import shapely

from gis.crs import (
    CrsPolicy,
    HasCrsPolicy,
    ellipsoidal_area,
    parse_epsg,
    same_datum_code,
    transform,
)
from gis.errors import ClaimError, Fault, FormatError, GeometryError, LimitError, SeveralSitesError
from gis.intake import coordinates, geometry
from gis.intake.boundary_txt import looks_like_boundary_txt, read_boundary_txt
from gis.intake.draft import (
    MAX_BYTES,
    MAX_FAULTS,
    Document,
    Draft,
    ShapeKind,
    clean_text,
    name_warning,
)
from gis.intake.encoding import decode_text
from gis.intake.geojson import canonical_text, read_geojson
from gis.intake.statements import declared_area
from gis.intake.vector_file import (
    SHP_MAGIC,
    read_layers,
    read_loose_shapefile,
    read_zipped_shapefile,
)
from gis.intake.wkt import START as WKT_START
from gis.intake.wkt import read_wkt
from gis.model import Area, CrsDecision, Remark, Site, Source

SiteSource: TypeAlias = Path | bytes | str | Mapping[str, Any]

MAX_WIDTH_M = 1_000.0
_MIN_AREA_M2 = 0.01
# Formats that people send and that are not read here: named, so that they know what to do.
_KNOWN_MAGIC = (
    (b"SQLite format 3\x00", "SQLite/GeoPackage"),
    (b"%PDF", "PDF"),
    (b"AC10", "DWG"),
    (b"Rar!", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文件"),
    (b"\x00\x01\x00\x00Standard", "MDB 数据库"),
)
_MAX_NAME = 4096
_ACCEPTED = "GeoJSON、WKT、勘测定界界址点 TXT，或 Shapefile 的 zip"


@dataclass(frozen=True, slots=True)
class _Options:
    policy: CrsPolicy
    given: int | None
    repair: bool
    width_m: float | None
    source: Source


def read_site(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    name: str | None = None,
    crs: int | str | None = None,
    which: int | None = None,
    repair: bool = False,
    width_m: float | None = None,
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
        EPSG code that the user knows; goes before what the file declares.
    which
        Number of the site in the file, from 1, when there are several.
    repair
        Repair an invalid polygon (method ``structure``) with a warning that gives both areas.
    width_m
        Width of the corridor along a line; a line without it is refused.

    Raises
    ------
    SeveralSitesError
        Several sites and no ``which``.
    InputError
        The subclass that fits: format, geometry, CRS, outside the plan, limit, claim.
    """
    document, options = _open(source, plan_or_policy, name, crs, repair=repair, width_m=width_m)
    drafts = document.drafts
    if which is None and len(drafts) > 1:
        raise SeveralSitesError([draft.name for draft in drafts])
    return _site(_picked(drafts, which), document, options)


def read_sites(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    *,
    name: str | None = None,
    crs: int | str | None = None,
    which: int | None = None,
    repair: bool = False,
    width_m: float | None = None,
) -> tuple[Site, ...]:
    """Return all sites of an input in file order; parameters as :func:`read_site`.

    Raises
    ------
    InputError
        Any site cannot be judged; faults of geometry are collected over all sites.
    """
    document, options = _open(source, plan_or_policy, name, crs, repair=repair, width_m=width_m)
    if which is not None:
        return (_site(_picked(document.drafts, which), document, options),)
    sites: list[Site] = []
    errors: list[GeometryError] = []
    for draft in document.drafts:
        try:
            sites.append(_site(draft, document, options))
        except GeometryError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        faults = [fault for error in errors for fault in error.faults]
        raise GeometryError(
            f"{len(errors)} 个地块的图形有错误", expected="有效的面", faults=faults[:MAX_FAULTS]
        )
    return tuple(sites)


# --- opening --------------------------------------------------------------------------------------


def _open(
    source: SiteSource,
    plan_or_policy: HasCrsPolicy | CrsPolicy,
    name: str | None,
    crs: int | str | None,
    *,
    repair: bool,
    width_m: float | None,
) -> tuple[Document, _Options]:
    policy = plan_or_policy if isinstance(plan_or_policy, CrsPolicy) else plan_or_policy.crs_policy
    given = None if crs is None else parse_epsg(str(crs)[:60])
    _check_width(width_m)
    source = _named_file(source)
    label = name if name is not None else source.name if isinstance(source, Path) else ""
    content, data = _content(source)
    if isinstance(source, Path) and isinstance(content, bytes) and content.startswith(SHP_MAGIC):
        document = read_layers(
            (read_loose_shapefile(source, content),), policy, ignore_prj=crs is not None
        )
    else:
        document = _recognise(content, policy, ignore_prj=given is not None)
    label, changed = clean_text(label.replace("\\", "/").rpartition("/")[2])
    document = _named(document, label)
    if changed:
        document = replace(document, warnings=(*document.warnings, name_warning("文件名")))
    shown = Source(document.kind, label, hashlib.sha256(data).hexdigest())
    return document, _Options(policy, given, repair, width_m, shown)


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
        raise FormatError(f"不能读取 {type(source).__name__} 类型的输入", expected=_ACCEPTED)
    _check_size(len(source))
    return bytes(source), bytes(source)


def _file_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FormatError(f"文件“{path.name}”不存在或不是普通文件", expected=_ACCEPTED)
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


def _recognise(content: bytes | str, policy: CrsPolicy, *, ignore_prj: bool) -> Document:
    if isinstance(content, str):
        return _recognise_text(content)
    if not content.strip(b"\x00 \r\n\t"):
        raise FormatError("内容为空", expected=_ACCEPTED)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return read_zipped_shapefile(content, policy, ignore_prj=ignore_prj)
    if content.startswith(SHP_MAGIC):
        raise FormatError(
            "只有 .shp 一个文件", advice="把 .shp、.shx、.dbf、.prj 一起压缩成 zip 再提交"
        )
    for magic, title in _KNOWN_MAGIC:
        if content.startswith(magic):
            raise FormatError(f"内容是 {title}", expected=_ACCEPTED, advice="转换格式后再提交")
    text, note = decode_text(content)
    document = _recognise_text(text)
    return replace(document, notes=(note, *document.notes))


def _recognise_text(text: str) -> Document:
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise FormatError("内容为空", expected=_ACCEPTED)
    if start.startswith("{"):
        return read_geojson(start)
    if WKT_START.match(start):
        return read_wkt(start)
    if looks_like_boundary_txt(text):
        return read_boundary_txt(text)
    if start.startswith("<"):
        raise FormatError(
            "内容是 XML（KML、VRT 等）", expected=_ACCEPTED, advice="转换格式后再提交"
        )
    raise FormatError("内容不是可识别的格式", expected=_ACCEPTED)


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


# --- one site -------------------------------------------------------------------------------------


def _site(draft: Draft, document: Document, options: _Options) -> Site:
    policy = options.policy
    geometry.check_kind(draft.shape)
    reading = coordinates.understand(
        draft.shape.xy,
        policy,
        given=options.given,
        declared=document.declared,
        lonlat_by_default=document.lonlat_by_default,
        may_swap=document.may_swap,
    )
    shape = draft.shape.swapped() if reading.swapped else draft.shape
    coordinates.check_vertices_near(shape, reading.epsg, policy)
    drawing = geometry.draw(shape, clockwise_is_usual=document.clockwise_is_usual)
    if drawing.faults and not options.repair:
        raise GeometryError(
            f"“{draft.name}”{drawing.faults[0].where}：{drawing.faults[0].message}",
            expected="边线不自相交、洞在外环之内、各部分不重叠的面",
            advice="改正坐标；或用 repair=true 自动修复（面积可能变化）",
            faults=drawing.faults,
        )
    outline, warnings = _in_work_crs(drawing, reading.epsg, options)
    warnings += coordinates.check_inside(outline, policy)
    area = Area(ellipsoidal_area(outline, policy.work_epsg), float(outline.area))
    if not area.ellipsoidal_m2 >= _MIN_AREA_M2:
        raise GeometryError(f"“{draft.name}”面积不足 {_MIN_AREA_M2} m²", expected="有面积的面")
    width_m = options.width_m if draft.shape.kind is ShapeKind.LINE else None
    lane = Remark("corridor", f"线路按 {width_m} m 宽的带状用地检测，两端平头")
    lanes = () if width_m is None else (lane,)
    stated, remarks = declared_area(draft.declared_area, area)
    agree = [r for r in remarks if r.code == "declared_area"]
    differ = [r for r in remarks if r.code != "declared_area"]
    return Site(
        name=draft.name,
        geometry=outline,
        area=area,
        crs=CrsDecision(reading.epsg, policy.work_epsg, reading.how),
        source=options.source,
        use=draft.use,
        corridor_width_m=width_m,
        claims={**draft.claims, **stated},
        notes=(*document.notes, *draft.notes, *reading.notes, *drawing.notes, *lanes, *agree),
        warnings=(
            *document.warnings,
            *draft.warnings,
            *reading.warnings,
            *drawing.warnings,
            *warnings,
            *differ,
        ),
    )


def _in_work_crs(
    drawing: geometry.Drawing, epsg: int, options: _Options
) -> tuple[Any, tuple[Remark, ...]]:
    """Return the drawing as a valid polygon in the work CRS, and what had to be done for it."""
    work = transform(drawing.geometry, same_datum_code(epsg), options.policy.work_epsg)
    geometry.check_perimeter(work)
    is_line = work.geom_type == "MultiLineString"
    if is_line and options.width_m is None:
        raise GeometryError(
            "图形是线，没有宽度", expected="面，或带宽度的线", advice="用 width_m 给出宽度（米）"
        )
    if is_line and options.width_m is not None:
        strip = geometry.corridor(work, width_m=options.width_m)
        return strip, ()
    ignored = Remark("width_ignored", "图形已是面，宽度 width_m 未采用")
    warnings = () if options.width_m is None else (ignored,)
    if not drawing.faults and shapely.is_valid(work):
        return work, warnings
    if not options.repair:
        raise GeometryError("图形换算到规划坐标系后自相交", advice="去掉过近的界址点")
    fixed = geometry.repaired(work)
    text = (
        f"图形有错误，已按要求自动修复：按原顶点顺序计算 {work.area:.2f} m²，"
        f"修复后 {fixed.area:.2f} m²（平面面积）"
    )
    return fixed, (*warnings, Remark("repaired", text))
