"""Which files does a check leave behind? The options of ``wuqu check`` that name a file.

The names are judged before anything is read, so that nobody waits for a check that cannot be
written. Libraries are imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.commands.common import Ceiling, as_json, stderr, writing
from gis.commands.report import writable, write_reports
from gis.errors import ClaimError

if TYPE_CHECKING:
    from gis.model import Site
    from gis.plan import Plan

Documents = Sequence[Mapping[str, Any]]

OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="另存结果：.gpkg（QGIS 直接显示颜色）、.geojson、.csv 或 .xlsx。"),
]
RemediesOption = Annotated[
    Path | None, typer.Option("--remedies", help="另存裁减、平移方案的界址点 TXT。")
]
CardOption = Annotated[
    Path | None,
    typer.Option("--card", help="另存结论卡片：.png（手机），或者 .pdf（一页 A4 简报）。"),
]
MapFileOption = Annotated[
    Path | None, typer.Option("--map", help="另存地图 HTML；多个地块时为全部地块一张图。")
]
RecipientOption = Annotated[
    str, typer.Option("--recipient", help="地图和卡片的使用人，印成水印。", envvar="WUQU_RECIPIENT")
]


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that a call asks for."""

    out: Path | None = None
    remedies: Path | None = None
    card: Path | None = None
    report: Path | None = None
    map_file: Path | None = None
    recipient: str = ""
    ceiling: Ceiling = Ceiling.public

    def refuse_unknown(self) -> None:
        """Raise ClaimError for a file name whose ending says no format."""
        _known(self.out, tuple(_WRITERS), "--out")
        _known(self.remedies, (".txt",), "--remedies")
        _known(self.card, (".png", ".pdf"), "--card")
        writable(self.report)
        if self.card is not None:
            from gis.output.card import require_typst

            require_typst()

    def write(self, documents: Documents, sites: Sequence[Site], plan: Plan) -> None:
        """Write the files; raise ClaimError where the file system refuses."""
        if self.map_file is not None:
            write_map(self.map_file, documents, plan, self.recipient, self.ceiling)
        if self.out is not None:
            with writing(self.out):
                _WRITERS[self.out.suffix.lower()](documents, self.out, plan, self.ceiling.value)
            _tell(self.out)
        if self.remedies is not None:
            from gis.output.remedy_txt import write_remedies

            with writing(self.remedies):
                write_remedies(documents, self.remedies, plan, self.ceiling.value)
            _tell(self.remedies)
        if self.report is not None:
            write_reports(self.report, documents, sites, plan, self.ceiling.value)
        if self.card is not None:
            for number, document in enumerate(documents, start=1):
                self._write_card(document, plan, numbered(self.card, number, len(documents)))

    def _write_card(self, document: Mapping[str, Any], plan: Plan, path: Path) -> None:
        from gis.output.card import write_card

        with writing(path):
            write_card(document, path, plan, ceiling=self.ceiling.value, recipient=self.recipient)
        _tell(path)


def write_map(
    path: Path,
    documents: Documents,
    plan: Plan,
    recipient: str = "",
    ceiling: Ceiling = Ceiling.public,
) -> None:
    """Write the map of one check, or of several on the map of the plan."""
    from gis.output.maps import plan_map, site_map
    from gis.output.sharing import sharing_of_environment

    sharing = sharing_of_environment(recipient)
    if len(documents) == 1:
        page = site_map(documents[0], plan, ceiling=ceiling.value, sharing=sharing)
    else:
        page = plan_map(plan, documents, ceiling=ceiling.value, sharing=sharing)
    with writing(path):
        path.write_text(page, encoding="utf-8")


def numbered(path: Path, number: int, many: int) -> Path:
    """Return the name of one of several files.

    >>> numbered(Path("a.png"), 2, 3).name, numbered(Path("a.png"), 1, 1).name
    ('a_2.png', 'a.png')
    """
    return path if many == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")


def _tell(path: Path) -> None:
    stderr().print(f"已写出：{path}", markup=False, soft_wrap=True)


def _known(path: Path | None, suffixes: Sequence[str], option: str) -> None:
    if path is not None and path.suffix.lower() not in suffixes:
        raise ClaimError(
            f"{option} 不能写出“{path.name}”",
            expected=f"以 {'、'.join(suffixes)} 结尾的文件名",
            advice=f"改写 {option} 的文件名",
        )


def _geojson(documents: Documents, path: Path, plan: Plan, ceiling: str) -> None:
    from gis.output.export import to_geojson

    text = as_json(to_geojson(documents, plan, ceiling))
    path.write_text(text, encoding="utf-8", errors="replace")


def _gpkg(documents: Documents, path: Path, plan: Plan, ceiling: str) -> None:
    from gis.output.export import write_gpkg

    write_gpkg(documents, path, plan.work_epsg, plan, ceiling)


def _csv(documents: Documents, path: Path, *_: object) -> None:
    from gis.output.export import write_csv

    write_csv(documents, path)


def _xlsx(documents: Documents, path: Path, *_: object) -> None:
    from gis.output.workbook import write_xlsx

    write_xlsx(documents, path)


_WRITERS: Mapping[str, Callable[[Documents, Path, Plan, str], None]] = {
    ".gpkg": _gpkg,
    ".geojson": _geojson,
    ".csv": _csv,
    ".xlsx": _xlsx,
}
