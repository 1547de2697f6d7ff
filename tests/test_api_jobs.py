"""Jobs over HTTP, without a worker: taking in, access, documents, cancelling, results, limits."""

from __future__ import annotations

import io
import json
import shutil
import time
import zipfile

import pytest
from access_service import service
from job_world import ME, collection, packed
from running_service import numbers
from sqlalchemy import delete

from api.routers import jobs as routes
from gis.errors import StoreLockedError
from gis.jobs.model import CHUNK, TaskKind
from gis.jobs.plans import Plans
from gis.jobs.work import Bench
from gis.output.records import RecordStore
from gis.output.records.job_tables import job_rows, job_tasks, jobs
from gis.plan import load_plan

BATCH = "/v1/site-checks/batch?as_of=2026-11-22"
JSON = {"Content-Type": "application/geo+json"}


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


class Desk:
    """A service without workers, and one worker that does a piece when it is told to."""

    def __init__(self, made, plan) -> None:
        self.made = made
        state = made.client.app.state.wuqu
        self.state = state
        self.bench = Bench(state.jobs, made.settings.job_folder, Plans(plan))

    def submit(self, content: bytes, who: str | None = None, url: str = BATCH, **more):
        headers = self.made.headers(who, **JSON)
        return self.made.client.post(url, content=content, headers=headers, **more)

    def upload(self, content: bytes, name: str, url: str = BATCH, **fields):
        files = {"file": (name, content)}
        return self.made.client.post(url, files=files, data=fields)

    def work(self, pieces: int = 500) -> None:
        for _ in range(pieces):
            task = self.state.jobs.claim(ME)
            if task is None:
                return
            self.bench.work(task)

    def get(self, url: str, who: str | None = None):
        return self.made.get(url, who)

    def post(self, url: str, who: str | None = None):
        return self.made.client.post(url, headers=self.made.headers(who))

    def done(self, content: bytes, who: str | None = None) -> str:
        """Submit, work, and return the address of the job."""
        place = self.submit(content, who).headers["location"]
        self.work()
        return place


@pytest.fixture(scope="module")
def shared(small, tmp_path_factory):
    with service(small, tmp_path_factory.mktemp("desk"), job_workers=0) as made:
        yield Desk(made, small)


@pytest.fixture
def desk(shared):
    """A service without jobs; records of tests before may be there."""
    yield shared
    with shared.state.store.engine.begin() as connection:
        for table in (jobs, job_tasks, job_rows):
            connection.execute(delete(table))
    shutil.rmtree(shared.made.settings.job_folder, ignore_errors=True)


@pytest.fixture
def keyed(small, tmp_path):
    with service(small, tmp_path, job_workers=0) as made:
        for name, role in (("a", "clerk"), ("b", "clerk"), ("r", "reviewer"), ("m", "admin")):
            made.add(name, role)
        yield Desk(made, small)


# --- taking in -----------------------------------------------------------------------------------


def test_an_upload_is_answered_with_the_place_of_its_job(desk) -> None:
    answer = desk.upload(packed({"a.geojson": collection(2)}), "第一 批.zip", use="080403")
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["total"], job["done"]) == ("queued", None, 0)
    assert (job["name"], job["use"], job["as_of"]) == ("第一 批.zip", "080403", "2026-11-22")
    assert job["links"]["results"] == {}
    assert desk.get(answer.headers["location"]).json() == job


