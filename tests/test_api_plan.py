"""The plan as the service shows it, and what it never shows."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import geopandas
import pytest
from shapely import box, to_wkt
from starlette.testclient import TestClient

from api.app import create_app
from api.routers import balance
from api.routers.plan import _zones
from api.schemas_plan import BalanceOut, LayersOut, PlanOut, RulesOut, ZonesOut
from api.settings import Settings
from gis.plan.figures import balance_document


@pytest.fixture(scope="module")
def secret_client(plan, tmp_path_factory):
    """The service on the same plan, with permanent farmland declared restricted."""
    layer = plan.layer("farmland")
    info = replace(layer.info, secrecy="restricted")
    index = replace(layer.index, info=info)
    hidden = replace(
        plan, layers={**plan.layers, "farmland": replace(layer, info=info, index=index)}
    )
    settings = Settings(db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings, plan=hidden), raise_server_exceptions=False) as opened:
        yield opened


def get(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_plan_tells_version_status_crs_figures_and_what_it_leaves_out(client, plan):
    answer = get(client, "/v1/plan")
    PlanOut.model_validate(answer)
    assert (answer["id"], answer["version"]) == (plan.ref.id, plan.ref.version)
    assert (answer["status"], answer["status_label"]) == ("schematic", "示意")
    assert answer["work_crs"] == "EPSG:4548"
    assert "EPSG:4527" in answer["accepted_crs"]
    assert {f["id"] for f in answer["figures"]} >= {"resort_area", "core_area", "approval_area"}
    assert answer["out_of_scope"]
    assert answer["rulebook"]["sha256"] == plan.rulebook.sha256


def test_the_document_describes_the_budgets_field_by_field(client):
    schemas = get(client, "/openapi.json")["components"]["schemas"]
    items = schemas["BalanceOut"]["properties"]["budgets"]["items"]
    described = schemas[items["$ref"].rpartition("/")[2]]["properties"]
    rows = get(client, "/v1/plan/balance")["budgets"]
    assert rows
    assert {key for row in rows for key in row} == set(described)


@pytest.mark.parametrize("query", ["", "?area=core", "?area=resort&definition=D", "?area=Z1"])
def test_the_balance_is_that_of_the_command_line(client, plan, query):
    answer = get(client, f"/v1/plan/balance{query}")
    BalanceOut.model_validate(answer)
    params = dict(p.split("=") for p in query.strip("?").split("&") if p)
    expected = balance_document(plan, params.get("area"), params.get("definition", "B"))
    assert {k: answer[k] for k in ("stated", "land_balance", "budgets")} == {
        k: expected[k] for k in ("stated", "land_balance", "budgets")
    }


def post(client, body, query="", kind="text/plain", status=200):
    url = f"/v1/plan/balance{query}"
    answer = client.post(url, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    return answer.json()


def core_wkt(plan):
    """The core as the client may have it, to the last digit."""
    return to_wkt(plan.layers["core"].index.union, rounding_precision=-1)


def test_the_core_sent_as_a_polygon_has_the_balance_of_the_core(client, plan):
    sent = post(client, core_wkt(plan), "?crs=4548&definition=A")
    BalanceOut.model_validate(sent)
    named = get(client, "/v1/plan/balance?definition=A")
    assert sent["land_balance"]["area"]["kind"] == "user"
    for key in ("green_water_share", "classes", "zones", "sensitivity"):
        assert sent["land_balance"][key] == named["land_balance"][key], key
    assert sent["stated"] == named["stated"]
    assert sent["areas"] == named["areas"]


def test_a_file_in_a_form_is_an_area_and_the_query_wins(client, samples_dir):
    file = (samples_dir / "yizhong_xinxiao.txt").read_bytes()
    answer = client.post(
        "/v1/plan/balance?definition=d",
        files={"file": ("地块.txt", file)},
        data={"definition": "B"},
    )
    assert answer.status_code == 200, answer.text
    land = answer.json()["land_balance"]
    assert (land["definition"], land["layer"]) == ("D", "landuse")
    assert land["area"]["title"] == "聊城一中新校"
    assert land["area"]["notes"]


def test_a_large_polygon_is_measured_beside_the_others(client, plan):
    whole = to_wkt(plan.layers["resort"].index.union, rounding_precision=-1)
    land = post(client, whole, "?crs=4548&definition=D")["land_balance"]
    assert land["denominator_m2"] == pytest.approx(226e6, abs=10)
    assert [c["zone"] for c in land["zones"]["columns"]] == ["Z1", "Z2", "Z3", "Z4", "Z5"]


@pytest.mark.parametrize(
    ("body", "query", "status", "words"),
    [
        ("POLYGON((2 48, 2.1 48, 2.1 48.1, 2 48))", "", 422, "规划"),
        ("POLYGON((115.97 36.37, 115.98 36.38, 115.98 36.37, 115.97 36.38, 115.97 36.37))", "",
         422, "相交"),
        ("no shape", "", 422, "识别"),
        ("", "", 422, "为空"),
        ("POLYGON((115.97 36.37, 115.98 36.37, 115.98 36.38, 115.97 36.37))", "?definition=Q",
         404, "Q"),
        ("x", "?which=all", 422, "which"),
        ("x", "?use=0802", 422, "use"),
        ("x", "?area=core", 422, "area"),
        ("x", "?crs=nonsense", 422, "nonsense"),
        ("x", "?definition=A&definition=B", 422, "definition"),
    ],
)  # fmt: skip
def test_an_area_that_cannot_be_measured_is_one_problem(client, body, query, status, words):
    problem = post(client, body, query, status=status)
    assert words in json.dumps(problem, ensure_ascii=False)
    assert "Traceback" not in json.dumps(problem)


@pytest.mark.parametrize("field", ["use", "attr", "as_of", "area"])
def test_a_form_field_that_would_be_ignored_is_refused(client, samples_dir, field):
    file = (samples_dir / "yizhong_xinxiao.txt").read_bytes()
    answer = client.post("/v1/plan/balance", files={"file": ("x.txt", file)}, data={field: "0802"})
    assert answer.status_code == 422
    assert field in answer.text


def test_an_area_that_takes_too_long_is_refused_and_the_service_goes_on(plan, tmp_path):
    settings = Settings(db=tmp_path / "r.sqlite", check_budget_s=0.001)
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        problem = post(opened, core_wkt(plan), "?crs=4548", status=413)
        assert problem["code"] == "effort"
        assert "wuqu balance --file" in problem["detail"]
        assert get(opened, "/healthz") == {"status": "ok"}


def test_two_areas_at_once_are_refused_and_not_the_last_one_answered(client):
    for query in ("area=core&area=resort", "definition=A&definition=B"):
        answer = client.get(f"/v1/plan/balance?{query}")
        assert answer.status_code == 422
        assert query.split("=")[0] in answer.json()["detail"]


def test_named_areas_are_measured_one_at_a_time_while_the_service_goes_on(client, monkeypatch):
    real, running, most = balance.balance_document, [], []
    answered = Event()

    def watched(*args):
        running.append(args)
        most.append(len(running))
        assert answered.wait(30)  # held up until somebody else was served
        try:
            return real(*args)
        finally:
            running.pop()

    monkeypatch.setattr(balance, "balance_document", watched)
    with ThreadPoolExecutor(4) as pool:
        urls = [f"/v1/plan/balance?area={area}" for area in ("Z1", "Z2", "Z3")]
        answers = [pool.submit(get, client, url) for url in urls]
        assert get(client, "/healthz") == {"status": "ok"}
        answered.set()
        areas = [answer.result()["land_balance"]["area"]["id"] for answer in answers]
    assert areas == ["Z1", "Z2", "Z3"]
    assert max(most) == 1


def test_a_balance_never_shows_coordinates(secret_client, plan):
    texts = [json.dumps(get(secret_client, "/v1/plan/balance"))]
    texts.append(json.dumps(post(secret_client, core_wkt(plan), "?crs=4548")))
    assert not any('"coordinates"' in text or '"geometry"' in text for text in texts)


def test_land_without_data_is_null_and_not_zero(client):
    land = get(client, "/v1/plan/balance?area=Z3")["land_balance"]
    assert land["green_water_share"] is None
    assert land["green_m2"] is None
    assert land["uncovered_m2"] == land["denominator_m2"]


def test_zones_are_listed_without_geometry_unless_asked_for(client):
    answer = get(client, "/v1/zones")
    ZonesOut.model_validate(answer)
    assert [z["id"] for z in answer["zones"]] == ["Z1", "Z2", "Z3", "Z4", "Z5"]
    assert all("geometry" not in z for z in answer["zones"])
    drawn = get(client, "/v1/zones?geometry=true")["zones"]
    assert {z["geometry"]["type"] for z in drawn} <= {"Polygon", "MultiPolygon"}


def test_the_zones_add_up_to_the_resort(client):
    zones = get(client, "/v1/zones")["zones"]
    # Stated total of the resort: 226 km².
    total = sum(z["area"]["ellipsoidal_m2"] for z in zones)
    assert total == pytest.approx(226e6, rel=1e-4)


def test_zones_say_which_uses_they_permit(client, plan):
    zones = {z["id"]: z["uses"] for z in get(client, "/v1/zones")["zones"]}
    cells = [c for r in plan.rulebook.rules for c in getattr(r.params, "cells", ())]
    expected = sorted(
        {u for c in cells if "Z3" in c.zones and c.verdict == "permitted" for u in c.uses}
    )
    assert zones["Z3"]["permitted"] == expected
    assert any(zones[z]["permitted"] for z in zones)


def test_layers_carry_state_hash_and_counts(client, plan):
    answer = get(client, "/v1/layers")
    LayersOut.model_validate(answer)
    rows = {row["id"]: row for row in answer["layers"]}
    assert list(rows) == list(plan.layers)
    assert rows["zones"]["feature_count"] == 5
    assert rows["farmland"]["content_sha256"] == plan.layer("farmland").content_sha256
    assert sum(rows["landuse"]["classes"].values()) == rows["landuse"]["feature_count"]
    assert all(row["shows_coordinates"] for row in rows.values())


def test_a_layer_is_paged_in_the_order_of_its_ids(client):
    first = get(client, "/v1/layers/landuse?limit=3")
    second = get(client, "/v1/layers/landuse?limit=3&offset=2")
    assert first["features"][2] == second["features"][0]
    ids = [f["id"] for f in first["features"]]
    assert ids == sorted(ids)
    assert (first["numberReturned"], first["numberMatched"]) == (3, first["layer"]["feature_count"])


def test_a_page_beyond_the_end_is_empty(client):
    answer = get(client, "/v1/layers/zones?offset=5")
    assert (answer["features"], answer["numberMatched"]) == ([], 5)


def test_features_are_in_longitude_and_latitude_inside_the_plan(client, plan):
    west, south, east, north = plan.crs_policy.bounds
    text = json.dumps([f["geometry"] for f in get(client, "/v1/layers/zones")["features"]])
    numbers = [
        float(n)
        for n in text.replace("[", " ").replace("]", " ").replace(",", " ").split()
        if n[0].isdigit()
    ]
    assert all(west <= x <= east for x in numbers[::2])
    assert all(south <= y <= north for y in numbers[1::2])


def test_a_box_keeps_only_the_features_that_meet_it(client, plan):
    everything = get(client, "/v1/layers/roads?limit=1")["numberMatched"]
    part = get(client, "/v1/layers/roads?bbox=115.95,36.38,115.97,36.40")
    assert 0 < part["numberMatched"] < everything
    west, south, east, north = plan.crs_policy.bounds
    whole = get(client, f"/v1/layers/roads?limit=1&bbox={west},{south},{east},{north}")
    assert whole["numberMatched"] == everything


@pytest.mark.parametrize("box", ["2,48,3,49", "-180,-90,-179,-89", "179,89,180,90"])
def test_a_box_far_away_matches_nothing(client, box):
    assert get(client, f"/v1/layers/zones?bbox={box}")["numberMatched"] == 0


def test_the_whole_world_matches_everything(client):
    assert get(client, "/v1/layers/zones?limit=1&bbox=-180,-90,180,90")["numberMatched"] == 5


# --- secrecy -------------------------------------------------------------------------------------


def farmland_site(plan):
    """A square around a point inside permanent farmland, in the work CRS."""
    point = plan.layer("farmland").frame.geometry.iloc[0].representative_point()
    return point.buffer(30, cap_style="square").wkt


def test_a_layer_above_the_ceiling_gives_metadata_only(secret_client):
    answer = get(secret_client, "/v1/layers/farmland")
    assert answer["features"] == []
    assert answer["layer"]["shows_coordinates"] is False
    assert answer["layer"]["content_sha256"]
    assert get(secret_client, "/v1/layers/zones")["features"]


def test_a_check_on_a_secret_layer_keeps_area_and_verdict_and_hides_coordinates(
    client, secret_client, plan
):
    def ask(target):
        url = "/v1/site-checks?as_of=2026-11-22&crs=4548&use=0802"
        headers = {"Content-Type": "text/plain"}
        return target.post(url, content=farmland_site(plan).encode(), headers=headers).json()

    def on_farmland(document):
        return [f for f in document["findings"] if f["layer"] == "farmland"]

    public, secret = ask(client), ask(secret_client)
    assert any("geometry" in f for f in on_farmland(public))
    assert not any("geometry" in f for f in on_farmland(secret))
    assert secret["verdict"] == public["verdict"] == "fail"
    assert secret["digest"] == public["digest"]
    for suffix in ("", ".json"):
        again = get(secret_client, f"/v1/site-checks/{secret['id']}{suffix}")
        assert not any("geometry" in f for f in on_farmland(again))
    shown = get(secret_client, f"/v1/site-checks/{secret['id']}.geojson")["features"]
    assert not [f for f in shown if f["properties"].get("layer") == "farmland"]


# --- rules ---------------------------------------------------------------------------------------


def test_rules_are_listed_with_citations_dates_and_parameters(client, plan):
    answer = get(client, "/v1/rules?as_of=2026-11-22")
    RulesOut.model_validate(answer)
    assert [r["id"] for r in answer["rules"]] == [r.id for r in plan.rulebook.rules]
    assert all(r["basis"] for r in answer["rules"])
    assert answer["as_of"] == "2026-11-22"


def test_a_rule_says_whether_it_was_in_force_on_a_day(client):
    def in_force(day):
        return {r["id"]: r["in_force"] for r in get(client, f"/v1/rules?as_of={day}")["rules"]}

    assert any(in_force("2026-11-22").values())
    dated = {r["id"] for r in get(client, "/v1/rules")["rules"] if r["valid_from"]}
    assert dated
    long_ago = in_force("1900-01-01")
    assert not any(long_ago[rule] for rule in dated)


def test_one_rule_is_that_of_the_list(client):
    rows = get(client, "/v1/rules?as_of=2026-11-22")["rules"]
    assert get(client, f"/v1/rules/{rows[0]['id']}?as_of=2026-11-22") == rows[0]


def test_every_list_of_the_plan_cites_its_status(client):
    for url in (
        "/v1/plan/balance",
        "/v1/zones",
        "/v1/layers",
        "/v1/layers/zones?limit=1",
        "/v1/rules",
    ):
        assert get(client, url)["plan"]["status"] == "schematic"


def test_the_service_is_alive_and_ready(client):
    assert get(client, "/healthz") == {"status": "ok"}
    assert get(client, "/readyz") == {"status": "ok"}


# --- other plans ---------------------------------------------------------------------------------


def test_a_zone_drawn_as_two_features_is_one_zone():
    frame = geopandas.GeoDataFrame(
        {"id": ["1", "2", "3"], "cls": ["A", "B", "A"], "name": ["甲", "乙", "甲"]},
        geometry=[box(0, 0, 1, 1), box(5, 0, 6, 1), box(2, 0, 3, 1)],
    )
    zones = _zones(SimpleNamespace(frame=frame))
    assert [(zone, name, outline.area) for zone, name, outline in zones] == [
        ("A", "甲", 2.0),
        ("B", "乙", 1.0),
    ]


def test_a_plan_from_another_country_is_served_the_same_way(french_plan_dir, tmp_path):
    settings = Settings(plan=french_plan_dir, db=tmp_path / "r.sqlite")
    with TestClient(create_app(settings), raise_server_exceptions=False) as opened:
        about = get(opened, "/v1/plan")
        assert about["work_crs"] == "EPSG:2154"
        assert get(opened, "/v1/zones")["zones"]
        balance = get(opened, "/v1/plan/balance")
        assert balance["land_balance"] is None
        assert "没有默认范围" in balance["land_balance_note"]
        assert balance["areas"]
        for url in ("/", "/docs", "/openapi.json", "/maps/plan.html", "/v1/layers", "/v1/rules"):
            assert opened.get(url).status_code == 200, url
        post = get(opened, "/openapi.json")["paths"]["/v1/site-checks"]["post"]
        wkt = post["requestBody"]["content"]["text/plain"]["example"]
        headers = {"Content-Type": "text/plain"}
        made = opened.post("/v1/site-checks?crs=4326", content=wkt.encode(), headers=headers)
        assert made.status_code == 200, made.text
        assert opened.get(f"/maps/site-checks/{made.json()['id']}.html").status_code == 200
