"""Are the libraries of the extra ``report`` there? If not, one clear sentence says what to do."""

from __future__ import annotations

import importlib
from typing import Any

from gis.errors import ExtraError

_PACKAGES = {"typst": "typst", "docx": "python-docx"}


def needed(module: str) -> Any:
    """Return a library of the extra; raise ExtraError when it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = _PACKAGES[module.split(".")[0]]
        raise ExtraError(
            f"没有安装 {package}，不能生成报告",
            expected="带报告组件的安装",
            advice='运行 pip install "wuqu[report]" 后重试',
        ) from None


def require(kind: str) -> None:
    """Raise ExtraError unless a report of a kind, ``pdf`` or ``docx``, can be written.

    Both draw with typst; asked before anything is read or checked.
    """
    needed("typst")
    if kind == "docx":
        needed("docx")
