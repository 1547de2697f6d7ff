"""What does an execute request ask for? A site, options of the check, and the shape of the answer.

Read strictly and handed to the code of ``/v1/site-checks``: pygeoapi, which describes the process,
does not run it. Its manager posts results to addresses that a client names, reads JSON that no
standard allows, and turns every error into one text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.errors import QueryError
from api.options import OPTION_NAMES, Options, read_options
from api.upload import Upload
from gis.errors import Fault, FormatError
from gis.intake.draft import clean_text
from gis.intake.strict_json import parse_json

SITE_CHECK = "site-check"
# The one output of the process.
OUTPUT = "check"
# An encoding means nothing here: JSON has one.
_INPUTS = tuple(name for name in OPTION_NAMES if name != "encoding")
_KEYS = ("inputs", "outputs", "response", "mode")


@dataclass(frozen=True, slots=True)
class Execution:
    """What to check, and whether the answer is wrapped by the name of the output.

    ``is_later`` tells that the request itself asks to be answered later (``"mode": "async"``).
    """

    upload: Upload
    options: Options
    is_document: bool = False
    is_later: bool = False

    def answer(self, content: bytes) -> bytes:
        """Return what is sent for an answer: itself, or all outputs by name."""
        return b'{"%s":%s}' % (OUTPUT.encode(), content) if self.is_document else content


def read_execution(body: bytes) -> Execution:
    """Return what an execute request asks for.

    Raises
    ------
    QueryError
        It is no execute request (OGC API Processes, part 1).
    InputError
        It is none in JSON, or an option of the check cannot be used.
    """
    document = _document(body)
    inputs = _plain_inputs(document.get("inputs"))
    if "site" not in inputs:
        raise _wrong("inputs.site", "没有给出", expected="GeoJSON")
    site = inputs.pop("site")
    if not isinstance(site, dict):
        raise _wrong("inputs.site", "不是对象", expected="GeoJSON 的几何、Feature 或集合")
    upload = Upload(json.dumps(site, ensure_ascii=False).encode(), None, arrived=body)
    is_later = document.get("mode") == "async"
    return Execution(upload, _options(inputs), _is_document(document), is_later)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError("请求内容不是 UTF-8 文字", expected="UTF-8 编码的 JSON") from None
    found = parse_json(text)
    if found.faults:
        raise found.faults.error(FormatError, "JSON 有错误", advice="按所列路径（JSON path）改正")
    root = found.root
    if not isinstance(root, dict):
        raise _wrong("JSON", "不是对象", expected='{"inputs": {"site": …}}')
    if unknown := sorted(set(root) - set(_KEYS)):
        shown = clean_text(unknown[0], limit=40)[0]
        raise _wrong(shown, "不支持", expected="、".join(_KEYS))
    outputs = root.get("outputs", {})
    if not isinstance(outputs, dict) or set(outputs) - {OUTPUT}:
        raise _wrong("outputs", "不能采用", expected=f"{{}} 或 {{{OUTPUT!r}: {{}}}}")
    if root.get("mode", "sync") not in ("sync", "async", "auto"):
        raise _wrong("mode", "不能采用", expected="sync、async 或 auto")
    return root


def _is_document(document: Mapping[str, Any]) -> bool:
    how = document.get("response", "raw")
    if how not in ("raw", "document"):
        raise _wrong("response", "不能采用", expected="raw 或 document")
    return bool(how == "document")


def _plain_inputs(given: Any) -> dict[str, Any]:
    """Return the inputs by name; one may be wrapped as ``{"value": …}``, as the standard has it."""
    if not isinstance(given, dict):
        raise _wrong("inputs", "没有给出或不是对象", expected='{"site": …, "use": …}')
    if unknown := sorted(set(given) - {"site", *_INPUTS}):
        shown = clean_text(unknown[0], limit=40)[0]
        raise _wrong(f"inputs.{shown}", "不认识", expected="、".join(("site", *_INPUTS)))
    return {name: _unwrapped(value) for name, value in given.items()}


def _unwrapped(value: Any) -> Any:
    is_wrapped = isinstance(value, dict) and "value" in value and "type" not in value
    return value["value"] if is_wrapped else value


def _options(inputs: Mapping[str, Any]) -> Options:
    return read_options({name: _texts(name, value) for name, value in inputs.items()})


def _texts(name: str, value: Any) -> list[str]:
    """Return an input as the texts of a query, which one reader understands for both."""
    if name == "attr" and isinstance(value, dict):
        return [f"{key}:{_text(f'inputs.attr.{key}', one)}" for key, one in value.items()]
    if name == "attr" and isinstance(value, list):
        return [_text("inputs.attr", one) for one in value]
    return [_text(f"inputs.{name}", value)]


def _text(where: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _wrong(clean_text(where, limit=60)[0], "不能采用", expected="文字、数字或 true、false")


def _wrong(where: str, found: str, *, expected: str) -> QueryError:
    faults = [Fault(where, f"{found}，应为：{expected}")]
    return QueryError(f"{where} {found}", expected=expected, faults=faults)
