"""The resort outline, its four towns, the core and the approval area.

Each border is drawn once and shared by both neighbours. One movable border per town is shifted
until the town's ellipsoidal area is the stated one; the resort is their union.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from frame import area, at, fact, facts, rng, street, street_ring
from shapely.geometry import LineString, Polygon
from shapes import jog
from solve import solve

CORE_EAST_U = 3321.0
NORTH_V = 1886.0


@dataclass(frozen=True)
class Districts:
    """Administrative and stated outlines, all in EPSG:4548."""

    towns: dict[str, Polygon]
    resort: Polygon
    core: Polygon
    approval: Polygon


def build_districts(railway: LineString) -> Districts:
    """Solve all outlines whose area is stated."""
    lines = _borders()
    towns = _towns(lines)
    resort = shapely.union_all(list(towns.values()))
    return Districts(towns, resort, _core(railway), _approval())


def _borders() -> dict[str, np.ndarray]:
    """Return every border as a jogged line; the streets at the north-east stay straight."""
    raw = {k: v for k, v in facts()["borders"].items() if isinstance(v, list)}
    raw["hx_west"] = [_local(street(-3930.0, NORTH_V)), *raw["hx_west"][1:]]
    foot = _local(street(CORE_EAST_U, -5262.0))
    raw["lhw_notch"] = [*raw["lhw_notch"][:-1], foot]
    raw["hx_south_lhw"] = [*raw["hx_south_lhw"][:-1], foot]
    lines = {name: np.array([at(*p) for p in pts]) for name, pts in raw.items()}
    out = {name: jog(line, rng(name)) for name, line in lines.items() if name != "lhw_notch"}
    out["lhw_notch"] = lines["lhw_notch"]
    out["hx_east"] = np.array([at(*foot), street(CORE_EAST_U, NORTH_V)])
    out["hx_north"] = np.array([street(CORE_EAST_U, NORTH_V), street(-3930.0, NORTH_V)])
    return out


def _local(position: tuple[float, float]) -> list[float]:
    ox, oy = facts()["frame"]["origin"]
    return [position[0] - ox, position[1] - oy]


def _shifted(line: np.ndarray, east: float) -> np.ndarray:
    """Move a border east or west; its two ends stay, so that the neighbours still meet there."""
    run = (
        np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        / LineString(line).length
    )
    weight = np.clip(np.minimum(run, 1 - run) * 6, 0, 1)
    return line + np.column_stack([east * weight, np.zeros(len(line))])


def _ring(*lines: np.ndarray) -> Polygon:
    """Chain borders head to tail, turning each as needed."""
    chain = list(lines[0])
    if not any(np.allclose(chain[-1], end) for end in (lines[1][0], lines[1][-1])):
        chain.reverse()
    for line in lines[1:]:
        step = line if np.allclose(chain[-1], line[0]) else line[::-1]
        if not np.allclose(chain[-1], step[0]):
            raise ValueError(f"border does not continue at {chain[-1]}")
        chain += list(step[1:])
    ring = Polygon(chain)
    if not ring.is_valid:
        raise ValueError(f"border crosses itself: {shapely.is_valid_reason(ring)}")
    return ring


# Town: the border that is moved, then all its borders in order around it. The order of the towns
# matters: no later move touches a town that is already solved.
TOWN_BORDERS = {
    "hx": ("hx_west", "hx_south_zlz", "hx_south_lhw", "hx_east", "hx_north"),
    "lhw": ("zlz_lhw", "lhw_south", "lhw_yj", "lhw_notch", "hx_south_lhw"),
    "zlz": ("zlz_west", "zlz_south", "zlz_lhw", "hx_south_zlz"),
    "yj": ("yj_east", "yj_north", "lhw_yj", "yj_south"),
}


def _towns(borders: dict[str, np.ndarray]) -> dict[str, Polygon]:
    """Shift the first border of each town until its area is the stated one."""
    stated = {town["id"]: town["km2"] for town in facts()["towns"]["list"]}
    scale = fact("areas", "resort_km2") / sum(stated.values())
    out = {}
    for key, names in TOWN_BORDERS.items():
        target = stated[key] * scale * 1e6
        original = borders[names[0]]

        def shape(t: float, names: tuple[str, ...] = names, line: np.ndarray = original) -> Polygon:
            borders[names[0]] = _shifted(line, t)
            return _ring(*(borders[name] for name in names))

        t = solve(lambda t, f=shape, a=target: area(f(t)) - a, -1800.0, 1800.0, 0.05)
        out[key] = shape(t)
        print(f"  {key}: border {names[0]} moved {t:+.1f} m")
    return out


def _core(railway: LineString) -> Polygon:
    """Return the core: 湖南路, 柳园路, the railway, and a southern side solved for 38.3 km²."""
    rail = LineString(railway.coords)

    def shape(v: float) -> Polygon:
        wide = street_ring([[-6000, v], [CORE_EAST_U, v], [CORE_EAST_U, NORTH_V], [-6000, NORTH_V]])
        halves = shapely.get_parts(shapely.polygonize([*_noded([wide.exterior, rail])]))
        return max((p for p in halves), key=lambda p: p.representative_point().x)

    v = solve(lambda v: area(shape(v)) - fact("areas", "core_km2") * 1e6, -5000.0, -3900.0, 0.05)
    return shape(v)


def _noded(lines: list) -> np.ndarray:
    return shapely.get_parts(shapely.union_all(lines))


def _approval() -> Polygon:
    """Return the stepped outline of the 2014 approval; 尚仁路 (a guess) closes the area."""

    def shape(east: float) -> Polygon:
        return street_ring(
            [[-1524, -1853], [0, -1853], [0, 0], [east, 0], [east, NORTH_V], [-1524, NORTH_V]]
        )

    east = solve(
        lambda u: area(shape(u)) - fact("areas", "approval_km2") * 1e6, 1600.0, 2600.0, 0.05
    )
    print(f"  approval: 尚仁路 at u = {east:.1f} m")
    return shape(east)
