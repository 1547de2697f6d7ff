"""Is the data of a plan package fit, and where does the bundled one come from?

The commands ``wuqu data check``, ``wuqu data load`` and ``wuqu data build``. Libraries are imported
inside them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from gis.commands.common import (
    Ceiling,
    CeilingOption,
    FormatOption,
    Output,
    PlanOption,
    as_json,
    open_plan,
    progress,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError

data_app = typer.Typer(help="生成、检查规划数据包，或载入数据库。", no_args_is_help=True)


@data_app.command("build")
def data_build(
    out: Annotated[Path | None, typer.Option(help="输出文件夹（默认：源码中的 data/）。")] = None,
) -> None:
    """由 facts.toml 生成随附的示意规划数据（需要源码）。"""
    script = Path(__file__).resolve().parents[2] / "data" / "build" / "build.py"
    if not script.exists():
        raise ClaimError(
            "安装包中没有数据生成脚本",
            expected="源码中的 data/build",
            advice="下载源码后在其中运行 wuqu data build",
        )
    command = [sys.executable, str(script), *(["--out", str(out)] if out else [])]
    raise typer.Exit(subprocess.run(command, check=False).returncode)


@data_app.command("check")
def data_check(
    plan: PlanOption = None,
    gpkg: Annotated[
        Path | None, typer.Option("--gpkg", help="把发现的问题及其位置另存为 GeoPackage。")
    ] = None,
    ceiling: CeilingOption = Ceiling.public,
    output: FormatOption = Output.text,
) -> None:
    """检查规划数据包的图层：坐标系、图形、覆盖、代码、面积、编码和公布值。

    有错误或警告时退出码为 3，只有提示时为 0。
    """
    from gis.console.data import print_quality
    from gis.output.layer_findings import write_findings
    from gis.plan.quality import check_plan

    opened = open_plan(plan)
    with progress() as bar:
        bar.add_task("检查图层", total=None)
        report = check_plan(opened, ceiling=ceiling.value)
    if gpkg:
        with writing(gpkg):
            write_findings(report, gpkg)
    if output is Output.json:
        typer.echo(as_json(report.to_dict()))
    else:
        print_quality(stdout(), report)
    if gpkg:
        stderr().print(f"已写出：{gpkg}", markup=False, soft_wrap=True)
    if report.has_faults:
        raise typer.Exit(3)


@data_app.command("load")
def data_load(
    to: Annotated[
        str,
        typer.Option(
            "--to", help="数据库：连接名称（地址取自 WUQU_POSTGIS_名称）或 postgresql:// 地址。"
        ),
    ],
    schema: Annotated[
        str | None, typer.Option("--schema", help="模式（默认：规划 id，- 换成 _）。")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="替换已有的同名表。")] = False,
    toml: Annotated[
        Path | None, typer.Option("--toml", help="另存改用这些表的 plan.toml。")
    ] = None,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """把规划数据包的图层载入 PostGIS：建表、索引、注释，读回核对后才算完成。"""
    from gis.console.data import print_loaded
    from gis.plan.sources.addresses import address_on_command_line, is_name
    from gis.plan.sources.loading import load
    from gis.plan.sources.rewriting import lines_of, with_tables

    address = address_on_command_line(to)
    connection = to if is_name(to) else "planning"
    opened = open_plan(plan)
    place = opened.file.plan.id.replace("-", "_") if schema is None else schema
    with progress() as bar:
        task = bar.add_task("载入数据库", total=len(opened.layers))
        layers = load(
            opened,
            address,
            place,
            replacing=replace,
            told=lambda title: bar.update(task, advance=1, description=f"载入 {title}"),
        )
    if toml:
        text = (opened.root / "plan.toml").read_text(encoding="utf-8-sig")
        with writing(toml):
            toml.write_text(with_tables(text, layers, connection), encoding="utf-8")
    if output is Output.json:
        rows = [layer.to_dict() | {"toml": list(lines_of(layer, connection))} for layer in layers]
        return typer.echo(as_json({"connection": connection, "schema": place, "layers": rows}))
    print_loaded(stdout(), layers, connection)
    if toml:
        stderr().print(f"已写出：{toml}", markup=False, soft_wrap=True)
    return None
