"""What do the commands share: options, the plan they open, the file they read, their output?

Results go to stdout, messages and progress to stderr. Libraries are imported inside the functions,
so that ``wuqu --help`` is quick.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.errors import ClaimError, SeveralSitesError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from gis.model import Site
    from gis.plan import Plan


class Output(StrEnum):
    """Formats of most commands."""

    text = "text"
    json = "json"


class MapOutput(StrEnum):
    """Formats of commands whose answer can be drawn."""

    text = "text"
    json = "json"
    geojson = "geojson"


class Ceiling(StrEnum):
    """Highest level of secrecy whose coordinates leave the house."""

    public = "public"
    internal = "internal"
    restricted = "restricted"


PlanOption = Annotated[
    Path | None, typer.Option("--plan", help="规划数据包文件夹（默认：WUQU_PLAN 或随附数据）。")
]
FormatOption = Annotated[Output, typer.Option("--format", help="输出格式。")]
MapFormatOption = Annotated[MapOutput, typer.Option("--format", help="输出格式。")]
CeilingOption = Annotated[
    Ceiling,
    typer.Option("--ceiling", help="密级上限：高于此的图层不给出坐标。", envvar="WUQU_SECRECY"),
]
CrsOption = Annotated[
    str | None, typer.Option("--crs", help="坐标系，如 EPSG:4527、GCJ-02（默认：自动识别）。")
]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="文字编码，如 gbk（默认：自动判定）。")
]
WhichOption = Annotated[str | None, typer.Option("--which", help="多个地块时的序号，或 all。")]
RepairOption = Annotated[bool, typer.Option("--repair", help="修复自相交的图形。")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="法规时点，形如 2026-11-22（默认：今天）。")
]
UseOption = Annotated[str | None, typer.Option(help="拟建用途：2023 年版用地用海代码。")]
WidthOption = Annotated[float | None, typer.Option("--width", help="线状项目的宽度（米）。")]


def open_plan(path: Path | None) -> Plan:
    """Return the plan of the option ``--plan``, with a progress bar on stderr."""
    from gis.plan import load_plan

    with progress() as bar:
        bar.add_task("载入规划数据包", total=None)
        return load_plan(path)


def own_plan(path: Path | None, advice: str) -> Plan:
    """Return the plan to write into: one that somebody named, never the packaged data by default.

    Raises
    ------
    ClaimError
        No plan is named; ``advice`` says why the packaged data is not written to.
    """
    if path is None and not os.environ.get("WUQU_PLAN"):
        raise ClaimError(
            "没有指明写入哪个规划数据包",
            expected="--plan 文件夹，或环境变量 WUQU_PLAN",
            advice=advice,
        )
    return open_plan(path)


def sites_of(
    file: Path,
    plan: Plan,
    *,
    which: str | None,
    crs: str | None,
    encoding: str | None,
    width: float | None,
    repair: bool,
    ask: bool = False,
) -> tuple[Site, ...]:
    """Return the sites of a file, read as the options say that all reading commands have.

    Raises
    ------
    SeveralSitesError
        With ``ask``: several sites, and ``--which`` picks none and does not say ``all``.
    InputError
        No such file, an option that means nothing, or a site that cannot be judged.
    """
    from gis.intake import read_sites

    sites = read_sites(
        existing(file),
        plan,
        crs=crs,
        which=number_of(which),
        repair=repair,
        width_m=width,
        encoding=encoding,
    )
    if ask and which is None and len(sites) > 1:
        raise SeveralSitesError([site.name for site in sites])
    return sites


def existing(file: Path) -> Path:
    """Return the file; raise ClaimError when there is none, or something that is no file."""
    if file.is_file():
        return file
    if file.is_dir():
        raise ClaimError(f"“{file}”是文件夹", expected="一个文件", advice="给出文件夹中的文件")
    if file.exists():  # a device or a pipe, which may never end
        raise ClaimError(f"“{file}”不是普通文件", expected="一个文件", advice="核对路径")
    raise ClaimError(f"文件不存在：{file}", advice="核对路径")


def one_number(which: str | None, one: str, advice: str) -> str | None:
    """Return ``--which`` of a command that takes one site; raise ClaimError for ``all``."""
    if which == "all":
        raise ClaimError("--which 为“all”", expected=one, advice=advice)
    return which


def day_given(text: str | None, what: str) -> date | None:
    """Return the day of an option, None when not given; raise ClaimError for anything else."""
    from gis.model.attributes import day_of

    try:
        return day_of(text) if text else None
    except ValueError:
        raise ClaimError(f"{what}“{text}”无法识别", expected="形如 2026-11-22 的日期") from None


def number_of(which: str | None) -> int | None:
    """Return the number of ``--which``, None for all; raise ClaimError for anything else."""
    if which in (None, "all"):
        return None
    if not (which.isascii() and which.isdigit()):
        raise ClaimError(f"--which 为“{which}”", expected="从 1 开始的序号，或 all")
    return int(which)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one clear message."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise ClaimError(f"无法写入“{path}”（{reason}）", advice="换一个可写的位置") from None


def as_json(value: Any) -> str:
    """Return the one JSON document of a command."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def stdout() -> Console:
    """Return where results go."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def stderr() -> Console:
    """Return where messages go."""
    from rich.console import Console

    return Console(stderr=True)


def progress() -> Progress:
    """Return a progress bar on stderr; silent where nobody looks."""
    from rich.progress import Progress

    return Progress(console=stderr(), transient=True, disable=not sys.stderr.isatty())
