"""Streets of the core, country roads, the railway and power lines: centre lines with widths.

Answers "where does traffic run and how wide is its land?". The street grid lives in the leaning
street frame; country roads are smooth courses through control points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from frame import course, fact, facts, street
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring
from shapes import ribbon, smooth
from solve import solve


@dataclass(frozen=True)
class Way:
    """A centre line with its class and the width of its land."""

    name: str
    grade: str
    width: float
    line: LineString
    built: bool = True
    urban: bool = False

    @property
    def land(self) -> BaseGeometry:
        """The strip between the outer edges of the way's land."""
        return ribbon(self.line, self.width)


def streets() -> list[Way]:
    """Return the streets of the core, planned ones included."""
    out = []
    for item in facts()["street"]:
        low, high = item["span"]
        ends = (
            [(low, item["at"]), (high, item["at"])]
            if item["axis"] == "ew"
            else [(item["at"], low), (item["at"], high)]
        )
        line = LineString([street(u, v) for u, v in ends])
        out.append(Way(item["name"], item["grade"], item["width"], line, item["built"], True))
    return out


def country_roads(area_of_interest: BaseGeometry) -> list[Way]:
    """Return the named roads outside the core; 于沙路 gets its stated length."""
    out = []
    for item in facts()["road"]:
        points = course(item["course"])
        line = (
            _yusha(points, area_of_interest)
            if item["name"] == "于沙路"
            else LineString(smooth(points, 90.0))
        )
        out.append(Way(item["name"], item["grade"], item["width"], line))
    return out


def _yusha(points: np.ndarray, inside: BaseGeometry) -> LineString:
    """Start 于沙路 in 于集 where its length inside the resort is the published one.

    The road is named after its two ends 于集 and 沙镇: it leaves the resort in the west, but
    begins inside it in the east, so the guessed east end R25 gives way.
    """
    target = fact("road_lengths", "yusha_road_km") * 1000
    whole = LineString(smooth(points, 90.0))

    def until(end: float) -> LineString:
        return substring(whole, 0, end)

    end = solve(
        lambda t: until(t).intersection(inside).length - target, 15000.0, whole.length, 0.01
    )
    return until(end)


def railways() -> list[tuple[str, str, float, LineString]]:
    """Return (name, kind, half width, line) of each railway."""
    return [
        (i["name"], i["kind"], i["half_width"], LineString(_straight(i["course"])))
        for i in facts()["railway"]
    ]


def _straight(items: list) -> np.ndarray:
    return course(items)


def power_lines() -> list[tuple[str, str, float, LineString]]:
    """Return (name, voltage, half width, line) of each overhead line."""
    return [
        (i["name"], i["voltage"], i["half_width"], LineString(course(i["course"])))
        for i in facts()["power"]
    ]


def named(ways: list[Way], name: str) -> Way:
    """Return the way with this name."""
    return next(way for way in ways if way.name == name)


def near(ways: list[Way], place: tuple[float, float], reach: float) -> list[Way]:
    """Return the ways whose centre line passes within ``reach`` metres of a place."""
    return [way for way in ways if way.line.distance(Point(place)) <= reach]
