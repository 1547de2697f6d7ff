"""How does the card of the plan map show the land balance of the default area?

The sentence, one bar, the classes by first level and in full, the classes by zone, the other
definitions and what is open to argument. Formats only: every area is one of the printed numbers of
the balance or a sum of them, so what adds up there adds up here. Land without data has a row of
its own and is never drawn as a class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gis.output.maps.card import Row
from gis.output.maps.numbers import two_digits
from gis.plan.balance import DefinitionShare, LandBalance
from gis.plan.land.rows import COUNTED_LABELS, share_text
from gis.plan.land.share import Sensitivity, ShareRange
from gis.plan.schema import STATUS_LABELS
from gis.rulebook import land_classes
from gis.units import m2_to_ha

_Printed = Mapping[str, Any]
# From here on (share of the bar) a code fits into its piece.
_ROOM_FOR_CODE = 0.07
# A change that is printed as 0.00 would read as none.
_SMALLEST_POINTS = 0.005


def balance_card(balance: LandBalance) -> Row:
    """Return the rows of the section about the land balance."""
    document = balance.to_dict()
    scheme = land_classes.scheme(document["scheme"], document["edition"])
    groups = list(_groups(document["classes"], scheme))
    bar = _bar(groups, document)
    head, _, rest = document["sentence"].partition("；")
    return {
        "head": head,
        "rest": rest,
        "bar": bar,
        "bracket": _bracket(balance, document, bar),
        "groups": [_group_row(group) for group in groups],
        "remainder": [_remainder_row(row) for row in document["rest"]],
        "total": _amounts([*document["classes"], *document["rest"]]),
        "classes": [_class_row(row, scheme) for row in document["classes"]],
        "title": f"{document['scheme']}（{document['edition']}）",
        "zones": _zone_table(document["zones"]) if document["zones"] else None,
        "definitions": [_definition_row(d, balance.definition) for d in balance.definitions],
        "sensitivity": [
            _sensitivity_row(s, row, balance)
            for s, row in zip(balance.sensitivity, document["sensitivity"], strict=True)
        ],
        "notes": list(_notes(document)),
    }


# --- classes -------------------------------------------------------------------------------------


def _groups(rows: Sequence[_Printed], scheme: land_classes.Scheme) -> Iterator[Row]:
    """Yield the first-level classes with the classes below them, in the order of their codes."""
    found: dict[tuple[str, str], list[_Printed]] = {}
    for row in rows:
        found.setdefault(_first_level(row, scheme), []).append(row)
    for (code, name), own in sorted(found.items(), key=lambda item: (not item[0][0], item[0])):
        yield {"code": code, "name": name, "colour": _colour(code, scheme), "rows": own}


def _first_level(row: _Printed, scheme: land_classes.Scheme) -> tuple[str, str]:
    """Return code and name of the class at the top; a code that the table lacks has none."""
    code = str(row["class"])
    if not scheme.exists(code):
        return "", str(row["name"])
    while scheme.exists(scheme.land_class(code).parent):
        code = scheme.land_class(code).parent
    return code, scheme.name(code)


def _colour(code: str, scheme: land_classes.Scheme) -> str:
    """Return the colour of a class; empty, so that a pattern stands there, when nobody knows it."""
    return f"#{bytes(scheme.colour(code)).hex()}" if scheme.exists(code) else ""


def _group_row(group: Row) -> Row:
    rows = group["rows"]
    kinds = {row["counted_as"] or "" for row in rows}
    kind = "" if len(kinds) > 1 else min(kinds)
    return {
        "code": group["code"],
        "name": group["name"],
        "colour": group["colour"],
        **_amounts(rows),
        "kind": kind,
        "counted": "部分" if len(kinds) > 1 else COUNTED_LABELS.get(kind, ""),
        "part": "，".join(_parts(rows)) if len(kinds) > 1 else "",
    }


def _parts(rows: Sequence[_Printed]) -> Iterator[str]:
    """Yield how much of a first-level class is counted when not all of it is."""
    for kind, label in COUNTED_LABELS.items():
        own = _of_kind(rows, kind)
        if own:
            yield f"其中计入{label} {_amounts(own)['ha']}"


def _of_kind(rows: Sequence[_Printed], kind: str | None) -> list[_Printed]:
    return [row for row in rows if row["counted_as"] == kind]


def _class_row(row: _Printed, scheme: land_classes.Scheme) -> Row:
    kind = row["counted_as"] or ""
    return {
        "code": row["class"],
        "name": row["name"],
        "colour": _colour(row["class"], scheme),
        **_amounts([row]),
        "kind": kind,
        "counted": COUNTED_LABELS.get(kind, ""),
    }


def _remainder_row(row: _Printed) -> Row:
    """Return one of the rows that make the classes the whole area."""
    return {"kind": row["kind"], "name": row["name"], **_amounts([row])}


def _amounts(rows: Sequence[_Printed]) -> Row:
    """Return hectares, mu and percent of some rows, as sums of what is printed."""
    measured = _sum(rows, "area_m2")
    return {key: two_digits(_sum(rows, key), measured) for key in ("ha", "mu", "percent")}


def _sum(rows: Sequence[_Printed], key: str) -> float:
    """Return the sum of printed numbers, again with two decimals; there is no minus zero."""
    return round(math.fsum(row[key] for row in rows), 2) + 0.0


# --- the bar -------------------------------------------------------------------------------------


def _bar(groups: Sequence[Row], document: _Printed) -> list[Row]:
    """Return the pieces of the bar: green, water, the other classes, land without data."""
    pieces = [
        _piece(group, kind, own)
        for kind in (*COUNTED_LABELS, None)
        for group in groups
        if (own := _of_kind(group["rows"], kind))
    ]
    bare = [row for row in document["rest"] if row["kind"] == "uncovered"]
    pieces += [_piece({"code": "", "name": row["name"], "colour": ""}, None, [row]) for row in bare]
    whole = math.fsum(piece["m2"] for piece in pieces)
    return [piece | _drawn(piece, piece["m2"] / whole) for piece in pieces if piece["m2"] > 0]


def _piece(group: Row, kind: str | None, rows: Sequence[_Printed]) -> Row:
    size = _amounts(rows)
    counted = f"，计入{COUNTED_LABELS[kind]}" if kind else ""
    return {
        "code": group["code"],
        "colour": group["colour"],
        "kind": kind or "",
        "text": f"{group['name']} {size['ha']} 公顷，{size['percent']}%{counted}",
        "m2": _sum(rows, "area_m2"),
    }


def _drawn(piece: Row, share: float) -> Row:
    return {
        "width": f"{100 * share:.3f}",
        "label": piece["code"] if share >= _ROOM_FOR_CODE else "",
        "ink": _ink(piece["colour"]),
    }


def _ink(colour: str) -> str:
    """Return black or white, whichever is read more easily on a colour (WCAG 2.2 contrast)."""
    if not colour:
        return "#1b2733"
    r, g, b = (_linear(c / 255) for c in bytes.fromhex(colour[1:]))
    light = 0.2126 * r + 0.7152 * g + 0.0722 * b
    return "#000000" if (light + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _bracket(balance: LandBalance, document: _Printed, bar: Sequence[Row]) -> Row | None:
    """Return the bracket over what is counted; None where nothing is known."""
    if document["green_water_share"] is None:
        return None
    return {
        "width": f"{sum(float(p['width']) for p in bar if p['kind']):.3f}",
        "share": _spaced(share_text(balance.green_water_share, balance.share_range)),
        "parts": [
            {"kind": kind, "label": label, "ha": _counted_ha(document, kind)}
            for kind, label in COUNTED_LABELS.items()
        ],
    }


def _counted_ha(document: _Printed, kind: str) -> str:
    """Return the area of what counts: as printed in the classes, unless some of it overlaps."""
    m2 = document[f"{kind}_m2"]
    if document["overlap_m2"] > 0:
        return two_digits(m2_to_ha(m2), m2)
    return two_digits(_sum(_of_kind(document["classes"], kind), "ha"), m2)


# --- zones ---------------------------------------------------------------------------------------


def _zone_table(zones: _Printed) -> Row:
    return {
        "layer": _layer_text(zones["layer_title"], zones["vintage"], zones["status"]),
        "heads": [{"id": c["zone"] or "", "name": c["name"]} for c in zones["columns"]],
        "rows": [
            {
                "code": row["class"] or "",
                "name": row["name"],
                "cells": [
                    two_digits(ha, m2)
                    for ha, m2 in zip(row["cells_ha"], row["cells_m2"], strict=True)
                ],
                "total": two_digits(row["total_ha"], row["total_m2"]),
            }
            for row in zones["rows"]
        ],
        "totals": [two_digits(c["ha"], c["area_m2"]) for c in zones["columns"]],
        "total": two_digits(zones["total_ha"], zones["total_m2"]),
    }


def _layer_text(title: str, vintage: str, status: str) -> str:
    return f"{title}（{vintage}，{STATUS_LABELS.get(status, status)}）"


# --- other readings ------------------------------------------------------------------------------


def _definition_row(found: DefinitionShare, chosen: str) -> Row:
    info = found.layer
    return {
        "id": found.id,
        "text": found.text,
        "share": share_text(found.share, found.range),
        "known": found.share is not None,
        "reason": found.reason,
        "layer": _layer_text(info.title, info.vintage, info.status) if info else "",
        "chosen": found.id == chosen,
    }


def _sensitivity_row(found: Sensitivity, row: _Printed, balance: LandBalance) -> Row:
    now = balance.share_range
    high = min(found.other_share + now.high - now.low, 1.0)
    other = share_text(found.other_share, ShareRange(found.other_share, high, now.unknown_m2))
    label, points = COUNTED_LABELS[found.counts_as], 100 * found.difference
    small = abs(points) < _SMALLEST_POINTS
    return {
        "title": found.title,
        "classes": "、".join(found.classes),
        "ha": two_digits(row["ha"], row["area_m2"]),
        "now": f"现计入{label}" if found.counted else "现未计入",
        "other": f"若{'不计入' if found.counted else f'计入{label}'}，占比{_spaced(other)}",
        "points": "变化不足 0.01 个百分点" if small else f"{points:+.2f} 个百分点",
        "note": found.note,
    }


def _spaced(share: str) -> str:
    return share if share.startswith("不") else f" {share}"


def _notes(document: _Printed) -> Iterator[str]:
    """Yield what a reader must know of the layer: land without data, land drawn twice."""
    bare, twice = (
        two_digits(document[f"{kind}_ha"], document[f"{kind}_m2"])
        for kind in ("uncovered", "overlap")
    )
    if document["uncovered_m2"]:
        yield f"图层未覆盖 {bare} 公顷，不计为任何地类"
    if document["overlap_m2"]:
        yield f"不同地类重叠 {twice} 公顷，合计时扣除；占比按合并面积计"
    if document["repeated_m2"] >= 0.01:
        yield f"同一地类重复绘制 {document['repeated_m2']:,.2f} m²，只计一次"
    if document["zones_note"]:
        yield document["zones_note"]
    area = document["area"]
    yield from (remark["message"] for remark in (*area["notes"], *area["warnings"]))
