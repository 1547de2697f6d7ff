"""What binds a record to what was written, and to the record before it? Hashes, and nothing else.

Every field of a row has a hash; the hash of the row is that of all of these together, and the hash
of the row before is one of the fields. So a changed byte is found and its field is named, and a row
that is taken out, put in or moved breaks the link after it. Knows no database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.canonical import canonical_json

# What stands before the first row.
GENESIS = "0" * 64
# Fields that hold hashes of the others.
_SEALS = ("field_hashes", "hash")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A row that is yet to get its place, and the hashes of its fields."""

    row: Row
    hashes: Mapping[str, str]


def hashed(row: Row, **utf8: bytes) -> Hashed:
    """Return a row with the hashes of its fields, which is nearly all of the work.

    ``utf8`` are texts of the row whose bytes are at hand: a long one need not be encoded again.
    """
    rest = {name: value for name, value in row.items() if name not in utf8}
    texts = {name: _text_hash(content) for name, content in utf8.items()}
    return Hashed(row, {**field_hashes(rest), **texts})


def sealed(row: Row | Hashed, seq: int, prev_hash: str) -> dict[str, Any]:
    """Return a row with its place in the chain, the hashes of its fields, and its own hash.

    Parameters
    ----------
    row
        Texts, whole numbers, bytes and None by field; hashed before, or not.
    seq
        Its number, one more than that of the row before.
    prev_hash
        The hash of the row before, ``GENESIS`` for the first.
    """
    known = row if isinstance(row, Hashed) else hashed(row)
    place = {"seq": seq, "prev_hash": prev_hash}
    hashes = canonical_json({**known.hashes, **field_hashes(place)})
    return {**known.row, **place, "field_hashes": hashes, "hash": _sha256(hashes.encode())}


def field_hashes(row: Row) -> dict[str, str]:
    """Return the hash of every field but the seals."""
    return {name: field_hash(value) for name, value in row.items() if name not in _SEALS}


def field_hash(value: object) -> str:
    """Return the SHA-256 of one value; a text, a number, bytes and nothing never look alike."""
    if isinstance(value, str):
        return _text_hash(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, bytes):
        return _sha256(b"b" + value)
    return _sha256(b"n" if value is None else b"i" + str(value).encode())


def changed_fields(row: Row) -> tuple[str, ...]:
    """Return the fields of a stored row that are not what was written; none when it is whole.

    A row that was written anew with all of its hashes is whole: there the link of the next row
    breaks, see ``is_linked``.
    """
    found = field_hashes(row)
    right, stored = canonical_json(found).encode(), _bytes(row["field_hashes"])
    # Two of fields, their hashes and the hash of the row agree: the third is the changed one.
    if _sha256(right) == row["hash"]:
        return () if stored == right else ("field_hashes",)
    if stored == right:
        return ("hash",)
    known = _parsed(stored)
    changed = tuple(sorted(name for name in found if known.get(name) != found[name]))
    return changed if _sha256(stored) == row["hash"] else (*changed, "field_hashes")


def is_whole(row: Row, names: Iterable[str]) -> bool:
    """Return whether some fields of a row are what was written, without reading the others."""
    stored = _bytes(row["field_hashes"])
    known = _parsed(stored)
    intact = all(known.get(name) == field_hash(row[name]) for name in names)
    return intact and _sha256(stored) == row["hash"]


def is_linked(row: Row, seq: int, prev_hash: str) -> bool:
    """Return whether a row stands right behind the one with this number and hash."""
    return bool(row["seq"] == seq + 1 and row["prev_hash"] == prev_hash)


def _parsed(text: bytes) -> Mapping[str, str]:
    try:
        hashes = json.loads(text)
    except ValueError:
        return {}
    return hashes if isinstance(hashes, dict) else {}


def _bytes(text: object) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")


def _text_hash(content: bytes) -> str:
    return _sha256(b"t" + content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
