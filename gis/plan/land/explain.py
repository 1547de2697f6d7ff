"""How was one number of the balance made? Definition, denominator, layer, date, source, doubts.

One figure, one share, one class or one area is explained by what it was computed from; nothing is
computed for the explanation alone.
"""

from __future__ import annotations

from typing import Any

from shapely.geometry.base import BaseGeometry

from gis.errors import ClaimError, NotFoundError
from gis.model import Site
from gis.plan.area import Plan
from gis.plan.balance import LandBalance
from gis.plan.budgets import budget_rows
from gis.plan.figures import area_rows, figure_row
from gis.plan.landcover import raster_rows
from gis.plan.quota.accounts import Kind

SHARE = "share"
AreaLike = str | Site | BaseGeometry | None
_LAYER_KEYS = ("layer", "layer_title", "vintage", "status", "source")


def explain(
    plan: Plan, wanted: str, area: AreaLike = None, definition: str | None = None
) -> dict[str, Any]:
    """Return everything that explains one number.

    Parameters
    ----------
    plan
        An opened plan package.
    wanted
        Id of a stated figure, of an area, of a budget or of a raster figure; ``share`` (green and
        water of the area), or the code of a land class in the area.
    area, definition
        As for ``Plan.land_balance``; a stated figure has its own.

    Raises
    ------
    NotFoundError
        Nothing of that name; what there is, is named.
    ClaimError
        An area or definition for a number that has its own: it would be ignored.
    """
    for row in (figure_row(figure) for figure in plan.figures()):
        if row["id"] == wanted:
            _refuse_idle(wanted, area, definition)
            return _figure(plan, row)
    for row in area_rows(plan):
        if row["id"] == wanted:
            _refuse_idle(wanted, area, definition)
            return _area(row)
    for row in budget_rows(plan):
        if row["id"] == wanted:
            _refuse_idle(wanted, area, definition)
            return _budget(plan, row)
    # Images are read only for a figure of theirs: its id begins with that of the image.
    if wanted.split(":")[0] in {entry.id for entry in plan.file.raster}:
        for row in raster_rows(plan, area):
            if row["id"] == wanted:
                _refuse_idle(wanted, None, definition)
                return _raster(row)
    balance = plan.land_balance(area, definition=definition)
    document = balance.to_dict()
    if wanted == SHARE:
        return {"id": SHARE, "kind": SHARE, "title": "绿地和水域占比", **_share(document)}
    for row in document["classes"]:
        if row["class"] == wanted:
            return _class(document, row)
    raise NotFoundError(f"没有可以说明的“{wanted[:40]}”", expected="、".join(_known(plan, balance)))


def _refuse_idle(wanted: str, area: AreaLike, definition: str | None) -> None:
    """Refuse what would be ignored: the answer would be to another question."""
    given = {"范围": area, "口径": definition}
    idle = "和".join(name for name, value in given.items() if value is not None)
    if idle:
        raise ClaimError(
            f"“{wanted}”的{idle}是固定的，另给的{idle}不起作用",
            advice=f"去掉{idle}；某一范围、某一口径的占比用 share 说明",
        )


def _known(plan: Plan, balance: LandBalance) -> list[str]:
    figures = [figure.id for figure in plan.figures()]
    areas = [area.id for area in plan.areas]
    others = [row["id"] for row in (*budget_rows(plan), *raster_rows(plan, None))]
    return [SHARE, *figures, *areas, *others, *(row.cls for row in balance.rows if row.cls)]


def _figure(plan: Plan, row: dict[str, Any]) -> dict[str, Any]:
    explained = {"kind": "figure", **row}
    stated = next(s for s in plan.file.stated if s.id == row["id"])
    if stated.measure != "green_water_share" or row["computed"] is None:
        return explained
    balance = plan.land_balance(stated.within, definition=stated.definition)
    about = _share(balance.to_dict())
    # The source of the stated number, and that of the layer, are two things.
    return {**about, **explained, "layer_source": about["source"]}


def _area(row: dict[str, Any]) -> dict[str, Any]:
    which = "同一编码的" if row["kind"] in ("district", "zone") else "全部"
    definition = f"图层中{which}要素的椭球面积（重叠只计一次）"
    return {**row, "kind": "area", "role": row["kind"], "definition": definition}


_BUDGETS = {
    Kind.DEV_BOUNDARY: "开发边界与现状地类套合：现状建设用地为已用，未释放的预留为预留，其余为余量",
    Kind.FARMLAND: "图层全部要素的椭球面积（重叠只计一次），扣除未释放的预留",
    Kind.CULTIVATED: "现状耕地（含可调整地类）的椭球面积，扣除未释放的预留",
    Kind.CONVERSION: "批准的农用地转用指标，扣除未释放的预留占用的农用地",
    Kind.REPLACEMENT: "批准的补充耕地指标，扣除未释放的预留占用的耕地",
    Kind.GREEN_WATER: "规划绿地和水域的椭球面积，扣除未释放的预留",
}


def _budget(plan: Plan, row: dict[str, Any]) -> dict[str, Any]:
    info = plan.layers[row["layer"]].info if row["layer"] in plan.layers else None
    letter = f"（口径 {row['definition']}）" if row["definition"] else ""
    return {
        **row,
        "kind": "budget",
        "budget": row["kind"],
        "title": " ".join(dict.fromkeys((row["title"], row["name"]))),
        "definition": _BUDGETS[Kind(row["kind"])] + letter,
        "denominator": row["area_title"],
        "layer_title": info.title if info else None,
        "status": info.status if info else None,
        "source": info.source if info else None,
    }


def _raster(row: dict[str, Any]) -> dict[str, Any]:
    # What the raster does not show of the area is not in the share.
    seen = row["area"] and f"{row['area']['title']}内的有效像元"
    return {**row, "kind": "raster", "figure": row["kind"], "denominator": seen}


def _share(document: dict[str, Any]) -> dict[str, Any]:
    keys = (
        "green_water_share",
        "share_is_lower_bound",
        "share_range",
        "sentence",
        "denominator_m2",
        "green_m2",
        "water_m2",
        "green_water_m2",
        "counted_twice_m2",
        "uncovered_m2",
        "scheme",
        "edition",
        *_LAYER_KEYS,
        "counted",
        "not_counted",
        "sensitivity",
        "definitions",
    )
    return {
        "definition": f"口径 {document['definition']}：{document['definition_text']}",
        "denominator": document["area"]["title"],
        **{key: document[key] for key in keys},
    }


def _class(document: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    code = row["class"]
    return {
        "id": code,
        "kind": "class",
        "title": row["name"],
        "definition": f"{document['scheme']}（{document['edition']}）{code} 的椭球面积",
        "denominator": document["area"]["title"],
        "denominator_m2": document["denominator_m2"],
        **{key: row[key] for key in ("area_m2", "ha", "mu", "share", "percent", "counted_as")},
        "counted_by": f"口径 {document['definition']}：{document['definition_text']}",
        **{key: document[key] for key in _LAYER_KEYS},
        "share_is_lower_bound": document["share_is_lower_bound"],
        "sensitivity": [s for s in document["sensitivity"] if code in s["classes"]],
    }
