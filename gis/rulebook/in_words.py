"""What does a rule say, in words and numbers that a planner reads? Heading and text, line by line.

The same lines stand in ``wuqu rules show`` and on the page of the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import singledispatch

from gis.model import Parameter, Rule, Verdict
from gis.model.attributes import ATTRIBUTES
from gis.rulebook import land_classes, texts
from gis.rulebook.kinds import threshold_of
from gis.rulebook.mistakes import limits_of
from gis.rulebook.schema import (
    AreaRule,
    AttributeLimit,
    CompatibleUse,
    Condition,
    Convert,
    DocumentRequired,
    ExceptionEntry,
    LayerPart,
    RequireWithin,
    RuleEntry,
    UsePermitted,
)

KIND_WORDS = {
    "forbid_overlap": "不得占用图层所示范围",
    "require_within": "应位于图层所示范围内",
    "share_limit": "位于图层所示范围内的占比有上限或者下限",
    "min_distance": "应与图层要素保持距离",
    "use_permitted": "用途应为所在分区所准入",
    "compatible_use": "用途应与规划用途一致或者兼容",
    "attribute_limit": "申报的指标应在限值以内",
    "convert": "占用某些地类须先办理手续",
    "quota": "占用的指标应有剩余",
    "document_required": "须取得文件或者办理手续",
}
ORIGINS = {"statute": "法律法规和规范性文件", "plan": "规划文本", "assumption": "假定"}
_USES = {"permitted": "准入", "conditional": "有条件准入", "prohibited": "不准入"}
_UNITS = {
    "m": "米",
    "m2": "平方米",
    "ha": "公顷",
    "share": "占比（0–1）",
    "ratio": "比值",
    "storeys": "层",
    "wan": "万元",
    "wan_per_ha": "万元/公顷",
    "wan_per_mu": "万元/亩",
}

Line = tuple[str, str]


def lines_of(rule: Rule, parameters: Mapping[str, Parameter]) -> tuple[Line, ...]:
    """Return a rule as lines of heading and text; a heading may come more than once."""
    return tuple((head, text) for head, text in _lines(rule, parameters) if text)


def _lines(rule: Rule, parameters: Mapping[str, Parameter]) -> Iterator[Line]:
    params: RuleEntry = rule.params
    yield "类型", f"{KIND_WORDS[rule.kind]}（{rule.kind}）"
    yield "图层", "、".join(dict.fromkeys((*rule.layers, *params.when_layers)))
    yield "针对用途", "、".join(map(land_classes.use_label, params.applies_to))
    yield "适用条件", "；".join(map(condition_words, params.when))
    yield "要求", threshold_of(rule)
    yield "不满足时", _label(getattr(params, "outcome", ""))
    yield from details(params)
    for entry in params.exceptions:
        yield "例外", _exception(entry)
    for parameter in _parameters(params, parameters):
        yield "规划参数", parameter_words(parameter)
    for basis in rule.basis:
        yield "依据", basis.text + _period(basis.document.valid_from, basis.document.valid_to)
    yield "性质", ORIGINS[rule.origin] + ("" if rule.effect_verified else "；效力或者数值待核实")
    yield "主管部门", rule.office
    yield "如何符合", rule.remedy
    yield "有效期", _period(rule.valid_from, rule.valid_to).strip("（）")
    yield "核对日期", rule.checked_on.isoformat()


def _label(outcome: str) -> str:
    return Verdict(outcome).label if outcome else ""


def _period(first: date | None, last: date | None) -> str:
    if first and last:
        return f"（{first} 至 {last}）"
    if first:
        return f"（{first} 起）"
    return f"（至 {last}）" if last else ""


def _parameters(params: RuleEntry, parameters: Mapping[str, Parameter]) -> Iterator[Parameter]:
    named = dict.fromkeys(limit.parameter for _, limit in limits_of(params) if limit.parameter)
    return (parameters[name] for name in named)


def parameter_words(parameter: Parameter) -> str:
    """Return a parameter with its value and source, or that it is still empty."""
    unit = _UNITS[parameter.unit]
    if parameter.value is None:
        said = f"未公布，须由主管部门录入（单位：{unit}）"
    else:
        said = f"{parameter.value:g}（单位：{unit}；来源：{parameter.source}）"
    note = f"。{parameter.note.rstrip('。')}" if parameter.note else ""
    return f"{parameter.title}（{parameter.id}）：{said}{note}"


# --- conditions and exceptions -------------------------------------------------------------------


def condition_words(condition: Condition) -> str:
    """Return a condition in words.

    >>> condition_words(Condition(site="area_m2", above=200000.0))
    '地块面积大于 200,000.00 m²'
    """
    if condition.layer:
        word = {"on": "涉及", "off": "不涉及", "within": "全部位于"}[condition.lies]
        named = condition.label or "、".join(condition.classes)
        return f"地块{word} {condition.layer}" + (f"（{named}）" if named else "")
    if condition.site == "corridor":
        return "属于线性工程" if True in condition.one_of else "不属于线性工程"
    if condition.site:
        title, tell = _SITE[condition.site]
        return title + _bounds(condition, tell)
    attribute = ATTRIBUTES[condition.attribute]
    if condition.one_of:
        return f"{attribute.title}为{'或'.join(str(attribute.shown(v)) for v in condition.one_of)}"
    return attribute.title + _bounds(condition, lambda v: f"{v:g} {attribute.unit}".rstrip())


_SITE: dict[str, tuple[str, Callable[[float], str]]] = {
    "area_m2": ("地块面积", texts.square_metres),
    "corridor_width_m": ("线性工程宽度", texts.metres),
}


def _bounds(condition: Condition, tell: Callable[[float], str]) -> str:
    words = (
        ("不小于", condition.at_least),
        ("大于", condition.above),
        ("不大于", condition.at_most),
        ("小于", condition.below),
    )
    return "且".join(f"{word} {tell(bound)}" for word, bound in words if bound is not None)


def _exception(entry: ExceptionEntry) -> str:
    claims = [
        f"{ATTRIBUTES[name].title}为{ATTRIBUTES[name].shown(value)}"
        for name, value in entry.attributes.items()
    ]
    limits = [*claims, *([f"仅限{'、'.join(entry.classes)}"] if entry.classes else [])]
    uses = "、".join(map(land_classes.use_label, entry.uses))
    when = f"（{'；'.join(limits)}）" if limits else ""
    doubt = "" if entry.verified else "【依据待核】"
    reason = entry.reason.rstrip("。")
    dates = _period(entry.valid_from, entry.valid_to)
    return f"{uses}{when}：{Verdict(entry.verdict).label}。{reason}{dates}{doubt}"


# --- what only some kinds have -------------------------------------------------------------------


@singledispatch
def details(params: RuleEntry) -> Iterator[Line]:
    """Yield the lines that only the kind of this rule has."""
    if isinstance(params, AreaRule):
        yield "量测范围", _ground(params)
        yield "类别", "、".join(getattr(params, "classes", ()))


def _ground(params: AreaRule) -> str:
    said = []
    if params.within_m:
        start = f"{texts.metres(params.beyond_m)} 至 " if params.beyond_m else ""
        said.append(f"图层要素外缘以外 {start}{texts.metres(params.within_m)} 以内")
    said += [f"仅计 {_part(part)} 内" for part in params.on]
    said += [f"不计 {_part(part)} 内" for part in params.off]
    return "；".join(said)


def _part(part: LayerPart) -> str:
    return part.layer + (f"（{'、'.join(part.classes)}）" if part.classes else "")


@details.register
def _of_within(params: RequireWithin) -> Iterator[Line]:
    yield "量测范围", _ground(params)
    for entry in params.by_class:
        yield "按类别", f"{entry.label}（{'、'.join(entry.classes)}）：{_label(entry.outcome)}"
    yield "范围以外", _label(params.outside)


@details.register
def _of_convert(params: Convert) -> Iterator[Line]:
    yield "量测范围", _ground(params)
    for group in params.groups:
        said = f"{group.label}（{'、'.join(group.classes)}）：{_label(group.outcome)}"
        further = [
            f"超过 {texts.square_metres(a.area_m2)} 的，{a.procedure.rstrip('。')}"
            for a in group.above
        ]
        yield "按地类", "。".join([said, *filter(None, [group.procedure.rstrip("。")]), *further])


@details.register
def _of_zones(params: UsePermitted) -> Iterator[Line]:
    for cell in params.cells:
        zones = "、".join(params.zone_names.get(z, z) for z in cell.zones)
        uses = "、".join(map(land_classes.use_label, cell.uses))
        said = [f"{zones}：{uses}——{_USES[cell.verdict]}", cell.phrase, cell.condition]
        yield "准入表", _cell(said, verified=cell.verified)
    yield "未列用途", params.unlisted


@details.register
def _of_compatible(params: CompatibleUse) -> Iterator[Line]:
    for entry in params.entries:
        uses = "、".join(map(land_classes.use_label, entry.uses))
        head = f"规划 {'、'.join(entry.planned)}：{uses}——{_USES[entry.verdict]}"
        yield "兼容表", _cell([head, entry.phrase, entry.condition], verified=entry.verified)
    yield "未列用途", params.unlisted_reason


def _cell(said: Iterable[str], *, verified: bool) -> str:
    return "。".join(s.rstrip("。") for s in said if s) + ("" if verified else "【依据待核】")


@details.register
def _of_limits(params: AttributeLimit) -> Iterator[Line]:
    for row in params.rows:
        uses = "、".join(map(land_classes.use_label, row.uses))
        when = "；".join(map(condition_words, row.when))
        if said := "；".join(filter(None, (uses, when))):
            yield "适用于", f"{row.label}：{said}"


@details.register
def _of_documents(params: DocumentRequired) -> Iterator[Line]:
    for document in params.documents:
        when = "；".join(map(condition_words, document.when))
        office = f"（{document.office}）" if document.office else ""
        yield "材料或手续", document.title + office + (f"：{when}" if when else "")
