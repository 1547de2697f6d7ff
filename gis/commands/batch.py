"""``wuqu batch``: a whole table of sites judged, written as a table.

The bar on stderr shows rate and remaining time; results go to the output file, and stdout tells
what became of the rows. An interrupted batch goes on when the same command is given again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import (
    AsOfOption,
    CrsOption,
    EncodingOption,
    FormatOption,
    Output,
    PlanOption,
    RepairOption,
    UseOption,
    WidthOption,
    as_json,
    day_given,
    existing,
    open_plan,
    stderr,
    stdout,
    writing,
)
from gis.commands.report import SummaryOption, writable, write_summary

if TYPE_CHECKING:
    from rich.progress import Progress

    from gis.batch import Summary
    from gis.plan import Plan

# A chunk may take longer than the half minute that rich looks back; there would be no rate then.
_RATE_OVER_S = 600.0


def batch(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="GeoPackage、GeoParquet、shapefile、GeoJSON、TXT、表格等，每个文件可有任意多个地块。",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="结果：.gpkg、.parquet 或 .csv 文件。")],
    use: UseOption = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 plot_ratio=1.8，可重复；优先于表中的列。")
    ] = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    as_of: AsOfOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    workers: Annotated[int, typer.Option(help="本机的工作进程数。")] = 1,
    dask: Annotated[
        str | None, typer.Option(help="dask 调度器的地址，形如 tcp://主机:8786。")
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="每条规则一列结论。")] = False,
    findings: Annotated[bool, typer.Option("--findings", help="另存各项结果（JSON 列）。")] = False,
    report: SummaryOption = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """批量检测：一行一个地块，结果写成一张表；中断后重新运行同一命令即可继续。"""
    from gis.batch import run_batch
    from gis.claims import parse_attributes, parse_pairs

    writable(report)
    paths = [existing(file) for file in files]
    attributes = parse_attributes(parse_pairs(attr or [], separator="="))
    opened = open_plan(plan)
    with writing(out), _bar(quiet=output is Output.json) as tell:
        summary = run_batch(
            paths,
            opened,
            use=use,
            attributes=attributes,
            as_of=day_given(as_of, "时点"),
            out=out,
            workers=workers,
            dask=dask,
            crs=crs,
            encoding=encoding,
            repair=repair,
            width_m=width,
            rules=rules,
            findings=findings,
            progress=tell,
        )
    if report is not None and summary.out is not None:
        write_summary(report, summary.out, opened, summary.as_of)
    if output is Output.json:
        return typer.echo(as_json(_document(summary, opened)))
    _show(summary)
    return None


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how many rows are done; it draws a bar where somebody looks."""
    bar = _drawn(quiet=quiet)
    task = bar.add_task("读取地块", total=None)
    started = False

    def tell(done: int, total: int) -> None:
        nonlocal started
        if started:
            bar.update(task, completed=done)
            return
        started = True
        # What an earlier run has done would look like speed.
        bar.reset(task, description="检测地块", total=total, completed=done)
        # Time is counted from here: there is a rate as soon as one chunk is done.
        bar.advance(task, 0)

    with bar:
        yield tell


def _drawn(*, quiet: bool) -> Progress:
    """Return a bar with rate and remaining time."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} 个/秒")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TextColumn("剩余"),
        TimeRemainingColumn(),
        console=stderr(),
        speed_estimate_period=_RATE_OVER_S,
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )


def _document(summary: Summary, plan: Plan) -> Mapping[str, Any]:
    return {
        "output": str(summary.out),
        "rows": summary.rows,
        "resumed_rows": summary.resumed,
        "verdicts": dict(summary.verdicts),
        "problems": dict(summary.problems),
        "first_problems": [
            {"row": row, "name": name, "problem": text} for row, name, text in summary.first
        ],
        "as_of": summary.as_of.isoformat(),
        "plan": {"id": plan.ref.id, "version": plan.ref.version, "status": plan.ref.status},
        "rulebook": {"id": plan.rulebook.id, "sha256": plan.rulebook.sha256},
    }


def _show(summary: Summary) -> None:
    from gis.console import in_options, verdict_text
    from gis.model import Verdict

    console = stdout()
    for verdict in sorted(Verdict, key=lambda v: v.rank, reverse=True):
        if count := summary.verdicts.get(verdict.value):
            line = verdict_text(verdict.value, verdict.label)
            console.print(line.append(f"  {count:,} 个", style="default"))
    bad = sum(summary.problems.values())
    console.print(f"共 {summary.rows:,} 个地块，{bad:,} 个无法判定")
    for row, name, text in summary.first:
        console.print(f"  第 {row} 行 {name}：{in_options(text)}", markup=False, soft_wrap=True)
    if bad > len(summary.first):
        console.print(f"  其余 {bad - len(summary.first):,} 个见结果表的“问题”列")
    if summary.resumed:
        stderr().print(f"接着上次中断的检测，其中 {summary.resumed:,} 个地块没有重做")
    stderr().print(f"已写出：{summary.out}")
