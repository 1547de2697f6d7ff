"""``wuqu plan publish``, ``releases`` and ``rollback``: a plan comes into force, or goes back.

Libraries are imported inside the commands.
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.commands.common import FormatOption, Output, as_json, progress, stdout
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan.releases.publishing import Published

ToOption = Annotated[
    Path | None, typer.Option("--to", help="发布文件夹（默认：WUQU_PLAN，如其为发布文件夹）。")
]
ByOption = Annotated[str | None, typer.Option("--by", help="经办人（默认：系统用户名）。")]
NoteOption = Annotated[str, typer.Option("--note", help="说明，记入发布历史。")]


def plan_publish(
    package: Annotated[Path, typer.Argument(help="规划数据包文件夹。")],
    to: ToOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    unapproved: Annotated[
        bool, typer.Option("--unapproved", help="允许发布状态不是“法定”的规划。")
    ] = False,
    output: FormatOption = Output.text,
) -> None:
    """检查规划数据包，存为不可更改的版本，并使其生效。正在运行的服务随即改用新版本。"""
    from gis.check import legal_day
    from gis.plan.releases.publishing import publish

    folder = _folder(to, new=True)
    with progress() as bar:
        task = bar.add_task("发布", total=None)
        done = publish(
            package,
            folder,
            by=_who(by),
            today=legal_day(),
            note=note,
            unapproved=unapproved,
            told=lambda step: bar.update(task, description=step),
        )
    _show(done, output)


def plan_releases(to: ToOption = None, output: FormatOption = Output.text) -> None:
    """列出发布过的版本和发布历史，标明现行版本。"""
    from gis.console.releases import print_history
    from gis.plan.releases.folder import history

    found = history(_folder(to))
    if output is Output.json:
        current = found[-1].release if found else None
        rows = [activation.to_dict() for activation in found]
        return typer.echo(as_json({"in_force": current, "history": rows}))
    print_history(stdout(), found)
    return None


def plan_rollback(
    release: Annotated[str, typer.Argument(help="发布过的版本：版本名称或 version。")],
    to: ToOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    output: FormatOption = Output.text,
) -> None:
    """使以前发布过的一个版本重新生效；先核对它仍与发布时逐字节相同。"""
    from gis.plan.releases.publishing import rollback

    folder = _folder(to)
    with progress() as bar:
        bar.add_task("核对版本", total=None)
        done = rollback(folder, release, by=_who(by), note=note)
    _show(done, output)


def add_releases(app: typer.Typer) -> typer.Typer:
    """Add the commands to the group ``wuqu plan``; return it."""
    app.command("publish")(plan_publish)
    app.command("releases")(plan_releases)
    app.command("rollback")(plan_rollback)
    return app


def _show(done: Published, output: Output) -> None:
    from gis.console.releases import print_published

    if output is Output.json:
        return typer.echo(as_json(done.to_dict()))
    print_published(stdout(), done)
    return None


def _folder(to: Path | None, *, new: bool = False) -> Path:
    from gis.plan.releases.folder import is_releases

    given = to or (Path(os.environ["WUQU_PLAN"]) if os.environ.get("WUQU_PLAN") else None)
    if given is None or (to is None and not is_releases(given)):
        raise ClaimError("没有说明发布文件夹", expected="--to 文件夹", advice="加上 --to")
    if not new and not is_releases(given):
        raise ClaimError(
            f"“{given}”不是发布文件夹",
            expected="用 wuqu plan publish 建立的文件夹",
            advice="核对 --to",
        )
    return given


def _who(by: str | None) -> str:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return ""
