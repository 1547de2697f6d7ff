"""Pieces of a boundary-point TXT: head, plot headers, and the point lines of simple rings.

All plots lie around 115.98E 36.40N; corners are metres from the south-west corner of the first.
"""

from __future__ import annotations

from collections.abc import Sequence

# South-west corner of the first plot, CGCS2000 3-degree zone 39, without its prefix.
EAST, NORTH = 408_498.270, 4_030_411.110

Corner = tuple[float, float]


def head(drop: Sequence[str] = (), **changes: str) -> list[str]:
    """Lines 1 to 12 of the form: the head and the mark of the coordinates."""
    pairs = {
        "格式版本号": "1.01",
        "数据产生单位": "测绘院",
        "数据产生日期": "2026-11-22",
        "坐标系": "2000国家大地坐标系",
        "几度分带": "3",
        "投影类型": "高斯克吕格",
        "计量单位": "米",
        "带号": "39",
        "精度": "0.001",
        "转换参数": ",,,,,,",
        **changes,
    }
    kept = [f"{key}={value}" for key, value in pairs.items() if key not in drop]
    return ["[属性描述]", *kept, "[地块坐标]"]


def title(
    count: object = 5,
    area: object = "2.0000",
    number: str = "01",
    name: str = "甲地块",
    kind: str = "面",
    rest: str = ",教育用地,0804,@",
) -> str:
    """Line 13 of the form: the header of a plot."""
    return f"{count},{area},{number},{name},{kind},{rest}"


def box(x: float = 0, y: float = 0, width: float = 200, height: float = 100) -> list[Corner]:
    """Corners of a rectangle, clockwise from the north-west, metres from the first plot's."""
    return [(x, y + height), (x + width, y + height), (x + width, y), (x, y)]


def points(
    corners: Sequence[Corner],
    ring: object = 1,
    first: int = 1,
    closing: str = "same",
    form: str = "J{n},{ring},{north},{east}",
    zone: str = "39",
    decimals: int = 3,
) -> list[str]:
    """Point lines of one ring; ``closing`` is the same number, the next number, or none."""
    numbered = list(enumerate(corners, start=first))
    if closing == "same":
        numbered.append((first, corners[0]))
    elif closing == "next":
        numbered.append((first + len(corners), corners[0]))
    return [
        form.format(
            n=n,
            ring=ring,
            north=f"{NORTH + y:.{decimals}f}",
            east=f"{zone}{EAST + x:.{decimals}f}",
        )
        for n, (x, y) in numbered
    ]


def written(pairs: Sequence[tuple[str, str]], form: str = "J{n},1,{north},{east}") -> list[str]:
    """Point lines of a closed ring from (east, north) as written."""
    return [
        form.format(n=n % len(pairs) + 1, east=east, north=north)
        for n, (east, north) in enumerate([*pairs, pairs[0]])
    ]


FIRST = points(box())  # 200 m x 100 m = 20,000 m2
SECOND = points(box(500, 0, 100, 100))  # 10,000 m2
HOLE = box(50, 40, 10, 10)  # 100 m2
TITLE_2 = title(5, "1.0000", "02", "乙地块")
# The first plot in other systems, by pyproj: zone 38, longitude/latitude, and the public formula.
ZONE_38 = [
    ("38677625.655", "4031849.481"),
    ("38677825.615", "4031855.697"),
    ("38677828.723", "4031755.717"),
    ("38677628.763", "4031749.500"),
]
DEGREES = [
    ("115.979988254", "36.400901037"),
    ("115.982217428", "36.400920056"),
    ("115.982229178", "36.400019026"),
    ("115.980000030", "36.400000007"),
]
GCJ_02 = [
    ("115.985645800", "36.400950037"),
    ("115.987881860", "36.400975510"),
    ("115.987893550", "36.400074166"),
    ("115.985657515", "36.400048693"),
]
