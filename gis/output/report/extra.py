"""Are the libraries of the extra ``report`` there? If not, one clear sentence says what to do."""

from __future__ import annotations

import importlib
from typing import Any

from gis.errors import ClaimError

_PACKAGES = {"typst": "typst", "docx": "python-docx"}


class MissingExtraError(ClaimError):
    """A report was asked for, and the libraries that write it are not installed."""

    code = "missing_extra"
    title = "缺少报告组件"


def needed(module: str) -> Any:
    """Return a library of the extra; raise MissingExtraError when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(
            f"没有安装 {_PACKAGES[module]}，不能生成报告",
            expected="带报告组件的安装",
            advice='运行 pip install "wuqu[report]" 后重试',
        ) from None
