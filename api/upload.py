"""What did the client send? The body as bytes, with a name for people.

Sizes and deadlines are enforced while the body arrives. What the bytes mean is decided by
``gis.intake``; nothing here looks into a geometry.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyError, BodyLimitError, BodyTimeoutError, MediaTypeError
from gis.errors import ClaimError, Fault, FormatError
from gis.intake.draft import clean_text
from gis.intake.encoding import named_codec

JSON_TYPES = ("application/geo+json", "application/json", "application/vnd.geo+json")
TEXT_TYPES = ("text/plain", "text/csv")
FILE_TYPES = (
    "application/octet-stream",
    "application/zip",
    "application/x-zip-compressed",
    "application/geopackage+sqlite3",
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "image/vnd.dxf",
)
FORM_TYPE = "multipart/form-data"
_MAX_FIELDS = 60
# Clients announce these without looking at the text, so they say nothing about it.
_THOUGHTLESS_CHARSETS = ("utf-8", "ascii", "iso8859-1", "cp1252")


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes to judge. ``name`` is shown to people and never used as a path.

    ``charset`` is the codec that the content type names for a text, when it means anything;
    ``arrived`` are the bytes that came in, where the content is only a part of them.
    """

    content: bytes
    name: str | None
    charset: str | None = None
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)
    arrived: bytes = b""

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes as they arrived."""
        return hashlib.sha256(self.arrived or self.content).hexdigest()


async def read_upload(request: Request, deadline_s: float) -> Upload:
    """Return the body of the request.

    What the content is, is decided by the content; its type only says how it was sent.

    Raises
    ------
    MediaTypeError, BodyTimeoutError, BodyLimitError, BodyError
        The body cannot be taken at all.
    FormatError
        The body is empty.
    """
    kind, charset = _content_type(request.headers)
    _refuse_encoded(request.headers)
    try:
        async with asyncio.timeout(deadline_s):
            upload = await (_read_form(request) if kind == FORM_TYPE else _read(request, charset))
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


def _content_type(headers: Headers) -> tuple[str, str | None]:
    """Return the media type and, for a text, the codec that it names.

    Raises
    ------
    MediaTypeError
        None, several, a type that is not read here, or a charset that nobody knows.
    """
    stated = headers.getlist("content-type")
    if len(stated) == 1 and stated[0] in JSON_TYPES:
        return stated[0], None
    raw, parameters = parse_options_header(stated[0] if len(stated) == 1 else None)
    kind = raw.decode("latin-1")
    if kind in TEXT_TYPES:
        return kind, _charset(parameters.get(b"charset", b"").decode("latin-1"))
    if kind in (*JSON_TYPES, *FILE_TYPES, FORM_TYPE):
        return kind, None
    found = f"内容类型为“{clean_text(kind, limit=80)[0] or '未声明'}”"
    if len(stated) > 1:
        found = "请求中有多个内容类型"
    raise MediaTypeError(
        found,
        expected=f"{'、'.join((*JSON_TYPES[:2], TEXT_TYPES[0], FORM_TYPE, FILE_TYPES[0]))} 等",
        advice="GeoJSON 用 application/geo+json，WKT 用 text/plain，文件用表单字段 file 上传",
        faults=[Fault("请求头 Content-Type", found)],
    )


def _charset(name: str) -> str | None:
    try:
        codec = named_codec(name) if name else "utf-8"
    except ClaimError:
        raise MediaTypeError(
            f"内容类型中的 charset 为“{clean_text(name, limit=40)[0]}”",
            expected="编码名称，如 utf-8、gbk",
        ) from None
    return None if codec in _THOUGHTLESS_CHARSETS else codec


def _refuse_encoded(headers: Headers) -> None:
    """Refuse compressed bodies: their size is known only after they have done their harm."""
    coding = ", ".join(headers.getlist("content-encoding")).strip().lower()
    if coding not in ("", "identity"):
        raise MediaTypeError(
            f"请求内容用 {clean_text(coding, limit=40)[0]} 压缩（Content-Encoding）",
            expected="不压缩的内容",
            advice="去掉 Content-Encoding；文件可以先压缩成 zip",
        )


async def _read(request: Request, charset: str | None) -> Upload:
    return Upload(await request.body(), None, charset)


class _Form(MultiPartParser):
    """A form that knows whether its end arrived: half a form asks another question."""

    ended = False

    def on_end(self) -> None:
        """Note the closing boundary."""
        self.ended = True


async def _read_form(request: Request) -> Upload:
    parser = _Form(request.headers, request.stream(), max_files=1, max_fields=_MAX_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError, UnicodeError):
        form = None
    if form is None or not parser.ended:
        raise BodyError(
            "上传的表单不完整或无法读取",
            expected=f"一个文件字段 file，其余字段不超过 {_MAX_FIELDS} 个",
            advice="重新提交；每次只传一个文件",
        )
    try:
        return await _from_form(form)
    finally:
        await form.close()


async def _from_form(form: FormData) -> Upload:
    fields: dict[str, list[str]] = {}
    content, name = None, None
    for key, value in form.multi_items():
        if key == "file" and content is not None:
            raise BodyError("表单中有多个 file", expected="一个文件", advice="每次只传一个文件")
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
    return Upload(content, name, form=fields)


class BodyLimit:
    """Refuse bodies over a number of bytes, counted as they arrive, announced or not.

    Parameters
    ----------
    limit_bytes
        The largest body that is read to its end.
    others
        Paths with a limit of their own.
    """

    def __init__(
        self, app: ASGIApp, limit_bytes: int, others: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._limit = limit_bytes
        self._others = dict(others or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = 0
        limit = self._others.get(scope["path"], self._limit)
        announced = _announced(scope)

        async def counted() -> Message:
            nonlocal seen
            # Before the first byte, so that a client who waits for "100 Continue" sends none.
            _refuse_over_limit(announced, limit)
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                # Raised where the endpoint reads its body, so the ordinary handler answers it.
                _refuse_over_limit(seen, limit)
            return message

        await self._app(scope, counted, send)


def _refuse_over_limit(seen: int, limit: int) -> None:
    megabytes = f"{limit / 1024 / 1024:g} MB"
    if seen > limit:
        raise BodyLimitError(
            f"上传内容超过 {megabytes}",
            expected=f"不超过 {megabytes}",
            advice="拆分文件后分别提交，或去掉无关图层",
        )


def _announced(scope: Scope) -> int:
    """Return the Content-Length, 0 when none that can be read is given."""
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
