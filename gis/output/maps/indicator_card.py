"""How does the card of the plan map show what dated images say of the area?

Each remote-sensing figure with its date, what it measures and what it is not. Formats only. These
figures never stand among the planned shares, and a raster without data says so with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gis.model import LayerState
from gis.output.maps.card import Row
from gis.output.maps.numbers import share_percent
from gis.plan.raster.series import VALID_LIMIT
from gis.plan.schema import STATUS_LABELS

_Raster = Mapping[str, Any]
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})")


def indicator_cards(rows: Sequence[_Raster]) -> list[Row]:
    """Return one row of the card per row of ``gis.plan.landcover.raster_rows``."""
    return [_indicator_card(row) for row in rows]


def series_sentences(rows: Sequence[_Raster]) -> list[list[str]]:
    """Return how far each index moves between the dates of its series, each series once."""
    found = [row["series"]["sentence"] for row in rows if row["series"]]
    return [_pieces(sentence) for sentence in dict.fromkeys(found)]


def _pieces(sentence: str) -> list[str]:
    """Return a text cut at its dates, each second piece a date: no line may end inside one."""
    return _DATE.split(sentence)


def _indicator_card(row: _Raster) -> Row:
    known = row["state"] == LayerState.CHECKED and row["share"] is not None
    return {
        "title": row["title"],
        "date": row["date"],
        "known": known,
        "share": share_percent(row["share"]) if known else "无数据",
        "reason": _little_seen(row) if known else row["reason"],
        "sentence": _pieces(row["sentence"]),
        "facts": [{"name": name, "text": text} for name, text in _facts(row) if text],
        "notes": list(row["notes"]),
    }


def _little_seen(row: _Raster) -> str:
    """Return the doubt that must be seen beside the share: most of the ground is not in it."""
    valid = row["valid_share"]
    return f"有效像元仅 {share_percent(valid)}" if valid < VALID_LIMIT else ""


def _facts(row: _Raster) -> Iterator[tuple[str, str]]:
    """Yield what explains the figure; a raster that says nothing has no method."""
    yield "范围", row["area"]["title"] if row["area"] else ""
    yield "算法", row.get("definition", "")
    if row.get("threshold") is not None:
        yield "阈值", f"大于 {row['threshold']:g}（{row['method']}）"
    if row["valid_share"] is not None:
        yield "有效像元", share_percent(row["valid_share"])
    if row["agreement"]:
        yield "与图斑比较", _agreement(row["agreement"])
    yield "状态", str(STATUS_LABELS.get(row["status"], row["status"]))
    yield "来源", row["source"]


def _agreement(found: Mapping[str, Any]) -> str:
    vector, points = share_percent(found["vector_share"]), found["difference_points"]
    return f"同一口径按图斑计 {vector}，相差 {points:+.2f} 个百分点"
