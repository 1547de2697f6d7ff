"""How does an error reach the client? As ``application/problem+json`` (RFC 9457), in Chinese.

One table says which status a class of errors has. Bad input never ends in a 5xx, and no answer
carries a stack trace, a path of this machine or the text of a library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.access.errors import (
    AccessError,
    AccessFileError,
    EndedKeyError,
    NoKeyError,
    OverloadError,
    TooManyError,
    WrongKeyError,
)
from api.access.visit import visit_of
from api.headers import REQUEST_ID, security_headers
from gis.errors import (
    BusyError,
    ExtraError,
    GoneError,
    InputError,
    LimitError,
    NotFinishedError,
    NotFoundError,
    PlanError,
    QueueFullError,
    StoreError,
    StoreFullError,
    WuquError,
    as_problem,
)

PROBLEM_TYPE = "application/problem+json"
# OGC API Processes names some errors by address.
OGC_PROBLEM = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
# Outcomes of a row of a job that are no fault of its input.
_OUR_FAULT = {"defect": 500, "worker_lost": 503, "job": 503}


class MediaTypeError(InputError):
    """The body has a content type that the service does not read."""

    code = "media_type"
    title = "不支持的内容类型"


class BodyLimitError(InputError):
    """The body is larger than the service takes, counted while it arrives."""

    code = "body_limit"
    title = "上传内容过大"


class BodyTimeoutError(InputError):
    """The body did not arrive in time."""

    code = "body_timeout"
    title = "上传超时"


class BodyError(InputError):
    """The body is broken before anybody looks at its content: a multipart form without an end."""

    code = "body"
    title = "请求内容有误"


class EffortError(LimitError):
    """The sites of one request take longer to check than one request may take."""

    code = "effort"
    title = "一次请求的检测量过大"


class QueryError(InputError):
    """A parameter of OGC API that cannot be used; its standards ask for 400."""

    code = "query"
    title = "参数有误"


class NoSuchJobError(NotFoundError):
    """A job of OGC API Processes that is not there, or not to be seen."""

    problem_type = f"{OGC_PROBLEM}no-such-job"


class ResultNotReadyError(NotFoundError):
    """The result of a job that goes on; its standard asks for 404."""

    code = "not_finished"
    title = "任务尚未结束"
    problem_type = f"{OGC_PROBLEM}result-not-ready"


class DismissedError(GoneError):
    """The result of a job that was dismissed."""

    code = "dismissed"
    title = "任务已取消"


class NotReadyError(WuquError):
    """A part of the service that an answer needs does not work."""

    code = "not_ready"
    title = "服务尚未就绪"


STATUS: Mapping[type[Exception], int] = {
    NotReadyError: 503,
    MediaTypeError: 415,
    BodyLimitError: 413,
    BodyTimeoutError: 408,
    BodyError: 400,
    QueryError: 400,
    LimitError: 413,
    InputError: 422,
    NotFoundError: 404,
    PlanError: 503,
    BusyError: 503,
    QueueFullError: 429,
    NotFinishedError: 409,
    GoneError: 410,
    ExtraError: 503,
    StoreFullError: 507,
    StoreError: 503,
    AccessError: 403,
    NoKeyError: 401,
    WrongKeyError: 401,
    EndedKeyError: 401,
    TooManyError: 429,
    OverloadError: 503,
    AccessFileError: 503,
}

_HTTP: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "请求有误", "请求的格式不正确；处理办法：按 /docs 中的说明重新提交。"),
    404: ("not_found", "未找到", "没有这个地址；处理办法：可用的地址见 /docs。"),
    405: ("method", "请求方法不允许", "这个地址不接受该请求方法；处理办法：用法见 /docs。"),
    413: ("body_limit", "上传内容过大", "上传内容超过上限；处理办法：拆分后分别提交。"),
    415: ("media_type", "不支持的内容类型", "不支持这种内容类型；处理办法：用法见 /docs。"),
    422: ("input", "输入无法判定", "参数不正确；处理办法：用法见 /docs。"),
    500: ("defect", "服务内部错误", "服务出现内部错误，本次没有给出结论；处理办法：请联系管理员。"),
    503: ("unavailable", "服务暂不可用", "服务暂时无法保存或读取数据；处理办法：稍后重试。"),
}

# Of errors that have no words of their own until they happen.
_EXAMPLES: Mapping[int, tuple[str, str, str]] = {
    403: ("role", "权限不足", "这是其他人的任务；处理办法：请提交人或管理员取消。"),
    408: ("body_timeout", "上传超时", "上传内容在 60 秒内没有到齐；处理办法：检查网络后重新提交。"),
    409: ("not_finished", "任务尚未结束", "任务尚未结束；处理办法：结束后再取结果。"),
    410: ("gone", "结果已过保留期", "结果已过保留期，文件已删除；处理办法：重新提交。"),
    429: (
        "queue_full",
        "未完成的任务过多",
        "未完成的批量检测任务已有 20 个；处理办法：稍后再提交。",
    ),
    507: ("store_full", "检测记录库空间已满", "磁盘空间已满，未保存；处理办法：由管理员清理磁盘。"),
}

_VALIDATION: Mapping[str, str] = {
    "missing": "缺少这个参数",
    "int_parsing": "应为整数",
    "float_parsing": "应为数字",
    "bool_parsing": "应为 true 或 false",
    "date_from_datetime_parsing": "应为日期，如 2026-11-22",
    "date_parsing": "应为日期，如 2026-11-22",
    "float_type": "应为数字",
    "finite_number": "应为有限的数字",
    "dict_type": "应为名称和值的对应表",
    "too_long": "过多，最多 {max_length} 项",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "extra_forbidden": "不认识",
    "json_invalid": "不是有效的 JSON",
    "string_type": "应为文字",
    "string_too_short": "不能为空",
    "literal_error": "应为 {expected} 之一",
    "enum": "应为 {expected} 之一",
    "string_too_long": "过长，最多 {max_length} 个字符",
}


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error: that of its nearest class in ``STATUS``, else 500."""
    for cls in type(error).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def status_of_code(code: str) -> int:
    """Return the HTTP status of an error that was kept by its code; 422 for an unknown one."""
    if code in _OUR_FAULT:
        return _OUR_FAULT[code]
    waiting: list[type[WuquError]] = [WuquError]
    while waiting:
        cls = waiting.pop()
        # By the class itself: those below have a code of their own, or mean the same.
        if cls.__dict__.get("code") == code:
            return next((STATUS[c] for c in cls.__mro__ if c in STATUS), 422)
        waiting += cls.__subclasses__()
    return 422


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Sequence[Mapping[str, object]] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """Return one problem document; ``more`` is what only some problems have."""
    body = {
        "type": f"urn:wuqu:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors),
        **(more or {}),
    }
    # A quoted name may hold half a surrogate pair, which UTF-8 cannot say.
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, status, headers, PROBLEM_TYPE)


