"""``wuqu rules list|show|lint|page``: the rule book at a terminal and as files.

Exit codes and output as everywhere in the command line: ``lint`` ends with 3 when it finds faults.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import (
    AsOfOption,
    FormatOption,
    Output,
    PlanOption,
    as_json,
    day_given,
    open_plan,
    stderr,
    stdout,
    writing,
)

if TYPE_CHECKING:
    pass

rules_app = typer.Typer(help="规则库：查看、检查、生成说明页。", no_args_is_help=True)
FAULTS = 3


@rules_app.command("list")
def rules_list(
    as_of: AsOfOption = None, plan: PlanOption = None, output: FormatOption = Output.text
) -> None:
    """列出某一时点有效的规则；不写 --as-of 时列出全部。"""
    from gis.console.rules import print_rules
    from gis.rulebook import describe

    day = day_given(as_of, "时点")
    book = open_plan(plan).rulebook
    rows = [describe(rule) for rule in (book.in_force(day) if day else book.rules)]
    if output is Output.json:
        return typer.echo(as_json({"rules": rows}))
    print_rules(stdout(), rows)
    return None


@rules_app.command("show")
def rules_show(
    rule: Annotated[str, typer.Argument(help="规则编号，见 wuqu rules list。")],
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """显示一条规则：要求、例外、依据、有效期和规划参数。"""
    from gis.console.rules import print_rule
    from gis.rulebook import describe
    from gis.rulebook.in_words import lines_of

    book = open_plan(plan).rulebook
    found = book.rule(rule)
    if output is Output.json:
        return typer.echo(as_json(describe(found)))
    print_rule(stdout(), found, lines_of(found, book.parameters))
    return None


@rules_app.command("lint")
def rules_lint(plan: PlanOption = None, output: FormatOption = Output.text) -> None:
    """检查规则库：依据、日期、单位、不起作用的条目、未录入的参数。有差错时退出码为 3。"""
    from gis.check import legal_day
    from gis.console.rules import print_lint
    from gis.rulebook.lint import lint, lint_document

    opened = open_plan(plan)
    found = lint(opened.rulebook, legal_day(), opened.classes)
    document = lint_document(found, opened.rulebook)
    if output is Output.json:
        typer.echo(as_json(document))
    else:
        print_lint(stdout(), document)
    if document["faults"]:
        raise typer.Exit(FAULTS)


@rules_app.command("page")
def rules_page(
    out: Annotated[Path, typer.Option("-o", "--out", help="输出的 Markdown 文件。")] = Path(
        "rules.md"
    ),
    plan: PlanOption = None,
) -> None:
    """由规则库生成说明页（Markdown）。"""
    from gis.rulebook.page import rules_page as page

    text = page(open_plan(plan).rulebook)
    with writing(out):
        out.write_text(text, encoding="utf-8")
    stderr().print(f"已写出：{out}")
