"""What plan does the service judge by? Its figures, zones, layers and rules.

Read-only. Coordinates of layers above the secrecy ceiling never leave; their areas, states and
hashes do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import schemas_plan as schemas
from api.answers import GEOJSON_TYPE, geojson_answer, problems
from api.deps import KnownQuery, PlanDep, State, StateDep
from api.spatial import features_of, parse_bbox
from gis.check import legal_day
from gis.crs import ellipsoidal_area, to_lonlat
from gis.errors import NotFoundError
from gis.model import Area, LayerState, Rule
from gis.model.attributes import day_of
from gis.plan import Plan
from gis.plan.catalogue import Layer
from gis.plan.figures import figure_row
from gis.rulebook import describe

router = APIRouter(prefix="/v1", tags=["规划"], dependencies=[KnownQuery])

MAX_PAGE = 2000
_BOX = r"^-?\d{1,3}(\.\d+)?(,-?\d{1,3}(\.\d+)?){3}$"


def _day(given: object) -> object:
    """Return the day of a query; ValueError for another way of writing it, such as a number."""
    return day_of(given) if isinstance(given, str) else given


AsOf = Annotated[
    date | None,
    BeforeValidator(_day),
    Query(description="依据日期，形如 2026-11-22；默认今天（北京时间）"),
]


@router.get(
    "/plan",
    response_model=schemas.PlanOut,
    responses=problems(422),
    summary="规划数据包",
    description="规划数据包：版本、状态、坐标系、公布指标与计算值、未检查的内容、规则库。",
)
async def get_plan(state: StateDep) -> dict[str, Any]:
    """Return the plan package in use."""
    plan = state.plan
    policy = plan.crs_policy
    return {
        **asdict(plan.ref),
        "status_label": plan.status_label,
        "work_crs": f"EPSG:{plan.work_epsg}",
        "accepted_crs": [f"EPSG:{code}" for code in policy.accepted],
        "bounds": policy.bounds,
        "figures": [figure_row(f) for f in plan.figures()],
        "out_of_scope": [asdict(o) for o in plan.out_of_scope],
        "rulebook": _book(plan),
        "parameters": [asdict(p) for p in plan.rulebook.parameters.values()],
    }


@router.get(
    "/zones",
    response_model=schemas.ZonesOut,
    response_model_exclude_unset=True,
    responses=problems(422),
    summary="功能区",
    description="功能区：编号、名称、面积，以及准入、有条件准入和禁止的用途代码。",
)
async def list_zones(
    state: StateDep,
    geometry: Annotated[bool, Query(description="是否附上边界（GeoJSON 经纬度）")] = False,
) -> dict[str, Any]:
    """Return the functional zones."""
    plan = state.plan
    zones = [
        _zone(plan, layer, zone, drawn=geometry and layer.info.id not in state.hidden_layers)
        for layer in plan.with_role("zone")
        if layer.state is LayerState.CHECKED
        for zone in _zones(layer)
    ]
    return {"plan": asdict(plan.ref), "zones": zones}


Zone = tuple[str, str | None, Any]


def _zones(layer: Layer) -> list[Zone]:
    """Id, name and outline of each zone; a zone may be drawn as several features."""
    parts: dict[str, list[Any]] = {}
    for row in layer.frame.itertuples():
        parts.setdefault(row.cls or row.id, []).append(row)
    return [
        (zone, rows[0].name, shapely.union_all([row.geometry for row in rows]))
        for zone, rows in sorted(parts.items())
    ]


def _zone(plan: Plan, layer: Layer, zone: Zone, *, drawn: bool) -> dict[str, Any]:
    zone_id, name, outline = zone
    area = Area(ellipsoidal_area(outline, plan.work_epsg), float(outline.area))
    row = {
        "id": zone_id,
        "name": name,
        "area": {
            "ellipsoidal_m2": round(area.ellipsoidal_m2, 2),
            "planar_m2": round(area.planar_m2, 2),
            "mu": round(area.mu, 4),
            "ha": round(area.ha, 6),
        },
        "uses": uses_of_zone(plan, zone_id),
        "layer": layer.info.id,
    }
    return row | ({"geometry": to_lonlat(outline, plan.work_epsg)} if drawn else {})


def uses_of_zone(plan: Plan, zone_id: str) -> dict[str, list[str]]:
    """Land-use codes by what the zone x use matrix says to them."""
    found: dict[str, list[str]] = {"permitted": [], "conditional": [], "prohibited": []}
    for rule in plan.rulebook.rules:
        for cell in getattr(rule.params, "cells", ()):
            if zone_id in cell.zones:
                found[cell.verdict].extend(cell.uses)
    return {verdict: sorted(set(codes)) for verdict, codes in found.items()}


# --- layers --------------------------------------------------------------------------------------


@router.get(
    "/layers",
    response_model=schemas.LayersOut,
    responses=problems(422),
    summary="图层清单",
    description="图层清单：状态、现势性、法律状态、内容哈希和要素个数。",
)
async def list_layers(state: StateDep) -> dict[str, Any]:
    """Return the layers without their coordinates."""
    plan = state.plan
    layers = [_layer(state, layer) for layer in plan.layers.values()]
    return {"plan": asdict(plan.ref), "layers": layers}


def _layer(state: State, layer: Layer) -> dict[str, Any]:
    info, frame = layer.info, layer.frame
    classes = Counter(str(c) for c in frame["cls"] if c is not None) if frame is not None else {}
    same = ("id", "title", "role", "geometry", "vintage", "status", "law_status", "secrecy")
    return {
        **{key: getattr(info, key) for key in (*same, "licence", "source", "scheme", "edition")},
        "state": layer.state.value,
        "reason": layer.reason,
        "content_sha256": layer.content_sha256,
        "feature_count": None if frame is None else len(frame),
        "classes": dict(sorted(classes.items())),
        "shows_coordinates": info.id not in state.hidden_layers,
    }


@router.get(
    "/layers/{layer_id}",
    response_class=Response,
    responses={
        200: {"description": "GeoJSON FeatureCollection", "content": {GEOJSON_TYPE: {}}},
        **problems(404, 422),
    },
    summary="一个图层的要素",
    description="一个图层的要素（经纬度，按编号排序，分页）。涉密等级超过上限的图层只给属性。",
)
async def get_layer(
    state: StateDep,
    layer_id: Annotated[str, Path(max_length=60)],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="每页要素个数")] = 500,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="从第几个要素开始")] = 0,
    bbox: Annotated[
        str | None,
        Query(
            description="西,南,东,北（度）",
            examples=["115.9,36.3,116.0,36.4"],
            # Told, not enforced: what is wrong with a box is said in our own words.
            json_schema_extra={"pattern": _BOX},
        ),
    ] = None,
) -> Any:
    """Return one page of the features of a layer."""
    plan = state.plan
    layer = plan.layer(layer_id)
    box = parse_bbox(bbox) if bbox else None
    hidden = layer_id in state.hidden_layers
    about = {"plan": asdict(plan.ref), "layer": _layer(state, layer)}
    if hidden or layer.frame is None:
        page: dict[str, Any] = {"features": [], "numberMatched": 0}
    else:
        page = await run_in_threadpool(
            features_of, layer.frame, plan.work_epsg, box=box, limit=limit, offset=offset
        )
    counts = {"numberReturned": len(page["features"]), "offset": offset, "limit": limit}
    return geojson_answer({"type": "FeatureCollection", **page, **counts, **about})


# --- rules ---------------------------------------------------------------------------------------


@router.get(
    "/rules",
    response_model=schemas.RulesOut,
    responses=problems(422),
    summary="规则清单",
    description="规则清单：参数、法律依据、生效日期，以及在依据日期是否有效。",
)
async def list_rules(
    plan: PlanDep,
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Return the rules of the book."""
    day = as_of or legal_day()
    return {
        "plan": asdict(plan.ref),
        "rulebook": _book(plan),
        "as_of": day.isoformat(),
        "rules": [_rule(rule, day) for rule in plan.rulebook.rules],
    }


@router.get(
    "/rules/{rule_id}",
    response_model=schemas.RuleOut,
    responses=problems(404, 422),
    summary="一条规则",
    description="一条规则。",
)
async def get_rule(
    plan: PlanDep,
    rule_id: Annotated[str, Path(max_length=120)],
    as_of: AsOf = None,
) -> dict[str, Any]:
    """Return one rule."""
    for rule in plan.rulebook.rules:
        if rule.id == rule_id:
            return _rule(rule, as_of or legal_day())
    raise NotFoundError(
        f"没有规则“{rule_id}”", expected="规则库中的规则编号", advice="规则清单见 /v1/rules"
    )


def _book(plan: Plan) -> dict[str, str]:
    return {"id": plan.rulebook.id, "sha256": plan.rulebook.sha256}


def _rule(rule: Rule, day: date) -> dict[str, Any]:
    return {**describe(rule), "in_force": rule.in_force(day)}
