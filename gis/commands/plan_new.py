"""``wuqu plan new``: a folder of layers becomes a plan package. Libraries load inside."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import (
    FormatOption,
    Output,
    as_json,
    open_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan.new.package import NewPlan
    from gis.plan.new.questions import Question


def add_new(plan_app: typer.Typer) -> typer.Typer:
    """Add the command to the group ``plan``; return the group."""
    plan_app.command("new")(plan_new)
    return plan_app


def plan_new(
    folder: Annotated[Path, typer.Argument(help="数据包的文件夹，还不存在。")],
    layers: Annotated[
        list[Path], typer.Option("--from", help="图层文件或含有图层的文件夹，可重复。")
    ],
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="回答一个问题：问题=答案，可重复。")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="写有全部答案的 TOML 文件。")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="没有回答的问题都按默认答案。")] = False,
    output: FormatOption = Output.text,
) -> None:
    """由图层文件生成规划数据包：识别图层、字段和坐标系，不能识别的逐项提问，然后检查数据。

    原文件不变。没有终端、又有问题没有回答时，把问题连同默认答案写成一个文件，退出码 2。
    有错误或警告时退出码为 3。
    """
    from gis.console.plan_new import print_new
    from gis.files import free_folder
    from gis.plan.new.package import plan_new, write_package
    from gis.plan.new.questions import Answers, answers_from
    from gis.plan.quality import check_plan

    given = answers_from(answer or [], answers)
    free_folder(folder)
    asks = output is Output.text and not yes and sys.stdin.isatty()
    told = Answers(given, _asker() if asks else None)
    with progress() as bar:
        # A question and a moving bar would write over each other.
        bar.disable = bar.disable or asks
        bar.add_task("识别图层", total=None)
        plan = plan_new(layers, folder.name, told)
    if told.open and not yes:
        raise _unanswered(plan, folder)
    with writing(folder):
        write_package(plan, folder)
    report = check_plan(open_plan(folder))
    if output is Output.json:
        document = {"folder": str(folder), **plan.to_dict(), "quality": report.to_dict()}
        typer.echo(as_json(document))
    else:
        print_new(stdout(), plan.to_dict(), report, str(folder))
    if report.has_faults:
        raise typer.Exit(3)


def _asker() -> Callable[[Question], str]:
    """Return a way to ask the person at the terminal; a wrong answer is asked again."""
    console = stderr()

    def ask(question: Question) -> str:
        console.print(question.text, markup=False, soft_wrap=True)
        for value, meaning in question.options.items():
            console.print(f"  {value}：{meaning}", markup=False, highlight=False)
        while True:
            default = question.default or None
            answer = str(typer.prompt("答案", default=default, err=True)).strip()
            wrong = question.wrong(answer)
            if not wrong:
                return answer
            console.print(wrong, markup=False, style="red")

    return ask


def _unanswered(plan: NewPlan, folder: Path) -> ClaimError:
    """Write the open questions beside the folder; return what to do with them."""
    from gis.plan.new.questions import questions_text

    file = folder.with_name(f"{folder.name}.questions.toml")
    with writing(file):
        file.write_text(questions_text(plan.answers.asked), encoding="utf-8")
    keys = "、".join(q.key for q in plan.answers.open)
    return ClaimError(
        f"有 {len(plan.answers.open)} 个问题没有回答：{keys}",
        advice=f"改好“{file}”后以 --answers 交回，或用 --answer 逐个回答，或用 --yes 全按默认",
    )
