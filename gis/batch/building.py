"""Which sites are the rows of a chunk?

The rules of the door hold for every row: a row that is plain (a valid polygon in the declared CRS,
inside the bounds of the plan) is taken in bulk, any other goes the way of a single file, which
finds the words for what is wrong with it. Both ways give the same site.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import shapely

from gis.batch.rows import Origin, Problem, Row, Wishes, problem_of
from gis.claims import with_claims
from gis.crs import (
    CrsPolicy,
    crs_of,
    ellipsoidal_area,
    ellipsoidal_areas,
    geographic_code,
    transform,
)
from gis.errors import Fault, FormatError, InputError
from gis.intake.build import MIN_AREA_M2, Options, site_of
from gis.intake.draft import Document, Draft, Shape, ShapeKind
from gis.intake.drawing.limits import MAX_PERIMETER_M
from gis.intake.outside.wkb import WkbError, shape_of
from gis.intake.position.coordinates import Understanding, understand
from gis.intake.statements import Statements, read_properties
from gis.model import Area, CrsDecision, Remark, Site, Source

Array: TypeAlias = np.ndarray[Any, Any]

# Up to here no drawing is refused for its complexity, whatever its edges do.
_PLAIN_VERTICES = 5_000
_POLYGON, _MULTIPOLYGON = 3, 6
_Z_DROPPED = Remark("z_dropped", "坐标带有高程（Z），已略去，只按平面位置检测")


class Built(NamedTuple):
    """Sites or problems of some rows; ``plain`` are those whose outline is ``outlines`` of them."""

    sites: list[Site | Problem]
    plain: list[bool]


def build(
    rows: Sequence[Row], origins: Sequence[Origin], policy: CrsPolicy, wishes: Wishes
) -> Built:
    """Return for each row its site, claims checked, or why it cannot be judged."""
    found: list[Site | Problem | None] = [row.site or row.problem for row in rows]
    plain = [False] * len(rows)
    for number in {row.origin for row in rows}:
        own = [n for n, row in enumerate(rows) if row.origin == number and found[n] is None]
        sites = _plain_sites([rows[n] for n in own], origins[number], policy) if own else []
        for n, site in zip(own, sites, strict=True):
            found[n], plain[n] = site, site is not None
    sites_or_problems = [
        _claimed(item or _single(row, origins[row.origin], policy, wishes), wishes)
        for row, item in zip(rows, found, strict=True)
    ]
    return Built(sites_or_problems, plain)


def _claimed(site: Site | Problem, wishes: Wishes) -> Site | Problem:
    if isinstance(site, Problem):
        return site
    try:
        return with_claims(site, wishes.use, wishes.attributes)
    except InputError as error:
        return problem_of(error)


# --- one by one ----------------------------------------------------------------------------------


def _single(row: Row, origin: Origin, policy: CrsPolicy, wishes: Wishes) -> Site | Problem:
    """Return the site of one row as a file with this row alone would give it."""
    where, said = _said(row)
    try:
        shape = _shape(row, where)
        document = Document(origin.kind, (), declared=origin.declared, clockwise_is_usual=True)
        draft = Draft(
            said.name or row.name,
            shape,
            said.use,
            said.claims,
            faults=said.faults,
            warnings=said.warnings,
        )
        source = Source(origin.kind, origin.label, "")
        wanted = Options(policy, origin.given, wishes.repair, wishes.width_m, source)
        return site_of(draft, document, wanted)
    except InputError as error:
        return problem_of(error)


def _shape(row: Row, where: str) -> Shape:
    if not row.wkb:
        return Shape(ShapeKind.EMPTY, where)
    try:
        shape = shape_of(row.wkb, where)
    except WkbError as error:
        raise FormatError(
            f"{where}的图形无法读取", advice="重新绘制或导出", faults=[Fault(where, str(error))]
        ) from None
    if shape.parts and not np.isfinite(shape.xy).all():
        raise FormatError(f"{where}有坐标不是有限的数值", advice="改正坐标")
    return shape


def _said(row: Row) -> tuple[str, Statements]:
    where = f"第 {row.place} 行"
    return where, read_properties(row.properties, where=where)


def name_of(row: Row) -> str:
    """Return what a row is called: its own name, else its file and place."""
    return _said(row)[1].name or row.name


# --- in bulk -------------------------------------------------------------------------------------


def outlines(rows: Sequence[Row], epsg: int, work_epsg: int) -> Array:
    """Return the outlines of plain rows, read in a CRS, in the work CRS."""
    shapes, _ = _polygons(rows)
    return np.asarray(transform(_array(shapes), epsg, work_epsg), dtype=object)


def _plain_sites(rows: Sequence[Row], origin: Origin, policy: CrsPolicy) -> list[Site | None]:
    """Return the sites of those rows that are plain, None for the others."""
    shapes, has_z = _polygons(rows)
    reading = _reading(shapes, origin, policy)
    found: list[Site | None] = [None] * len(rows)
    if reading is None:
        return found
    at = np.flatnonzero(_is_plain(shapes))
    at = at[_lies_inside(shapes[at], reading.epsg, policy)]
    work: Array = np.asarray(transform(_array(shapes[at]), reading.epsg, policy.work_epsg))
    good = shapely.is_valid(work) & (shapely.length(work) <= MAX_PERIMETER_M)
    at, work = at[good], work[good]
    planar, areas = shapely.area(work), _areas(work, policy.work_epsg)
    crs = CrsDecision(reading.epsg, policy.work_epsg, reading.how)
    source = Source(origin.kind, origin.label, "")
    for n, outline, flat, area in zip(at.tolist(), work, planar.tolist(), areas, strict=True):
        _, said = _said(rows[n])
        if said.faults or not area >= MIN_AREA_M2:
            continue
        found[n] = Site(
            said.name or rows[n].name,
            outline,
            Area(area, flat),
            crs,
            source,
            use=said.use,
            claims=said.claims,
            notes=(*reading.notes, *((_Z_DROPPED,) if has_z[n] else ())),
            warnings=(*said.warnings, *reading.warnings),
        )
    return found


def _array(shapes: Array) -> Any:
    return shapes  # shapely moves an array as it moves one geometry


def _polygons(rows: Sequence[Row]) -> tuple[Array, Array]:
    """Return the rows as polygons, None where a row is anything else; and which have heights."""
    wkb = np.array([row.wkb or None for row in rows], dtype=object)
    shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    kinds = shapely.get_type_id(shapes)
    shapes[~np.isin(kinds, (_POLYGON, _MULTIPOLYGON)) | shapely.has_m(shapes)] = None
    has_z = shapely.has_z(shapes)
    shapes = np.asarray(shapely.force_2d(shapes), dtype=object)
    single = (shapely.get_type_id(shapes) == _MULTIPOLYGON) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return shapes, has_z


def _reading(shapes: Array, origin: Origin, policy: CrsPolicy) -> Understanding | None:
    """Return how all plain rows are read: as the first one that can be read; None when by hand.

    Without a declaration every row is a question of its own, and so are coordinates of a web map.
    """
    said = origin.given or origin.declared
    if said is None or said.shift:
        return None
    for shape in shapes:
        if shape is None or shape.is_empty:
            continue
        xy = shapely.get_coordinates(shape)
        try:
            return understand(xy, policy, given=origin.given, declared=origin.declared)
        except InputError:
            continue
    return None


def _is_plain(shapes: Array) -> Array:
    """Return which shapes are valid and small polygons without repeated points."""
    count = shapely.get_num_coordinates(shapes)
    plain = (count > 3) & (count <= _PLAIN_VERTICES) & shapely.is_valid(shapes)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    repeated = (xy[1:] == xy[:-1]).all(axis=1) & (owner[1:] == owner[:-1])
    plain[owner[1:][repeated]] = False
    return np.asarray(plain)


def _lies_inside(shapes: Array, epsg: int, policy: CrsPolicy) -> Array:
    """Return which shapes lie wholly inside the bounds of the plan when read in a CRS."""
    inside = np.zeros(len(shapes), dtype=bool)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    if not len(xy):
        return inside
    base = geographic_code(policy.work_epsg)
    points = np.column_stack([*xy.T])
    if not crs_of(epsg).is_geographic:
        from pyproj import Transformer

        move = Transformer.from_crs(crs_of(epsg), crs_of(base), always_xy=True)
        points = np.column_stack(move.transform(xy[:, 0], xy[:, 1]))
    west, south, east, north = policy.bounds
    lon, lat = points.T
    outside = ~((lon > west) & (lon < east) & (lat > south) & (lat < north))
    inside[np.unique(owner)] = True
    inside[owner[outside]] = False
    return inside


def _areas(shapes: Array, epsg: int) -> list[float]:
    """Return the ellipsoidal area of each polygon, to the bit as ``ellipsoidal_area`` gives it.

    That projects around the nearest whole degree, so sites with one centre are measured together.
    """
    found = np.zeros(len(shapes))
    if not len(shapes):
        return []
    centre = shapely.centroid(shapely.envelope(shapes))
    lonlat = np.round(
        shapely.get_coordinates(transform(_array(centre), epsg, geographic_code(epsg)))
    )
    for cell in np.unique(lonlat, axis=0):
        at = np.flatnonzero((lonlat == cell).all(axis=1))
        if _centre(shapes[at], epsg) == tuple(cell):
            found[at] = ellipsoidal_areas(shapes[at], epsg)
        else:
            found[at] = [ellipsoidal_area(shape, epsg) for shape in shapes[at]]
    return [float(area) for area in found]


def _centre(shapes: Array, epsg: int) -> tuple[float, float]:
    """Return the degree around which ``ellipsoidal_areas`` projects these shapes."""
    west, south, east, north = shapely.total_bounds(shapes)
    point = shapely.Point((west + east) / 2, (south + north) / 2)
    lon, lat = transform(point, epsg, geographic_code(epsg)).coords[0]
    return float(round(lon)), float(round(lat))