def example_problem(status: int, meaning: str) -> dict[str, Any]:
    """Return what the description of the interface shows of a problem."""
    code, title, detail = _HTTP.get(status) or _EXAMPLES.get(status) or ("error", meaning, meaning)
    return {
        "type": f"urn:wuqu:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [],
    }


def problem_of(error: WuquError) -> Response:
    """Return the problem document of a domain error."""
    row: dict[str, Any] = dict(as_problem(error))
    more = {key: row[key] for key in ("outline",) if key in row}
    if named := getattr(error, "problem_type", ""):
        more["type"] = named
    headers = _headers_of(error)
    return problem(
        status_of(error), row["code"], row["title"], row["detail"], row["errors"], headers, more
    )


def not_found() -> Response:
    """Return the problem document of an address that does not exist."""
    return problem(404, *_HTTP[404])


def _headers_of(error: WuquError) -> Mapping[str, str]:
    if isinstance(error, AccessError):
        return error.headers
    wait_s = getattr(error, "retry_after_s", None)
    return {"Retry-After": str(wait_s)} if wait_s else {}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app as a problem document."""
    app.add_exception_handler(WuquError, _on_domain_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(Exception, _on_defect)


async def _on_domain_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, WuquError):
        raise error
    return problem_of(error)


async def _on_http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, title, detail = _HTTP.get(status, _HTTP[400 if status < 500 else 500])
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem(status, code, title, detail, headers=headers)


async def _on_validation_error(_: Request, error: Exception) -> Response:
    rows = error.errors() if isinstance(error, RequestValidationError) else []
    faults = [{"where": _place(row["loc"]), "message": _message(row)} for row in rows]
    code, title, _detail = _HTTP[422]
    named = "；".join(f"{f['where']} {f['message']}" for f in faults)
    return problem(422, code, title, f"{named}。", faults)


async def _on_defect(request: Request, __: Exception) -> Response:
    # This handler runs outside every middleware, so it adds the headers itself.
    visit = visit_of(request)
    headers = {
        **security_headers("/", is_secure=visit.is_secure),
        "Cache-Control": "no-store",
        REQUEST_ID: visit.request_id,
    }
    return problem(500, *_HTTP[500], headers=headers)


def _place(loc: Sequence[int | str]) -> str:
    kind, *rest = [str(part) for part in loc]
    names = {"query": "参数", "path": "地址中的", "body": "内容", "header": "请求头"}
    return f"{names.get(kind, kind)} {'.'.join(rest)}".strip()


def _message(row: Mapping[str, Any]) -> str:
    template = _VALIDATION.get(row["type"], "的值不正确")
    return template.format(**row.get("ctx", {}))
