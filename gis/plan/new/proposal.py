"""What does each layer seem to be, and what cannot be told from its file?

Names and fields are recognised (``known``); classes are compared with the land-class tables, stated
areas with the geometry. What is not sure becomes a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from pyproj import CRS

from gis.crs import gauss_kruger, gauss_kruger_epsg
from gis.plan.new.found import FoundLayer, crs_text
from gis.plan.new.known import KnownLayer, Match, field_of, known, match
from gis.plan.new.questions import Answers, Question
from gis.rulebook.class_tables import Scheme, schemes
from gis.units import M2_PER

_OTHER, _SKIP = "other", "skip"
_KINDS = {"point": "点", "line": "线", "polygon": "面"}
UNKNOWN_VINTAGE = "未注明"
_NO_SCHEME = "none"
_LAND = ("landuse", "planned_use")
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d{2})(?:[-_.年]?(0[1-9]|1[0-2])(?:[-_.月]?([0-3]\d))?)?(?!\d)"
)
Box = Sequence[float]
_CHINA = (73.0, 3.0, 136.0, 54.0)


@dataclass(slots=True)
class Proposed:
    """A layer of the package to be: what ``plan.toml`` will say, and how sure that is.

    ``by`` is ``name``, ``word``, ``fields`` or ``answer``; ``notes`` are doubts, in Chinese.
    """

    found: FoundLayer
    id: str
    title: str
    role: str
    by: str
    crs: CRS
    fields: dict[str, str] = field(default_factory=dict)
    scheme: tuple[str, str] | None = None
    vintage: str = UNKNOWN_VINTAGE
    notes: list[str] = field(default_factory=list)


def propose(layers: Sequence[FoundLayer], answers: Answers) -> list[Proposed]:
    """Return what each layer is; layers that are to be left out are not among them."""
    matched = {found: match(found) or _asked_kind(found, answers) for found in layers}
    kept = [found for found in layers if matched[found]]
    references = _crs_of_all(kept, answers)
    told: list[Proposed] = []
    for found in kept:
        if (recognised := matched[found]) is None:
            continue
        kind = recognised.layer
        id_ = _free(kind.id, {p.id for p in told})
        title = kind.title if kind.id == id_ else f"{kind.title}（{found.name}）"
        layer = Proposed(found, id_, title, kind.role, recognised.by, references[found])
        _describe(layer, kind, answers)
        told.append(layer)
    return told


def _free(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    return next(name for n in range(2, 10_000) if (name := f"{wanted}_{n}") not in taken)


# --- kind and CRS --------------------------------------------------------------------------------


def _asked_kind(found: FoundLayer, answers: Answers) -> Match | None:
    """Ask which known layer this is; None when it is to be left out."""
    fitting = {k.id: k for k in known().layer if k.geometry == found.geometry}
    shown = "、".join(found.fields[:8]) or "无"
    size = f"{_KINDS[str(found.geometry)]}，{len(found.frame)} 个要素，字段：{shown}"
    question = Question(
        f"layer.{found.name}",
        f"“{found.shown}”（{size}）是什么图层？",
        _OTHER,
        {**{k.id: k.title for k in fitting.values()}, _OTHER: "其他", _SKIP: "不收录"},
    )
    answer = answers.to(question)
    if answer == _SKIP:
        return None
    own = KnownLayer(
        id=_slug(found.name), title=found.name, role="other", geometry=str(found.geometry), codes=()
    )
    return Match(fitting.get(answer, own), "answer")


def _slug(name: str) -> str:
    """Return a name as an id: lower-case ASCII letters, digits and _, beginning with a letter."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"layer_{plain}" if plain else "layer"


def _crs_of_all(layers: Sequence[FoundLayer], answers: Answers) -> dict[FoundLayer, CRS]:
    """Return the CRS of each layer; those that name none are asked about once, together."""
    told = {layer: layer.crs for layer in layers if layer.crs is not None}
    most = max(told.values(), key=lambda c: sum(c == x for x in told.values()), default=None)
    usual = f"EPSG:{most.to_epsg()}" if most is not None and most.to_epsg() else ""
    silent: dict[str, list[FoundLayer]] = {}
    for layer in layers:
        if layer not in told:
            silent.setdefault(_proven(layer.frame.total_bounds) or usual, []).append(layer)
    for n, (default, group) in enumerate(sorted(silent.items()), start=1):
        crs = _asked_crs(group, default, "crs" if n == 1 else f"crs.{n}", answers)
        told |= dict.fromkeys(group, crs)
    return told


