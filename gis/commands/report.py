"""``--report``: the checks of a command as PDF or DOCX, one file for each site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import stderr, writing

if TYPE_CHECKING:
    from gis.model import Site
    from gis.plan import Plan

_CLEAR = frozenset({"pass", "not_applicable"})
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", help="另存报告：.pdf 或 .docx；多个地块时各成一份，加序号。"),
]
SummaryOption = Annotated[
    Path | None, typer.Option("--report", help="另存汇总报告：.pdf 或 .docx 文件。")
]


def writable(path: Path | None) -> None:
    """Raise before anything is checked when a report cannot be written in this form."""
    if path is not None:
        from gis.output.report import kind_of

        kind_of(path)


def write_reports(
    path: Path,
    documents: Sequence[Mapping[str, Any]],
    sites: Sequence[Site],
    plan: Plan,
    ceiling: str = "public",
) -> None:
    """Write one report for each check; several get a number behind the name."""
    from gis.output.report import site_report

    for number, (document, site) in enumerate(zip(documents, sites, strict=True), start=1):
        target = path.with_stem(f"{path.stem}-{number}") if len(documents) > 1 else path
        with writing(target):
            site_report(document, plan, target, ceiling=ceiling, geometry=site.geometry)
        stderr().print(f"已写出：{target}")


def write_summary(path: Path, table: Path, plan: Plan, as_of: date) -> None:
    """Write the summary of a batch from its finished table."""
    from gis.batch.tables import read_back
    from gis.output.report import sites_report

    with writing(path):
        sites_report(read_back(table), plan, path, as_of=as_of)
    stderr().print(f"已写出：{path}")


def demo_report(
    path: Path, documents: Sequence[Mapping[str, Any]], sites: Sequence[Site], plan: Plan
) -> None:
    """Write the report of the site that has most to report; say so when the extra is missing."""
    from gis.errors import ExtraError

    def open_items(pair: tuple[Mapping[str, Any], Site]) -> int:
        return sum(f["verdict"] not in _CLEAR for f in pair[0]["findings"])

    document, site = max(zip(documents, sites, strict=True), key=open_items)
    try:
        write_reports(path, [document], [site], plan)
    except ExtraError as error:
        stderr().print(f"未写出 {path.name}：{error.detail}")
