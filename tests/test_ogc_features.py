"""Layers as OGC API Features: what is listed, what a query finds, and where coordinates lie."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import shapely
from access_service import service
from pyproj import Transformer

from api.ogc.records import RECORDS
from api.ogc.references import CRS84
from api.ogc.vintages import span_of
from gis.errors import PlanError
from gis.model import LayerState
from gis.plan import load_plan
from gis.plan.schema import RESERVED_IDS

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
BOX = (115.95, 36.33, 115.97, 36.35)


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


def get(client, path: str, **query):
    return client.get(f"/ogc{path}", params=query)


def found(client, collection: str, **query) -> dict:
    answer = get(client, f"/collections/{collection}/items", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer: dict) -> list[str]:
    return [feature["id"] for feature in answer["features"]]


def links(value) -> list[dict]:
    """Every link of a document."""
    if isinstance(value, list):
        return [link for part in value for link in links(part)]
    if not isinstance(value, dict):
        return []
    own = [value] if {"href", "rel"} <= set(value) else []
    return own + [link for part in value.values() for link in links(part)]


# --- what there is -------------------------------------------------------------------------------


def test_every_readable_layer_is_a_collection_with_its_chinese_title(client, plan) -> None:
    told = {c["id"]: c["title"] for c in get(client, "/collections").json()["collections"]}
    readable = {
        layer.info.id: layer.info.title
        for layer in plan.layers.values()
        if layer.state is LayerState.CHECKED
    }
    assert len(readable) > 30
    assert told == {**readable, "records": "检测记录"}


def test_a_collection_says_where_it_lies_how_old_it_is_and_that_it_is_schematic(client, plan):
    told = get(client, "/collections/zones").json()
    (box,) = told["extent"]["spatial"]["bbox"]
    west, south, east, north = plan.layers["zones"].frame.to_crs(4490).total_bounds
    # The box of the features in metres is drawn around them, so it is a little larger.
    assert west - 0.01 < box[0] <= west
    assert south - 0.01 < box[1] <= south
    assert east <= box[2] < east + 0.01
    assert north <= box[3] < north + 0.01
    assert "2026-11" in told["description"]
    assert "示意" in told["description"]
    assert told["storageCrs"] == f"{EPSG}4548"


def test_an_empty_layer_says_that_nothing_is_known_instead_of_that_nothing_is_there(client, plan):
    told = get(client, "/collections/minerals").json()
    assert "不代表区内没有" in told["description"]
    assert told["extent"]["spatial"]["bbox"] == [list(plan.crs_policy.bounds)]
    assert found(client, "minerals", bbox="115,36,117,37")["numberMatched"] == 0


def test_a_layer_says_of_which_time_it_is(client, plan) -> None:
    assert plan.layers["zones"].info.vintage == "2026-11"
    told = get(client, "/collections/zones").json()
    november = ["2026-11-01T00:00:00Z", "2026-11-30T23:59:59Z"]
    assert told["extent"]["temporal"] == {"interval": [november]}
    every = {c["id"]: c["extent"] for c in get(client, "/collections").json()["collections"]}
    assert every["zones"] == told["extent"]


def test_records_say_from_when_to_when_the_caller_s_checks_were_made(small, tmp_path) -> None:
    with service(small, tmp_path) as running:
        for name in ("a", "b"):
            running.add(name, "clerk")
        running.add("r", "reviewer")

        def told(who: str) -> dict:
            return running.get("/ogc/collections/records", who).json()["extent"]

        assert "temporal" not in told("a")
        moments = {}
        for who in ("a", "b"):
            made = running.check(who).json()["id"]
            moments[who] = running.client.app.state.wuqu.store.get(made).created_at
        spans = {who: told(who)["temporal"]["interval"][0] for who in ("a", "b", "r")}
        seconds = {who: [moment[:19]] * 2 for who, moment in moments.items()}
        seconds["r"] = [moments["a"][:19], moments["b"][:19]]
        assert {who: [end[:19] for end in span] for who, span in spans.items()} == seconds
        assert all(end.endswith("Z") for span in spans.values() for end in span)


@pytest.mark.parametrize(
    ("vintage", "span"),
    [
        ("2019", ("2019-01-01", "2019-12-31")),
        ("2022年6月", ("2022-06-01", "2022-06-30")),
        ("2024-02-29", ("2024-02-29", "2024-02-29")),
        ("2019-2022", None),
        ("2019/2022", ("2019-01-01", "2022-12-31")),
        ("2022至2019", None),
        ("2022-13", None),
        ("2023-02-29", None),
        ("0000", None),
        ("２０２２", None),
        ("三调 2019", None),
        ("", None),
    ],
)
def test_a_vintage_that_is_no_date_is_not_guessed_at(vintage, span) -> None:
    days = None if span is None else (f"{span[0]}T00:00:00Z", f"{span[1]}T23:59:59Z")
    assert span_of(vintage) == days


@pytest.mark.parametrize(("layer_id", "role"), [("records", "other"), ("projects", "redline")])
def test_a_layer_with_the_name_of_a_collection_of_ours_is_refused_with_its_line(
    scarce_dir, layer_id, role
) -> None:
    assert RECORDS in RESERVED_IDS
    root = scarce_dir(
        extra=f'[[layer]]\nid = "{layer_id}"\ntitle = "图层"\npath = "l.geojson"\nrole = "{role}"\n'
        'geometry = "polygon"\nvintage = "2026"\nstatus = "draft"\n'
    )
    with pytest.raises(PlanError, match=f"图层 id {layer_id} .*请换一个 id") as caught:
        load_plan(root)
    assert "行" in caught.value.faults[0].where


def test_the_accepted_systems_are_offered_and_no_other(client, plan) -> None:
    offered = get(client, "/collections/zones").json()["crs"]
    assert offered[0] == CRS84
    wanted = {CRS84, *(f"{EPSG}{code}" for code in (4490, *plan.crs_policy.accepted))}
    assert set(offered) == wanted
    assert {f"{EPSG}{code}" for code in (4526, 4527, 4547, 4548, 4490)} <= wanted


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/conformance", "/openapi", "/collections", "/collections/roads",
        "/collections/roads/schema", "/collections/roads/queryables",
        "/collections/roads/items?limit=2&offset=2", "/processes", "/processes/site-check",
    ],
)  # fmt: skip
def test_every_link_of_a_page_leads_to_an_answer_in_json(client, path) -> None:
    answer = client.get(f"/ogc{path}")
    assert answer.status_code == 200
    for link in links(answer.json()):
        if link["rel"].endswith("/execute"):
            continue  # only to be posted to
        assert link["href"].startswith("http://testserver/"), link
        reached = client.get(link["href"].removeprefix("http://testserver"))
        assert reached.status_code == 200, link
        if link["rel"] != "about":
            assert "json" in reached.headers["content-type"], link
        assert not link["title"].isascii(), link


@pytest.mark.parametrize("path", ["", "/openapi", "/collections", "/conformance", "/processes"])
def test_no_answer_refers_to_a_host_elsewhere(client, path) -> None:
    def addresses(value):
        if isinstance(value, dict):
            return [a for v in value.values() for a in addresses(v)]
        if isinstance(value, list):
            return [a for v in value for a in addresses(v)]
        return [value] if isinstance(value, str) and "://" in value else []

    for address in addresses(client.get(f"/ogc{path}").json()):
        # Names of standards and systems are no addresses that anybody opens.
        assert address.startswith(("http://testserver", "http://www.opengis.net/")), address


def test_a_browser_gets_json_too_and_html_is_refused_with_a_reason(client) -> None:
    answer = client.get("/ogc/collections/zones", headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "application/json"
    refused = get(client, "/collections/zones", f="html")
    assert refused.status_code == 400
    assert "只提供 JSON" in refused.json()["detail"]


def test_the_description_has_a_path_for_each_collection_and_resolves_in_itself(client) -> None:
    told = get(client, "/openapi").json()
    collections = get(client, "/collections").json()["collections"]
    for collection in collections:
        assert f"/collections/{collection['id']}/items" in told["paths"]

    def references(value):
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [r for v in value.values() for r in references(v)]
        return [r for v in value for r in references(v)] if isinstance(value, list) else []

    for reference in set(references(told)):
        node = told
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_list_of_standards_does_not_grow_with_each_request(client) -> None:
    first = get(client, "/conformance").json()["conformsTo"]
    assert get(client, "/conformance").json()["conformsTo"] == first
    assert len(set(first)) == len(first)
    assert not [name for name in first if "html" in name or "callback" in name or "create" in name]


# --- features ------------------------------------------------------------------------------------


def test_attributes_come_as_they_are_stored(client, plan) -> None:
    index = plan.layers["zones"].index
    answer = found(client, "zones")
    assert ids(answer) == index.ids.tolist()
    assert [f["properties"]["name"] for f in answer["features"]] == index.names.tolist()
    assert answer["numberMatched"] == answer["numberReturned"] == 5
    assert "高端智慧生活区" in index.names


def test_a_zone_tells_which_uses_it_permits(client) -> None:
    zones = client.get("/v1/zones").json()["zones"]
    uses = {zone["id"]: zone["uses"] for zone in zones}
    for feature in found(client, "zones")["features"]:
        told = feature["properties"]
        for key, codes in uses[told["class"]].items():
            assert told[f"uses_{key}"] == ",".join(codes)
    assert any(codes["permitted"] for codes in uses.values())


def test_a_half_width_that_is_not_known_is_null(client, plan) -> None:
    halves = plan.layers["roads"].index.half_widths
    told = [f["properties"]["half_width"] for f in found(client, "roads", limit=5000)["features"]]
    assert len(told) == len(halves)
    assert [h is None for h in told] == np.isnan(halves).tolist()


def test_pages_follow_each_other_without_gap_or_repeat(client, plan) -> None:
    seen, path = [], "/ogc/collections/landuse/items?limit=3000&class=0102&skipGeometry=true"
    for _ in range(9):
        page = client.get(path).json()
        seen += ids(page)
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        path = following[0].removeprefix("http://testserver")
    index = plan.layers["landuse"].index
    assert seen == index.ids[index.classes == "0102"].tolist()
    assert page["numberMatched"] == len(seen) > 3000


def test_the_link_to_the_next_page_keeps_box_and_system(client) -> None:
    query = {"bbox": "115.95,36.33,115.97,36.35", "limit": "2", "crs": f"{EPSG}4527"}
    page = found(client, "landuse", **query)
    (link,) = [link["href"] for link in page["links"] if link["rel"] == "next"]
    told = dict(parse_qsl(urlsplit(link).query))
    assert told == {**query, "offset": "2", "f": "json"} or told == {**query, "offset": "2"}
    following = client.get(link.removeprefix("http://testserver")).json()
    assert following["numberMatched"] == page["numberMatched"]
    assert not set(ids(page)) & set(ids(following))


def test_without_a_limit_a_page_has_a_thousand_features_and_never_more_than_is_allowed(client):
    assert found(client, "landuse", skipGeometry="true")["numberReturned"] == 1000
    most = found(client, "landuse", skipGeometry="true", limit=99999)
    assert most["numberReturned"] == 5000


def test_only_the_number_is_told_when_only_that_is_wanted(client, plan) -> None:
    answer = found(client, "landuse", resulttype="hits")
    assert answer["features"] == []
    assert answer["numberMatched"] == len(plan.layers["landuse"].index)


def test_one_feature_by_its_id_is_the_same_as_in_the_list(client) -> None:
    first = found(client, "zones", limit=1)["features"][0]
    answer = get(client, f"/collections/zones/items/{first['id']}")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    told = answer.json()
    assert {key: told[key] for key in first} == first
    missing = get(client, "/collections/zones/items/nope")
    assert missing.status_code == 404
    assert "没有这个编号" in missing.json()["detail"]


# --- where things lie ----------------------------------------------------------------------------


def x_y(feature: dict, *, turned: bool) -> np.ndarray:
    xy = shapely.get_coordinates(shapely.geometry.shape(feature["geometry"]))
    return xy[:, ::-1] if turned else xy


@pytest.mark.parametrize(
    ("name", "epsg", "turned"),
    [
        (CRS84, 4490, False),
        (f"{EPSG}4490", 4490, True),
        (f"{EPSG}4326", 4490, True),
        (f"{EPSG}4527", 4527, True),
        (f"{EPSG}4526", 4526, True),
        (f"{EPSG}4547", 4547, True),
        (f"{EPSG}4548", 4548, True),
        (f"{EPSG}4509", 4509, True),
    ],
)
def test_coordinates_are_those_of_proj_in_the_order_of_the_axes(client, plan, name, epsg, turned):
    answer = get(client, "/collections/zones/items", crs=name)
    assert answer.headers["content-crs"] == f"<{name}>"
    moving = Transformer.from_crs(4548, epsg, always_xy=True)
    tolerance = 1e-8 if epsg == 4490 else 1e-3
    for feature, shape in zip(
        answer.json()["features"], plan.layers["zones"].index.geometries, strict=True
    ):
        expected = np.column_stack(moving.transform(*shapely.get_coordinates(shape).T))
        assert np.abs(x_y(feature, turned=turned) - expected).max() < tolerance


def test_northing_comes_first_where_the_system_says_so(client) -> None:
    feature = found(client, "zones", crs=f"{EPSG}4527", limit=1)["features"][0]
    first = shapely.get_coordinates(shapely.geometry.shape(feature["geometry"]))[0]
    assert 4_000_000 < first[0] < 4_100_000
    assert 39_000_000 < first[1] < 40_000_000


def test_a_box_finds_what_meets_it_and_nothing_that_is_only_near(client, plan) -> None:
    index = plan.layers["landuse"].index
    edges = shapely.box(*BOX).segmentize(1e-4)
    moving = Transformer.from_crs(4490, 4548, always_xy=True)
    image = shapely.transform(edges, lambda xy: np.column_stack(moving.transform(*xy.T)))
    expected = index.ids[shapely.intersects(index.geometries, image)].tolist()
    assert 50 < len(expected) < 400
    answer = found(client, "landuse", bbox=",".join(map(str, BOX)), skipGeometry="true")
    assert ids(answer) == expected
    around = shapely.intersects(shapely.box(*shapely.bounds(index.geometries).T), image)
    assert around.sum() > len(expected)


@pytest.mark.parametrize("code", [4548, 4527])
def test_a_box_in_metres_is_read_in_the_order_of_its_axes(client, plan, code) -> None:
    index = plan.layers["landuse"].index
    east = 404_000.0 + (39_000_000 if code == 4527 else 0)
    if code == 4527:
        moving = Transformer.from_crs(4548, 4527, always_xy=True)
        assert abs(moving.transform(404_000.0, 4_022_000.0)[0] - east) < 1e-6
    box = f"4022000,{east},4024000,{east + 2000}"
    square = shapely.box(404_000, 4_022_000, 406_000, 4_024_000)
    expected = index.ids[shapely.intersects(index.geometries, square)].tolist()
    query = {"bbox": box, "bbox-crs": f"{EPSG}{code}", "skipGeometry": "true"}
    assert ids(found(client, "landuse", **query)) == expected
    assert len(expected) > 50


def test_a_box_far_outside_finds_nothing_and_the_whole_world_finds_all(client) -> None:
    assert found(client, "zones", bbox="-80,-60,-70,-50")["numberMatched"] == 0
    assert found(client, "zones", bbox="-180,-90,180,90")["numberMatched"] == 5
    # From 100 degrees east across 180 degrees to 100 west: the plan lies in it.
    assert found(client, "zones", bbox="100,0,-100,80")["numberMatched"] == 5
    assert found(client, "zones", bbox="170,0,-100,80")["numberMatched"] == 0


def test_six_numbers_are_a_box_with_heights_that_do_not_count(client) -> None:
    assert found(client, "zones", bbox="115,36,-10,117,37,900")["numberMatched"] == 5


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "test"),
    [
        ("class = '0102'", lambda cls, _name: cls == "0102"),
        ("class <> '0102'", lambda cls, _name: cls != "0102"),
        ("class IN ('1003','1006')", lambda cls, _name: cls in ("1003", "1006")),
        ("class BETWEEN '0301' AND '0404'", lambda cls, _name: "0301" <= cls <= "0404"),
        ("name LIKE '水%'", lambda _cls, name: name.startswith("水")),
        ("name LIKE '_田'", lambda _cls, name: len(name) == 2 and name.endswith("田")),
        ("name LIKE '%.%'", lambda _cls, name: "." in name),
        (
            "class >= '11' AND (name NOT LIKE '%水%' OR NOT class <> '1109')",
            lambda cls, name: cls >= "11" and ("水" not in name or cls == "1109"),
        ),
        ("name IS NULL", lambda _cls, name: name is None),
    ],
)
def test_a_condition_finds_what_it_says(client, plan, condition, test) -> None:
    index = plan.layers["landuse"].index
    expected = sum(test(c, n) for c, n in zip(index.classes, index.names, strict=True))
    answer = found(client, "landuse", filter=condition, resulttype="hits")
    assert answer["numberMatched"] == expected
    assert answer["numberMatched"] < len(index)


def test_a_number_is_compared_as_a_number(client, plan) -> None:
    halves = plan.layers["roads"].index.half_widths
    wide = found(client, "roads", filter="half_width >= 10", resulttype="hits")
    assert wide["numberMatched"] == int((halves >= 10).sum()) > 0
    value = float(halves[np.isfinite(halves)][0])
    equal = found(client, "roads", half_width=f"{value:.3f}", resulttype="hits")
    assert equal["numberMatched"] == int((halves == value).sum()) > 0


def test_features_are_sorted_up_and_down_with_empty_values_last(client) -> None:
    up = found(client, "roads", sortby="half_width,-name", limit=5000, skipGeometry="true")
    down = found(client, "roads", sortby="-half_width", limit=5000, skipGeometry="true")
    halves = [f["properties"]["half_width"] for f in up["features"]]
    known = [h for h in halves if h is not None]
    assert known == sorted(known)
    assert halves == known + [None] * (len(halves) - len(known))
    falling = [f["properties"]["half_width"] for f in down["features"]]
    assert [h for h in falling if h is not None] == sorted(known, reverse=True)


def test_only_the_wanted_attributes_and_no_geometry(client) -> None:
    answer = found(client, "zones", properties="name", skipGeometry="true")
    assert all(f["geometry"] is None for f in answer["features"])
    assert all(set(f["properties"]) == {"name"} for f in answer["features"])


def test_a_collection_tells_by_what_it_can_be_asked(client) -> None:
    told = get(client, "/collections/roads/queryables").json()["properties"]
    assert {n: (r["title"], r["type"]) for n, r in told.items() if n != "geometry"} == {
        "class": ("类别代码", "string"),
        "name": ("名称", "string"),
        "half_width": ("半宽（米）", "number"),
    }
    assert get(client, "/collections/roads/schema").json()["properties"].keys() == told.keys()


# --- what cannot be answered ---------------------------------------------------------------------

BAD = [
    {"colour": "red"},
    {"f": "xml"},
    {"limit": "0"},
    {"limit": "many"},
    {"limit": "-1"},
    {"offset": "-1"},
    {"offset": "99999999999999999999999"},
    {"bbox": "1,2,3"},
    {"bbox": "1,2,x,4"},
    {"bbox": "nan,1,2,3"},
    {"bbox": "inf,1,2,3"},
    {"bbox": "115,37,116,36"},
    {"bbox": "500,36,501,37"},
    {"bbox": "408000,4020000,409000,4030000"},
    {"bbox-crs": CRS84},
    {"bbox": "1,2,3,4", "bbox-crs": f"{EPSG}3857"},
    {"bbox": "4024000,0,4022000,1", "bbox-crs": f"{EPSG}4548"},
    {"crs": f"{EPSG}3857"},
    {"crs": "EPSG:4548"},
    {"crs": "http://www.opengis.net/def/crs/OGC/0/CRS84h"},
    {"datetime": "yesterday"},
    {"datetime": "2026-13-01"},
    {"datetime": "2026-11-02/2026-11-01"},
    {"datetime": "2026-11-01/2026-11-02/2026-11-03"},
    {"datetime": "9999-12-31"},
    {"sortby": "colour"},
    {"sortby": ","},
    {"sortby": "--name"},
    {"properties": "colour"},
    {"skipGeometry": "perhaps"},
    {"resulttype": "all"},
    {"filter": "class = "},
    {"filter": "class = 5"},
    {"filter": "colour = '1'"},
    {"filter": "class = name"},
    {"filter": "'1' = class"},
    {"filter": "class LIKE '%%%%%x'"},
    {"filter": "INTERSECTS(geometry, POINT(1 2))"},
    {"filter": "upper(name) = 'X'"},
    {"filter": "NOT (class = '0102')"},
    {"filter": " AND ".join(["class = '1'"] * 130)},
    {"filter": "x" * 3000},
    {"filter-lang": "cql2-json"},
    {"class": ""},
    {"lang": "en"},
    {"q": "x"},
]


@pytest.mark.parametrize("query", BAD, ids=lambda query: "&".join(query)[:40])
def test_what_cannot_be_used_is_refused_by_name_in_chinese(client, query) -> None:
    answer = client.get("/ogc/collections/landuse/items", params=query)
    assert answer.status_code == 400, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["code"] == "query"
    assert not told["detail"].isascii()
    assert "Traceback" not in answer.text
    assert "site-packages" not in answer.text


def test_a_parameter_given_twice_is_refused(client) -> None:
    answer = client.get("/ogc/collections/zones/items?limit=1&limit=2")
    assert answer.status_code == 400
    assert "重复" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/collections/nope", "/collections/nope/items", "/processes/no"])
def test_what_does_not_exist_is_not_found(client, path) -> None:
    answer = get(client, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/admin/config", "/stac", "/TileMatrixSets", "/static/x"])
def test_other_parts_of_pygeoapi_are_not_there(client, path) -> None:
    assert get(client, path).status_code == 404


def test_text_that_needs_care_comes_through_a_query_unharmed(client) -> None:
    odd = "”<script>'\"{{1+1}}"
    answer = get(client, "/collections/zones/items", name=odd)
    assert answer.status_code == 200
    assert answer.json()["numberMatched"] == 0
    assert json.loads(answer.text)["links"]
