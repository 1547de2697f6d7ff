"""What does the interface description of ``/ogc`` say?

Written here and not by pygeoapi, whose description refers to schemas on hosts in the internet and
promises routes that this service does not have. It is read by programs: GDAL and QGIS take the page
size from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from api.errors import PROBLEM_TYPE
from api.ogc.columns import CONDITIONS
from api.ogc.references import CRS84
from api.ogc.sources import DEFAULT_LIMIT, Source

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
CONFORMANCE = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/job-list",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/dismiss",
)
_PROBLEM = {"$ref": "#/components/responses/problem"}


def _query(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "string", **schema},
    }


_PARAMETERS = {
    parameter["name"]: parameter
    for parameter in (
        _query("f", "格式；只有 json", enum=["json"]),
        _query("crs", "要素坐标的坐标系；轴序按坐标系的定义", format="uri", default=CRS84),
        _query("offset", "从第几个要素开始", type="integer", minimum=0, default=0),
        _query("bbox", "西,南,东,北；只给与之相交的要素"),
        _query("bbox-crs", "bbox 的坐标系", format="uri", default=CRS84),
        _query("datetime", "日期、时刻或起止；要素没有日期的集合不受影响"),
        _query("sortby", "排序字段，前加 - 为降序，逗号分隔"),
        _query("properties", "只给这些字段，逗号分隔"),
        _query("skipGeometry", "true：不给图形", type="boolean"),
        _query("resulttype", "hits：只给个数", enum=["results", "hits"]),
        _query("filter", f"ECQL 文本（关键字大写）：{CONDITIONS}"),
        # The language of ``filter`` is not told: GDAL would then send conditions that the parser of
        # pygeoapi does not understand, such as NOT before brackets, instead of looking for itself.
    )
}
_JOB_FILTERS = (
    _query("type", "种类；只有 process", enum=["process"]),
    _query("processID", "处理过程，逗号分隔", enum=["site-check"]),
    _query("status", "状态，逗号分隔：accepted、running、successful、failed、dismissed"),
    _query("minDuration", "执行时间长于几秒", type="number", minimum=0),
    _query("maxDuration", "执行时间短于几秒", type="number", minimum=0),
)
_STATUS_INFO = {"$ref": "#/components/schemas/statusInfo"}
_F = {"$ref": "#/components/parameters/f"}
_CRS = {"$ref": "#/components/parameters/crs"}
_SHARED = tuple(name for name in _PARAMETERS if name != "f")


def document(base: str, title: str, sources: Mapping[str, Source], *, deep: bool) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    base
        The address of ``/ogc`` as the client knows it.
    deep
        Whether the caller may check sites.
    """
    paths: dict[str, Any] = {
        "/": _get("服务首页"),
        "/conformance": _get("符合的标准"),
        "/collections": _get("图层集合"),
        "/processes": _get("处理过程"),
    }
    for name, source in sources.items():
        paths |= _collection_paths(name, source)
    if deep:
        paths |= _process_paths()
    return {
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "version": "1.0.0",
            "description": "OGC API：图层、检测记录和选址检测。",
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": _COMPONENTS,
    }


def _get(
    summary: str,
    *parameters: dict[str, Any],
    media: str = "application/json",
    tag: str = "服务",
    schema: Mapping[str, Any] = MappingProxyType({"type": "object"}),
) -> dict[str, Any]:
    return {
        "get": {
            "summary": summary,
            "tags": [tag],
            "parameters": [_F, *parameters],
            "responses": {
                "200": {"description": summary, "content": {media: {"schema": dict(schema)}}},
                "default": _PROBLEM,
            },
        }
    }


def _collection_paths(name: str, source: Source) -> dict[str, Any]:
    path, title = f"/collections/{name}", source.title
    item_id = {"name": "itemId", "in": "path", "required": True, "schema": {"type": "string"}}
    geojson = "application/geo+json"
    return {
        path: _get(title, tag=title),
        f"{path}/schema": _get(f"{title}的字段", tag=title),
        f"{path}/queryables": _get(f"{title}的可查询字段", tag=title),
        f"{path}/items": _get(f"{title}的要素", *_items(source), media=geojson, tag=title),
        f"{path}/items/{{itemId}}": _get(
            f"{title}的一个要素", item_id, _CRS, media=geojson, tag=title
        ),
    }


def _items(source: Source) -> list[dict[str, Any]]:
    numbers = {"type": "integer", "minimum": 1, "maximum": source.most, "default": DEFAULT_LIMIT}
    own = [
        _query(name, f"{field.title}等于", type=field.type)
        for name, field in source.fields.items()
        if field.is_queryable
    ]
    shared = [{"$ref": f"#/components/parameters/{name}"} for name in _SHARED]
    return [_query("limit", "每页要素个数", **numbers), *shared, *own]


def _process_paths() -> dict[str, Any]:
    path, tag = "/processes/site-check", "选址合规性检测"
    execution = {
        "summary": "检测一个地块",
        "tags": [tag],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/execute"}}},
        },
        "responses": {
            "200": {
                "description": "检测结果，与 POST /v1/site-checks 相同",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "201": {
                "description": "请求头 Prefer: respond-async：任务已接收，地址在 Location",
                "headers": {"Location": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": _STATUS_INFO}},
            },
            "default": _PROBLEM,
        },
    }
    return {
        path: _get("选址合规性检测", tag=tag),
        f"{path}/execution": {"post": execution},
        **_job_paths(),
    }


def _job_paths() -> dict[str, Any]:
    tag = "任务"
    job_id = {"name": "jobId", "in": "path", "required": True, "schema": {"type": "string"}}
    limit = _query("limit", "最多列出几个", type="integer", minimum=1, maximum=1000, default=100)
    shared = [{"$ref": f"#/components/parameters/{name}"} for name in ("offset", "datetime")]
    job = _get("一个任务的状态", job_id, tag=tag, schema=_STATUS_INFO)
    dismissed = _get(
        "取消任务；已结束的，删除其结果，检测记录保留", job_id, tag=tag, schema=_STATUS_INFO
    )
    return {
        "/jobs": _get("任务", limit, *shared, *_JOB_FILTERS, tag=tag),
        "/jobs/{jobId}": {**job, "delete": dismissed["get"]},
        "/jobs/{jobId}/results": _get("任务的结果，与同步执行的答复相同", job_id, tag=tag),
    }


_COMPONENTS: dict[str, Any] = {
    "parameters": _PARAMETERS,
    "responses": {
        "problem": {
            "description": "出错：原因和处理办法",
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/problem"}}},
        }
    },
    "schemas": {
        "problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "code", "errors"],
            "properties": {
                **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
                "status": {"type": "integer"},
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
        "statusInfo": {
            "type": "object",
            "required": ["jobID", "type", "status"],
            "properties": {
                **{
                    name: {"type": "string"}
                    for name in ("jobID", "processID", "message", "created", "started")
                },
                "type": {"type": "string", "enum": ["process"]},
                "status": {
                    "type": "string",
                    "enum": ["accepted", "running", "successful", "failed", "dismissed"],
                },
                "finished": {"type": "string"},
                "updated": {"type": "string"},
                "progress": {"type": "integer", "minimum": 0, "maximum": 100},
                "links": {"type": "array", "items": {"type": "object"}},
            },
        },
        "execute": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "inputs": {
                    "type": "object",
                    "required": ["site"],
                    "properties": {"site": {"type": "object", "description": "GeoJSON"}},
                },
                "outputs": {"type": "object"},
                "response": {"type": "string", "enum": ["raw", "document"]},
            },
        },
    },
    "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
}