def test_the_query_goes_before_the_form_and_the_day_is_fixed_when_the_job_is_taken_in(
    desk,
) -> None:
    url = "/v1/site-checks/batch?use=0803&attr=plot_ratio:2"
    job = desk.upload(collection(1), "a.json", url, use="100101", attr="plot_ratio:1").json()
    assert (job["use"], job["attributes"]) == ("0803", {"plot_ratio": "2"})
    from gis.check import legal_day

    assert job["as_of"] == legal_day().isoformat()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("use=9999x", "claim"),
        ("attr=nonsense:1", "claim"),
        ("as_of=yesterday", "claim"),
        ("crs=EPSG:2343", "crs"),
        ("which=all", "claim"),
        ("geometry=false", "claim"),
        ("nope=1", "claim"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_taken_in(desk, query, code) -> None:
    answer = desk.submit(collection(1), url=f"/v1/site-checks/batch?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert desk.get("/v1/jobs").json() == {"jobs": []}
    assert not desk.made.settings.job_folder.exists()


def test_a_field_of_single_checks_in_the_form_is_refused(desk) -> None:
    answer = desk.upload(collection(1), "a.json", which="all")
    assert (answer.status_code, answer.json()["code"]) == (422, "claim")


def test_a_bad_package_or_an_empty_body_is_refused_at_once(desk) -> None:
    traversal = packed({"../../etc/x.txt": b"x"})
    for content in (traversal, packed({"a.txt": b"x"})[:-9], b" "):
        answer = desk.submit(content)
        assert (answer.status_code, answer.json()["code"]) == (422, "format")
    assert desk.get("/v1/jobs").json() == {"jobs": []}


def test_the_name_of_the_sender_never_becomes_a_path(desk) -> None:
    for name in ("../../../evil.zip", "C:\\x\\evil.zip", "evil\u202egpj.zip"):
        job = desk.upload(packed({"a.geojson": collection(1)}), name).json()
        assert "/" not in job["name"]
        assert "\\" not in job["name"]
    folders = {path.name for path in desk.made.settings.job_folder.iterdir()}
    assert folders == {job["id"] for job in desk.get("/v1/jobs").json()["jobs"]}


def test_a_job_may_be_larger_than_a_single_check_up_to_its_own_limit(small, tmp_path) -> None:
    limits = {"body_limit_bytes": 4096, "job_limit_bytes": 20_000}
    with service(small, tmp_path, job_workers=0, **limits) as made:
        desk = Desk(made, small)
        content = collection(40)
        assert 4096 < len(content) < 20_000
        assert desk.submit(content).status_code == 202
        single = made.client.post("/v1/site-checks", content=content, headers=JSON)
        assert single.status_code == 413
        answer = desk.submit(b" " * 20_001)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_limit")


def test_more_sites_than_a_job_may_have_fail_with_the_limit(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, job_sites=3) as made:
        desk = Desk(made, small)
        job = desk.get(desk.done(collection(4))).json()
        assert (job["state"], job["error"]["code"]) == ("failed", "limit")
        assert "不超过 3 个" in job["error"]["detail"]


def test_one_user_has_so_many_unfinished_jobs_and_no_more(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, job_queued=2) as made:
        desk = Desk(made, small)
        for _ in range(2):
            assert desk.submit(collection(1)).status_code == 202
        answer = desk.submit(collection(1))
        assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
        assert int(answer.headers["retry-after"]) > 0
        desk.work()
        assert desk.submit(collection(1)).status_code == 202


# --- what is told --------------------------------------------------------------------------------


def test_a_finished_job_tells_counts_problems_and_where_its_results_are(desk) -> None:
    job = desk.get(desk.done(collection(5, bad=(3,)))).json()
    assert (job["state"], job["state_label"], job["total"], job["done"]) == ("done", "已完成", 5, 5)
    assert sum(job["counts"].values()) == 5
    assert job["counts"]["problem"] == 1
    (told,) = job["problems"]
    assert (told["row"], told["code"]) == (4, "geometry")
    assert told["message"]
    assert set(job["links"]["results"]) == {"gpkg", "csv", "xlsx", "geojson", "zip"}
    assert job["links"]["cancel"] is None
    assert job["finished_at"] < job["expires_at"]


def test_every_site_of_a_job_is_an_ordinary_check(desk) -> None:
    place = desk.done(collection(2))
    table = desk.get(f"{place}/results.geojson") if _made(desk, place, "geojson") else None
    ids = [f["properties"]["record_id"] for f in table.json()["features"]]
    for check_id in ids:
        check = desk.get(f"/v1/site-checks/{check_id}").json()
        assert check["id"] == check_id
        assert check["site"]["geometry"]
        assert desk.get(f"/v1/records/{check_id}/verify").json()["outcome"] == "identical"
    listed = {check["id"] for check in desk.get("/v1/site-checks").json()["checks"]}
    assert set(ids) <= listed


def _made(desk, place: str, kind: str) -> bool:
    desk.state.jobs.want(place.rpartition("/")[2], TaskKind(kind))
    desk.work()
    return True


def test_progress_is_told_while_the_job_runs(desk) -> None:
    place = desk.submit(collection(2 * CHUNK)).headers["location"]
    desk.work(1)
    assert desk.get(place).json()["total"] == 2 * CHUNK
    desk.work(1)
    job = desk.get(place).json()
    assert (job["state"], job["done"]) == ("running", CHUNK)
    assert job["rate_per_s"] > 0
    assert job["remaining_s"] >= 0


def test_the_list_has_the_newest_first(desk) -> None:
    names = ["一.json", "二.json"]
    for name in names:
        desk.upload(collection(1), name)
        time.sleep(0.002)  # created_ms tells them apart
    jobs = desk.get("/v1/jobs").json()["jobs"]
    assert [job["name"] for job in jobs] == names[::-1]
    assert len(desk.get("/v1/jobs?limit=1").json()["jobs"]) == 1
    assert desk.get("/v1/jobs?limit=0").status_code == 422


# --- events --------------------------------------------------------------------------------------


def events_of(text: str) -> list[dict]:
    """What a client reads from a stream, after the standard's rules for its lines."""
    found, event = [], {}
    for line in text.split("\n"):
        if not line:
            if "data" in event:
                found.append({**event, "data": json.loads(event["data"])})
            event = {}
            continue
        name, _, value = line.partition(":")
        if name:
            event[name] = value.removeprefix(" ")
    return found


def test_the_stream_of_a_finished_job_is_its_last_state(desk) -> None:
    place = desk.done(collection(2))
    answer = desk.get(f"{place}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = events_of(answer.text)
    assert (event["event"], event["data"]["state"], event["data"]["done"]) == ("state", "done", 2)
    again = desk.made.client.get(f"{place}/events", headers={"Last-Event-ID": event["id"]})
    assert (again.status_code, again.content) == (204, b"")
    earlier = desk.made.client.get(f"{place}/events", headers={"Last-Event-ID": "0"})
    assert events_of(earlier.text) == [event]
    odd = desk.made.client.get(f"{place}/events", headers={"Last-Event-ID": "x"})
    assert events_of(odd.text) == [event]


def test_a_stream_tells_every_change_and_keeps_the_connection_alive(desk, monkeypatch) -> None:
    monkeypatch.setattr(routes, "LOOK_S", 0.01)
    monkeypatch.setattr("api.watching.LOOK_S", 0.0)
    monkeypatch.setattr(routes, "KEEP_ALIVE_S", 0.02)
    place = desk.submit(collection(3)).headers["location"]
    job_id = place.rpartition("/")[2]
    looks = []
    true = desk.state.jobs.get

    def get(wanted: str):
        looks.append(wanted)
        if len(looks) % 8 == 0:
            desk.work(1)
        return true(wanted)

    monkeypatch.setattr(desk.state.jobs, "get", get)
    text = desk.get(f"{place}/events").text
    events = events_of(text)
    assert events[0]["data"]["state"] == "queued"
    assert events[-1]["event"] == "state"
    assert events[-1]["data"]["state"] == "done"
    assert [int(e["id"]) for e in events] == sorted({int(e["id"]) for e in events})
    assert ": ping" in text
    assert set(looks) == {job_id}
    assert not desk.state.watching._known
    assert not desk.state.watching._seats


def test_so_many_watch_at_once_and_no_more(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, job_streams=1) as made:
        desk = Desk(made, small)
        place = desk.submit(collection(1)).headers["location"]
        with desk.state.watching.seat("another"):
            answer = desk.get(f"{place}/events")
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        desk.work()
        assert desk.get(f"{place}/events").status_code == 200


# --- cancelling ----------------------------------------------------------------------------------


def test_a_cancelled_job_keeps_what_it_has_and_gives_it_out(desk) -> None:
    place = desk.submit(collection(2 * CHUNK)).headers["location"]
    desk.work(2)
    job = desk.post(f"{place}/cancel").json()
    assert (job["state"], job["done"], job["total"]) == ("cancelled", CHUNK, 2 * CHUNK)
    desk.work()
    assert desk.get(place).json()["done"] == CHUNK
    assert desk.post(f"{place}/cancel").json() == desk.get(place).json()
    _made(desk, place, "csv")
    assert len(desk.get(f"{place}/results.csv").text.splitlines()) == CHUNK + 1


# --- numbers -------------------------------------------------------------------------------------


def test_numbers_of_the_service_tell_how_its_jobs_are_and_when_nobody_knows(
    desk, monkeypatch
) -> None:
    desk.done(collection(2))
    cancelled = desk.submit(collection(1)).headers["location"]
    desk.post(f"{cancelled}/cancel")
    desk.submit(collection(1))
    found = numbers(desk.get("/metrics").text)
    states = {labels[0]: n for (name, labels), n in found.items() if name == "wuqu_jobs"}
    assert states == {"queued": 1, "running": 0, "done": 1, "cancelled": 1, "failed": 0}
    assert found["wuqu_job_rows_total", ()] == 2
    assert found["wuqu_job_rows_per_second", ()] == 0
    assert 0 <= found["wuqu_job_oldest_queued_seconds", ()] < 600
    assert found["wuqu_jobs_known", ()] == 1

    def locked():
        raise StoreLockedError("记录库被占用")

    monkeypatch.setattr(desk.state.jobs, "numbers", locked)
    found = numbers(desk.get("/metrics").text)
    assert found["wuqu_jobs_known", ()] == 0
    assert not [name for name, _ in found if name in ("wuqu_jobs", "wuqu_job_rows_total")]
    assert [name for name, _ in found if name == "wuqu_requests_total"]


# --- access --------------------------------------------------------------------------------------


def test_jobs_of_others_do_not_exist_for_a_clerk(keyed) -> None:
    place = keyed.done(collection(1), "a")
    for who, seen in (("a", 200), ("b", 404), ("r", 200), ("m", 200)):
        assert keyed.get(place, who).status_code == seen
        assert keyed.get(f"{place}/events", who).status_code == seen
        listed = keyed.get("/v1/jobs", who).json()["jobs"]
        assert [job["links"]["self"] for job in listed] == ([place] if seen == 200 else [])
    assert keyed.get(f"{place}/results.csv", "b").status_code == 404
    assert keyed.post(f"{place}/cancel", "b").status_code == 404
    missing = keyed.get(f"/v1/jobs/{'0' * 32}", "b").json()
    assert keyed.get(place, "b").json() == missing


def test_who_submitted_a_job_and_an_administrator_may_cancel_it_and_a_reviewer_may_not(
    keyed,
) -> None:
    first, second = (keyed.submit(collection(1), "a").headers["location"] for _ in range(2))
    assert keyed.post(f"{first}/cancel", "r").status_code == 403
    assert keyed.get(first, "a").json()["state"] == "queued"
    assert keyed.post(f"{first}/cancel", "a").json()["state"] == "cancelled"
    assert keyed.post(f"{second}/cancel", "m").json()["state"] == "cancelled"


def test_records_of_a_job_belong_to_who_submitted_it(keyed) -> None:
    keyed.done(collection(1), "a")
    (check,) = keyed.get("/v1/site-checks", "a").json()["checks"]
    assert keyed.get("/v1/site-checks", "b").json()["checks"] == []
    assert keyed.get(f"/v1/site-checks/{check['id']}", "b").status_code == 404


# --- results -------------------------------------------------------------------------------------


def test_a_result_of_a_job_that_runs_is_not_there_yet(desk) -> None:
    place = desk.submit(collection(1)).headers["location"]
    answer = desk.get(f"{place}/results.csv")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")
    assert answer.headers["retry-after"]


def test_a_result_that_takes_long_is_asked_for_again(desk, monkeypatch) -> None:
    monkeypatch.setattr(routes, "RESULT_WAIT_S", 0.0)
    place = desk.done(collection(2))
    answer = desk.get(f"{place}/results.xlsx")
    assert answer.status_code == 202
    assert answer.json() == {"state": "making", "kind": "xlsx", "done": 0, "total": 0}
    assert answer.headers["retry-after"]
    desk.work()
    whole = desk.get(f"{place}/results.xlsx")
    assert whole.status_code == 200
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None
    job_id = place.rpartition("/")[2]
    assert f'filename="{job_id}.xlsx"' in whole.headers["content-disposition"]


def test_a_result_whose_file_has_gone_is_made_again(desk, monkeypatch) -> None:
    monkeypatch.setattr(routes, "RESULT_WAIT_S", 0.0)
    place = desk.done(collection(1))
    _made(desk, place, "csv")
    first = desk.get(f"{place}/results.csv").content
    (desk.made.settings.job_folder / place.rpartition("/")[2] / "results.csv").unlink()
    assert desk.get(f"{place}/results.csv").status_code == 202
    desk.work()
    assert desk.get(f"{place}/results.csv").content == first


def test_results_are_gone_after_their_time_and_records_are_not(desk, monkeypatch) -> None:
    place = desk.done(collection(1))
    _made(desk, place, "csv")
    check = desk.get("/v1/site-checks").json()["checks"][0]["id"]
    from gis.jobs import store

    later = store.now_ms() + 31 * 86_400_000
    monkeypatch.setattr("api.jobs.now_ms", lambda: later)
    answer = desk.get(f"{place}/results.csv")
    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    job = desk.get(place).json()
    assert (job["expired"], job["links"]["results"]) == (True, {})
    assert desk.get(f"/v1/site-checks/{check}").status_code == 200


@pytest.mark.parametrize("suffix", ["pdf", "CSV", "csv.zip", "..%2Fx"])
def test_what_is_no_result_is_not_found(desk, suffix) -> None:
    place = desk.done(collection(1))
    assert desk.get(f"{place}/results.{suffix}").status_code == 404


def test_a_job_without_any_row_has_no_results(desk) -> None:
    place = desk.done(b"\x00nothing")
    job = desk.get(place).json()
    assert (job["state"], job["links"]["results"]) == ("failed", {})
    assert desk.get(f"{place}/results.csv").status_code == 404


def test_a_zip_of_too_many_reports_is_refused_with_another_way(small, tmp_path) -> None:
    with service(small, tmp_path, job_workers=0, job_reports=1) as made:
        desk = Desk(made, small)
        answer = desk.get(f"{desk.done(collection(2))}/results.zip")
        assert answer.status_code == 404
        assert "gpkg" in answer.json()["detail"]


def test_a_result_that_cannot_be_made_says_so(desk, monkeypatch) -> None:
    monkeypatch.setattr(routes, "RESULT_WAIT_S", 0.0)
    place = desk.done(collection(1))
    desk.get(f"{place}/results.csv")
    for _ in range(3):
        desk.state.jobs.claim(ME)
        desk.state.jobs.blame("here:1")
    desk.work()
    answer = desk.get(f"{place}/results.csv")
    assert (answer.status_code, answer.json()["code"]) == (503, "job")


def test_no_answer_names_a_place_on_the_server(desk) -> None:
    folder = str(desk.made.settings.job_folder.parent)
    place = desk.done(collection(3, bad=(0,)))
    for url in (place, "/v1/jobs", f"{place}/results.nope", f"{place}/events"):
        assert folder not in desk.get(url).text


# --- a full disk ---------------------------------------------------------------------------------


def test_an_upload_that_cannot_be_kept_is_refused_and_no_job_is_there(desk, monkeypatch) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gis.jobs.folder.write_whole", full)
    answer = desk.submit(collection(1))
    assert (answer.status_code, answer.json()["code"]) == (507, "store_full")
    assert desk.get("/v1/jobs").json() == {"jobs": []}


def test_jobs_are_there_for_whoever_opens_the_store_next(desk) -> None:
    place = desk.submit(collection(1)).headers["location"]
    records = RecordStore(desk.made.settings.db)
    from gis.jobs.model import Limits
    from gis.jobs.store import JobStore

    assert JobStore(records, Limits()).get(place.rpartition("/")[2]).name == ""
    records.close()
