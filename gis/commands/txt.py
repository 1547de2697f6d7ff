"""``wuqu txt``: read, write and lint the boundary-point TXT of the land bureau at a terminal.

Exit codes and output as everywhere in the command line; ``lint`` answers 3 when the file has
errors. What is written is read back and compared before the command says that it succeeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import (
    CrsOption,
    EncodingOption,
    FormatOption,
    MapFormatOption,
    MapOutput,
    Output,
    PlanOption,
    RepairOption,
    WhichOption,
    WidthOption,
    as_json,
    existing,
    number_of,
    open_plan,
    sites_of,
    stderr,
    stdout,
    writing,
)
from gis.errors import ClaimError, FormatError

if TYPE_CHECKING:
    from gis.model import Site

txt_app = typer.Typer(help="读取、写出和检查勘测定界界址点 TXT。", no_args_is_help=True)


class TxtEncoding(StrEnum):
    """Encodings of a TXT that is written."""

    gbk = "gbk"
    utf8 = "utf-8"


FileArgument = Annotated[Path, typer.Argument(help="勘测定界界址点 TXT 文件。")]


# --- commands ------------------------------------------------------------------------------------


@txt_app.command("read")
def txt_read(
    file: FileArgument,
    which: WhichOption = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    plan: PlanOption = None,
    output: MapFormatOption = MapOutput.text,
) -> None:
    """读取界址点 TXT：列出地块、界址点数和面积，或输出坐标（JSON、GeoJSON）。"""
    from gis.console.txt import collection, plot_document, print_plots

    opened = open_plan(plan)
    sites = sites_of(
        file, opened, which=which, crs=crs, encoding=encoding, width=width, repair=repair
    )
    if sites[0].source.kind not in ("boundary_txt", "csv"):  # or a list of points with headings
        raise FormatError(
            f"“{file.name}”不是界址点 TXT（是 {sites[0].source.kind}）",
            advice="用 wuqu txt write 转换成界址点 TXT",
        )
    first = number_of(which) or 1
    if output is MapOutput.geojson:
        return typer.echo(as_json(collection(sites, opened.work_epsg, first)))
    if output is MapOutput.json:
        rows = [plot_document(site, n) for n, site in enumerate(sites, start=first)]
        document = {"file": file.name, "crs": f"EPSG:{opened.work_epsg}", "plots": rows}
        return typer.echo(as_json(document))
    return print_plots(stdout(), sites, first)


@txt_app.command("write")
def txt_write(
    file: Annotated[Path, typer.Argument(help="地块文件：任何可读取的格式。")],
    out: Annotated[Path, typer.Option("-o", "--out", help="写出的 TXT 文件。")],
    crs: Annotated[
        str | None, typer.Option("--crs", help="写出的坐标系（默认：规划所在带，含带号）。")
    ] = None,
    name: Annotated[str | None, typer.Option(help="地块名称（默认：文件中的名称）。")] = None,
    encoding: Annotated[TxtEncoding, typer.Option(help="写出的文字编码。")] = TxtEncoding.gbk,
    which: WhichOption = None,
    unit: Annotated[str, typer.Option(help="数据产生单位。")] = "",
    from_crs: Annotated[
        str | None, typer.Option(help="输入文件的坐标系（默认：自动识别）。")
    ] = None,
    from_encoding: Annotated[
        str | None, typer.Option(help="输入文件的文字编码（默认：自动判定）。")
    ] = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """把地块写成界址点 TXT；写出的内容读回比对一致后才算成功。"""
    from gis.output.sites_txt import sites_txt

    opened = open_plan(plan)
    _refuse_same_file(existing(file), out)
    sites = sites_of(
        file, opened, which=which, crs=from_crs, encoding=from_encoding, width=width, repair=repair
    )
    written = sites_txt(sites, opened, crs=crs, name=name, encoding=encoding.value, unit=unit)
    _save(out, written.content)
    _tell_warnings(sites)
    document = {
        "file": str(out),
        "plots": written.plots,
        "crs": f"EPSG:{written.epsg}",
        "encoding": encoding.value,
        "bytes": len(written.content),
        "largest_difference_m": round(written.largest_difference_m, 6),
    }
    if output is Output.json:
        return typer.echo(as_json(document))
    text = f"已写出 {written.plots} 个地块（EPSG:{written.epsg}，{encoding.value}）并读回比对一致"
    moved = f"最大相差 {written.largest_difference_m * 1000:.2f} mm"
    stdout().print(f"{text}，{moved}：{out}", markup=False, soft_wrap=True)
    return None


@txt_app.command("lint")
def txt_lint(
    file: FileArgument,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    width: WidthOption = None,
    repair: RepairOption = False,
    plan: PlanOption = None,
    output: FormatOption = Output.text,
) -> None:
    """检查界址点 TXT，一次列出全部错误、警告和说明及其行号。有错误时退出码为 3。"""
    from gis.console.txt import lint_document, print_lint
    from gis.intake.boundary.lint import lint_boundary_txt

    opened = open_plan(plan)
    report = lint_boundary_txt(
        _bytes(file), opened, crs=crs, encoding=encoding, width_m=width, repair=repair
    )
    if output is Output.json:
        typer.echo(as_json(lint_document(file.name, report)))
    else:
        print_lint(stdout(), report)
    if not report.is_accepted:
        raise typer.Exit(3)


# --- reading -------------------------------------------------------------------------------------


def _bytes(file: Path) -> bytes:
    from gis.intake.draft import MAX_BYTES

    try:
        with existing(file).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)  # one more than the limit is refused
    except OSError as problem:
        raise ClaimError(f"无法读取“{file}”（{problem.strerror}）", advice="检查文件权限") from None


# --- writing -------------------------------------------------------------------------------------


def _refuse_same_file(file: Path, out: Path) -> None:
    if out.exists() and out.samefile(file):
        raise ClaimError("写出的文件就是输入文件", expected="另一个文件名", advice="换一个 -o 文件")


def _save(out: Path, data: bytes) -> None:
    with writing(out):
        out.write_bytes(data)
        if out.read_bytes() != data:
            raise ClaimError(f"写入“{out}”后内容不一致", advice="检查磁盘后重新写出")


def _tell_warnings(sites: Sequence[Site]) -> None:
    from gis.console import in_options

    for warning in [w for site in sites for w in site.warnings]:
        text = f"注意：{in_options(warning.message, of_input=True)}"
        stderr().print(text, markup=False, highlight=False, soft_wrap=True)
