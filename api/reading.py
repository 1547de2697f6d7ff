"""Which sites did the client send? One way in for checks and for areas of a balance.

A small text is read on the event loop, which is faster than waking a thread; everything else may
wait for a disk or for a child process and is read in a thread. What is done with the sites is not
known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.concurrency import run_in_threadpool

from api.deps import State
from api.options import Options
from api.upload import FILE_TYPES, TEXT_TYPES, Upload
from gis.errors import FormatError, SeveralSitesError
from gis.intake.read import read_sites
from gis.intake.wkt import START as WKT_START
from gis.model import Site

# How a site is read, as query parameters of every path that takes one.
UseQuery = Annotated[
    str | None, Query(description="用途：2023 年用地用海分类代码", examples=["080403"])
]
AttrQuery = Annotated[
    list[str] | None,
    Query(description="项目属性 属性名:值，可重复", examples=[["plot_ratio:1.0"]]),
]
WidthQuery = Annotated[str | None, Query(description="线状项目的宽度（米）")]
AsOfQuery = Annotated[
    str | None, Query(description="依据日期，默认今天（北京时间）", examples=["2026-11-22"])
]
RepairQuery = Annotated[str | None, Query(description="true：修复无效图形，并告知前后面积")]
CrsQuery = Annotated[
    str | None, Query(description="坐标系：EPSG 代码、GCJ-02 或 BD-09", examples=["EPSG:4527"])
]
EncodingQuery = Annotated[str | None, Query(description="文字编码，默认自动判定", examples=["gbk"])]

# Text of this size is read in a few milliseconds, 70 at the worst (a tangle of 300 points), unless
# it has to be repaired or widened.
_INLINE_BYTES = 8 * 1024


_TAKEN = (
    "GeoJSON（几何、Feature 或 FeatureCollection）、WKT 文本、表单文件 file，"
    "或直接以文件为请求内容。格式由内容判定，与内容类型和文件名无关；不超过 20 MB。"
)


def upload_body(fields: Mapping[str, Any], taken: str = _TAKEN) -> dict[str, Any]:
    """Return what OpenAPI says about a body with sites; ``fields`` are those of the form."""
    file = {
        "type": "string",
        "format": "binary",
        "description": "任何可读的文件；文件名只用于显示",
    }
    form = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    return {
        "requestBody": {
            "required": True,
            "description": taken,
            "content": {
                "application/geo+json": {"schema": {"type": "object"}},
                "application/json": {"schema": {"type": "object"}},
                **{kind: {"schema": {"type": "string"}} for kind in TEXT_TYPES},
                **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILE_TYPES},
                "multipart/form-data": {"schema": form},
            },
        }
    }


def by_name(items: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each parameter, in the order in which they were given."""
    found: dict[str, list[str]] = {}
    for key, value in items:
        found.setdefault(key, []).append(value)
    return found


async def sites_of(upload: Upload, options: Options, state: State) -> Sequence[Site]:
    """Return the sites of an upload, one unless the options ask for all.

    Raises
    ------
    SeveralSitesError
        Several sites, and the options pick none.
    InputError
        The content cannot be judged.
    """
    quick = not options.repair and options.width_m is None
    try:
        if quick and len(upload.content) <= _INLINE_BYTES and _is_text(upload.content):
            return _sites(upload, options, state)
        return await run_in_threadpool(_sites, upload, options, state)
    except RecursionError:
        raise FormatError(
            "内容嵌套层数过多", expected="有效的 GeoJSON", advice="核对文件后重新提交"
        ) from None


def _is_text(content: bytes) -> bool:
    """Whether these are GeoJSON or WKT, whatever they were sent as: no file for a child process."""
    return content.lstrip().startswith(b"{") or bool(WKT_START.match(content.decode("latin-1")))


def _sites(upload: Upload, options: Options, state: State) -> Sequence[Site]:
    read = partial(
        read_sites,
        upload.content,
        state.plan,
        name=upload.name,
        crs=options.crs,
        encoding=options.encoding or upload.charset,
        repair=options.repair,
        width_m=options.width_m,
    )
    if options.which == "all":
        return read()
    sites = read(which=options.which)
    if len(sites) > 1:
        raise SeveralSitesError([site.name for site in sites])
    return sites
