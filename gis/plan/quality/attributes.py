"""Are the attributes there, and do the codes mean anything?

Ids, classes and names by the fields that the plan names; land-class codes by their declared scheme;
zone classes by the rules. The stated areas have a file of their own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from gis.errors import RuleBookError
from gis.model import LayerState, Rule, class_matches
from gis.plan.catalogue import text_column
from gis.plan.quality.findings import ERROR, NOTE, WARNING, Finding, listed
from gis.plan.quality.layer_data import LayerData, Surroundings, blanks, rows_by_text
from gis.rulebook import land_classes
from gis.rulebook.schema import (
    Convert,
    ForbidOverlap,
    MinDistance,
    RequireWithin,
    UsePermitted,
)


def field_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield the fields that the plan names and the file has not; no file, no such finding."""
    if data.state is LayerState.NO_DATA or data.file.problem:
        return
    names = data.entry.fields
    for label, field in (
        ("编号", names.id),
        ("分类", names.cls),
        ("名称", names.name),
        ("半宽", names.half_width),
        ("面积", names.area),
    ):
        if field is None or field in data.columns:
            continue
        have = "、".join(data.columns) or "无"
        near = difflib.get_close_matches(field.upper(), [c.upper() for c in data.columns], 1, 0.6)
        hint = f"；是否为 {near[0]}" if near else ""
        yield Finding(
            data.id,
            "field_missing",
            ERROR,
            f"缺少{label}字段 {field}（现有字段：{have}）{hint}",
            field=field,
            advice="补充字段，或改正 plan.toml 中的 fields",
        )


def id_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield features without id, and ids that several features share."""
    field = data.entry.fields.id
    column = data.column(field)
    if column is None:
        return
    rows = blanks(column)
    if len(rows):
        text = "个要素没有编号"
        yield data.about("id_missing", ERROR, rows, text, advice="补充编号", field=field)
    for text, same in rows_by_text(text_column(column)).items():
        if len(same) == 1:
            continue
        yield Finding(
            data.id,
            "id_duplicate",
            ERROR,
            f"{len(same)} 个要素的编号都是 {text}（第 {listed([str(r + 1) for r in same])} 行）",
            feature_ids=(text,),
            value=float(len(same)),
            unit="count",
            field=field,
            location=data.spots(same),
            advice="给每个要素一个唯一的编号",
        )


def blank_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield features whose class or name is empty."""
    names = data.entry.fields
    for code, severity, field, text in (
        ("class_missing", ERROR, names.cls, "个要素没有分类"),
        ("name_missing", WARNING, names.name, "个要素没有名称"),
    ):
        column = data.column(field)
        if column is None:
            continue
        rows = blanks(column)
        if len(rows):
            yield data.about(code, severity, rows, text, advice=f"补充字段 {field}", field=field)


def code_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield each land-class code that the declared scheme and edition have not."""
    entry = data.entry
    column = data.column(entry.fields.cls)
    if column is None or not (entry.scheme and entry.edition):
        return
    try:
        scheme = land_classes.scheme(entry.scheme, entry.edition)
    except RuleBookError as problem:
        yield Finding(
            data.id, "scheme_unknown", ERROR, problem.found, advice=f"改用：{problem.expected}"
        )
        return
    for code, rows in rows_by_text(text_column(column)).items():
        if scheme.exists(code):
            continue
        yield data.about(
            "code_unknown",
            ERROR,
            rows,
            f"个要素的代码“{code[:20]}”不在{entry.scheme} {entry.edition} 中",
            advice="核对代码；整层都不在其中时，核对 scheme 和 edition",
            field=entry.fields.cls,
        )


def rule_findings(data: LayerData, around: Surroundings) -> Iterator[Finding]:
    """Yield zone classes that no rule names, where the rules name others; only to be known."""
    column = data.column(data.entry.fields.cls)
    if data.entry.role != "zone" or column is None:
        return
    rules = [rule for rule in around.rulebook.rules if data.id in rule.layers]
    named = {pattern for rule in rules for pattern in named_classes(rule)}
    if not named:
        return
    for cls, rows in rows_by_text(text_column(column)).items():
        if class_matches(cls, named):
            continue
        yield data.about(
            "class_without_rule",
            NOTE,
            rows,
            f"个要素的分类“{cls[:20]}”没有规则提到",
            advice="核对分类代码；确无规则时，落在其中的地块得到“需核实”",
            field=data.entry.fields.cls,
        )


def named_classes(rule: Rule) -> tuple[str, ...]:
    """Return the classes of its layer that a rule names."""
    match rule.params:
        case UsePermitted() as params:
            return tuple(zone for cell in params.cells for zone in cell.zones)
        case RequireWithin() as params:
            return tuple(cls for entry in params.by_class for cls in entry.classes)
        case Convert() as params:
            return tuple(cls for group in params.groups for cls in group.classes)
        case MinDistance() as params:
            return (*params.distance_m, *params.no_distance)
        case ForbidOverlap() as params:
            return params.classes
        case _:
            return ()
