"""POST /v1/site-checks and the records behind it, with the bundled plan."""

import hashlib
import json

import pytest

from api.schemas import RecentChecks, SiteCheckOut, SiteChecksOut
from gis.canonical import to_dict
from gis.check import check_site
from gis.intake.read import read_site

AS_OF = "2026-11-22"
RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
SQUARE = {"type": "Polygon", "coordinates": [RING]}
GEOJSON = {"Content-Type": "application/geo+json"}


def feature(number=0, **properties):
    ring = [[x + number * 0.002, y] for x, y in RING]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def post(client, body, query="", headers=GEOJSON):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/v1/site-checks?as_of={AS_OF}{query}", content=content, headers=headers)


def upload(client, name, content, query="", **fields):
    url = f"/v1/site-checks?as_of={AS_OF}{query}"
    return client.post(url, files={"file": (name, content)}, data=fields)


def test_a_geometry_is_answered_with_the_whole_contract(client):
    answer = post(client, SQUARE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    SiteCheckOut.model_validate(answer.json())


def test_the_answer_is_that_of_the_python_call_but_for_the_record_id(client, plan, as_of):
    site = read_site(json.dumps(SQUARE).encode(), plan)
    expected = to_dict(check_site(site, plan, use="0802", as_of=as_of))
    answer = post(client, SQUARE, "&use=0802").json()
    assert {**answer, "id": ""} == {**expected, "id": ""}


def test_geojson_wkt_and_file_of_one_site_give_one_digest(client):
    ring = ", ".join(f"{x} {y}" for x, y in RING)
    as_json = post(client, SQUARE).json()
    as_plain_json = post(client, SQUARE, headers={"Content-Type": "application/json"}).json()
    as_wkt = post(client, f"POLYGON(({ring}))".encode(), headers={"Content-Type": "text/plain"})
    as_file = upload(client, "地块.geojson", json.dumps(SQUARE).encode())
    digests = {a["digest"] for a in (as_json, as_plain_json, as_wkt.json(), as_file.json())}
    assert len(digests) == 1


def test_the_boundary_point_file_of_a_sample_is_checked(client, samples_dir):
    content = (samples_dir / "yizhong_xinxiao.txt").read_bytes()
    answer = upload(client, "yizhong_xinxiao.txt", content, use="080403")
    assert answer.status_code == 200
    # 419.17 mu are stated for the project; the sample is drawn to that size.
    assert answer.json()["site"]["area"]["mu"] == pytest.approx(419.17, abs=0.01)
    assert answer.json()["site"]["claims"]["use"] == "080403"


def test_a_zipped_shapefile_in_gbk_is_checked(client, samples_dir):
    content = (samples_dir / "yixiao_sanguan.zip").read_bytes()
    answer = upload(client, "yixiao_sanguan.zip", content)
    assert answer.status_code == 200
    assert "三馆" in answer.json()["site"]["name"]


def test_every_answer_names_the_status_of_the_plan(client, plan):
    answer = post(client, SQUARE).json()
    assert answer["plan"]["status"] == plan.ref.status == "schematic"
    assert answer["plan"]["status_note"]


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "field", "prop", "used"),
    [
        ("&use=0802", "0803", "0901", "0802"),
        ("", "0803", "0901", "0803"),
        ("", None, "0901", "0901"),
        ("&use=", "", "0901", "0901"),
    ],
)
def test_use_comes_from_query_then_form_then_feature(client, query, field, prop, used):
    content = json.dumps(feature(use=prop)).encode()
    fields = {} if field is None else {"use": field}
    claims = upload(client, "a.geojson", content, query, **fields).json()["site"]["claims"]
    assert claims["use"] == used


def test_attributes_of_query_and_form_are_joined_and_the_query_wins(client):
    answer = client.post(
        f"/v1/site-checks?as_of={AS_OF}&attr=plot_ratio:1.5",
        files={"file": ("a.geojson", json.dumps(SQUARE).encode())},
        data={"attr": ["plot_ratio:9", "green_rate:0.3"]},
    )
    claims = answer.json()["site"]["claims"]
    assert (claims["plot_ratio"], claims["green_rate"]) == (1.5, 0.3)


def test_the_day_of_the_law_is_part_of_the_answer(client):
    assert post(client, SQUARE).json()["as_of"] == AS_OF


def test_a_line_becomes_a_corridor_with_width_m(client):
    line = {"type": "LineString", "coordinates": [[115.97, 36.37], [115.98, 36.37]]}
    refused = post(client, line)
    assert (refused.status_code, refused.json()["code"]) == (422, "geometry")
    answer = post(client, line, "&width_m=20").json()
    # 0.01 degree at 36.37 N is 897.2 m of parallel; times 20 m.
    assert answer["site"]["area"]["ellipsoidal_m2"] == pytest.approx(17_944, rel=2e-3)


