"""Reports on paper: one check, or a set of sites, as PDF or DOCX.

Shows what was checked; never measures, never judges, never touches the network. Needs the extra
``report`` (typst, python-docx) and no font of the system.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.errors import ClaimError
from gis.output.report.extra import require

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from gis.output.report.blocks import Report
    from gis.plan.area import Plan

__all__ = ["KINDS", "kind_of", "report_bytes", "require", "site_report", "sites_report"]
KINDS = ("pdf", "docx")


def site_report(
    document: Mapping[str, Any],
    plan: Plan,
    path: Path | str,
    *,
    ceiling: str = "public",
    geometry: BaseGeometry | None = None,
) -> Path:
    """Write the report of one check as PDF or DOCX, by the suffix of the path; return the path.

    Parameters
    ----------
    document
        The JSON document of the check (``gis.to_dict``), fresh or from a record.
    plan
        The plan that the maps are drawn from.
    path
        A file that ends in ``.pdf`` or ``.docx``; an existing one is replaced.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.
    geometry
        The site in the work CRS (``Site.geometry``), m; without it the boundary points are those of
        the document, which are exact to 0.1 mm.

    Raises
    ------
    ClaimError
        The path ends in something else.
    ExtraError
        The extra ``report`` is not installed.
    """
    from gis.output.report.content import site_content

    kind = kind_of(path)
    return _written(site_content(document, plan, ceiling=ceiling, geometry=geometry), kind, path)


def sites_report(
    frame: Any,
    plan: Plan,
    path: Path | str,
    *,
    name: str = "",
    as_of: date | None = None,
    ceiling: str = "public",
) -> Path:
    """Write the summary of many sites as PDF or DOCX, by the suffix of the path; return the path.

    Parameters
    ----------
    frame
        The result of ``gis.check_sites``: one row per site, outlines in the work CRS of the plan.
    plan
        The plan that they were checked against.
    path
        A file that ends in ``.pdf`` or ``.docx``; an existing one is replaced.
    name
        What the set is called; default the file names in the table.
    as_of
        The day of the law, printed when given.
    ceiling
        Highest secrecy whose coordinates may leave: public, internal or restricted.

    Raises
    ------
    ClaimError
        The path ends in something else, or the table is not one of ``check_sites``.
    ExtraError
        The extra ``report`` is not installed.
    """
    from gis.output.report.summary import summary_content

    kind = kind_of(path)
    report = summary_content(frame, plan, name=name, as_of=as_of, ceiling=ceiling)
    return _written(report, kind, path)


def kind_of(path: Path | str) -> str:
    """Return ``pdf`` or ``docx`` of a file name, for which the libraries are there.

    Raises
    ------
    ClaimError
        The name ends in something else.
    ExtraError
        The extra ``report`` is not installed.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix in KINDS:
        require(suffix)
        return suffix
    raise ClaimError(
        f"报告文件“{Path(path).name}”的后缀不是 .pdf 或 .docx",
        expected="以 .pdf 或 .docx 结尾的文件名",
    )


def report_bytes(report: Report, kind: str) -> bytes:
    """Return a report as the bytes of a PDF or DOCX."""
    if kind == "pdf":
        from gis.output.report.pdf import pdf_bytes

        return pdf_bytes(report)
    from gis.output.report.docx import docx_bytes

    return docx_bytes(report)


def _written(report: Report, kind: str, path: Path | str) -> Path:
    target = Path(path)
    content = report_bytes(report, kind)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target
