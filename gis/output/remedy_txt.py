"""How does a remedy go back to the bureau? Its outline as the boundary-point TXT that came in.

Works from the JSON documents of checks. Outlines that the secrecy ceiling holds back are not
written, and a document without any outline is refused: an empty TXT would look like an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.crs import prefixed_zone
from gis.errors import NotFoundError
from gis.intake.boundary.write import Plot, boundary_txt, encoded
from gis.output.export import placed, remedy_rows
from gis.output.secrecy import public_documents

if TYPE_CHECKING:
    from gis.plan.area import Plan

Document = Mapping[str, Any]


def remedies_txt(documents: Sequence[Document], plan: Plan, ceiling: str = "public") -> bytes:
    """Return the outlines of the remedies as one TXT in GBK, in the prefixed zone of the plan.

    Parameters
    ----------
    documents
        The JSON documents of checks.
    plan, ceiling
        Outlines that may show a layer of this plan above the ceiling are left out.

    Raises
    ------
    NotFoundError
        No remedy has an outline that may be shown.
    CrsError
        The work CRS of the plan is no CGCS2000 Gauss-Krüger zone.
    GeometryError
        An outline is no longer valid when its points are rounded to a millimetre.
    """
    epsg = prefixed_zone(plan.work_epsg, "改用 GeoPackage 或者 GeoJSON 导出")
    plots = list(_plots(public_documents(documents, plan, ceiling), epsg))
    if not plots:
        raise NotFoundError(
            "没有可以写出的裁减或者平移方案",
            expected="至少一个带图形的处理办法",
            advice="处理办法中的手续没有图形，见检测结果",
        )
    return encoded(boundary_txt(plots, epsg=epsg), "gbk")


def write_remedies(
    documents: Sequence[Document], path: Path | str, plan: Plan, ceiling: str = "public"
) -> Path:
    """Write ``remedies_txt`` to a file; return the path."""
    target = Path(path)
    content = remedies_txt(documents, plan, ceiling)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def _plots(documents: Sequence[Document], epsg: int) -> Iterator[Plot]:
    numbered = [row for document in documents for row in remedy_rows(document)]
    for number, (row, geometry) in enumerate(numbered, start=1):
        outline = placed(geometry, epsg)
        yield Plot(name=str(row["name"]), number=str(number), polygon=outline)
