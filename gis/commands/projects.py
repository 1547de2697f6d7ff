"""``wuqu projects``: the register of projects, what it lacks, and how its projects stand.

Exit codes and output as everywhere in the command line: ``lint`` ends with 3 when it finds faults,
``import`` when a cell of the list could not be taken.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import (
    AsOfOption,
    Ceiling,
    CeilingOption,
    FormatOption,
    Output,
    PlanOption,
    as_json,
    day_given,
    existing,
    open_plan,
    own_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.commands.outputs import RecipientOption
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan import Plan
    from gis.portfolio.portfolio import Portfolio

projects_app = typer.Typer(
    help="项目清单：查看、核对、导入，按优先级检测全部项目。", no_args_is_help=True
)
FAULTS = 3


class Money(StrEnum):
    """Units of money."""

    wan = "万元"
    yi = "亿元"
    yuan = "元"


_TABLES = (".xlsx", ".csv")


@projects_app.command("list")
def projects_list(
    open_only: Annotated[bool, typer.Option("--open", help="只列有未销号问题的项目。")] = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """列出项目清单：镇街、功能区、投资、问题、销号状态、边界图。"""
    from gis.console.projects import print_register
    from gis.portfolio.register import load_projects

    opened = open_plan(plan)
    register = load_projects(opened)
    rows = [p for p in register.projects if p.has_open_problem or not open_only]
    if output is Output.json:
        document = {
            **_about(opened),
            "register": register.about(),
            "projects": [project.to_dict() for project in rows],
        }
        return typer.echo(as_json(document))
    return print_register(stdout(), register, rows)


@projects_app.command("check")
def projects_check(
    as_of: AsOfOption = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="另存地图 HTML：全部项目一张图，可离线打开。")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="另存表格：.xlsx（含各表）或 .csv（项目）。")
    ] = None,
    recipient: RecipientOption = "",
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """按优先级检测全部项目：结论、下一步手续、未销号问题、占用，以及哪个项目用完哪项指标。"""
    from gis.console.projects import print_portfolio
    from gis.portfolio.check import check_portfolio

    if out is not None and out.suffix.lower() not in _TABLES:
        raise ClaimError(f"-o 为“{out.name}”", expected=f"以 {'、'.join(_TABLES)} 结尾的文件名")
    opened = open_plan(plan)
    with progress() as bar:
        bar.add_task("检测项目", total=None)
        portfolio = check_portfolio(opened, as_of=day_given(as_of, "时点"))
    _write(portfolio, opened, out, map_file, recipient, ceiling)
    if output is Output.json:
        return typer.echo(as_json(portfolio.to_dict()))
    return print_portfolio(stdout(), portfolio.to_dict())


def _write(
    portfolio: Portfolio,
    plan: Plan,
    out: Path | None,
    map_file: Path | None,
    recipient: str,
    ceiling: Ceiling,
) -> None:
    """Write the table and the map that a call asks for."""
    if out is not None:
        from gis.output.portfolio_book import write_portfolio

        with writing(out):
            write_portfolio(portfolio.to_dict(), out)
        _tell(out)
    if map_file is not None:
        from gis.output.maps import portfolio_map
        from gis.output.sharing import sharing_of_environment

        page = portfolio_map(
            portfolio, plan, ceiling=ceiling.value, sharing=sharing_of_environment(recipient)
        )
        with writing(map_file):
            map_file.write_text(page, encoding="utf-8")
        _tell(map_file)


@projects_app.command("lint")
def projects_lint(plan: PlanOption = None, output: FormatOption = Output.text) -> None:
    """核对项目清单：编号、数字、日期、代码、文号、边界图，一次列出全部问题；有错误时退出码为 3。"""
    from gis.console.projects import print_lint
    from gis.portfolio.lint import lint_projects

    report = lint_projects(open_plan(plan))
    if output is Output.json:
        typer.echo(as_json(report.to_dict()))
    else:
        print_lint(stdout(), report.to_dict())
    if report.faults:
        raise typer.Exit(FAULTS)


@projects_app.command("import")
def projects_import(
    file: Annotated[Path, typer.Argument(help="项目清单：.xlsx 或 .csv。")],
    sheet: Annotated[str | None, typer.Option(help="工作表（默认：唯一像清单的那个）。")] = None,
    money: Annotated[
        Money | None, typer.Option(help="表头和标题都没有写明时，金额的单位。")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="与登记册不同之处以清单为准（默认：保留登记册）。")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出结果，不写入。")] = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """把 Excel 项目清单导入规划数据包的 projects.csv：按名称对应，保留编号，列出差异。

    有读不出的单元格时退出码为 3，其余内容照常导入。
    """
    from gis.console.projects import print_imported
    from gis.portfolio.importing.run import import_projects

    opened = open_plan(plan) if dry_run else own_plan(plan, "随附的示意数据不导入清单")
    done = import_projects(
        existing(file).read_bytes(),
        opened,
        file=file.name,
        sheet=sheet,
        money=money.value if money else "",
        list_wins=replace,
        write=not dry_run,
    )
    if output is Output.json:
        typer.echo(as_json(done.to_dict()))
    else:
        print_imported(stdout(), done)
    if done.faults:
        raise typer.Exit(FAULTS)


def _about(plan: Plan) -> dict[str, Any]:
    ref = plan.ref
    return {"plan": {"id": ref.id, "version": ref.version, "status": ref.status}}


def _tell(path: Path) -> None:
    stderr().print(f"已写出：{path}", markup=False, soft_wrap=True)
