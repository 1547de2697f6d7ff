"""How does a kept answer leave as a file? As GeoPackage, CSV, XLSX, boundary TXT or picture.

Made from the stored document, within the secrecy ceiling, in a thread: writing a file waits for
the disk. Stands before the router of the checks, whose last path would take any suffix.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access.visit import Visit
from api.answers import problems
from api.deps import KnownQuery, State, StateDep, VisitDep
from api.routers.checks import CheckId
from gis.output.card import card_png
from gis.output.export import write_csv, write_gpkg
from gis.output.remedy_txt import remedies_txt
from gis.output.workbook import xlsx_bytes

router = APIRouter(prefix="/v1/site-checks", tags=["选址检测"], dependencies=[KnownQuery])

Document = Mapping[str, Any]
_GPKG = "application/geopackage+sqlite3"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv"
_TXT = "text/plain"
_PNG = "image/png"


def _file(kind: str, meaning: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": meaning, "content": {kind: {}}}, **problems(404, 422, 503)}


@router.get(
    "/{check_id}.gpkg",
    response_class=Response,
    responses=_file(_GPKG, "GeoPackage，附 QGIS 样式"),
    summary="一次检测的 GeoPackage",
    description="地块、涉及范围、处理办法和地类，附样式：QGIS 打开即按结论和地类着色。",
)
async def get_site_check_gpkg(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return one record as a GeoPackage."""
    return await _answer(state, visit, check_id, "gpkg", _GPKG, _gpkg)


@router.get(
    "/{check_id}.xlsx",
    response_class=Response,
    responses=_file(_XLSX, "表格文件"),
    summary="一次检测的 XLSX 表格",
    description="地块、各项结论、涉及面积、用地指标和数据来源，各一张表。",
)
async def get_site_check_xlsx(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return one record as a workbook."""
    return await _answer(
        state, visit, check_id, "xlsx", _XLSX, lambda document, _: xlsx_bytes([document])
    )


@router.get(
    "/{check_id}.csv",
    response_class=Response,
    responses=_file(_CSV, "一行一个地块"),
    summary="一次检测的 CSV 表格",
    description="一行：名称、结论、面积、依据日期、规划和摘要；UTF-8，Excel 可直接打开。",
)
async def get_site_check_csv(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return one record as one line of a table."""
    return await _answer(state, visit, check_id, "csv", f"{_CSV}; charset=utf-8", _csv)


@router.get(
    "/{check_id}.txt",
    response_class=Response,
    responses=_file(_TXT, "界址点 TXT，GBK 编码"),
    summary="处理办法的界址点 TXT",
    description="裁减、平移方案的界址点 TXT（GBK）；没有带图形的方案时答复 404。",
)
async def get_site_check_txt(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the outlines of the remedies of one record."""
    return await _answer(state, visit, check_id, "txt", f"{_TXT}; charset=gbk", _txt)


@router.get(
    "/{check_id}.png",
    response_class=Response,
    responses=_file(_PNG, "结论卡片"),
    summary="一次检测的结论卡片",
    description="结论卡片（PNG，宽 1080 像素）：结论、决定规则、面积、三区三线、用地指标和小图。",
)
async def get_site_check_png(state: StateDep, visit: VisitDep, check_id: CheckId) -> Response:
    """Return the verdict card of one record."""
    return await _answer(state, visit, check_id, "png", _PNG, _png)


async def _answer(
    state: State,
    visit: Visit,
    check_id: str,
    suffix: str,
    media_type: str,
    made: Callable[[Document, State], bytes],
) -> Response:
    """Make the file of a record in a thread and send it as a download."""
    document = await state.document(check_id, visit)
    cited = await state.citing(document["plan"]["version"])
    content = await run_in_threadpool(made, document, cited)
    # The id of the stored record, never what a client wrote, names the file.
    name = f'attachment; filename="{document["id"]}.{suffix}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": name})


def _gpkg(document: Document, state: State) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wuqu-") as folder:
        path = Path(folder) / "check.gpkg"
        write_gpkg([document], path, state.plan.work_epsg, state.plan, state.settings.secrecy)
        return path.read_bytes()


def _csv(document: Document, state: State) -> bytes:
    del state
    with tempfile.TemporaryDirectory(prefix="wuqu-") as folder:
        return write_csv([document], Path(folder) / "check.csv").read_bytes()


def _txt(document: Document, state: State) -> bytes:
    return remedies_txt([document], state.plan, state.settings.secrecy)


def _png(document: Document, state: State) -> bytes:
    chosen = state.settings
    return card_png(document, state.plan, chosen.secrecy, recipient=chosen.recipient)
