"""Turn labelled faces into the rows and shapes of every layer file.

One function per layer family; each returns a `Table` that write.py and catalogue.py take. All
areas are ellipsoidal, in m² with two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import catalogue
import landuse
import numpy as np
import planned
import shapely
from arrange import Arrangement
from frame import area, at, facts, on_grid
from lines import Feature
from shapely import affinity
from shapely.geometry.base import BaseGeometry
from shapes import parts
from streets import Way
from write import Field

STATUS = "示意"
TEXT, AREA = 60, (18, 2)


@dataclass
class Table:
    """One layer file: columns without BSM and ZT (added here), rows and shapes."""

    file: str
    code: str
    geometry: str
    columns: list[Field]
    rows: list[list[object]] = field(default_factory=list)
    shapes: list[BaseGeometry] = field(default_factory=list)

    def add(self, shape: BaseGeometry, *values: object) -> None:
        """Append a feature; BSM is counted from the layer's code."""
        self.rows.append([f"371502{self.code}{len(self.rows) + 1:08d}", *values, STATUS])
        self.shapes.append(shape)

    def redraw(self, row: int, shape: BaseGeometry) -> None:
        """Give a feature another outline and print its area, which stands before the status."""
        self.shapes[row] = on_grid(shape)
        self.rows[row][-2] = round(area(self.shapes[row]), 2)

    @property
    def fields(self) -> list[Field]:
        """All columns in file order."""
        return [Field("BSM", 18), *self.columns, Field("ZT", 12)]


def text(name: str, width: int = TEXT) -> Field:
    """Return a text column."""
    return Field(name, width)


def number(name: str, width: int = 18, decimals: int = 2) -> Field:
    """Return a number column."""
    return Field(name, width, decimals)


def outline(file: str, code: str, name: str, shape: BaseGeometry) -> Table:
    """Return a layer of one polygon with name and area."""
    table = Table(file, code, "polygon", [text("MC"), number("MJ")])
    table.add(shape, name, round(area(shape), 2))
    return table


def towns(base: Arrangement, town: np.ndarray) -> Table:
    """Return the four towns."""
    table = Table("XZQ", "1001", "polygon", [text("XZQDM", 12), text("XZQMC"), number("MJ")])
    for k, item in enumerate(facts()["towns"]["list"]):
        shape = base.union(town == k)
        table.add(shape, item["code"], item["name"], round(area(shape), 2))
    return table


def zones(base: Arrangement, zone: np.ndarray) -> Table:
    """Return the five functional zones as one multipolygon each."""
    table = Table("GNFQ", "2001", "polygon", [text("GNFQDM", 8), text("GNFQMC"), number("MJ")])
    for item in facts()["zones"]["list"]:
        shape = base.union(zone == item["id"])
        table.add(shape, item["id"], item["name"], round(area(shape), 2))
    return table


def development(base: Arrangement, owner: np.ndarray, items: list) -> Table:
    """Return the parts of the development boundary, one polygon each."""
    table = Table("CZKFBJ", "2002", "polygon", [text("GHFQDM", 8), text("GHFQMC"), number("MJ")])
    for k, (code, name, _) in enumerate(items):
        for part in parts(base.union(owner == k)):
            if part.area > 2000:
                table.add(part, code, name, round(area(part), 2))
    return table


def parcels(base: Arrangement, patches: list, patch: np.ndarray, parcel: np.ndarray) -> Table:
    """Return the current land use, numbered from north-west to south-east."""
    table = Table(
        "DLTB",
        "3001",
        "polygon",
        [text("TBBH", 12), text("DLBM", 8), text("DLMC"), text("QSXZ", 4), number("TBMJ")],
    )
    shapes, first = unions(base, parcel)
    for count, k in enumerate(_reading_order(shapes), start=1):
        owner = patches[patch[first[k]]]
        table.add(
            shapes[k],
            f"{count:06d}",
            owner.code,
            landuse.NAMES[owner.code],
            "20" if owner.state_owned else "30",
            round(area(shapes[k]), 2),
        )
    return table


def unions(base: Arrangement, group: np.ndarray) -> tuple[list[BaseGeometry], np.ndarray]:
    """Return the union of each group of faces and one face of it; groups count from 0."""
    order = np.argsort(group, kind="stable")
    count = int(group.max()) + 1
    cuts = np.searchsorted(group[order], np.arange(count + 1))
    shapes = [base.union(order[cuts[k] : cuts[k + 1]]) for k in range(count)]
    return shapes, order[cuts[:-1]]


def _reading_order(shapes: Sequence[BaseGeometry]) -> np.ndarray:
    bounds = shapely.bounds(np.array(shapes, dtype=object))
    return np.lexsort((bounds[:, 0], -np.round(bounds[:, 3] / 500)))


