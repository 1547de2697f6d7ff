"""How does a report become a PDF? By typst, with the template beside this file.

The document enters as JSON, so no text of a site or a rule can become markup; fonts come from the
package, so a page looks the same on every machine. Equal reports give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, cast

from gis.output.maps import style
from gis.output.report.blocks import Figure, Report, as_data
from gis.output.report.extra import needed
from gis.output.report.font import font_folder, spelled

# A fixed day: equal reports give equal bytes, and the day of the check stands in the text.
_STAMP = 946_684_800
_STANDARDS = ("a-2a", "ua-1")
_PICTURES = """
#set page(width: auto, height: auto, margin: 0pt)
#for f in json(bytes(sys.inputs.figures)) {
  page(image(bytes(f.svg), format: "svg", width: f.width_mm * 1mm))
}
"""


def pdf_bytes(report: Report) -> bytes:
    """Return a report as PDF with its fonts embedded; raise ExtraError without the extra.

    A report with a date is PDF/A-2a and PDF/UA-1: for archives, and for readers with a screen
    reader. What a standard refuses is written as plain PDF rather than not at all.
    """
    template = files(__package__).joinpath("report.typ").read_bytes()
    inputs = {"report": _json(_spelled(as_data(report))), "colours": _json(_colours())}
    standards = list(_STANDARDS) if report.date else []
    try:
        made = _compile(template, "pdf", inputs, timestamp=_STAMP, pdf_standards=standards)
    except needed("typst").TypstError as problem:
        if not str(problem).startswith("PDF/"):
            raise
        made = _compile(template, "pdf", inputs, timestamp=_STAMP)
    return cast(bytes, made)


def pictures(figures: Sequence[Figure], ppi: int = 200) -> list[bytes]:
    """Return drawings as PNG, for writers that know no SVG."""
    if not figures:
        return []
    rows = [{"svg": f.svg, "width_mm": f.width_mm} for f in figures]
    made = _compile(_PICTURES.encode(), "png", {"figures": _json(rows)}, ppi=ppi)
    return [made] if isinstance(made, bytes) else list(made)


def _compile(source: bytes, kind: str, inputs: dict[str, str], **more: Any) -> Any:
    typst = needed("typst")
    return typst.compile(source, font_paths=_fonts(), format=kind, sys_inputs=inputs, **more)


@cache
def _fonts() -> Any:
    return needed("typst").Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_folder()]
    )


def _colours() -> dict[str, dict[str, str]]:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{}</svg>'
    return {
        verdict.value: {
            "colour": look.colour,
            "tint": look.tint,
            "icon": svg.format(look.icon),
            "label": verdict.label,
        }
        for verdict, look in style.VERDICTS.items()
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _spelled(value: Any) -> Any:
    if isinstance(value, str):
        return spelled(value)
    if isinstance(value, dict):
        return {key: item if key == "svg" else _spelled(item) for key, item in value.items()}
    return [_spelled(item) for item in value] if isinstance(value, list | tuple) else value
