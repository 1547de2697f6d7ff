"""What does the interface description say about access? The ways in, and the refusals.

Written from the table of routes, so that it never promises what the gate does not do.
"""

from __future__ import annotations

from typing import Any

from api.access.roles import ROUTES
from api.errors import PROBLEM_TYPE

_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "API 密钥 `Bearer wuqu_…`，由管理员用 `wuqu keys add` 制作。",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "同一密钥的另一写法；密钥不得写入网址。",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "wuqu_session",
        "description": "浏览器在 /sign-in 登录后得到；经 https 时名为 `__Host-wuqu_session`。",
    },
}
# Without any: on the machine of the service, while no key was ever made.
_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}, {"session": []}, {}]

_REFUSALS = {
    "401": (
        "没有密钥，或密钥不正确、已失效",
        "key_needed",
        "需要密钥",
        "请求没有附上密钥；应为：请求头 Authorization: Bearer 密钥，或在浏览器中登录；"
        "处理办法：向管理员申请密钥。",
    ),
    "403": (
        "角色不允许",
        "role",
        "权限不足",
        "“大厅屏”的角色为查看（viewer）；应为：经办（clerk）或更高的角色；"
        "处理办法：由管理员发放相应角色的密钥。",
    ),
    "429": (
        "请求过于频繁；何时重试见 Retry-After",
        "too_many",
        "请求过于频繁",
        "每分钟请求超过 3000 次；处理办法：2 秒后重试，或减少同时提交的请求。",
    ),
    "503": (
        "服务暂不可用，或同时处理的请求过多",
        "overload",
        "服务繁忙",
        "同时处理的请求已达 128 个；处理办法：2 秒后重试，或减少同时提交的请求。",
    ),
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_RETRY_AFTER = {"description": "几秒后重试", "schema": {"type": "integer", "example": 2}}


def with_access(document: dict[str, Any]) -> dict[str, Any]:
    """Add the ways in, the least roles and the refusals to an interface description."""
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            least = ROUTES.get((method.upper(), path))
            if least is None:
                operation["security"] = []
                continue
            operation["security"] = _SECURITY
            role = f"最低角色：{least.label}（`{least}`）。"
            operation["description"] = f"{operation.get('description', '')}\n\n{role}".strip()
            for status in _REFUSALS:
                _add_refusal(operation["responses"], status)
    return document


def _add_refusal(responses: dict[str, Any], status: str) -> None:
    """Add a refusal; to one that a route tells in its own words only what it leaves out."""
    usual = _refusal(status)
    own = responses.setdefault(status, usual)
    for kind, content in usual["content"].items():
        if kind in own.get("content", {}):
            own["content"][kind].setdefault("example", content["example"])
    if "headers" in usual:
        own.setdefault("headers", {}).update(usual["headers"])


def _refusal(status: str) -> dict[str, Any]:
    meaning, code, title, detail = _REFUSALS[status]
    example = {
        "type": f"urn:wuqu:problem:{code}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "errors": [],
    }
    answer: dict[str, Any] = {
        "description": meaning,
        "content": {PROBLEM_TYPE: {"schema": _PROBLEM, "example": example}},
    }
    if status in ("429", "503"):
        answer["headers"] = {"Retry-After": _RETRY_AFTER}
    return answer
