"""``wuqu plan compare OLD NEW --records DB``: two versions of a plan over all recorded sites.

Libraries are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gis.commands.common import Output, as_json, open_plan, progress, stderr, stdout, writing
from gis.commands.records import opened
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.plan import Plan


def compare_on_records(
    old: Path,
    new: Path | None,
    records: str,
    csv: Path | None,
    releases: Path | None,
    output: Output,
    idle: Mapping[str, object],
) -> None:
    """Compare two versions over the records, and print or write what differs.

    ``idle`` are the options of the other comparison, which mean nothing here.
    """
    from gis.console.versions import print_versions
    from gis.output.versions import compare_versions, steps_of, write_csv

    given = [name for name, value in idle.items() if value]
    if given or new is None:
        found = f"{'、'.join(given)} 与 --records 合用没有作用" if given else "没有写明新版本"
        raise ClaimError(
            found,
            expected="wuqu plan compare 原版本 新版本 --records 记录库",
            advice="版本写规划数据包文件夹，或发布文件夹（--plan）中的版本",
        )
    plans = [_version(text, releases) for text in (old, new)]
    with opened(records) as store, progress() as bar:
        task = bar.add_task("比较版本", total=steps_of(store))
        document = compare_versions(store, *plans, each=lambda: bar.advance(task))
    if csv:
        with writing(csv):
            write_csv(document, csv)
    if output is Output.json:
        typer.echo(as_json(document))
    else:
        print_versions(stdout(), document)
    if csv:
        stderr().print(f"已写出：{csv}", markup=False, soft_wrap=True)


def refuse_idle(new: Path | None, csv: Path | None) -> None:
    """Refuse what means something with ``--records`` only."""
    if new is not None or csv is not None:
        raise ClaimError(
            "给出了新版本或 --csv，但没有 --records",
            expected="一个地块文件；或者两个版本和 --records 记录库",
            advice="比较草案用 --draft；比较两个版本加上 --records",
        )


def _version(given: Path, releases: Path | None) -> Plan:
    """Return a version: a folder, or the name of a release in the folder of releases."""
    import os

    from gis.plan.releases.folder import find_release, is_releases

    folder = releases or Path(os.environ.get("WUQU_PLAN") or ".")
    if not given.exists() and is_releases(folder):
        return open_plan(folder / find_release(folder, str(given)).release)
    return open_plan(given)