def farmland(base: Arrangement, label: np.ndarray, codes: np.ndarray) -> Table:
    """Return permanent farmland plots with their class."""
    table = Table(
        "YJJBNTTB",
        "2003",
        "polygon",
        [text("YJJBNTTBBH", 16), text("DLBM", 8), text("DLMC"), number("YJJBNTMJ")],
    )
    used, group = np.unique(label, return_inverse=True)
    shapes, first = unions(base, group)
    kept = [k for k in range(len(used)) if used[k] > 0]
    order = [kept[i] for i in _reading_order([shapes[k] for k in kept])]
    for count, k in enumerate(order, start=1):
        code = str(codes[first[k]])
        table.add(shapes[k], f"YN{count:05d}", code, landuse.NAMES[code], round(area(shapes[k]), 2))
    return table


def planned_use(base: Arrangement, plots: list, plan: np.ndarray) -> Table:
    """Return the planned land use of the core."""
    table = Table(
        "GHYDYH", "4001", "polygon", [text("YDYHFLDM", 8), text("YDYHFLMC"), number("TBMJ")]
    )
    shapes, first = unions(base, base.groups(plan))
    for k in _reading_order(shapes):
        if plan[first[k]] >= 0:
            code = plots[plan[first[k]]].code
            table.add(shapes[k], code, planned.NAMES[code], round(area(shapes[k]), 2))
    return table


def features(
    file: str, code: str, base: Arrangement, items: list[Feature], kind: str = "LX"
) -> Table:
    """Return a layer of named features made of faces, with class and area."""
    table = Table(file, code, "polygon", [text(kind), text("MC"), number("MJ")])
    for group, name, chosen in items:
        shape = base.union(chosen)
        table.add(shape, group, name, round(area(shape), 2))
    return table


def roads(ways: list[Way], inside: BaseGeometry, country: list) -> Table:
    """Return centre lines of the built ways with class and half width to the land edge."""
    table = Table("DLZXX", "5001", "line", [text("DLMC"), text("DLDJ"), number("BKD", 8)])
    for way in ways:
        if way.built:
            _add_line(table, way.line & inside, way.name, way.grade, way.width / 2)
    for count, (line, width) in enumerate(country, start=1):
        _add_line(table, line, f"村道{count:03d}", "村道", width / 2)
    return table


def power_lines(items: list, inside: BaseGeometry) -> Table:
    """Return power lines with voltage and half width of the conductors."""
    table = Table("DLXL", "5003", "line", [text("MC"), text("DYDJ"), number("BKD", 8)])
    for name, group, half, line in items:
        _add_line(table, line & inside, name, group, half)
    return table


def railways(items: list, settings: list[tuple[str, BaseGeometry]]) -> Table:
    """Return railways cut by the setting they run through; the first setting wins."""
    columns = [text("MC"), text("LX"), text("QD"), number("BKD", 8)]
    table = Table("TLZXX", "5002", "line", columns)
    for name, group, half, line in items:
        rest = line
        for setting, ground in settings:
            for part in shapely.get_parts(shapely.line_merge(rest & ground)):
                _add_line(table, part, name, group, setting, half)
            rest = rest - ground
    return table


def _add_line(table: Table, line: BaseGeometry, *values: object) -> None:
    line = shapely.set_precision(shapely.line_merge(line), 0.001)
    if line.length > 20:
        table.add(line, *values)


def projects(sites: dict[str, BaseGeometry]) -> Table:
    """Return project outlines; an investment of 0 means that none is stated."""
    table = Table("XM", "6001", "polygon", [text("MC"), text("WTLX"), number("TZ", 14)])
    for item in facts()["project"]:
        shape = project_shape(item, sites)
        table.add(
            shape,
            item["name"],
            item.get("problem_class", "无"),
            float(item.get("investment_wan", 0)),
        )
    return table


def project_shape(item: dict, sites: dict[str, BaseGeometry]) -> BaseGeometry:
    """Return the sample site of a project, or a drawn rectangle."""
    if isinstance(item["where"], str):
        return sites[item["where"]]
    (x, y), (w, h) = at(*item["where"]), item["size"]
    box = shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    return shapely.set_precision(affinity.rotate(box, facts()["frame"]["street_tilt_deg"]), 0.001)


def without_features(drawn: set[str]) -> list[Table]:
    """Return the layers of the catalogue of which nothing is drawn: their columns and no feature.

    Such a layer says "looked at, nothing known here", which a missing file does not say.
    """
    return [empty_table(e) for e in catalogue.read_entries()["layer"] if e["file"] not in drawn]


def empty_table(entry: dict) -> Table:
    """Return a layer of the catalogue with its columns and without features."""
    names = entry["fields"]
    columns = [text(names[key]) for key in ("class", "name") if key in names]
    columns += [number(names["area"])] if "area" in names else []
    columns += [number(names["half_width"], 8)] if "half_width" in names else []
    return Table(entry["file"], "", entry["geometry"], columns)
