"""For whom is a map, and may it ask an intranet for a background?

The recipient becomes a watermark, the 审图号 of the plan stands beside the scale, and a basemap is
loaded only from the one host that a setting names; without it the map is complete. Nothing is
fetched here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gis.errors import ClaimError

_LONGEST = 500
# No quote, blank, semicolon or comma may reach the page's policy; no {s}: one host, not several.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/[A-Za-z0-9._~/?&=%:{}+-]*")
_FIELDS = frozenset({"z", "x", "y"})


@dataclass(frozen=True, slots=True)
class Basemap:
    """A tile service in Web Mercator (GoogleMapsCompatible), by the address of a tile.

    ``url`` holds ``{z}``, ``{x}`` and ``{y}``: a WMTS in its RESTful form or with the three as
    TILEMATRIX, TILECOL and TILEROW of a KVP address.
    """

    url: str

    def __post_init__(self) -> None:
        fields = re.findall(r"\{(.*?)\}", self.url)
        port = _port(self.url)
        known = (
            len(self.url) <= _LONGEST
            and _ADDRESS.fullmatch(self.url)
            and sorted(fields) == sorted(_FIELDS)
        )
        if not known or port is None:
            raise ClaimError(
                f"底图地址“{self.url[:80]}”不能采用",
                expected="http(s)://主机/…，含 {z}、{x}、{y} 各一次，墨卡托投影（EPSG:3857）的瓦片",
                advice="改正环境变量 WUQU_BASEMAP；WMTS 以 {z}、{y}、{x} 代替级别、行、列",
            )

    @property
    def origin(self) -> str:
        """Scheme, host and port: what the page's policy allows, and nothing more."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def _port(url: str) -> int | None:
    """Return the port, 0 for the usual one; None when it is none."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Sharing:
    """For whom a copy is, and its background; both may be left out."""

    recipient: str = ""
    basemap: Basemap | None = None


ALONE = Sharing()


def sharing_of(recipient: str | None, basemap: str | None) -> Sharing:
    """Return what two settings say; raise ClaimError for an address that is no tile service."""
    return Sharing((recipient or "").strip(), Basemap(basemap) if basemap else None)


def sharing_of_environment(recipient: str = "") -> Sharing:
    """Return what ``WUQU_RECIPIENT`` and ``WUQU_BASEMAP`` say; a recipient given takes precedence.

    Raises
    ------
    ClaimError
        The basemap is no address of tiles.
    """
    known = recipient or os.environ.get("WUQU_RECIPIENT")
    return sharing_of(known, os.environ.get("WUQU_BASEMAP"))
