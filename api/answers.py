"""How is an answer written? JSON and GeoJSON bytes, and the problems that OpenAPI declares."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from api.schemas import Problem
from gis.json_text import utf8

GEOJSON_TYPE = "application/geo+json"
Responses = dict[int | str, dict[str, Any]]

_MEANINGS = {
    400: "请求无法读取",
    404: "未找到",
    403: "角色不允许",
    408: "上传超时",
    409: "任务尚未结束",
    410: "结果已过保留期",
    413: "超出上限",
    415: "不支持的内容类型",
    429: "请求或任务过多；何时重试见 Retry-After",
    422: "输入无法判定",
    503: "服务暂不可用",
    507: "记录库空间已满",
}


def problems(*statuses: int) -> Responses:
    """Return the OpenAPI ``responses`` of a route for problem documents of these statuses."""
    return {s: {"model": Problem, "description": _MEANINGS[s]} for s in statuses}


def json_bytes(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    return utf8(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def json_answer(value: Any) -> Response:
    """Return a JSON answer."""
    return Response(json_bytes(value), media_type="application/json")


def geojson_answer(value: Any) -> Response:
    """Return a GeoJSON answer."""
    return Response(json_bytes(value), media_type=GEOJSON_TYPE)
