"""How does a verdict travel in a chat? A card as PNG for phones, a one-page brief as PDF.

Both are set by typst (extra ``report``) from one template; texts enter as JSON and are never read
as markup. Coordinates above the secrecy ceiling are taken out before anything is drawn.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gis.errors import ExtraError
from gis.output.card.content import card_content
from gis.output.card.picture import picture
from gis.output.secrecy import public_documents

if TYPE_CHECKING:
    from gis.plan.area import Plan

__all__ = ["card_pdf", "card_png", "require_typst", "write_card"]

Document = Mapping[str, Any]
# The font of the reports where the package brings it, else that of the system.
FONTS = ("Wuqu Sans SC", "Noto Sans CJK SC", "Source Han Sans SC")
_FONT_FOLDER = ("report", "fonts")
# 1,080 pixels wide, as a phone shows it: the card is 108 mm wide.
_PPI = 254
# A fixed day: equal checks give equal bytes; the day of the check stands in the text.
_STAMP = 946_684_800


def card_png(
    document: Document, plan: Plan, ceiling: str = "public", *, recipient: str = ""
) -> bytes:
    """Return the verdict card as PNG, 1,080 pixels wide.

    Parameters
    ----------
    document
        The JSON document of a check.
    plan, ceiling
        Coordinates of layers of this plan above the ceiling are not drawn.
    recipient
        For whom this copy is; printed across it.

    Raises
    ------
    ExtraError
        The extra ``report`` is not installed.
    """
    return _set(document, plan, ceiling, recipient, "png")


def card_pdf(
    document: Document, plan: Plan, ceiling: str = "public", *, recipient: str = ""
) -> bytes:
    """Return the brief as PDF, one page A4; parameters and errors are those of ``card_png``."""
    return _set(document, plan, ceiling, recipient, "pdf")


def write_card(
    document: Document,
    path: Path | str,
    plan: Plan,
    ceiling: str = "public",
    *,
    recipient: str = "",
) -> Path:
    """Write the card, or the brief where the name ends with ``.pdf``; return the path."""
    target = Path(path)
    made = card_pdf if target.suffix.lower() == ".pdf" else card_png
    content = made(document, plan, ceiling, recipient=recipient)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def require_typst() -> Any:
    """Return the typesetter; raise ExtraError when it is not installed."""
    try:
        return importlib.import_module("typst")
    except ImportError:
        raise ExtraError(
            "没有安装 typst，不能生成结论卡片",
            expected="带报告组件的安装",
            advice='运行 pip install "wuqu[report]" 后重试',
        ) from None


def _set(
    document: Document, plan: Plan, ceiling: str, recipient: str, kind: Literal["png", "pdf"]
) -> bytes:
    typst = require_typst()
    (public,) = public_documents([document], plan, ceiling)
    drawn = picture(public, plan, ceiling)
    content = card_content(public, plan, recipient=recipient) | {
        "svg": drawn.svg if drawn else None,
        "legend": drawn.legend if drawn else [],
        "fonts": FONTS,
        "brief": kind == "pdf",
    }
    inputs = {"card": json.dumps(content, ensure_ascii=False, allow_nan=False)}
    template = files(__package__).joinpath("card.typ").read_bytes()
    more: dict[str, Any] = {"timestamp": _STAMP} if kind == "pdf" else {"ppi": _PPI}
    made: bytes | list[bytes] = typst.compile(
        template, format=kind, sys_inputs=inputs, font_paths=_font_paths(), **more
    )
    # A card has one page of any height.
    return made if isinstance(made, bytes) else made[0]


def _font_paths() -> list[str]:
    folder = files("gis.output").joinpath(*_FONT_FOLDER)
    return [str(folder)] if folder.is_dir() else []