def _asked_crs(group: Sequence[FoundLayer], default: str, key: str, answers: Answers) -> CRS:
    box = group[0].frame.total_bounds
    named = "、".join(f"“{layer.shown}”" for layer in group)
    numbers = "、".join(f"{v:,.2f}" for v in box)
    text = f"{named}没有坐标系（{group[0].shown} 的范围 {numbers}），是哪个坐标系？"
    return crs_text(answers.to(Question(key, text, default, check=_crs_fault)))


def _proven(box: Box) -> str | None:
    """Return the CRS that the numbers alone prove: degrees, or a Gauss-Kruger zone prefix."""
    west, south, east, north = box
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return "EPSG:4490"
    zone = int(west // 1e6)
    code = gauss_kruger_epsg(zone, prefixed=True) if int(east // 1e6) == zone else None
    return f"EPSG:{code}" if code else None


def _crs_fault(answer: str) -> str:
    try:
        crs_text(answer)
    except ValueError as problem:
        return str(problem)
    return ""


# --- fields, classes, dates ----------------------------------------------------------------------


def _describe(layer: Proposed, kind: KnownLayer, answers: Answers) -> None:
    """Fill in what the fields of a layer say."""
    found, usual = layer.found, known().fields
    if (id_ := field_of(found, usual.id)) is not None:
        if found.is_unique(id_):
            layer.fields["id"] = id_
        else:
            layer.notes.append(f"字段 {id_} 有空值或重复值，不用作编号")
    if (cls := field_of(found, kind.cls, usual.cls)) is not None:
        layer.fields["class"] = cls
    if (name := field_of(found, kind.name, usual.name)) is not None and name != cls:
        layer.fields["name"] = name
    if found.geometry == "line" and (half := field_of(found, usual.half_width)) is not None:
        layer.fields["half_width"] = half
    elif kind.role in ("road", "railway", "power_line"):
        layer.notes.append("没有半宽字段：距离规则将为需核实；补充后在 fields 中写 half_width")
    if found.geometry == "polygon":
        _stated_area(layer, field_of(found, kind.area, usual.area))
    layer.vintage = _vintage(found) or UNKNOWN_VINTAGE
    if kind.role in _LAND:
        layer.scheme = _scheme(layer, kind, answers)
        if layer.scheme is None:
            layer.role = "other"
            layer.notes.append("没有分类体系，按“其他”图层收录，不参与用地平衡")


def _stated_area(layer: Proposed, column: str | None) -> None:
    """Take a column as stated areas where it agrees with the geometry in some unit."""
    if column is None or layer.crs.is_geographic:
        return
    stated = np.asarray(layer.found.frame[column], dtype=object)
    try:
        numbers = stated.astype(float)
    except (TypeError, ValueError):
        return
    planar = shapely.area(layer.found.frame.geometry.to_numpy())
    known_ = np.isfinite(numbers) & (numbers > 0) & (planar > 0)
    if not known_.any():
        return
    ratio = float(np.median(planar[known_] / numbers[known_]))
    for unit, m2 in M2_PER.items():
        if abs(ratio / m2 - 1) < 0.01:
            layer.fields["area"] = column
            layer.fields |= {} if unit == "m2" else {"area_unit": unit}
            return
    layer.notes.append(f"字段 {column} 与图形面积不符（约 1 : {ratio:.4g}），不用作面积")


def _vintage(found: FoundLayer) -> str | None:
    """Return the date that a field says of all features, or else the name of the file."""
    column = field_of(found, known().fields.vintage)
    texts = found.values(column) if column else []
    for text in (texts[-1:] if texts else []) + [found.name, found.file.stem]:
        if (seen := _YEAR.search(text)) is not None:
            return "-".join(part for part in seen.groups() if part)
    return None


def _scheme(layer: Proposed, kind: KnownLayer, answers: Answers) -> tuple[str, str] | None:
    """Return the land-class table of a layer: the one that has all its codes, else ask."""
    column = layer.fields.get("class")
    codes = layer.found.values(column) if column else []
    fits = sorted(_fits(codes, kind.scheme), key=lambda pair: -pair[0])
    whole = [table for share, table in fits if share == 1.0]
    if len(whole) == 1:
        return whole[0].key
    offered = {f"{t.id}/{t.edition}": t.title for _, t in fits}
    shares = "；".join(f"{t.id}/{t.edition} 能解释 {share:.0%}" for share, t in fits)
    question = Question(
        f"scheme.{layer.id}",
        f"“{layer.found.shown}”的编码属于哪个分类体系和版本？{shares}",
        next(iter(offered)) if fits and fits[0][0] > 0.5 else _NO_SCHEME,
        {**offered, _NO_SCHEME: "都不是"},
    )
    answer = answers.to(question)
    return None if answer == _NO_SCHEME else next(t.key for _, t in fits if _key(t) == answer)


def _key(table: Scheme) -> str:
    return f"{table.id}/{table.edition}"


def _fits(codes: Sequence[str], usual: str | None) -> Iterator[tuple[float, Scheme]]:
    """Yield which share of the codes each table has; tables of the usual scheme come first."""
    for table in sorted(schemes(), key=lambda t: (t.id != usual, -int(t.edition[:4]))):
        share = sum(table.exists(code) for code in codes) / len(codes) if codes else 0.0
        yield share, table


# --- the whole plan ------------------------------------------------------------------------------


def bounds_of(layers: Sequence[Proposed]) -> tuple[float, float, float, float]:
    """Return the box of the planning area, else of all layers, in degrees, a little wider."""
    first = [p for p in layers if p.role in ("planning_area", "district")] or list(layers)
    boxes = np.array([b for p in first if (b := p.found.box(p.crs)) is not None])
    west, south = np.floor(boxes[:, :2].min(axis=0) * 100 - 2) / 100
    east, north = np.ceil(boxes[:, 2:].max(axis=0) * 100 + 2) / 100
    box = (max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0))
    return tuple(float(v) for v in box)  # type: ignore[return-value]  # four numbers


def is_chinese(bounds: tuple[float, float, float, float]) -> bool:
    """Whether a box lies in the box of China."""
    west, south, east, north = _CHINA
    return west <= bounds[0] and south <= bounds[1] and bounds[2] <= east and bounds[3] <= north


def work_crs(
    layers: Sequence[Proposed], bounds: tuple[float, float, float, float], answers: Answers
) -> int:
    """Return the EPSG code to work in: what most layers are stored in, else the zone of the place.

    Asked where there is a choice, or nothing to choose from.
    """
    codes = [p.crs.to_epsg() for p in layers if p.crs.is_projected]
    stored = {c: codes.count(c) for c in codes if c is not None}
    if len(stored) == 1:
        return next(iter(stored))
    zone = round((bounds[0] + bounds[2]) / 6)
    local = gauss_kruger_epsg(zone, prefixed=False) if is_chinese(bounds) else None
    offered = sorted(stored, key=lambda c: -stored[c]) + ([local] if local else [])
    options = {f"EPSG:{c}": _crs_title(c) for c in dict.fromkeys(offered)}
    question = Question(
        "work_crs",
        "在哪个投影坐标系中计算？",
        next(iter(options), "EPSG:3857"),
        options if len(options) > 1 else {},
        check=_projected_fault,
    )
    if len(options) == 1:
        return offered[0]
    code = crs_text(answers.to(question)).to_epsg()
    return int(code or 0)


def _crs_title(code: int) -> str:
    return CRS.from_epsg(code).name


def _projected_fault(answer: str) -> str:
    if fault := _crs_fault(answer):
        return fault
    crs = crs_text(answer)
    if not crs.is_projected or crs.to_epsg() in (None, 3857):
        return "须为有 EPSG 代码、以米为单位的投影坐标系，且不是 EPSG:3857"
    return ""


def accepted_crs(work: int, bounds: tuple[float, float, float, float]) -> list[int]:
    """Return the CRS in which sites may come: the work CRS, its twin with prefix, degrees."""
    zone = gauss_kruger(work)
    twin = gauss_kruger_epsg(zone.zone, prefixed=not zone.prefixed) if zone else None
    degrees = [4490, 4326] if is_chinese(bounds) else [4326]
    return list(dict.fromkeys([work, *([twin] if twin else []), *degrees]))
