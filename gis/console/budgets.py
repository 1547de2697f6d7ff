"""How do budgets, bookings and reservations read in a terminal? Chinese text in hectares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gis.plan.booking import BookedBudget, BookedSite, Booking
from gis.plan.budgets import Budget, printed
from gis.plan.quota.accounts import Kind
from gis.plan.quota.amounts import amount
from gis.plan.quota.register import Register, Reservation
from gis.units import M2_PER_HA, m2_to_ha

_AMOUNTS = ("total_m2", "used_m2", "reserved_m2", "unknown_m2", "free_m2")
_HEADS = ("总量", "已用", "预留", "地类不明", "余量")
_UNKNOWN, _NOT_MEANT = "未知", "—"


def print_budgets(
    console: Console, budgets: Sequence[Budget], zone: str | None, open_reservations: int
) -> None:
    """Print what is left of each kind of scarce land in all, then zone by zone."""
    print_remainders(console, budgets, zone)
    if zone is None:
        _print_zones(console, budgets)
        _print_classes(console, budgets)
        _print_shares(console, budgets)
    for budget in budgets:
        if budget.note:
            console.print(Text(f"{_name(budget)}：{budget.note}", style="dim"))
    console.print(Text(f"未释放的预留 {open_reservations} 项；面积为椭球面积", style="dim"))


def print_remainders(console: Console, budgets: Sequence[Budget], zone: str | None = None) -> None:
    """Print one row per budget: total, used, reserved, not known, left."""
    place = f"（{zone}）" if zone else ""
    table = _table(f"稀缺用地余量{place}，公顷", "项", *_HEADS)
    for budget in budgets:
        whole, zones = printed(budget, per_m2=M2_PER_HA)
        for row in [whole] if zone is None else _of_zone(budget, zones, zone):
            table.add_row(Text(_name(budget)), *_cells(budget, row))
    console.print(table)


def _of_zone(
    budget: Budget, rows: Sequence[Mapping[str, float | None]], zone: str
) -> list[Mapping[str, float | None]]:
    """Return the row of one zone as it stands in the table of all zones."""
    pairs = zip(budget.by_zone, rows, strict=True)
    return [row for part, row in pairs if part.zone == zone]


def _print_zones(console: Console, budgets: Sequence[Budget]) -> None:
    divided = [budget for budget in budgets if budget.by_zone]
    if not divided:
        return
    table = _table("按功能区，公顷", "项", "功能区", *_HEADS, texts=2)
    for budget in divided:
        _, zones = printed(budget, per_m2=M2_PER_HA)
        for n, (part, row) in enumerate(zip(budget.by_zone, zones, strict=True)):
            label = " ".join(filter(None, (part.zone, part.name)))
            name = _name(budget) if n == 0 else ""
            table.add_row(Text(name), Text(label), *_cells(budget, row))
    console.print(table)


def _print_classes(console: Console, budgets: Sequence[Budget]) -> None:
    """Print the land classes, which are not worth the same to whoever must replace them."""
    divided = [budget for budget in budgets if budget.by_class]
    if not divided:
        return
    table = _table("按现状地类，公顷", "项", "地类", "总量", "预留", texts=2)
    for budget in divided:
        for n, part in enumerate(budget.by_class):
            name = Text(_name(budget) if n == 0 else "")
            label = Text(f"{part.cls} {part.name}")
            total = _NOT_MEANT if part.total_m2 is None else f"{m2_to_ha(part.total_m2):,.2f}"
            table.add_row(name, label, total, _ha(part.reserved_m2))
    console.print(table)


def _print_shares(console: Console, budgets: Sequence[Budget]) -> None:
    for budget in (b for b in budgets if b.kind == Kind.GREEN_WATER):
        if budget.share is None:
            console.print(Text("绿地和水域占比：未知"))
        else:
            of = f"分母：{budget.area_title}，口径 {budget.definition}"
            least = "不低于 " if budget.share_is_lower_bound else " "
            console.print(Text(f"绿地和水域占比{least}{budget.share:.2%}（{of}）"))


def print_booking(console: Console, booking: Booking) -> None:
    """Print site by site what it takes, then what is left of each budget."""
    for site in booking.sites:
        _print_site(console, site)
    table = _table("合计，公顷", "项", "原余", "占用", "余", "说明", texts=1)
    for budget in booking.budgets:
        style = "bold red" if budget.shortfall_m2 else ""
        known = budget.unknown_at is None
        table.add_row(
            Text(budget.title, style=style),
            _ha(budget.initial_m2),
            _ha(budget.taken_m2 if known else None),
            _left(budget),
            Text(budget.text, style=style),
        )
    console.print(table)
    console.print(Text("模拟占用，未写入台账", style="dim"))


def _left(budget: BookedBudget) -> Text:
    """Return what is left as it follows from the two numbers before it."""
    if budget.initial_m2 is None or budget.free_m2 is None:
        return _ha(budget.free_m2)
    initial, taken = round(m2_to_ha(budget.initial_m2), 2), round(m2_to_ha(budget.taken_m2), 2)
    return Text(f"{round(initial - taken, 2) + 0.0:,.2f}")


def _print_site(console: Console, site: BookedSite) -> None:
    use = f"，用途 {site.use}" if site.use else "，未说明用途"
    head = f"{site.number}. {site.name}  {amount(site.area_m2)}{use}"
    console.print(Text(head, style="bold"))
    for row in site.impact:
        style = "red" if row.exceeded else ""
        console.print(Text(f"   {row.text}", style=style), soft_wrap=True)
    if not site.impact:
        console.print(Text("   不占用稀缺用地"))
    if site.held_by:
        text = f"   与{'、'.join(site.held_by)}重叠"
        console.print(Text(text, style="yellow"), soft_wrap=True)
    if site.doubt:
        text = f"   坐标不是测量成果（{site.doubt}），面积按所绘位置计，仅供参考"
        console.print(Text(text, style="yellow"), soft_wrap=True)


def print_register(console: Console, shown: Sequence[Reservation], register: Register) -> None:
    """Print reservations, and what names the state of the register."""
    table = _table(
        "预留", "编号", "项目", "公顷", "用途", "日期", "经办单位", "依据", "状态", texts=0
    )
    for entry in shown:
        state = "预留中"
        if entry.released_on:
            state = f"{entry.released_on} 释放：{entry.released_for}"
        cells = (
            entry.id,
            entry.project,
            f"{m2_to_ha(entry.area_m2):,.4f}",
            entry.use or _NOT_MEANT,
            entry.reserved_on.isoformat(),
            entry.office,
            entry.basis,
            state,
        )
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    if register.torn:
        text = "台账末尾有一行没有写完（写入时中断），未计入；下次写入时移到 reservations.torn"
        console.print(Text(text, style="yellow"))
    console.print(Text(f"共 {register.lines} 行，末行校验值 {register.head[:16]}", style="dim"))


def _name(budget: Budget) -> str:
    return budget.title + budget.name if budget.cls else budget.name


def _cells(budget: Budget, row: Mapping[str, float | None]) -> list[Text]:
    """Return the amounts; what is not meant differs from what is not known."""
    cells = []
    for key in _AMOUNTS:
        value = row[key]
        if value is None:
            cells.append(Text(_missing(budget, key)))
        else:
            cells.append(Text(f"{value:,.2f}"))
    return cells


def _missing(budget: Budget, key: str) -> str:
    if key == "used_m2" and budget.kind != Kind.DEV_BOUNDARY:
        return _NOT_MEANT
    quota = budget.kind in {Kind.CONVERSION, Kind.REPLACEMENT}
    return "未提供" if quota and key == "total_m2" else _UNKNOWN


def _ha(area_m2: float | None) -> Text:
    return Text(_UNKNOWN if area_m2 is None else f"{m2_to_ha(area_m2):,.2f}")


def _table(title: str, *heads: str, texts: int = 1) -> Table:
    """Return a table whose first columns are texts and whose others are numbers."""
    table = Table(title=title, title_justify="left")
    for n, head in enumerate(heads):
        number = texts and n >= texts and head != "说明"
        table.add_column(head, justify="right" if number else "left", overflow="fold")
    return table
