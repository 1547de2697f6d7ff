"""How does an object look as a picture of matplotlib? In the colours of the maps, in Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gis.errors import ClaimError
from gis.model import SiteCheck
from gis.output.figures import chinese_font, land_balance_chart
from gis.output.maps.groups import Group, groups_of
from gis.output.maps.style import VERDICTS, Look
from gis.output.maps.visible import drawable
from gis.output.notebook.pages import of_plan
from gis.output.report.font import font_folder
from gis.plan import LandBalance, Plan
from gis.plan.catalogue import Layer
from gis.siting import SiteSearch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_THEMES = {
    "zones": ("zone", "dev_boundary"),
    "landuse": ("landuse",),
    "planned_use": ("planned_use",),
    "control": ("farmland", "redline", "control_line"),
}
_ALWAYS = ("planning_area", "road")
_MARGIN = 0.6
_LAND = {
    "permitted": "#3c9d5f",
    "conditional": "#f2b400",
    "undetermined": "#9aa3cf",
    "excluded": "#d9d9d6",
}


def use_chinese_font() -> str:
    """Let every figure of matplotlib show Chinese: an installed font, or the one of the package.

    Returns
    -------
    family
        Name of the font; it stands first in ``rcParams["font.sans-serif"]`` from now on.

    Raises
    ------
    ClaimError
        matplotlib is not installed.

    Examples
    --------
    >>> import gis
    >>> family = gis.use_chinese_font()
    >>> import matplotlib
    >>> matplotlib.rcParams["font.sans-serif"][0] == family
    True
    """
    matplotlib = _matplotlib()
    from matplotlib import font_manager

    family = chinese_font()
    if family is None:
        for file in sorted(Path(font_folder()).glob("*.otf")):
            font_manager.fontManager.addfont(str(file))
            family = font_manager.FontProperties(fname=str(file)).get_name()
    usual = [name for name in matplotlib.rcParams["font.sans-serif"] if name != family]
    matplotlib.rcParams["font.family"] = "sans-serif"
    matplotlib.rcParams["font.sans-serif"] = [family, *usual]
    matplotlib.rcParams["axes.unicode_minus"] = False
    return str(family)


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ImportError:
        raise ClaimError(
            "没有安装 matplotlib，不能绘图", advice='安装可选组件：pip install "wuqu[notebook]"'
        ) from None
    return matplotlib


@singledispatch
def plot(shown: object, *_: Any, **__: Any) -> Figure:
    """Return the picture of an object."""
    raise ClaimError(f"{type(shown).__name__} 没有图", advice="用 to_frame().plot()")


@plot.register(LandBalance)
def _balance(balance: LandBalance) -> Figure:
    return land_balance_chart(balance)


@plot.register(Plan)
def _plan(plan: Plan, theme: str = "zones") -> Figure:
    roles = _roles(theme)
    figure, axes = _canvas(f"{plan.ref.title}【{plan.status_label}】")
    _draw(axes, list(_groups(plan, (*roles, *_ALWAYS))))
    _finish(figure, axes, plan)
    return figure


@plot.register(SiteCheck)
def _check(check: SiteCheck, plan: Plan | None = None, theme: str = "landuse") -> Figure:
    opened = of_plan(plan, "check.plot(plan)")
    figure, axes = _canvas(
        f"{check.verdict.label}　{check.site.name}　{check.site.area.mu:,.2f} 亩"
    )
    west, south, east, north = check.site.geometry.bounds
    room = _MARGIN * max(east - west, north - south)
    box = (west - room, south - room, east + room, north + room)
    _draw(axes, list(_groups(opened, (*_roles(theme), *_ALWAYS), box)))
    _outline(axes, [check.site.geometry], opened, VERDICTS[check.verdict].colour)
    axes.set_xlim(box[0], box[2])
    axes.set_ylim(box[1], box[3])
    _finish(figure, axes, opened)
    return figure


@plot.register(SiteSearch)
def _search(search: SiteSearch, plan: Plan | None = None) -> Figure:
    opened = of_plan(plan, "search.plot(plan)")
    query = search.query
    figure, axes = _canvas(f"找地：{query.use_label} {query.area_mu:,g} 亩，{query.within_title}")
    groups = [
        Group(c.label, _look(c.id), _frame([c.geometry], opened))
        for c in search.feasible.classes
        if not c.geometry.is_empty
    ]
    _draw(axes, [*groups, *_groups(opened, _ALWAYS)])
    for site in search.sites:
        _outline(axes, [site.geometry], opened, VERDICTS[site.verdict].colour)
        centre = site.geometry.centroid
        axes.annotate(
            site.name,
            (centre.x, centre.y),
            ha="center",
            fontsize=9,
            zorder=6,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5},
        )
    _finish(figure, axes, opened)
    return figure


# --- drawing -------------------------------------------------------------------------------------


def _canvas(title: str) -> tuple[Figure, Axes]:
    use_chinese_font()
    from gis.output.chart import Chart

    figure = Chart(figsize=(11, 7.5), dpi=110)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=13)
    return figure, axes


def _roles(theme: str) -> tuple[str, ...]:
    if theme not in _THEMES:
        raise ClaimError(f"没有专题“{theme}”", expected="、".join(_THEMES))
    return _THEMES[theme]


def _groups(
    plan: Plan, roles: Sequence[str], box: tuple[float, float, float, float] | None = None
) -> Iterator[Group]:
    """Yield what is drawn of some roles, public layers only, near a box when one is given."""
    for role in roles:
        for layer in drawable(plan, role, "public"):
            yield from groups_of(layer, _near(layer, box))


def _near(layer: Layer, box: tuple[float, float, float, float] | None) -> Any:
    if box is None or layer.info.role == "zone":
        return None
    west, south, east, north = box
    return layer.frame.cx[west:east, south:north]


def _frame(shapes: list[Any], plan: Plan) -> Any:
    import geopandas

    return geopandas.GeoDataFrame(geometry=shapes, crs=plan.work_epsg)


def _look(name: str) -> Look:
    return Look("#ffffff", 0.0, fill=_LAND[name], fill_opacity=0.85)


def _draw(axes: Axes, groups: list[Group]) -> None:
    """Draw groups bottom to top, each with its entry in the legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Any] = []
    for group in groups:
        if len(group.frame) == 0:
            continue
        look, fill = group.look, group.look.fill or "none"
        lines = bool((group.frame.geometry.geom_type.str.contains("Line")).all())
        if lines:
            group.frame.plot(ax=axes, color=look.stroke, linewidth=look.weight / 2, zorder=3)
            entries.append(Line2D([], [], color=look.casing or look.stroke, label=group.label))
            continue
        style: dict[str, Any] = {
            "facecolor": fill,
            "alpha": look.fill_opacity or 1.0,
            "edgecolor": look.stroke,
        }
        group.frame.plot(ax=axes, linewidth=look.weight / 3, **style)
        entries.append(Patch(label=group.label, **style))
    axes.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=8
    )


def _outline(axes: Axes, shapes: list[Any], plan: Plan, colour: str) -> None:
    frame = _frame(shapes, plan)
    frame.boundary.plot(ax=axes, color="white", linewidth=4.5, zorder=4)
    frame.boundary.plot(ax=axes, color=colour, linewidth=2.5, zorder=5)


def _finish(figure: Figure, axes: Axes, plan: Plan) -> None:
    axes.set_aspect("equal")
    axes.set_xlabel(f"东（米，EPSG:{plan.work_epsg}）")
    axes.set_ylabel("北（米）")
    axes.ticklabel_format(style="plain", useOffset=False)
    axes.tick_params(labelsize=7)
    figure.text(0.01, 0.01, plan.ref.status_note, fontsize=8)
    figure.subplots_adjust(left=0.1, right=0.76, top=0.93, bottom=0.1)
