"""What does a notebook show for an object at first glance? One card: a sentence, then rows.

Every text is escaped. Colours are those of the maps for what has a verdict; the rest takes the
colours of the notebook, light or dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from markupsafe import Markup

from gis.model import SiteCheck, Verdict
from gis.output.maps.style import FONT_STACK, VERDICTS
from gis.output.maps.text import clean
from gis.plan import LandBalance, Plan
from gis.portfolio.portfolio import Portfolio
from gis.rulebook import RuleBook
from gis.scenario import Comparison
from gis.siting import SiteSearch
from gis.units import m2_to_ha, m2_to_mu

_MOST = 12
_QUIET = "#8a8f98"
_CARD = Markup(
    '<div style="border:1px solid rgba(128,128,128,.35);border-left:6px solid {colour};'
    'border-radius:4px;padding:.7em 1em;max-width:64em;font-family:{font};line-height:1.5">'
    '<div style="font-size:1.15em;font-weight:600">{title}</div>{lines}{table}</div>'
)
_LINE = Markup('<div style="margin-top:.3em">{}</div>')
_NOTE = Markup('<div style="margin-top:.5em;font-size:.85em;opacity:.75">{}</div>')
_TABLE = Markup(
    '<table style="margin-top:.6em;border-collapse:collapse;font-size:.9em">{}{}</table>'
)
_ROW = Markup("<tr>{}</tr>")
_HEAD = Markup('<th style="text-align:left;padding:.15em .9em .15em 0;opacity:.75">{}</th>')
_CELL = Markup('<td style="text-align:left;padding:.15em .9em .15em 0;vertical-align:top">{}</td>')
_REST = Markup('<td colspan="{}" style="text-align:left;opacity:.75">……另有 {} 行</td>')

Rows = Iterable[Sequence[object]]


def _card(
    title: str,
    lines: Iterable[str],
    heads: Sequence[str] = (),
    rows: Rows = (),
    note: str = "",
    colour: str = _QUIET,
) -> str:
    told = Markup("").join(_LINE.format(clean(line)) for line in lines if line)
    end = _NOTE.format(clean(note)) if note else Markup("")
    page = _CARD.format(
        colour=colour,
        font=Markup(FONT_STACK.replace('"', "'")),
        title=clean(title),
        lines=told,
        table=_table(heads, list(rows)) + end,
    )
    return str(page)


def _table(heads: Sequence[str], rows: list[Sequence[object]]) -> Markup:
    if not rows:
        return Markup("")
    more = len(rows) - _MOST
    head = _ROW.format(Markup("").join(_HEAD.format(clean(h)) for h in heads))
    body = Markup("").join(
        _ROW.format(Markup("").join(_CELL.format(clean(str(cell))) for cell in row))
        for row in rows[:_MOST]
    )
    if more > 0:
        body += _ROW.format(_REST.format(len(heads), more))
    return _TABLE.format(head, body)


def _area(m2: float) -> str:
    return f"{m2_to_ha(m2):,.2f} 公顷（{m2_to_mu(m2):,.2f} 亩）"


@singledispatch
def card(shown: object) -> str:
    """Return the card of an object as HTML."""
    return _card(type(shown).__name__, [repr(shown)])


@card.register
def _plan(plan: Plan) -> str:
    broken = [x for x in plan.layers.values() if x.state.value != "checked"]
    lines = [
        f"版本 {plan.ref.version}；工作坐标系 EPSG:{plan.work_epsg}；{len(plan.layers)} 个图层，"
        f"{len(plan.rulebook.rules)} 条规则"
    ]
    lines += [f"无法使用：{x.info.title}（{x.reason}）" for x in broken[:5]]
    rows = [(area.title, f"{area.area.ellipsoidal_m2 / 1e6:,.4f} km²") for area in plan.areas]
    title = f"{plan.ref.title}【{plan.status_label}】"
    return _card(title, lines, ("范围", "椭球面积"), rows, plan.ref.status_note)


@card.register
def _check(check: SiteCheck) -> str:
    area = check.site.area
    deciding = check.finding(check.deciding_rule) if check.deciding_rule else None
    lines = [f"椭球面积 {area.mu:,.2f} 亩 = {area.ha:,.4f} 公顷；用途 {check.site.use or '未说明'}"]
    if deciding:
        lines += [f"决定性规则：{deciding.title}——{deciding.reason}", f"处理：{deciding.remedy}"]
    lines += [row.text for row in check.impact if row.area_m2]
    told = [f for f in check.findings if f.verdict.rank >= Verdict.CONDITIONAL.rank]
    rows = [(f.verdict.label, f.title, f.reason) for f in told]
    rows = [row for row, f in zip(rows, told, strict=True) if f.decides]
    note = (
        f"法规时点 {check.as_of}；{check.plan.title} {check.plan.version}；摘要 {check.digest[:16]}"
    )
    return _card(
        f"{check.verdict.label}　{check.site.name}",
        lines,
        ("结论", "规则", "理由"),
        rows,
        f"{note}。{check.plan.status_note}",
        VERDICTS[check.verdict].colour,
    )


@card.register
def _balance(balance: LandBalance) -> str:
    rows = sorted(balance.rows, key=lambda row: -row.area_m2)
    told = [(r.cls, r.name, f"{m2_to_ha(r.area_m2):,.2f}", f"{r.share:.2%}") for r in rows]
    return _card(
        f"{balance.area.title}用地平衡【{balance.plan.status_label}】",
        [balance.sentence],
        ("代码", "地类", "公顷", "占比"),
        told,
        balance.plan.ref.status_note,
    )


@card.register
def _book(book: RuleBook) -> str:
    kinds: dict[str, int] = {}
    for rule in book.rules:
        kinds[rule.kind] = kinds.get(rule.kind, 0) + 1
    open_ = [rule for rule in book.rules if not rule.effect_verified]
    empty = [p.id for p in book.parameters.values() if p.value is None]
    lines = [f"{len(book.rules)} 条规则，{len(book.documents)} 份依据"]
    lines += [f"效力或数值待核、至多判为需核实的规则：{len(open_)} 条"] if open_ else []
    lines += [f"尚未公布的参数：{'、'.join(empty[:6])}"] if empty else []
    rows = sorted(kinds.items(), key=lambda pair: -pair[1])
    return _card(
        f"规则库 {book.id}", lines, ("规则类型", "条数"), rows, f"SHA-256 {book.sha256[:16]}"
    )


@card.register
def _search(search: SiteSearch) -> str:
    query = search.query
    title = f"找地：{query.use_label} {query.area_mu:,g} 亩，{query.within_title}"
    lines = [f"{c.label} {_area(c.area_m2)}，{c.share:.1%}" for c in search.feasible.classes]
    if search.nearest_miss:
        lines.append(search.nearest_miss.text)
        rows: Rows = [(b.title, _area(b.alone_m2), _area(b.last_m2)) for b in search.binding]
        heads: tuple[str, ...] = ("限制用地的规则", "单独排除", "只有它排除")
    else:
        heads = ("候选", "结论", "得分", "面积")
        rows = [
            (c.name, c.verdict.label, f"{c.score:.3f}", _area(c.area_m2)) for c in search.candidates
        ]
    return _card(title, lines, heads, rows, search.plan["status_note"])


@card.register
def _portfolio(portfolio: Portfolio) -> str:
    document = portfolio.to_dict()
    rows = [
        (
            row["order"],
            row["name"],
            row["verdict_label"],
            "；".join(w["text"] for w in row["waits"]),
        )
        for row in document["projects"]
    ]
    return _card(
        "项目清单",
        [document["sentence"]],
        ("次序", "项目", "结论", "等待"),
        rows,
        document["plan"]["status_note"],
    )


@card.register
def _comparison(found: Comparison) -> str:
    frame = found.to_frame()
    names = [p["version"] for p in found.document["plans"]]
    different = frame[frame[names].astype(str).nunique(axis=1) > 1]
    same = len(frame) - len(different)
    return _card(
        "情景比较：" + " 与 ".join(names),
        [f"{len(different)} 项不同，{same} 项相同"],
        ("类别", "对象", "单位", *names),
        different.itertuples(index=False),
        found.document["plans"][-1]["status_note"],
    )
