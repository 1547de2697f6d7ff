"""Which letters can a report print? The fonts in ``fonts/``, checked against their manifest.

What a font has not is written as its code point: a silent box would be a name that nobody can read.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

FOLDER = "fonts"


class FontError(RuntimeError):
    """A font of the package is not the recorded one."""


def manifest() -> dict[str, Any]:
    """Return the record of the fonts: source, licence, and SHA-256 and size of each."""
    path = files(__package__).joinpath(FOLDER, "manifest.json")
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


@cache
def font_folder() -> str:
    """Return the folder of the fonts; raise FontError when one is not the recorded one."""
    folder = files(__package__).joinpath(FOLDER)
    for row in manifest()["fonts"]:
        content = folder.joinpath(row["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            raise FontError(f"font {row['file']} is not the recorded one")
    return str(folder)


@cache
def covered() -> frozenset[str]:
    """Return every character that the regular font can print."""
    ranges = files(__package__).joinpath(FOLDER, "covered.txt").read_text(encoding="utf-8")
    return frozenset(
        chr(code)
        for line in ranges.split()
        for first, _, last in (line.partition("-"),)
        for code in range(int(first, 16), int(last or first, 16) + 1)
    )


def spelled(text: str) -> str:
    r"""Return a text in which every character without a glyph stands as its code point.

    >>> spelled("甲\U0001F600")
    '甲[U+1F600]'
    """
    known = covered()
    if known.issuperset(text):
        return text
    return "".join(c if c in known or c == "\n" else f"[U+{ord(c):04X}]" for c in text)
