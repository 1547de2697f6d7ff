"""How does the card of the plan map show what is left of the scarce kinds of land?

Per kind one bar and its numbers in hectares and mu, and what each zone has. Formats only; printed
parts add up to printed wholes. What the data do not give is called unknown, with the reason that
the ledger states, and is never drawn or printed as nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gis.output.maps.card import Row
from gis.output.maps.numbers import two_digits
from gis.plan.quota.accounts import Kind
from gis.units import m2_to_ha, m2_to_mu, round_parts, round_table

_PARTS = ("used_m2", "reserved_m2", "unknown_m2", "free_m2")
_LABELS = {
    "total_m2": "总量",
    "used_m2": "已用",
    "reserved_m2": "已预留",
    "unknown_m2": "现状不明",
    "free_m2": "剩余",
}
# Land that is to be kept is not "left over" for anybody.
_KEPT = frozenset({Kind.FARMLAND, Kind.CULTIVATED, Kind.GREEN_WATER})
_KEPT_LABELS = _LABELS | {"total_m2": "现有", "free_m2": "未安排"}
# Printed square metres may differ by their last digits.
_SAME_M2 = 0.1
_Amounts = Mapping[str, float | None]
_Ledger = Mapping[str, Any]


def budget_cards(rows: Sequence[_Ledger]) -> list[Row]:
    """Return one row of the card per row of ``gis.plan.budgets.budget_rows``."""
    return [_budget_card(row) for row in rows]


def _budget_card(row: _Ledger) -> Row:
    kept = row["kind"] in _KEPT
    labels = _KEPT_LABELS if kept else _LABELS
    columns = ("total_m2", *_parts(row))
    whole, zones = _in_hectares(row)
    mu = _in_mu(row)
    amounts = [
        {
            "label": labels[key],
            "kind": "unknown" if row[key] is None else key.removesuffix("_m2"),
            "ha": _cell(row[key], whole[key]),
            "mu": _cell(row[key], mu[key]),
        }
        for key in columns
    ]
    return {
        "title": row["title"],
        "name": row["name"],
        "group": row["title"] if row["kind"] == Kind.DEV_BOUNDARY else "",
        "lead": amounts[0] if kept else amounts[-1],
        "known": row["total_m2"] is not None,
        "bar": _bar(row),
        "overdrawn": _is_overdrawn(row),
        "amounts": amounts,
        "zones": [_zone_row(z, ha, columns) for z, ha in zip(row["by_zone"], zones, strict=True)],
        "classes": list(_class_rows(row, whole["total_m2"], labels)),
        "vintage": row["vintage"],
        "note": row["note"],
    }


def _is_overdrawn(row: _Ledger) -> bool:
    """Whether more is used and promised than there is; the note then says by how much."""
    parts = math.fsum(row[key] or 0.0 for key in _PARTS)
    return row["total_m2"] is not None and bool(parts - row["total_m2"] > _SAME_M2)


def _parts(row: _Ledger) -> list[str]:
    """Return the parts that this kind of land has; nobody counts farmland as used."""
    there = {
        "used_m2": row["kind"] == Kind.DEV_BOUNDARY,
        "unknown_m2": any(line["unknown_m2"] for line in (row, *row["by_zone"])),
    }
    return [key for key in _PARTS if there.get(key, True)]


def _zone_row(zone: _Ledger, ha: _Amounts, columns: Sequence[str]) -> Row:
    cells = [_cell(zone[key], ha[key]) for key in columns]
    return {"id": zone["zone"] or "", "name": zone["name"], "cells": cells}


def _class_rows(row: _Ledger, total_ha: float | None, labels: Mapping[str, str]) -> Iterator[Row]:
    """Yield what there is of each current land class, and what of it is promised."""
    classes = row["by_class"]
    for found, ha in zip(classes, _class_hectares(classes, total_ha), strict=True):
        texts = []
        if ha is not None:
            texts.append(f"{labels['total_m2']} {_cell(found['total_m2'], ha)}")
        if found["reserved_m2"] is None or found["reserved_m2"] > 0:
            reserved = found["reserved_m2"]
            printed = None if reserved is None else m2_to_ha(reserved)
            texts.append(f"{labels['reserved_m2']} {_cell(reserved, printed)}")
        yield {"code": found["class"], "name": found["name"], "text": "，".join(texts)}


# --- numbers -------------------------------------------------------------------------------------


def _in_hectares(row: _Ledger) -> tuple[_Amounts, list[_Amounts]]:
    """Return a budget and its zones in hectares; they add up where everything is known."""
    lines = row["by_zone"] or [row]
    if not all(_is_sum(line) for line in (row, *lines)):
        return _plain(row), [_plain(zone) for zone in row["by_zone"]]
    parts = [key for key in _PARTS if all(line[key] is not None for line in lines)]
    cells = round_table([[m2_to_ha(line[key]) for key in parts] for line in lines], 2)
    sums = [math.fsum(column) for column in zip(*cells, strict=True)]
    found = [_line(parts, values) for values in ([sums] if not row["by_zone"] else [sums, *cells])]
    return found[0], found[1:]


def _is_sum(line: _Ledger) -> bool:
    """Whether all parts are known and make the total; more may be promised than there is."""
    if line["total_m2"] is None or line["free_m2"] is None:
        return False
    parts = math.fsum(line[key] or 0.0 for key in _PARTS)
    return bool(abs(parts - line["total_m2"]) < _SAME_M2)


def _plain(line: _Ledger) -> _Amounts:
    return {k: None if line[k] is None else round(m2_to_ha(line[k]), 2) for k in _LABELS}


def _line(parts: Sequence[str], values: Sequence[float]) -> _Amounts:
    given = dict(zip(parts, values, strict=True))
    total = round(math.fsum(values), 2)
    return {
        "total_m2": total,
        **{k: round(given[k], 2) if k in given else None for k in _PARTS},
    }


def _cell(m2: float | None, ha: float | None) -> str:
    return "未知" if m2 is None or ha is None else two_digits(ha, m2)


def _in_mu(row: _Ledger) -> _Amounts:
    """Return total and parts in mu; they add up where everything is known."""
    if not _is_sum(row):
        return {k: None if row[k] is None else m2_to_mu(row[k]) for k in _LABELS}
    parts = [key for key in _PARTS if row[key] is not None]
    return _line(parts, round_parts([m2_to_mu(row[key]) for key in parts], 2))


def _class_hectares(classes: Sequence[_Ledger], total_ha: float | None) -> list[float | None]:
    """Return the classes in hectares; they add up to the total where they make it."""
    values = [None if c["total_m2"] is None else m2_to_ha(c["total_m2"]) for c in classes]
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        try:
            return [*round_parts(known, 2, whole=total_ha)]
        except ValueError:  # the classes are not the whole
            pass
    return [None if value is None else round(value, 2) for value in values]


# --- the bar -------------------------------------------------------------------------------------


def _bar(row: _Ledger) -> list[Row]:
    """Return the pieces of the bar; what is not known of the total is a piece of its own."""
    total = row["total_m2"]
    if not total:
        return []
    pieces = [(key, row[key]) for key in _PARTS if row[key]]
    if row["kind"] in _KEPT and [key for key, _ in pieces] == ["free_m2"]:
        return []  # a full bar would read as land that is there to be taken
    known = math.fsum(m2 for _, m2 in pieces)
    missing = total - known
    if any(row[key] is None for key in _parts(row)) and missing > 0:
        pieces.append(("unknown_m2", missing))
    return [
        {"kind": key.removesuffix("_m2"), "width": f"{100 * m2 / max(total, known):.3f}"}
        for key, m2 in pieces
    ]
