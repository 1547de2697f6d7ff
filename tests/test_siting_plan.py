"""The search on the bundled plan, at the terminal, over HTTP, in files and on the map."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from gis import find_sites, read_sites
from gis.check import check_site
from gis.model import Verdict
from gis.output.maps import search_map
from gis.output.siting import search_document, search_geojson
from gis.output.siting_file import write_search


@pytest.fixture(scope="module")
def schools(plan, as_of):
    """Room for a school of 100 mu."""
    return find_sites(plan, use="080403", area_mu=100, as_of=as_of)


@pytest.fixture(scope="module")
def kingdom(plan, as_of):
    """No room for an animal kingdom of 2,000 mu."""
    return find_sites(plan, use="0903", area_mu=2000, as_of=as_of)


def test_a_school_finds_sites_that_comply_when_they_are_read_back_from_a_file(
    schools, plan, as_of, tmp_path
) -> None:
    assert schools.candidates
    path = tmp_path / "sites.gpkg"
    assert write_search(schools, path, plan) == ()
    for site, found in zip(read_sites(path, plan), schools.candidates, strict=True):
        check = check_site(site, plan, as_of=as_of, remedies=False)
        assert check.site.use == "080403"
        assert check.verdict is found.verdict
        assert check.verdict.rank <= Verdict.CONDITIONAL.rank
        assert 100 <= check.site.area.mu <= 101


def test_every_outline_agrees_with_the_class_of_the_land_that_it_is_made_of(schools) -> None:
    feasible = schools.feasible
    good = feasible.of("permitted").geometry.union(feasible.of("conditional").geometry)
    for site in schools.candidates:
        assert site.geometry.difference(good.buffer(0.01)).area < 0.01


def test_the_classes_add_up_to_the_planning_area(schools, plan) -> None:
    feasible = schools.feasible
    total = sum(c.area_m2 for c in feasible.classes)
    assert total == pytest.approx(feasible.area_m2, rel=1e-9)
    whole = plan.area_of("resort").ellipsoidal_m2
    assert feasible.area_m2 + feasible.edge_m2 == pytest.approx(whole, rel=1e-9)
    assert feasible.edge_m2 < 0.02 * whole


def test_two_thousand_mu_stand_nowhere_and_the_answer_says_why(kingdom) -> None:
    assert kingdom.candidates == ()
    first = kingdom.nearest_miss.sites[0]
    assert first.verdict is Verdict.UNDETERMINED
    assert first.area_m2 == pytest.approx(2000 * 10_000 / 15, rel=0.01)
    assert kingdom.nearest_miss.missing_m2 > 1_000_000
    assert kingdom.binding[0].rule == "cn.planned-use"
    boundary = next(b for b in kingdom.binding if b.rule == "cn.development-boundary")
    assert boundary.excluded_m2 > 190_000_000  # nearly all land off the development boundary


def test_the_same_search_gives_the_same_answer(kingdom, plan, as_of) -> None:
    again = find_sites(plan, use="0903", area_mu=2000, as_of=as_of)
    assert again.to_dict() == kingdom.to_dict()


def test_land_is_kept_free_of_a_budget(plan, as_of) -> None:
    call = {"use": "080403", "area_mu": 100, "as_of": as_of, "most": 1, "zone": "Z5"}
    free = find_sites(plan, **call)
    left = min(row.free_after_m2 for row in free.candidates[0].check.impact if "boundary" in row.id)
    kept = find_sites(plan, **call, keep={"dev_boundary:410": left * 15 / 10_000 + 100})
    assert free.candidates
    assert all("dev_boundary:410" in r.reason for r in kept.rejected)
    assert kept.rejected or not kept.candidates


# --- files and pages -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secret(plan):
    """The plan with farmland that shows no coordinates."""
    layer = plan.layers["farmland"]
    info = replace(layer.info, secrecy="restricted")
    own = replace(layer, info=info, index=replace(layer.index, info=info))
    return replace(plan, layers={**plan.layers, "farmland": own})


def test_land_of_a_restricted_layer_shows_no_coordinates(schools, secret, tmp_path) -> None:
    document = search_document(schools, secret, "public", land=True)
    assert document["hidden_layers"] == ["永久基本农田图斑"]
    assert {s["geometry"] for s in document["candidates"]} == {None}
    assert {c["geometry"] for c in document["feasible"]["classes"]} == {None}
    assert document["candidates"][0]["area_mu"] == schools.candidates[0].to_dict()["area_mu"]
    assert {f["geometry"] for f in search_geojson(schools, secret)["features"]} == {None}
    assert write_search(schools, tmp_path / "s.gpkg", secret) == ("永久基本农田图斑",)
    page = search_map(schools, secret)
    assert "永久基本农田图斑不公开坐标" in page
    assert "wq-site-outline" not in page.split("</style>")[-1]
    open_ = search_document(schools, secret, "restricted", land=True)
    assert open_["hidden_layers"] == []
    assert open_["candidates"][0]["geometry"]["type"] == "Polygon"


def test_the_geojson_has_outlines_and_land_and_can_be_checked_again(schools, plan) -> None:
    features = search_geojson(schools, plan)["features"]
    roles = {f["properties"]["role"] for f in features}
    assert roles == {"candidate", "land"}
    first = features[0]["properties"]
    assert (first["use"], first["verdict"]) == ("080403", "conditional")
    assert first["score"] == pytest.approx(schools.candidates[0].score, abs=1e-4)


def test_the_map_shows_the_same_numbers_and_loads_nothing(kingdom, plan) -> None:
    page = search_map(kingdom, plan)
    assert "没有合适的地块" in page
    assert f"{kingdom.binding[0].alone_m2 * 15 / 10_000:,.0f} 亩" in page
    assert "最接近的地块（不能作为候选）" in page
    assert "https://" not in page.replace("https://leafletjs.com", "").split("<body>")[-1]
    assert page == search_map(kingdom, plan)


# --- the terminal --------------------------------------------------------------------------------


def test_the_command_answers_with_the_same_document(wuqu, kingdom, plan, tmp_path) -> None:
    page = tmp_path / "x.html"
    code, out, err = wuqu(
        "find-sites", "--use", "0903", "--area-mu", "2000", "--as-of", "2026-11-22",
        "--plan", plan.root, "--format", "json", "--map", page,
    )  # fmt: skip
    assert (code, "已写出" in err) == (0, True)
    assert json.loads(out) == json.loads(json.dumps(search_document(kingdom, plan)))
    assert page.read_text(encoding="utf-8") == search_map(kingdom, plan)


def test_the_command_tells_the_candidates_in_words(wuqu, plan, tmp_path) -> None:
    file = tmp_path / "x.gpkg"
    code, out, _ = wuqu(
        "find-sites", "--use", "080403", "--area-mu", "100", "--as-of", "2026-11-22", "--zone",
        "Z5", "--away", "power_lines:30", "--attr", "land_supply=allocated", "--weight", "road=0.4",
        "--plan", plan.root, "-o", file,
    )  # fmt: skip
    assert code == 0
    assert "处可容纳 100 亩、用途 080403 中小学用地 的地块" in out
    assert "距道路" in out
    assert "起限制作用的规则" in out
    assert file.stat().st_size > 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--use", "0903", "--area-mu", "-1"), "面积为“-1.0”"),
        (("--use", "0903", "--area-mu", "9000000"), "大于度假区范围的总面积"),
        (("--use", "nope", "--area-mu", "10"), "用途代码“nope”"),
        (("--use", "0903", "--area-mu", "10", "--zone", "Z9"), "没有范围“Z9”"),
        (("--use", "0903", "--area-mu", "10", "--away", "water"), "--away 为“water”"),
        (("--use", "0903", "--area-mu", "10", "--away", "sea:5"), "没有图层“sea”"),
        (("--use", "0903", "--area-mu", "10", "--keep", "conversion:5"), "剩余数量未知"),
        (("--use", "0903", "--area-mu", "10", "--map", "x.png"), "--map 不能写出“x.png”"),
        (("--use", "0903", "--area-mu", "10", "--attr", "colour=red"), "colour"),
    ],
)
def test_a_wrong_call_is_one_message_and_exit_code_2(wuqu, plan, args, says) -> None:
    code, out, err = wuqu("find-sites", *args, "--plan", plan.root)
    assert (code, out) == (2, "")
    assert says in err.replace("\n", "")
    assert "Traceback" not in err


# --- over HTTP -----------------------------------------------------------------------------------


def searched(client, body):
    """Ask until there is an answer: on a busy machine the first search outlasts a request.

    It goes on meanwhile, and the next request finds what it has made.
    """
    until = time.monotonic() + 120
    while (answer := client.post("/v1/site-search", json=body)).status_code in (413, 503):
        assert time.monotonic() < until, answer.text
    return answer


def test_the_service_answers_with_the_document_of_the_command_line(client, kingdom, plan) -> None:
    body = {"use": "0903", "area_mu": 2000, "as_of": "2026-11-22"}
    answer = searched(client, body)
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(search_document(kingdom, plan)))


def test_the_service_gives_the_land_when_it_is_asked_for(client) -> None:
    body = {"use": "080403", "area_mu": 60, "zone": "Z5", "as_of": "2026-11-22", "land": True}
    classes = searched(client, body).json()["feasible"]["classes"]
    assert any(c["geometry"] for c in classes)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"use": "0903"}, "area_mu"),
        ({"use": "0903", "area_mu": -5}, "不得小于 0.01"),
        ({"use": "0903", "area_mu": "many"}, "应为数字"),
        ({"use": "0903", "area_mu": 10, "colour": 1}, "不认识"),
        ({"use": "0903", "area_mu": 10, "away": {"sea": 5}}, "没有图层“sea”"),
        ({"use": "0903", "area_mu": 10, "zone": "Z9"}, "没有范围“Z9”"),
        ({"use": "zz", "area_mu": 10}, "用途代码“zz”"),
        ({"use": "0903", "area_mu": 1e6}, "大于度假区范围的总面积"),
        ({"use": "0903", "area_mu": 10, "as_of": "soon"}, "应为日期"),
    ],
)
def test_a_wrong_request_is_a_problem_in_words(client, body, says) -> None:
    answer = client.post("/v1/site-search", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
