"""The ``wuqu`` command: the toolkit for people at a terminal and for scripts.

Exit codes: 0 answered, whatever the verdict; 2 the input cannot be judged or the call is wrong;
3 answered, and faults were found; 1 a defect. With ``--format json`` stdout is one JSON document
and nothing else; messages and progress go to stderr. Libraries are imported inside the commands,
so that ``wuqu --help`` is quick.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.errors import ClaimError, SeveralSitesError, WuquError, as_problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from gis.plan import Plan

app = typer.Typer(
    name="wuqu",
    help="五区：国土空间规划工具。检测候选地块是否符合功能区和控制线规则。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
rules_app = typer.Typer(help="查看规则库。", no_args_is_help=True)
data_app = typer.Typer(help="生成和检查规划数据包。", no_args_is_help=True)
app.add_typer(rules_app, name="rules")
app.add_typer(data_app, name="data")


class Output(StrEnum):
    """Formats of most commands."""

    text = "text"
    json = "json"


class CheckOutput(StrEnum):
    """Formats of ``check``."""

    text = "text"
    json = "json"
    geojson = "geojson"


_FORMAT = re.compile(r"--format[ =](json|geojson)\b")
# The parser's error for a wrong call; its module is not public, its subclass is.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
PlanOption = Annotated[
    Path | None, typer.Option("--plan", help="规划数据包文件夹（默认：WUQU_PLAN 或随附数据）。")
]
FormatOption = Annotated[Output, typer.Option("--format", help="输出格式。")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="法规时点，形如 2026-11-22（默认：今天）。")
]


# --- commands ------------------------------------------------------------------------------------


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="界址点 TXT、zip 压缩的 shapefile、GeoJSON 或 WKT。")
    ],
    use: Annotated[str | None, typer.Option(help="拟建用途：2023 年版用地用海代码。")] = None,
    attr: Annotated[
        list[str] | None, typer.Option(help="属性，形如 plot_ratio=1.8，可重复。")
    ] = None,
    width: Annotated[float | None, typer.Option(help="线状项目的宽度（米）。")] = None,
    which: Annotated[str | None, typer.Option(help="多个地块时的序号，或 all。")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="修复自相交图形后再检测。")] = False,
    as_of: AsOfOption = None,
    crs: Annotated[
        str | None, typer.Option(help="坐标系，如 EPSG:4527、GCJ-02（默认：自动识别）。")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="文字编码，如 gbk（默认：自动判定）。")
    ] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="另存地图 HTML。")] = None,
    plan: PlanOption = None,
    output: Annotated[CheckOutput, typer.Option("--format", help="输出格式。")] = CheckOutput.text,
) -> None:
    """检测一个文件中的地块。"""
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.claims import parse_attributes, parse_pairs
    from gis.intake import read_sites

    opened = _open(plan)
    attributes = parse_attributes(parse_pairs(attr or [], separator="="))
    sites = read_sites(
        _existing(file),
        opened,
        crs=crs,
        which=_number(which),
        repair=repair,
        width_m=width,
        encoding=encoding,
    )
    if which is None and len(sites) > 1:
        raise SeveralSitesError([site.name for site in sites])
    day = _day(as_of)
    with _progress() as bar:
        docs = [
            to_dict(check_site(site, opened, use=use, attributes=attributes, as_of=day))
            for site in bar.track(sites, description="检测地块")
        ]
    if map_file:
        _write_map(map_file, docs, opened)
    _show_checks(docs, output, many=which == "all")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="结果文件夹。")] = Path("out"),
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """检测随附的示例地块，写出 map.html、checks.json 和 sites.gpkg。"""
    from gis.canonical import to_dict
    from gis.check import check_site
    from gis.console import print_summary
    from gis.intake import read_site
    from gis.output.export import write_gpkg
    from gis.plan.samples import load_samples

    opened = _open(plan)
    samples = load_samples(opened)
    if not samples:
        raise ClaimError(
            "规划数据包没有示例地块",
            expected="samples/samples.toml",
            advice="用 wuqu check 检测文件",
        )
    docs: list[dict[str, Any]] = []
    with _progress() as bar:
        for sample in bar.track(samples, description="检测示例地块"):
            site = read_site(sample.path, opened, name=sample.name)
            found = check_site(
                site, opened, use=sample.use, attributes=sample.attributes, as_of=sample.as_of
            )
            docs.append(to_dict(found))
    with _writing(out / "checks.json"):
        (out / "checks.json").write_text(_json({"checks": docs}), encoding="utf-8")
        write_gpkg(docs, out / "sites.gpkg", opened.work_epsg)
    _write_map(out / "map.html", docs, opened)
    if output is Output.json:
        return typer.echo(_json({"checks": docs}))
    print_summary(_stdout(), docs)
    _stderr().print(f"已写出：{out / 'map.html'}、{out / 'checks.json'}、{out / 'sites.gpkg'}")
    return None


@app.command()
def balance(
    area: Annotated[str | None, typer.Option(help="resort、core、approval 或功能区代码。")] = None,
    definition: Annotated[str, typer.Option(help="绿地和水域口径 A、B、C 或 D。")] = "B",
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """列出公布值与计算值、用地平衡和绿地水域占比。"""
    from gis.console import print_balance
    from gis.plan.figures import balance_document

    document = balance_document(_open(plan), area, definition)
    if output is Output.json:
        return typer.echo(_json(document))
    print_balance(_stdout(), document)
    return None


@app.command("map")
def draw_map(
    out: Annotated[Path, typer.Option("-o", "--out", help="输出的 HTML 文件。")] = Path("map.html"),
    plan: PlanOption = None,
) -> None:
    """绘制规划图：单个 HTML 文件，可离线打开。"""
    _write_map(out, [], _open(plan))
    _stderr().print(f"已写出：{out}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="监听地址（目前只允许本机）。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口。")] = 8000,
    workers: Annotated[int, typer.Option(help="进程数。")] = 1,
    plan: PlanOption = None,
) -> None:
    """启动本机服务：检测页面、接口和地图。"""
    # By name, because the service stands above the toolkit and is never imported by it.
    importlib.import_module("api.serve").serve(host=host, port=port, workers=workers, plan=plan)


@rules_app.command("list")
def rules_list(
    as_of: AsOfOption = None, plan: PlanOption = None, output: FormatOption = Output.text
) -> None:
    """列出某一时点有效的规则。"""
    from gis.console import print_rows
    from gis.rulebook import describe

    book = _open(plan).rulebook
    day = _day(as_of)
    rows = [describe(rule) for rule in (book.in_force(day) if day else book.rules)]
    if output is Output.json:
        return typer.echo(_json({"rules": rows}))
    heads = ("编号", "名称", "类型", "来源", "生效", "失效")
    keys = ("id", "title", "kind", "origin", "valid_from", "valid_to")
    print_rows(_stdout(), "规则", heads, [[r[k] or "" for k in keys] for r in rows])
    return None


@rules_app.command("show")
def rules_show(rule: str, plan: PlanOption = None, output: FormatOption = Output.text) -> None:
    """显示一条规则及其依据。"""
    from gis.console import print_rows
    from gis.rulebook import describe

    found = describe(_open(plan).rulebook.rule(rule))
    if output is Output.json:
        return typer.echo(_json(found))
    rows = [(k, v if isinstance(v, str) else _json(v)) for k, v in found.items()]
    print_rows(_stdout(), rule, ("项", "内容"), rows)
    return None


@data_app.command("build")
def data_build(
    out: Annotated[Path | None, typer.Option(help="输出文件夹（默认：源码中的 data/）。")] = None,
) -> None:
    """由 facts.toml 生成随附的示意规划数据（需要源码）。"""
    script = Path(__file__).resolve().parents[1] / "data" / "build" / "build.py"
    if not script.exists():
        raise ClaimError(
            "安装包中没有数据生成脚本",
            expected="源码中的 data/build",
            advice="下载源码后在其中运行 wuqu data build",
        )
    command = [sys.executable, str(script), *(["--out", str(out)] if out else [])]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@data_app.command("check")
def data_check(plan: PlanOption = None, output: FormatOption = Output.text) -> None:
    """检查规划数据包：图层、覆盖、代码、公布值。发现问题时退出码为 3。"""
    from dataclasses import asdict

    from gis.console import print_quality
    from gis.plan.quality import figure_faults, quality

    opened = _open(plan)
    rows, figures = quality(opened), figure_faults(opened)
    if output is Output.json:
        typer.echo(_json({"layers": [asdict(r) for r in rows], "figures": list(figures)}))
    else:
        print_quality(_stdout(), rows, figures)
    if figures or any(row.faults for row in rows):
        raise typer.Exit(3)


# --- what the commands share ---------------------------------------------------------------------


def _open(path: Path | None) -> Plan:
    from gis.plan import load_plan

    with _progress() as bar:
        bar.add_task("载入规划数据包", total=None)
        return load_plan(path)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise ClaimError(f"文件不存在：{file}", advice="核对路径")
    return file


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ClaimError(f"时点“{text}”无法识别", expected="形如 2026-11-22 的日期") from None


def _number(which: str | None) -> int | None:
    if which in (None, "all"):
        return None
    if not (which.isascii() and which.isdigit()):
        raise ClaimError(f"--which 为“{which}”", expected="从 1 开始的序号，或 all")
    return int(which)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one clear message."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ClaimError(f"无法写入“{path}”（{reason}）", advice="换一个可写的位置") from None


def _write_map(path: Path, docs: Sequence[dict[str, Any]], plan: Plan) -> None:
    from gis.output.maps import plan_map, site_map

    page = site_map(docs[0], plan) if len(docs) == 1 else plan_map(plan, docs)
    with _writing(path):
        path.write_text(page, encoding="utf-8")


def _show_checks(docs: Sequence[dict[str, Any]], output: CheckOutput, *, many: bool) -> None:
    from gis.console import print_check

    if output is CheckOutput.geojson:
        from gis.output.export import to_geojson

        return typer.echo(_json(to_geojson(docs)))
    if output is CheckOutput.json:
        return typer.echo(_json({"checks": list(docs)} if many else docs[0]))
    for doc in docs:
        print_check(_stdout(), doc)
    return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def _stdout() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def _stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _progress() -> Progress:
    from rich.progress import Progress

    return Progress(console=_stderr(), transient=True, disable=not sys.stderr.isatty())


def main() -> None:
    """Run the command line; wuqu's own errors become one clear message and exit code 2."""
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
    from gis.console import print_error

    if _FORMAT.search(" ".join(sys.argv)):
        typer.echo(_json(as_problem(error)))
    print_error(_stderr(), error)


if __name__ == "__main__":
    main()
