"""Executions that are answered later: the jobs of the service in the words of OGC API Processes."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from access_service import SITE, service
from job_world import ME, collection
from running_service import Running, running
from sqlalchemy import delete, update
from waiting import until

from api.access.roles import Role
from gis.jobs.model import Call, Options, TaskKind
from gis.jobs.plans import Plans
from gis.jobs.work import Bench
from gis.output.records.job_tables import job_rows, job_tasks, jobs
from gis.plan import load_plan

EXECUTION = "/ogc/processes/site-check/execution"
LATER = {"Prefer": "respond-async"}
FEATURE = {"type": "Feature", "properties": {"name": "测试地块"}, "geometry": json.loads(SITE)}
INPUTS = {"site": FEATURE, "use": "080403", "as_of": "2026-11-22"}
PROBLEM = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


class Desk:
    """A service without workers, and one worker that works when it is told to."""

    def __init__(self, made, plan) -> None:
        self.made = made
        self.state = made.client.app.state.wuqu
        self.bench = Bench(self.state.jobs, made.settings.job_folder, Plans(plan))

    def execute(self, who=None, prefer=LATER, **document):
        headers = self.made.headers(who, **(prefer or {}))
        return self.made.client.post(EXECUTION, json=document, headers=headers)

    def place(self, who=None, **document) -> str:
        """Hand in an execution and return the address of its job."""
        answer = self.execute(who, **document)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    def work(self) -> None:
        while (task := self.state.jobs.claim(ME)) is not None:
            self.bench.work(task)

    def get(self, url: str, who=None):
        return self.made.get(url, who)

    def dismiss(self, url: str, who=None):
        return self.made.client.delete(url, headers=self.made.headers(who))

    def listed(self, query: str = "", who=None) -> list[str]:
        return [job["jobID"] for job in self.get(f"/ogc/jobs{query}", who).json()["jobs"]]


@pytest.fixture(scope="module")
def shared(small, tmp_path_factory):
    with service(small, tmp_path_factory.mktemp("later"), job_workers=0) as made:
        yield Desk(made, small)


@pytest.fixture
def desk(shared):
    yield shared
    with shared.state.store.engine.begin() as connection:
        for table in (jobs, job_tasks, job_rows):
            connection.execute(delete(table))
    shutil.rmtree(shared.made.settings.job_folder, ignore_errors=True)


# --- handing in ----------------------------------------------------------------------------------


def test_who_prefers_not_to_wait_is_told_where_the_job_is(desk) -> None:
    answer = desk.execute(inputs=INPUTS)
    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/ogc/jobs/{told['jobID']}"
    assert answer.headers["preference-applied"] == "respond-async"
    assert (told["processID"], told["type"], told["status"]) == (
        "site-check",
        "process",
        "accepted",
    )
    assert told["progress"] == 0
    links = {link["rel"]: link["href"] for link in told["links"]}
    assert links["self"] == f"http://testserver/ogc/jobs/{told['jobID']}"
    assert desk.get(answer.headers["location"]).json() == told


@pytest.mark.parametrize(
    ("prefer", "status"),
    [
        ("respond-async", 201),
        ("wait=5, Respond-Async", 201),
        ("respond-async; foo=1", 201),
        ("wait=5", 200),
        ("respond-asynchronously", 200),
        ("", 200),
    ],
)
def test_the_preference_is_read_as_its_standard_has_it(desk, prefer, status) -> None:
    assert desk.execute(prefer={"Prefer": prefer}, inputs=INPUTS).status_code == status


def test_the_request_itself_may_ask_to_be_answered_later(desk) -> None:
    assert desk.execute(prefer=None, inputs=INPUTS, mode="async").status_code == 201
    assert desk.execute(prefer=None, inputs=INPUTS, mode="auto").status_code == 200
    assert desk.execute(prefer=None, inputs=INPUTS, mode="later").status_code == 400


def test_what_cannot_be_read_is_refused_at_once_as_a_synchronous_execution_is(desk) -> None:
    several = {"type": "FeatureCollection", "features": [FEATURE, FEATURE]}
    bow = {
        "type": "Polygon",
        "coordinates": [
            [[115.97, 36.37], [115.98, 36.38], [115.98, 36.37], [115.97, 36.38], [115.97, 36.37]]
        ],
    }
    for inputs in ({"site": several}, {"site": bow}, {"site": FEATURE, "use": "no"}, {}):
        later, now = desk.execute(inputs=inputs), desk.execute(prefer=None, inputs=inputs)
        assert 400 <= later.status_code < 500
        assert (later.status_code, later.json()) == (now.status_code, now.json())
    assert desk.listed() == []


def test_a_service_without_records_answers_at_once_and_says_so(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, records=False) as made:
        desk = Desk(made, small)
        answer = desk.execute(inputs=INPUTS)
        assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait")
        told = desk.get("/ogc/processes/site-check").json()
        assert told["jobControlOptions"] == ["sync-execute"]


def test_the_public_address_stands_before_the_location(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, public_url="https://gis.example.cn/plan") as made:
        answer = Desk(made, small).execute(inputs=INPUTS)
        assert answer.headers["location"].startswith("https://gis.example.cn/plan/ogc/jobs/")


def test_a_user_has_so_many_unfinished_jobs_batches_among_them(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, job_queued=2) as made:
        desk = Desk(made, small)
        desk.place(inputs=INPUTS)
        batch = made.client.post(
            "/v1/site-checks/batch",
            content=collection(2),
            headers={"Content-Type": "application/geo+json"},
        )
        assert batch.status_code == 202
        answer = desk.execute(inputs=INPUTS)
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert int(answer.headers["retry-after"]) > 0


# --- results -------------------------------------------------------------------------------------


def alike(check: dict) -> dict:
    return {**check, "id": ""}


def test_the_decision_is_the_same_at_once_later_and_by_the_site_checks(desk) -> None:
    place = desk.place(inputs=INPUTS)
    desk.work()
    assert desk.get(place).json()["status"] == "successful"
    later = desk.get(f"{place}/results")
    assert later.headers["content-type"] == "application/json"
    now = desk.execute(prefer=None, inputs=INPUTS).json()
    v1 = desk.made.client.post("/v1/site-checks?use=080403&as_of=2026-11-22", json=FEATURE).json()
    assert later.json()["digest"] == now["digest"] == v1["digest"]
    # Everything else too, remedies among it, but for the number of the record.
    assert alike(later.json()) == alike(now)
    kept = desk.state.store.get(later.json()["id"])
    assert kept.digest == v1["digest"]
    assert desk.get(f"/v1/records/{kept.id}/verify").json()["outcome"] == "identical"


@pytest.mark.parametrize("more", [{"geometry": False}, {"remedies": False}])
def test_what_the_answer_shall_hold_is_kept_with_the_job(desk, more) -> None:
    place = desk.place(inputs={**INPUTS, **more})
    desk.work()
    now = desk.execute(prefer=None, inputs={**INPUTS, **more}).json()
    assert alike(desk.get(f"{place}/results").json()) == alike(now)


def test_all_sites_or_one_of_them_by_number_and_the_output_by_name(desk) -> None:
    site = json.loads(collection(27))
    every = {"site": site, "as_of": "2026-11-22", "which": "all"}
    places = [
        desk.place(inputs=every),
        desk.place(inputs={**every, "which": 2}),
        desk.place(inputs={**every, "which": 1}, response="document"),
    ]
    desk.work()
    first, second, third = (desk.get(f"{place}/results").json() for place in places)
    # More than one piece of work, and more than is read at a time.
    assert [c["site"]["name"] for c in first["checks"]] == [f"地块{n}" for n in range(1, 28)]
    now = desk.execute(prefer=None, inputs=every).json()
    assert [alike(c) for c in first["checks"]] == [alike(c) for c in now["checks"]]
    assert second["site"]["name"] == "地块2"
    assert set(third) == {"check"}
    assert third["check"]["site"]["name"] == "地块1"
    assert desk.state.jobs.get(places[0].rpartition("/")[2]).name == "地块1等 27 个地块"


def test_a_result_that_is_not_there_yet_is_404_with_the_name_of_the_standard(desk) -> None:
    place = desk.place(inputs=INPUTS)
    answer = desk.get(f"{place}/results")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_finished")
    assert answer.json()["type"] == f"{PROBLEM}result-not-ready"
    unknown = desk.get(f"/ogc/jobs/{'0' * 32}/results")
    assert unknown.status_code == 404
    assert unknown.json()["type"] == f"{PROBLEM}no-such-job"


def test_a_job_that_fails_answers_as_the_execution_would_have(desk) -> None:
    place = desk.place(inputs={"site": FEATURE, "as_of": "2026-11-22"})
    job_id = place.rpartition("/")[2]
    # Another plan than at the time of handing in: nothing of it can be read now.
    options = desk.state.jobs.get(job_id).options
    broken = Options(options.as_of, crs="EPSG:4527", call=options.call).to_text()
    with desk.state.store.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(options=broken))
    desk.work()
    told = desk.get(place).json()
    answer = desk.get(f"{place}/results")
    now = desk.execute(prefer=None, inputs={"site": FEATURE, "crs": "EPSG:4527"})
    assert told["status"] == "failed"
    assert told["message"] == now.json()["detail"]
    assert (answer.status_code, answer.json()) == (now.status_code, now.json())


def test_one_site_that_cannot_be_judged_fails_the_whole_job_and_is_named(desk, monkeypatch) -> None:
    from gis.errors import OutsidePlanError
    from gis.jobs import work

    judged = work.judged

    def one_refused(rows, *args, **more):
        found = judged(rows, *args, **more)
        error = OutsidePlanError("地块在规划范围外", advice="核对坐标")
        problem = {"problem": [error.code, error.detail]}
        return [
            {"row": a["row"], "name": a["name"], **problem} if a["row"] == 1 else a for a in found
        ]

    monkeypatch.setattr(work, "judged", one_refused)
    site = json.loads(collection(3))
    place = desk.place(inputs={"site": site, "which": "all"})
    before = len(desk.state.store.recent(100))
    desk.work()
    answer = desk.get(f"{place}/results")
    assert desk.get(place).json()["status"] == "failed"
    assert (answer.status_code, answer.json()["code"]) == (422, OutsidePlanError.code)
    assert [fault["where"] for fault in answer.json()["errors"]] == ["第 2 个地块"]
    assert len(desk.state.store.recent(100)) == before


def test_a_worker_that_is_lost_over_a_site_is_no_fault_of_the_input(desk) -> None:
    place = desk.place(inputs=INPUTS)
    for kind in (TaskKind.read, TaskKind.judge):
        task = desk.state.jobs.claim(ME)
        assert task.kind is kind
        if kind is TaskKind.read:
            desk.bench.work(task)
    for _ in range(3):
        desk.state.jobs.blame("here:1")
        desk.state.jobs.claim(ME)
    desk.state.jobs.blame("here:1")
    desk.work()
    answer = desk.get(f"{place}/results")
    assert (answer.status_code, answer.json()["code"]) == (503, "worker_lost")


def test_results_are_kept_for_their_time_and_records_for_ever(desk) -> None:
    place = desk.place(inputs=INPUTS)
    desk.work()
    record = desk.get(f"{place}/results").json()["id"]
    with desk.state.store.engine.begin() as connection:
        connection.execute(update(jobs).values(expires_ms=1))
    assert desk.get(f"{place}/results").status_code == 410
    told = desk.get(place).json()
    assert told["status"] == "successful"
    assert "保留期" in told["message"]
    assert not any(link["href"].endswith("results") for link in told["links"])
    assert desk.get(f"/v1/site-checks/{record}").status_code == 200


# --- dismissing ----------------------------------------------------------------------------------


def test_a_job_that_waits_is_dismissed_and_never_done(desk) -> None:
    place = desk.place(inputs=INPUTS)
    answer = desk.dismiss(place)
    assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    desk.work()
    assert desk.get(place).json()["status"] == "dismissed"
    gone = desk.get(f"{place}/results")
    assert (gone.status_code, gone.json()["code"]) == (410, "dismissed")
    assert not list(desk.made.settings.job_folder.iterdir())


def test_dismissing_a_job_that_has_ended_forgets_its_answer_and_keeps_the_record(desk) -> None:
    place = desk.place(inputs=INPUTS)
    desk.work()
    record = desk.get(f"{place}/results").json()["id"]
    for _ in range(2):
        answer = desk.dismiss(place)
        assert (answer.status_code, answer.json()["status"]) == (200, "dismissed")
    assert desk.get(f"{place}/results").status_code == 410
    assert desk.get(f"/v1/site-checks/{record}").status_code == 200
    assert desk.get(f"/v1/jobs/{place.rpartition('/')[2]}").json()["state"] == "cancelled"


def test_a_worker_that_is_at_it_when_a_job_is_dismissed_keeps_nothing(desk) -> None:
    place = desk.place(inputs=INPUTS)
    desk.bench.work(desk.state.jobs.claim(ME))
    task = desk.state.jobs.claim(ME)
    before = len(desk.state.store.recent(100))
    desk.dismiss(place)
    desk.bench.work(task)
    assert len(desk.state.store.recent(100)) == before
    assert desk.get(place).json()["status"] == "dismissed"


# --- lists ---------------------------------------------------------------------------------------


def test_the_list_has_calls_and_no_batches_and_v1_has_both(desk) -> None:
    place = desk.place(inputs=INPUTS)
    headers = {"Content-Type": "application/geo+json"}
    # A value of an option that looks like a call is none.
    batch = desk.made.client.post(
        "/v1/site-checks/batch?attr=plot_ratio:1", content=collection(1), headers=headers
    ).json()
    assert desk.listed() == [place.rpartition("/")[2]]
    assert desk.get(f"/ogc/jobs/{batch['id']}").status_code == 404
    assert desk.dismiss(f"/ogc/jobs/{batch['id']}").status_code == 404
    assert len(desk.get("/v1/jobs").json()["jobs"]) == 2


def test_the_list_is_filtered_and_paged(desk) -> None:
    places = [desk.place(inputs=INPUTS).rpartition("/")[2] for _ in range(3)]
    # Of the same millisecond perhaps; the order is that of the list.
    every = desk.listed()
    assert set(every) == set(places)
    desk.dismiss(f"/ogc/jobs/{every[0]}")
    assert desk.listed("?status=dismissed") == every[:1]
    assert desk.listed("?status=accepted,running") == every[1:]
    assert desk.listed("?type=process&processID=site-check&f=json") == every
    assert desk.listed("?datetime=2020-01-01/2020-12-31") == []
    assert desk.listed("?datetime=2020-01-01/..") == every
    with desk.state.store.engine.begin() as connection:
        took = {"started_ms": 1_000_000, "finished_ms": 1_090_000}
        connection.execute(update(jobs).where(jobs.c.id == every[1]).values(**took))
    assert desk.listed("?minDuration=60") == every[1:2]
    assert desk.listed("?minDuration=60&maxDuration=80") == []
    page = desk.get("/ogc/jobs?limit=2").json()
    assert [job["jobID"] for job in page["jobs"]] == every[:2]
    following = {link["rel"]: link["href"] for link in page["links"]}["next"]
    rest = desk.get(following.removeprefix("http://testserver")).json()
    assert [job["jobID"] for job in rest["jobs"]] == every[2:]
    assert {link["rel"] for link in rest["links"]} == {"self"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?status=done", 400),
        ("?type=service", 400),
        ("?processID=other", 404),
        ("?minDuration=-1", 400),
        ("?maxDuration=nan", 400),
        ("?limit=0", 400),
        ("?datetime=tomorrow", 400),
        ("?colour=red", 400),
    ],
)
def test_a_wrong_parameter_of_the_list_is_refused_in_chinese(desk, query, status) -> None:
    answer = desk.get(f"/ogc/jobs{query}")
    assert answer.status_code == status, answer.text
    assert not answer.json()["detail"].isascii()


# --- who may -------------------------------------------------------------------------------------


def test_everybody_has_jobs_of_their_own(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0) as made:
        for name, role in (("a", "clerk"), ("b", "clerk"), ("r", "reviewer"), ("m", "admin")):
            made.add(name, role)
        made.add("v", "viewer")
        desk = Desk(made, small)
        place = desk.place("a", inputs=INPUTS)
        job_id = place.rpartition("/")[2]
        assert desk.listed(who="a") == desk.listed(who="r") == [job_id]
        assert desk.listed(who="b") == []
        for path in (place, f"{place}/results"):
            assert desk.get(path, "b").status_code == 404
            assert desk.get(path, "v").status_code == 403
        assert desk.dismiss(place, "b").status_code == 404
        assert desk.dismiss(place, "r").status_code == 403
        assert desk.execute("v", inputs=INPUTS).status_code == 403
        desk.work()
        assert desk.get(f"{place}/results", "a").status_code == 200
        owner = desk.state.store.get(desk.get(f"{place}/results", "a").json()["id"]).owner
        assert owner == "key:a"
        assert desk.dismiss(place, "m").json()["status"] == "dismissed"


def test_only_who_may_have_jobs_is_told_where_they_are(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0) as made:
        for role in (Role.viewer, Role.clerk):
            made.add(role.value, role.value)
        for role, is_told in ((Role.viewer, False), (Role.clerk, True)):
            links = made.get("/ogc", role.value).json()["links"]
            jobs_of = [link["href"] for link in links if link["rel"].endswith("job-list")]
            assert jobs_of == (["http://testserver/ogc/jobs"] if is_told else [])
            described = made.get("/ogc/openapi", role.value).json()["paths"]
            assert ("/jobs/{jobId}/results" in described) is is_told


def test_the_process_says_both_ways_and_the_classes_are_listed(desk) -> None:
    told = desk.get("/ogc/processes/site-check").json()
    assert told["jobControlOptions"] == ["sync-execute", "async-execute"]
    classes = desk.get("/ogc/conformance").json()["conformsTo"]
    part = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
    assert {f"{part}core", f"{part}job-list", f"{part}dismiss"} <= set(classes)
    paths = desk.get("/ogc/openapi").json()["paths"]
    assert set(paths["/jobs/{jobId}"]) == {"get", "delete"}
    assert "201" in paths["/processes/site-check/execution"]["post"]["responses"]


def test_options_of_jobs_written_before_there_were_calls_are_still_read(as_of) -> None:
    text = Options(as_of, use="0803").to_text()
    old = {key: value for key, value in json.loads(text).items() if key != "call"}
    assert Options.from_text(json.dumps(old)) == Options(as_of, use="0803")
    later = Options(as_of, call=Call("site-check", which="all", document=True))
    assert Options.from_text(later.to_text()) == later


# --- a real service ------------------------------------------------------------------------------


def _ended(service: Running, place: str) -> dict[str, Any] | None:
    told = service.get(place).json()
    return None if told["status"] in ("accepted", "running") else told


def test_a_job_outlives_the_service_that_took_it_in(clean, tmp_path) -> None:
    where = {"WUQU_PLAN": str(clean)}
    body = json.dumps({"inputs": INPUTS})
    with running(tmp_path, WUQU_JOB_WORKERS="0", **where) as first:
        answer = first.post(EXECUTION, body, Prefer="respond-async")
        assert answer.status_code == 201, answer.text
        place = answer.headers["location"]
        assert first.get(place).json()["status"] == "accepted"
    with running(tmp_path, **where) as second:
        told = until(lambda: _ended(second, place))
        assert told["status"] == "successful", told
        later = second.get(f"{place}/results").json()
        now = second.post(EXECUTION, body).json()
        v1 = second.post("/v1/site-checks?use=080403&as_of=2026-11-22", json.dumps(FEATURE)).json()
    assert later["digest"] == now["digest"] == v1["digest"]
