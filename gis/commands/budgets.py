"""``wuqu budgets``: what is left of the scarce land, and who has been promised some of it.

Exit codes and output as everywhere in the command line. A budget that runs out is an answer; only
``list`` answers 3, when the register ends with a line that was never finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import (
    CrsOption,
    EncodingOption,
    FormatOption,
    Output,
    PlanOption,
    RepairOption,
    UseOption,
    WhichOption,
    WidthOption,
    as_json,
    day_given,
    one_number,
    open_plan,
    own_plan,
    sites_of,
    stdout,
)
from gis.errors import NotFoundError

if TYPE_CHECKING:
    from gis.plan import Plan
    from gis.plan.budgets import Budget
    from gis.plan.quota.register import Register, Reservation

budgets_app = typer.Typer(help="稀缺用地的余量、模拟占用和预留台账。", no_args_is_help=True)

OnOption = Annotated[str | None, typer.Option("--on", help="日期，形如 2026-11-22（默认：今天）。")]
OfficeOption = Annotated[str, typer.Option(help="经办单位。")]


# --- commands ------------------------------------------------------------------------------------


@budgets_app.command("show")
def budgets_show(
    zone: Annotated[str | None, typer.Option(help="只看一个功能区，如 Z1。")] = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """列出城镇开发边界、耕地、指标、绿地和水域的总量、已用、预留和可用。"""
    from gis.console.budgets import print_budgets
    from gis.plan.budgets import budgets
    from gis.plan.reservations import reservations

    opened = open_plan(plan)
    register = reservations(opened)
    rows = budgets(opened)
    if zone is not None:
        _must_exist(zone, rows)
    if output is Output.json:
        document = {
            **_about(opened),
            "zone": zone,
            "budgets": [row for budget in rows for row in _shown(budget.to_dict(), zone)],
            "reservations": _state(register),
        }
        return typer.echo(as_json(document))
    return print_budgets(stdout(), rows, zone, len(register.open))


@budgets_app.command("book")
def budgets_book(
    files: Annotated[list[Path], typer.Argument(help="地块文件，按先后顺序占用。")],
    use: UseOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """按顺序模拟占用一批地块，指出哪一项在哪个地块用完；不写入台账。"""
    from gis.claims import with_claims
    from gis.console.budgets import print_booking
    from gis.plan.booking import book

    opened = open_plan(plan)
    sites = [
        with_claims(site, use, None)
        for file in files
        for site in sites_of(
            file, opened, which=None, crs=crs, encoding=encoding, width=width, repair=repair
        )
    ]
    booking = book(opened, sites)
    if output is Output.json:
        return typer.echo(as_json({**_about(opened), **booking.to_dict()}))
    return print_booking(stdout(), booking)


@budgets_app.command("reserve")
def budgets_reserve(
    file: Annotated[Path, typer.Argument(help="地块文件。")],
    project: Annotated[str, typer.Option(help="项目名称。")],
    use: UseOption = None,
    office: OfficeOption = "",
    basis: Annotated[str, typer.Option(help="依据的文件和文号。")] = "",
    note: Annotated[str, typer.Option(help="备注。")] = "",
    on: OnOption = None,
    allow_overlap: Annotated[
        bool, typer.Option("--allow-overlap", help="与已有预留重叠时仍然登记。")
    ] = False,
    allow_doubt: Annotated[
        bool, typer.Option("--allow-doubt", help="坐标不是测量成果时仍然登记，并在备注中写明。")
    ] = False,
    which: WhichOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """为一个项目预留地块，追加写入规划数据包的 reservations.jsonl。"""
    from gis.claims import with_claims
    from gis.plan.reservations import reserve

    opened = own_plan(plan, "随附的示意数据不登记预留")
    which = one_number(which, "一个地块的序号", "每个地块单独预留")
    (site,) = sites_of(
        file, opened, which=which, crs=crs, encoding=encoding, width=width, repair=repair, ask=True
    )
    site = with_claims(site, use, None)
    made = reserve(
        opened,
        site,
        project=project,
        on=_day(on),
        office=office,
        basis=basis,
        note=note,
        allow_overlap=allow_overlap,
        allow_doubt=allow_doubt,
    )
    _tell(made, f"已预留{made.label}", output)


@budgets_app.command("release")
def budgets_release(
    reservation: Annotated[str, typer.Argument(help="预留编号，如 R0001。")],
    reason: Annotated[str, typer.Option(help="释放原因。")],
    office: OfficeOption = "",
    on: OnOption = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """释放一项预留；原记录保留，追加一行。"""
    from gis.plan.reservations import release

    opened = own_plan(plan, "随附的示意数据不登记预留")
    found = release(opened, reservation, reason=reason, on=_day(on), office=office)
    _tell(found, f"已释放{found.label}", output)


@budgets_app.command("list")
def budgets_list(
    every: Annotated[bool, typer.Option("--all", help="包括已释放的。")] = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """列出预留；台账末尾有未写完的一行时退出码为 3。"""
    from gis.console.budgets import print_register
    from gis.plan.reservations import reservations

    opened = open_plan(plan)
    register = reservations(opened)
    shown = register.entries if every else register.open
    if output is Output.json:
        rows = [entry.to_dict() for entry in shown]
        typer.echo(as_json({**_about(opened), "reservations": rows, **_state(register)}))
    else:
        print_register(stdout(), shown, register)
    if register.torn:
        raise typer.Exit(3)


# --- what the commands share ---------------------------------------------------------------------


def _about(plan: Plan) -> dict[str, Any]:
    ref = plan.ref
    return {"plan": {"id": ref.id, "version": ref.version, "status": ref.status}}


def _state(register: Register) -> dict[str, Any]:
    """Return what names the state of the register, without its entries."""
    return {
        "open": len(register.open),
        "lines": register.lines,
        "head": register.head,
        "torn": register.torn,
    }


def _must_exist(zone: str, rows: Sequence[Budget]) -> None:
    zones = dict.fromkeys(z.zone for row in rows for z in row.by_zone if z.zone is not None)
    if zone not in zones:
        raise NotFoundError(
            f"没有功能区“{zone[:40]}”，或其中没有这些用地", expected="、".join(zones)
        )


def _shown(row: dict[str, Any], zone: str | None) -> list[dict[str, Any]]:
    """Return a row as it is, or what one zone has of it; nothing when it has none."""
    if zone is None:
        return [row]
    own = [part for part in row["by_zone"] if part["zone"] == zone]
    amounts = ({k: v for k, v in part.items() if k.endswith("_m2")} for part in own)
    return [{**row, **m2, "by_zone": own, "by_class": []} for m2 in amounts]


def _day(text: str | None) -> date:
    from gis.check import legal_day

    return day_given(text, "日期") or legal_day()


def _tell(entry: Reservation, done: str, output: Output) -> None:
    if output is Output.json:
        return typer.echo(as_json(entry.to_dict()))
    from gis.plan.quota.amounts import amount

    text = f"{done}：{amount(entry.area_m2)}"
    return stdout().print(text, markup=False, highlight=False, soft_wrap=True)
