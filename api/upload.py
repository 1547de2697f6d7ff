"""What did the client send? The body as bytes with a name, and the options of the check.

Sizes and deadlines are enforced while the body arrives. What the bytes mean is decided by
``gis.intake``; nothing here looks into a geometry.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyError, BodyLimitError, BodyTimeoutError, MediaTypeError
from gis.claims import parse_pairs
from gis.errors import ClaimError, Fault, FormatError
from gis.intake.encoding import named_codec
from gis.intake.naming import declared_by
from gis.intake.read import MAX_WIDTH_M

JSON_TYPES = ("application/geo+json", "application/json", "application/vnd.geo+json")
TEXT_TYPES = ("text/plain",)
FORM_TYPE = "multipart/form-data"
OPTION_NAMES = ("use", "attr", "width_m", "as_of", "repair", "which", "crs", "encoding")
_MAX_FIELDS = 60
_MAX_OPTION_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes to judge. ``name`` is shown to people and never used as a path."""

    content: bytes
    name: str | None
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes as they arrived."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one request, parsed; None means not given."""

    use: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    width_m: float | None = None
    as_of: date | None = None
    repair: bool = False
    which: int | Literal["all"] | None = None
    crs: str | None = None
    encoding: str | None = None


# --- the body ------------------------------------------------------------------------------------


async def read_upload(request: Request, deadline_s: float) -> Upload:
    """Return the body of the request.

    Raises
    ------
    MediaTypeError, BodyTimeoutError, BodyLimitError, BodyError
        The body cannot be taken at all.
    FormatError
        The body is empty.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(deadline_s):
            upload = await _read(request, kind)
    except TimeoutError:
        raise BodyTimeoutError(
            f"上传内容在 {deadline_s:g} 秒内没有到齐", advice="检查网络后重新提交"
        ) from None
    except ClientDisconnect:
        # Nobody reads this answer; it only keeps a closed connection from looking like a defect.
        raise BodyError("连接在上传完成前断开", advice="重新提交") from None
    if not upload.content.strip():
        raise FormatError(
            "提交的内容为空", expected="GeoJSON、WKT 或文件", advice="选择文件或粘贴坐标后再提交"
        )
    return upload


async def _read(request: Request, kind: str) -> Upload:
    if kind == FORM_TYPE:
        return await _read_form(request)
    if kind in JSON_TYPES or kind in TEXT_TYPES:
        return Upload(await request.body(), None)
    raise MediaTypeError(
        f"内容类型为“{kind[:80] or '未声明'}”",
        expected=f"{'、'.join((*JSON_TYPES[:2], *TEXT_TYPES, FORM_TYPE))} 之一",
        advice="GeoJSON 用 application/geo+json，WKT 用 text/plain，文件用表单字段 file 上传",
    )


async def _read_form(request: Request) -> Upload:
    try:
        async with request.form(max_files=1, max_fields=_MAX_FIELDS) as form:
            return await _from_form(form)
    except (FormParserError, HTTPException):
        raise BodyError(
            "上传的表单不完整或无法读取",
            expected=f"一个文件字段 file，其余字段不超过 {_MAX_FIELDS} 个",
            advice="重新提交；每次只传一个文件",
        ) from None


async def _from_form(form: FormData) -> Upload:
    fields: dict[str, list[str]] = {}
    content, name = None, None
    for key, value in form.multi_items():
        if isinstance(value, UploadFile):
            if key != "file":
                raise BodyError(f"文件字段名为“{key[:40]}”", expected="file")
            content, name = await value.read(), value.filename
        elif key == "file":
            content = value.encode("utf-8", "replace")
        else:
            fields.setdefault(key, []).append(value)
    if content is None:
        raise BodyError("表单中没有文件", expected="文件字段 file", advice="选择文件后再提交")
    return Upload(content, name, fields)


class BodyLimit:
    """Refuse bodies over a number of bytes, counted as they arrive, announced or not.

    Parameters
    ----------
    limit_bytes
        The largest body that is read to its end.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                # Raised where the endpoint reads its body, so the ordinary handler answers it.
                self._refuse_over_limit(seen)
            return message

        await self._app(scope, counted, send)

    def _refuse_over_limit(self, seen: int) -> None:
        megabytes = f"{self._limit / 1024 / 1024:g} MB"
        if seen > self._limit:
            raise BodyLimitError(
                f"上传内容超过 {megabytes}",
                expected=f"不超过 {megabytes}",
                advice="拆分文件后分别提交，或去掉无关图层",
            )


