"""The ``wuqu`` command: the toolkit for people at a terminal and for scripts.

Exit codes: 0 answered, whatever the verdict; 2 the input cannot be judged or the call is wrong;
3 answered, and faults were found; 1 a defect. With ``--format json`` stdout is one JSON document
and nothing else; messages and progress go to stderr. Libraries are imported inside the commands,
so that ``wuqu --help`` is quick.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.batch import batch
from gis.commands.budgets import budgets_app
from gis.commands.common import (
    AsOfOption,
    Ceiling,
    CeilingOption,
    CrsOption,
    EncodingOption,
    FormatOption,
    MapFormatOption,
    MapOutput,
    Output,
    PlanOption,
    UseOption,
    WhichOption,
    WidthOption,
    as_json,
    day_given,
    open_plan,
    progress,
    sites_of,
    stderr,
    stdout,
    writing,
)
from gis.commands.compare import plan_app
from gis.commands.data import data_app
from gis.commands.keys import keys_app
from gis.commands.maps import draw_map
from gis.commands.outputs import (
    CardOption,
    MapFileOption,
    OutOption,
    Outputs,
    RecipientOption,
    RemediesOption,
    write_map,
)
from gis.commands.plan import balance
from gis.commands.plan_new import add_new
from gis.commands.projects import projects_app
from gis.commands.records import records_app, verify
from gis.commands.releases import add_releases
from gis.commands.report import ReportOption, demo_report
from gis.commands.revision import compare_sites
from gis.commands.rules import rules_app
from gis.commands.scenario import scenario_app
from gis.commands.siting import find_sites
from gis.commands.txt import txt_app
from gis.errors import ClaimError, WuquError

if TYPE_CHECKING:
    from gis.model import Site
    from gis.plan import Plan

app = typer.Typer(
    name="wuqu",
    help="五区：国土空间规划工具。检测候选地块是否符合功能区和控制线规则。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(rules_app, name="rules")
app.add_typer(data_app, name="data")
app.add_typer(txt_app, name="txt")
app.add_typer(budgets_app, name="budgets")
app.add_typer(add_new(add_releases(plan_app)), name="plan")
app.add_typer(scenario_app, name="scenario")
app.add_typer(records_app, name="records")
app.add_typer(keys_app, name="keys")
app.add_typer(projects_app, name="projects")


# The collector would walk over every imported module again and again, and once more at the end: a
# fifth of a cold check. A command makes little garbage and lives for seconds.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000

_FORMAT = re.compile(r"--format[ =](json|geojson)\b")
# The parser's error for a wrong call; its module is not public, its subclass is.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


# --- commands ------------------------------------------------------------------------------------


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="界址点 TXT、zip 压缩的 shapefile、GeoJSON 或 WKT。")
    ],
    use: UseOption = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 plot_ratio=1.8，可重复。")
    ] = None,
    width: WidthOption = None,
    which: WhichOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="修复自相交图形后再检测。")] = False,
    as_of: AsOfOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    map_file: MapFileOption = None,
    report: ReportOption = None,
    out: OutOption = None,
    remedies: RemediesOption = None,
    card: CardOption = None,
    recipient: RecipientOption = "",
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
    output: MapFormatOption = MapOutput.text,
) -> None:
    """检测一个文件中的地块。"""
    outputs = Outputs(out, remedies, card, report, map_file, recipient, ceiling)
    _check(
        file, use, attr, width, which, as_of, crs, encoding, outputs, plan, output, repair=repair,
    )  # fmt: skip


@app.command()
def corridor(
    file: Annotated[Path, typer.Argument(help="道路、管线等的中心线文件，格式与 check 相同。")],
    width: Annotated[float, typer.Option("--width", help="线性工程的宽度，米。")],
    use: UseOption = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 key_project=true，可重复。")
    ] = None,
    which: WhichOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="修复自相交图形后再检测。")] = False,
    as_of: AsOfOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    map_file: MapFileOption = None,
    report: ReportOption = None,
    out: OutOption = None,
    remedies: RemediesOption = None,
    card: CardOption = None,
    recipient: RecipientOption = "",
    ceiling: CeilingOption = Ceiling.public,
    plan: PlanOption = None,
    output: MapFormatOption = MapOutput.text,
) -> None:
    """检测一条道路或者管线：按宽度成面，另列现状地类和功能区的交叉面积。"""
    outputs = Outputs(out, remedies, card, report, map_file, recipient, ceiling)
    _check(
        file, use, attr, width, which, as_of, crs, encoding, outputs, plan, output, repair=repair,
    )  # fmt: skip


def _check(
    file: Path,
    use: str | None,
    attr: list[str] | None,
    width: float | None,
    which: str | None,
    as_of: str | None,
    crs: str | None,
    encoding: str | None,
    outputs: Outputs,
    plan: Path | None,
    output: MapOutput,
    *,
    repair: bool,
) -> None:
    """Check the sites of a file; ``check`` and ``corridor`` differ in their options only."""
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.claims import parse_attributes, parse_pairs

    outputs.refuse_unknown()
    opened = open_plan(plan)
    attributes = parse_attributes(parse_pairs(attr or [], separator="="))
    sites = sites_of(
        file, opened, which=which, crs=crs, encoding=encoding, width=width, repair=repair, ask=True
    )
    day = day_given(as_of, "时点")
    with progress() as bar:
        docs = [
            to_dict(check_site(site, opened, use=use, attributes=attributes, as_of=day))
            for site in bar.track(sites, description="检测地块")
        ]
    outputs.write(docs, sites, opened)
    _show_checks(docs, output, opened, outputs.ceiling.value, many=which == "all")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="结果文件夹。")] = Path("out"),
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """检测随附的示例地块，写出 map.html、checks.json、sites.gpkg 和 report.pdf。"""
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.console import print_summary
    from gis.intake import read_site
    from gis.output.export import write_gpkg
    from gis.plan.samples import load_samples

    opened = open_plan(plan)
    samples = load_samples(opened)
    if not samples:
        raise ClaimError(
            "规划数据包没有示例地块",
            expected="samples/samples.toml",
            advice="用 wuqu check 检测文件",
        )
    docs: list[dict[str, Any]] = []
    sites: list[Site] = []
    with progress() as bar:
        for sample in bar.track(samples, description="检测示例地块"):
            site = read_site(sample.path, opened, name=sample.name, width_m=sample.width_m)
            sites.append(site)
            found = check_site(
                site, opened, use=sample.use, attributes=sample.attributes, as_of=sample.as_of
            )
            docs.append(to_dict(found))
    with writing(out / "checks.json"):
        (out / "checks.json").write_text(as_json({"checks": docs}), encoding="utf-8")
        write_gpkg(docs, out / "sites.gpkg", opened.work_epsg, opened)
    write_map(out / "map.html", docs, opened)
    demo_report(out / "report.pdf", docs, sites, opened)
    if output is Output.json:
        return typer.echo(as_json({"checks": docs}))
    print_summary(stdout(), docs)
    stderr().print(f"已写出：{out / 'map.html'}、{out / 'checks.json'}、{out / 'sites.gpkg'}")
    return None


app.command()(batch)
app.command()(balance)
app.command()(verify)
app.command("map")(draw_map)
app.command("compare-sites")(compare_sites)
app.command("find-sites")(find_sites)


@app.command()
def serve(
    host: Annotated[
        str | None,
        typer.Option(help="监听地址，默认 WUQU_HOST 或 127.0.0.1；其他地址需要先有密钥。"),
    ] = None,
    port: Annotated[int | None, typer.Option(help="端口，默认 WUQU_PORT 或 8000。")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数，默认 WUQU_WORKERS 或 1。")] = None,
    plan: PlanOption = None,
) -> None:
    """启动服务：检测页面、接口和地图。"""
    # By name, because the service stands above the toolkit and is never imported by it.
    importlib.import_module("api.serve").serve(host=host, port=port, workers=workers, plan=plan)


# --- what the commands share ---------------------------------------------------------------------


def _show_checks(
    docs: Sequence[dict[str, Any]], output: MapOutput, plan: Plan, ceiling: str, *, many: bool
) -> None:
    from gis.console import print_check
    from gis.output.secrecy import public_documents

    if output is MapOutput.geojson:
        from gis.output.export import to_geojson

        return typer.echo(as_json(to_geojson(docs, plan, ceiling)))
    if output is MapOutput.json:
        shown = public_documents(docs, plan, ceiling)
        return typer.echo(as_json({"checks": shown} if many else shown[0]))
    for doc in docs:
        print_check(stdout(), doc)
    return None


def main() -> None:
    """Run the command line; wuqu's own errors become one clear message and exit code 2."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except _UsageError as error:
        # Without a command the parser has already printed the help.
        if str(error):
            from gis.console import wrong_call

            _report(wrong_call(error))
        sys.exit(2)
    except WuquError as error:
        _report(error)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe has gone (``wuqu … | head``): not a defect.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: WuquError) -> None:
    """Say it once on stderr; with a JSON format also as the one document on stdout."""
    from gis.console import print_problem, problem_of

    problem = problem_of(error, of_input=sys.argv[1:3] == ["txt", "write"])
    if _FORMAT.search(" ".join(sys.argv)):
        typer.echo(as_json(problem))
    print_problem(stderr(), problem)


if __name__ == "__main__":
    main()