def test_a_bow_tie_is_repaired_only_on_request_and_says_so(client):
    ring = [RING[0], RING[2], RING[1], RING[3], RING[0]]
    bow_tie = {"type": "Polygon", "coordinates": [ring]}
    assert post(client, bow_tie).status_code == 422
    repaired = post(client, bow_tie, "&repair=true").json()
    assert any(w["code"] == "repaired" for w in repaired["warnings"])


def test_a_given_crs_is_used(client):
    wkt = b"POLYGON((408000 4027000,408100 4027000,408100 4027100,408000 4027100,408000 4027000))"
    answer = post(client, wkt, "&crs=EPSG:4548", {"Content-Type": "text/plain"}).json()
    assert answer["site"]["crs"] == {
        "source": "EPSG:4548",
        "work": "EPSG:4548",
        "how": "given",
        "survey_grade": True,
    }
    assert answer["site"]["area"]["planar_m2"] == 10_000.0


# --- several sites -------------------------------------------------------------------------------


def collection(count=2):
    rows = [feature(n, name=f"地块{n + 1}") for n in range(count)]
    return {"type": "FeatureCollection", "features": rows}


def test_several_sites_without_which_are_listed_from_one(client):
    problem = post(client, collection()).json()
    assert (problem["status"], problem["code"]) == (422, "several_sites")
    assert problem["errors"] == [
        {"where": "which=1", "message": "地块1"},
        {"where": "which=2", "message": "地块2"},
    ]


def test_which_picks_one_site(client):
    assert post(client, collection(), "&which=2").json()["site"]["name"] == "地块2"


def test_which_all_answers_every_site_each_with_its_record(client):
    answer = post(client, collection(3), "&which=all").json()
    SiteChecksOut.model_validate(answer)
    assert [c["site"]["name"] for c in answer["checks"]] == ["地块1", "地块2", "地块3"]
    assert len({c["id"] for c in answer["checks"]}) == 3
    for check in answer["checks"]:
        assert client.get(f"/v1/site-checks/{check['id']}").json() == check


def test_which_all_of_one_site_is_still_a_list(client):
    assert len(post(client, SQUARE, "&which=all").json()["checks"]) == 1


def test_a_fault_in_one_of_several_sites_leaves_no_record(client):
    before = client.get("/v1/site-checks?limit=100").json()
    broken = collection()
    broken["features"][1]["geometry"]["coordinates"][0][0] = [2.0, 48.0]
    assert post(client, broken, "&which=all").status_code == 422
    assert client.get("/v1/site-checks?limit=100").json() == before


def test_a_multipolygon_is_one_site(client):
    parts = [feature(n)["geometry"]["coordinates"] for n in range(2)]
    answer = post(client, {"type": "MultiPolygon", "coordinates": parts})
    assert answer.status_code == 200


# --- records -------------------------------------------------------------------------------------


def test_a_record_answers_the_same_as_the_check_did(client):
    answer = post(client, feature(name="一号地块")).json()
    for suffix in ("", ".json"):
        assert client.get(f"/v1/site-checks/{answer['id']}{suffix}").json() == answer


def test_equal_requests_get_different_ids_and_equal_digests(client):
    first, second = post(client, SQUARE).json(), post(client, SQUARE).json()
    assert first["id"] != second["id"]
    assert first["digest"] == second["digest"]


def test_the_record_keeps_the_hash_of_the_uploaded_bytes_and_the_exact_geometry(client):
    content = json.dumps(SQUARE).encode()
    answer = upload(client, "a.geojson", content).json()
    record = client.app.state.wuqu.store.get(answer["id"])
    assert record.upload_sha256 == hashlib.sha256(content).hexdigest()
    assert record.geometry_wkb


def test_the_geojson_of_a_record_starts_with_the_site(client):
    answer = post(client, SQUARE).json()
    collection_ = client.get(f"/v1/site-checks/{answer['id']}.geojson")
    assert collection_.headers["content-type"] == "application/geo+json"
    first = collection_.json()["features"][0]
    assert first["geometry"] == answer["site"]["geometry"]
    assert first["properties"]["verdict"] == answer["verdict"]


def test_recent_checks_are_listed_newest_first(client):
    ids = [post(client, feature(name=f"近期{n}")).json()["id"] for n in range(2)]
    recent = client.get("/v1/site-checks?limit=2").json()
    RecentChecks.model_validate(recent)
    assert [c["id"] for c in recent["checks"]] == ids[::-1]
    assert recent["checks"][0]["name"] == "近期1"


def test_the_name_of_a_file_is_shown_without_its_path(client):
    answer = upload(client, "../../etc/地块.geojson", json.dumps(SQUARE).encode()).json()
    assert answer["site"]["name"] == "地块"
    assert "etc" not in answer["site"]["source"]["name"]


def test_no_record_id_follows_from_another(client):
    ids = [post(client, SQUARE).json()["id"] for _ in range(3)]
    assert len({i[:8] for i in ids}) == 3
