"""How do the plots of a boundary-point TXT and the report of the linter read?

As JSON values and as tables in a terminal. Nothing is read, written or decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from gis.console import in_options, print_rows
from gis.crs import to_lonlat
from gis.intake.boundary.lint import Level, LintPlot, LintReport, LintRow
from gis.model import Site
from gis.output.sites_txt import parts_of

_LEVELS = {"error": ("错误", "bold red"), "warning": ("警告", "yellow"), "note": ("说明", "dim")}
_AREAS = ("椭球面积 m²", "平面面积 m²", "亩")


def _rings(site: Site) -> list[dict[str, Any]]:
    """Return the rings of a site in the work CRS, x = east, closed."""
    return [
        {
            "part": n,
            "role": "hole" if i else "outer",
            "coordinates": [[round(x, 6), round(y, 6)] for x, y, *_ in ring.coords],
        }
        for n, part in enumerate(parts_of(site.geometry), start=1)
        for i, ring in enumerate((part.exterior, *part.interiors))
    ]


def _points(site: Site) -> int:
    return sum(len(ring["coordinates"]) - 1 for ring in _rings(site))


def _area(site: Site) -> dict[str, float]:
    area = site.area
    return {
        "ellipsoidal_m2": area.ellipsoidal_m2,
        "planar_m2": area.planar_m2,
        "mu": area.mu,
        "ha": area.ha,
    }


def plot_document(site: Site, number: int) -> dict[str, Any]:
    """Return one plot as JSON values: areas, claims, rings in the work CRS, remarks."""
    return {
        "number": number,
        "name": site.name,
        "source_crs": f"EPSG:{site.crs.source_epsg}",
        "points": _points(site),
        "area": _area(site),
        "claims": dict(site.claims),
        "rings": _rings(site),
        "notes": [{"code": r.code, "message": r.message} for r in site.notes],
        "warnings": [{"code": r.code, "message": r.message} for r in site.warnings],
    }


def collection(sites: Sequence[Site], work_epsg: int, first: int) -> dict[str, Any]:
    """Return the plots as a GeoJSON collection in longitude/latitude; ``first`` is a number."""
    features = []
    for n, site in enumerate(sites, start=first):
        document = plot_document(site, n)
        kept = ("number", "name", "source_crs", "points", "area", "claims", "notes", "warnings")
        properties = {key: document[key] for key in kept}
        geometry = to_lonlat(site.geometry, work_epsg)
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def print_plots(console: Console, sites: Sequence[Site], first: int) -> None:
    """Print the plots as a table, then what was found and decided while reading them."""
    heads = ("序号", "编号", "名称", "界址点", "部分/环", *_AREAS, "填写 m²")
    rows = [
        (
            n,
            site.claims.get("plot_number", ""),
            site.name,
            _points(site),
            f"{len(parts_of(site.geometry))}/{len(_rings(site))}",
            f"{site.area.ellipsoidal_m2:,.2f}",
            f"{site.area.planar_m2:,.2f}",
            f"{site.area.mu:,.2f}",
            _stated(site.claims),
        )
        for n, site in enumerate(sites, start=first)
    ]
    print_rows(console, f"地块（{len(rows)} 个）", heads, rows)
    told = [*((w.message, "注意") for s in sites for w in s.warnings)]
    told += [(note.message, "说明") for s in sites for note in s.notes]
    for message, word in dict.fromkeys(told):
        console.print(
            f"{word}：{in_options(message)}", markup=False, highlight=False, soft_wrap=True
        )


def _stated(claims: Mapping[str, Any]) -> str:
    value = claims.get("declared_area_m2")
    return "" if value is None else f"{value:,.2f}"


# --- lint ----------------------------------------------------------------------------------------


def lint_document(file_name: str, report: LintReport) -> dict[str, Any]:
    """Return a report as the one JSON document of ``wuqu txt lint``."""
    return {
        "file": file_name,
        "encoding": report.encoding,
        "plots": len(report.plots),
        "errors": report.count(Level.ERROR),
        "warnings": report.count(Level.WARNING),
        "notes": report.count(Level.NOTE),
        "rows": [row.to_dict() for row in report.rows],
        "table": [_lint_plot(n, plot) for n, plot in enumerate(report.plots, start=1)],
    }


def _lint_plot(number: int, plot: LintPlot) -> dict[str, Any]:
    return {
        "number": number,
        "name": plot.name,
        "plot_number": plot.plot_number,
        "line": plot.line,
        "points": plot.points,
        "rings": plot.rings,
        "stated_area": plot.stated_area,
        "stated_unit": plot.stated_unit,
        "ellipsoidal_m2": plot.ellipsoidal_m2,
        "planar_m2": plot.planar_m2,
        "mu": plot.mu,
    }


def print_lint(console: Console, report: LintReport) -> None:
    """Print the rows of a report in the order of the file, then the plots and the counts."""
    heads = ("行", "级别", "代码", "内容")
    rows = [
        (_line_numbers(row), Text(*_LEVELS[row.level]), row.code, Text(in_options(row.message)))
        for row in report.rows
    ]
    if rows:
        print_rows(console, "检查结果", heads, rows)
    if report.plots:
        titles = ("序号", "编号", "名称", "行", "点", "环", "填写面积", *_AREAS)
        table = [_plot_row(n, plot) for n, plot in enumerate(report.plots, start=1)]
        print_rows(console, f"地块（{len(table)} 个）", titles, table)
    counts = "、".join(f"{_LEVELS[level][0]} {report.count(level)}" for level in Level)
    word = "可以采用" if report.is_accepted else "不能采用，请按行号改正"
    encoding = f"，编码 {report.encoding}" if report.encoding else ""
    console.print(f"{counts}{encoding}：{word}", markup=False, highlight=False)


def _line_numbers(row: LintRow) -> str:
    """Return the line of a row, both where a fault lies between two."""
    named = re.findall(r"第 (\d+) 行", row.where)
    return "、".join(named) or str(row.line or "—")


def _plot_row(number: int, plot: LintPlot) -> tuple[object, ...]:
    stated = "" if plot.stated_area is None else f"{plot.stated_area:g} {plot.stated_unit}"
    areas = (plot.ellipsoidal_m2, plot.planar_m2, plot.mu)
    shown = ["—" if area is None else f"{area:,.2f}" for area in areas]
    fields = (plot.plot_number, plot.name, plot.line, plot.points, plot.rings)
    return (number, *fields, stated, *shown)