# --- the options ---------------------------------------------------------------------------------


def read_options(
    query: Mapping[str, Sequence[str]], form: Mapping[str, Sequence[str]] | None = None
) -> Options:
    """Return the options; the query wins over a form field of the same name, key by key for attr.

    Raises
    ------
    ClaimError
        An option has an unknown name, is given twice, or has a value that cannot be read.
    """
    form = form or {}
    for source in (query, form):
        _refuse_unknown(source)
        _refuse_twice(source)
    given = {**_single(form), **_single(query)}
    attributes = {
        **parse_pairs(form.get("attr", ()), separator=":"),
        **parse_pairs(query.get("attr", ()), separator=":"),
    }
    return Options(
        use=given.get("use"),
        attributes=attributes,
        width_m=_width(given.get("width_m")),
        as_of=_day(given.get("as_of")),
        repair=_flag(given.get("repair")),
        which=_which(given.get("which")),
        crs=_crs(given.get("crs")),
        encoding=named_codec(given["encoding"]) if "encoding" in given else None,
    )


def _refuse_unknown(source: Mapping[str, Sequence[str]]) -> None:
    unknown = sorted(set(source) - set(OPTION_NAMES))
    if unknown:
        raise unknown_parameters(unknown, OPTION_NAMES)


def unknown_parameters(unknown: Sequence[str], allowed: Sequence[str]) -> ClaimError:
    """Return the error that names unknown parameters and the allowed ones."""
    shown = [name[:40] for name in unknown[:10]]
    return ClaimError(
        f"未知的参数：{'、'.join(shown)}",
        expected="、".join(allowed) or "没有参数",
        advice="改正参数名；项目属性写作 attr=属性名:值" if "attr" in allowed else "去掉该参数",
        faults=[Fault(f"参数 {name}", "未知的参数") for name in shown],
    )


def _refuse_twice(source: Mapping[str, Sequence[str]]) -> None:
    keys = [pair.partition(":")[0].strip() for pair in source.get("attr", ())]
    twice = [name for name, values in source.items() if name != "attr" and len(values) > 1]
    twice += sorted({f"attr={key}" for key in keys if keys.count(key) > 1})
    if twice:
        raise ClaimError(
            f"参数重复：{'、'.join(t[:60] for t in twice)}", expected="每个参数只给一次"
        )


def _single(source: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the single-valued options; an empty field of a form counts as not given."""
    given = {name: values[0].strip() for name, values in source.items() if name != "attr"}
    for name, value in given.items():
        if len(value) > _MAX_OPTION_LENGTH:
            raise ClaimError(f"参数 {name} 过长", expected=f"不超过 {_MAX_OPTION_LENGTH} 个字符")
    return {name: value for name, value in given.items() if value}


def _width(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MAX_WIDTH_M:
        raise ClaimError(
            f"参数 width_m 为“{text}”", expected=f"大于 0、不超过 {MAX_WIDTH_M:g} 的米数"
        )
    return value


def _crs(text: str | None) -> str | None:
    """Return the name of a CRS after making sure that it is one."""
    if text is not None:
        declared_by(text)
    return text


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ClaimError(f"参数 as_of 为“{text}”", expected="日期，如 2026-11-22") from None


def _flag(text: str | None) -> bool:
    values = {None: False, "true": True, "1": True, "on": True, "false": False, "0": False}
    lowered = text.lower() if text else None
    if lowered not in values:
        raise ClaimError(f"参数 repair 为“{text}”", expected="true 或 false")
    return values[lowered]


def _which(text: str | None) -> int | Literal["all"] | None:
    if text is None:
        return None
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000:
        return int(text)
    raise ClaimError(f"参数 which 为“{text}”", expected="从 1 开始的序号，或 all")
