"""What a worker does with an upload: rows, problems, records, tables and reports."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import geopandas
import openpyxl
import pytest
from batch_world import table
from hypothesis import given, settings
from hypothesis import strategies as st
from job_world import AS_OF, ME, collection, geopackage, packed, world

from gis.batch import check_sites
from gis.batch.tables import read_back
from gis.errors import FormatError, LimitError, StoreDamagedError, StoreFullError
from gis.jobs.model import CHUNK, JobState, Options, TaskKind
from gis.jobs.plans import Plans
from gis.jobs.reading import MAX_ENTRIES, examine, rows_of
from gis.output.records.audit import audit
from gis.output.records.verify import Outcome, verify_record
from gis.plan import load_plan


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@pytest.fixture
def here(tmp_path, small):
    made = world(tmp_path, small)
    yield made
    made.store.records.close()


def boundary_txt(n: int, samples_dir) -> bytes:
    """A real boundary TXT; another number is another file."""
    text = (samples_dir / "yizhong_xinxiao.txt").read_bytes()
    return text.replace(b"\r\n", b"\n") + b"\n" * n


# --- rows ----------------------------------------------------------------------------------------


def rows(content: bytes, plan, *, name="a.zip", most=100):
    return list(rows_of(content, name, plan.crs_policy, Options(AS_OF), most))


def test_every_file_of_a_zip_is_read_by_itself_and_a_bad_one_is_a_row(small, samples_dir) -> None:
    content = packed(
        {
            "一/a.txt": boundary_txt(0, samples_dir),
            "二/a.txt": boundary_txt(1, samples_dir),
            "bad.geojson": b'{"type":"FeatureCollection","features":[',
            "two.geojson": collection(2, bad=(1,)),
            "readme.md": b"hello",
            "site.dwg": b"AC1032",
        }
    )
    found = rows(content, small)
    told = {origin.label: [] for origin, _ in found}
    for origin, row in found:
        told[origin.label].append(row.problem.code if row.problem else "")
    assert told["bad.geojson"] == ["format"]
    assert told["two.geojson"] == ["", "geometry"]
    assert told["site.dwg"] == ["format"]
    assert sorted(told) == ["bad.geojson", "site.dwg", "two.geojson", "一/a.txt", "二/a.txt"]
    assert [row.number for _, row in found] == list(range(len(found)))


def test_a_shapefile_in_a_zip_is_one_member_with_its_own_name(small, tmp_path) -> None:
    frame = table(small, 3)
    frame.to_file(tmp_path / "片区.shp", engine="pyogrio", encoding="utf-8")
    parts = {f"shp/{p.name}": p.read_bytes() for p in tmp_path.glob("片区.*")}
    found = rows(packed({**parts, "b.geojson": collection(1)}), small)
    assert [origin.label for origin, _ in found] == ["片区.shp"] * 3 + ["b.geojson"]
    assert [row.name for _, row in found][:3] == ["地块0", "地块1", "地块2"]


def test_more_than_a_thousand_sites_are_read_within_the_limit_of_jobs(small, tmp_path) -> None:
    content = geopackage(small, tmp_path, 1_100)
    assert len(rows(content, small, name="a.gpkg", most=1_100)) == 1_100
    # Afterwards the limits are those of a single request again.
    from gis.intake.read import read_each

    with pytest.raises(LimitError):
        read_each(content, small, name="a.gpkg")


@pytest.mark.parametrize("most", [1, 4])
def test_more_sites_than_a_job_may_have_are_refused_with_the_limit(small, most) -> None:
    content = packed({"a.geojson": collection(3), "b.geojson": collection(2)})
    with pytest.raises(LimitError, match="超过"):
        rows(content, small, most=most)


def test_a_zip_with_hundreds_of_txt_files_is_read(small, samples_dir) -> None:
    members = {f"{n:03d}.txt": boundary_txt(n % 5, samples_dir) for n in range(260)}
    assert len(rows(packed(members), small, most=1_000)) >= 260


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"../a.txt": b"x"}, FormatError),
        ({"C:/a.txt": b"x"}, FormatError),
        ({"/etc/a.txt": b"x"}, FormatError),
        ({f"{n}.txt": b"" for n in range(MAX_ENTRIES + 1)}, LimitError),
    ],
)
def test_a_bad_package_is_refused_before_it_is_taken_in(members, code) -> None:
    with pytest.raises(code):
        examine(packed(members))


def test_a_damaged_or_locked_package_is_refused_before_it_is_taken_in() -> None:
    whole = packed({"a.geojson": collection(2)})
    with pytest.raises(FormatError):
        examine(whole[:-30])
    locked = bytearray(whole)
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FormatError, match="密码"):
        examine(bytes(locked))


def test_a_single_file_that_the_door_would_refuse_for_its_size_is_refused_at_once() -> None:
    with pytest.raises(LimitError, match="20 MB"):
        examine(b" " * (20 * 1024 * 1024 + 1))


@settings(max_examples=150)
@given(st.binary(max_size=300), st.booleans())
def test_whatever_is_sent_is_rows_or_a_clear_refusal(small, content, as_zip) -> None:
    content = b"PK\x03\x04" + content if as_zip else content
    try:
        examine(content)
        found = rows(content, small, name="x")
    except (FormatError, LimitError):
        return
    assert all(row.site or row.problem for _, row in found)


# --- judging -------------------------------------------------------------------------------------


def test_a_job_gives_the_verdicts_and_digests_of_a_batch_on_the_same_file(
    here, small, tmp_path
) -> None:
    content = geopackage(small, tmp_path, 2 * CHUNK + 7)
    job = here.submit(content, name="sites.gpkg")
    here.finish()
    check_sites(tmp_path / "sites.gpkg", small, as_of=AS_OF, out=tmp_path / "batch.gpkg")
    batch = read_back(tmp_path / "batch.gpkg")
    made = read_back(here.result(job, "gpkg"))
    assert len(made) == len(batch) == 57
    for column in ("row", "name", "verdict", "deciding_rule", "reason", "use", "digest", "mu"):
        assert made[column].fillna("").tolist() == batch[column].fillna("").tolist(), column
    assert made.geometry.geom_equals_exact(batch.geometry, 1e-6).all()
    assert made["record_id"].is_unique


def test_every_site_has_a_record_that_verifies_and_can_be_shown(here, small) -> None:
    job = here.submit(collection(3), use="080403", attributes={"plot_ratio": "1.0"})
    here.finish()
    for answer in here.answers(job):
        record = here.store.records.get(answer["record_id"])
        assert (record.owner, record.request_id) == ("key:a", "request-1")
        assert record.upload_sha256 == job.upload_sha256
        assert record.document["site"]["geometry"]
        assert record.document["site"]["claims"]["use"] == "080403"
        assert record.digest == answer["digest"]
        found = verify_record(here.store.records, record.id, small)
        assert found.outcome is Outcome.IDENTICAL
    assert audit(here.store.records).records == 3


def test_bad_rows_are_told_and_the_others_are_judged(here) -> None:
    job = here.submit(collection(CHUNK + 5, bad=(2, 27)))
    here.finish()
    done = here.store.get(job.id)
    assert (done.state, done.done, done.counts["problem"]) == (JobState.done, 30, 2)
    problems = here.store.problems(job.id, 10)
    assert [(p["row"], p["problem"][0]) for p in problems] == [(2, "geometry"), (27, "geometry")]
    # As in a batch: what cannot be read is called by its file and place.
    assert problems[0]["name"] == "多个地块.geojson 3"
    assert here.store.records.head()[0] == 28


def test_what_cannot_be_read_at_all_fails_with_the_reason(here) -> None:
    job = here.submit(b"\x00\x01nothing", name="a.gpkg")
    here.finish()
    failed = here.store.get(job.id)
    assert failed.state is JobState.failed
    assert failed.error["code"] == "format"
    assert failed.error["detail"].startswith("内容不是可识别的格式")


def test_a_job_whose_upload_has_gone_fails_with_the_reason(here) -> None:
    job = here.submit(collection(1))
    (here.bench.root / job.id / "upload.bin").unlink()
    here.finish()
    assert "不在服务器上" in here.store.get(job.id).error["detail"]


def test_upload_and_rows_are_removed_when_the_job_has_ended(here) -> None:
    job = here.submit(collection(2))
    here.step()
    assert (here.bench.root / job.id / "upload.bin").exists()
    here.finish()
    assert list((here.bench.root / job.id).iterdir()) == []


def test_without_records_there_are_answers_and_no_record(here) -> None:
    here.bench.records = False
    job = here.submit(collection(2))
    here.finish()
    assert [a["record_id"] for a in here.answers(job)] == [None, None]
    assert {a["verdict"] for a in here.answers(job)} <= {"fail", "undetermined", "pass"}
    assert here.store.records.head()[0] == 0


def test_a_plan_that_is_replaced_in_the_middle_ends_the_job_and_mixes_nothing(here, plan) -> None:
    job = here.submit(collection(2 * CHUNK))
    here.step()
    here.step()
    here.bench.plans = Plans(plan)
    here.finish()
    failed = here.store.get(job.id)
    assert (failed.state, failed.done) == (JobState.failed, CHUNK)
    assert "更换" in failed.error["detail"]
    versions = {here.store.records.get(a["record_id"]).snapshot for a in here.answers(job)}
    assert len(versions) == 1
    assert here.result(job, "csv").exists()


def test_a_job_that_waited_over_an_update_is_judged_by_the_new_plan_as_a_whole(here, plan) -> None:
    job = here.submit(collection(2))
    before = job.plan
    here.bench.plans = Plans(plan)
    here.finish()
    done = here.store.get(job.id)
    assert done.state is JobState.done
    assert done.plan == here.bench.plans.in_force().package[0] != before


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_defect_in_one_row_is_told_and_the_others_go_on(here, monkeypatch) -> None:
    from gis.jobs import work

    true = work.judged

    def sometimes(rows, *args, **more):
        if any(row.name.endswith("地块2") for row in rows):
            raise ZeroDivisionError
        return true(rows, *args, **more)

    monkeypatch.setattr(work, "judged", sometimes)
    job = here.submit(collection(4))
    here.finish()
    assert here.store.get(job.id).counts["problem"] == 1
    (told,) = here.store.problems(job.id, 10)
    assert (told["row"], told["problem"][0]) == (1, "defect")
    assert here.store.records.head()[0] == 3


def test_a_row_that_kills_its_worker_again_and_again_is_the_only_one_without_a_verdict(
    here, monkeypatch
) -> None:
    from gis.jobs import work

    true = work.judged

    class KilledError(BaseException):
        pass

    def killed(rows, *args, **more):
        if any(row.name.endswith("地块2") for row in rows):
            raise KilledError
        return true(rows, *args, **more)

    monkeypatch.setattr(work, "judged", killed)
    job = here.submit(collection(4))
    for _ in range(60):
        try:
            if here.step() is None:
                break
        except KilledError:
            here.store.blame("here:1")
    done = here.store.get(job.id)
    assert (done.state, done.counts["problem"]) == (JobState.done, 1)
    assert here.store.problems(job.id, 5)[0]["problem"][0] == "worker_lost"


def test_an_upload_that_kills_its_worker_again_and_again_fails(here) -> None:
    job = here.submit(collection(2))
    for _ in range(3):
        here.store.claim(ME)
        here.store.blame("here:1")
    here.finish()
    assert here.store.get(job.id).state is JobState.failed


def test_a_full_disk_puts_the_piece_back_and_the_job_ends_later(here, monkeypatch) -> None:
    def full(*_, **__):
        raise StoreFullError("没有空间")

    job = here.submit(collection(2))
    here.step()
    monkeypatch.setattr(here.store.records, "save_uploads", full)
    here.step()
    monkeypatch.undo()
    assert here.store.get(job.id).state is JobState.running
    assert here.store.claim(ME) is None
    here.clock.ms += 5_000
    here.finish()
    assert here.store.get(job.id).counts == {"fail": 2} or here.store.get(job.id).done == 2
    assert here.store.records.head()[0] == 2


def test_a_job_that_is_cancelled_in_the_middle_of_a_piece_stops_there(here) -> None:
    job = here.submit(collection(CHUNK))
    here.step()
    judged = []

    def lost() -> bool:
        judged.append(1)
        return len(judged) > 3

    here.bench.lost = lost
    here.step()
    assert len(judged) == 4
    assert here.store.get(job.id).done == 0
    assert here.store.records.head()[0] == 0


# --- results -------------------------------------------------------------------------------------

HOSTILE = "=1+1|cmd'\"/..\\<b>"


@pytest.fixture(scope="module")
def finished(tmp_path_factory, small):
    here = world(tmp_path_factory.mktemp("finished"), small)
    features = json.loads(collection(3, bad=(1,)))
    features["features"][0]["properties"]["name"] = HOSTILE
    job = here.submit(json.dumps(features).encode(), name="批.geojson")
    here.finish()
    yield here, here.store.get(job.id)
    here.store.records.close()


def test_the_csv_has_a_row_for_each_site_with_its_record_and_no_formula(finished) -> None:
    here, job = finished
    text = here.result(job, "csv").read_text("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert [line["行号"] for line in lines] == ["1", "2", "3"]
    assert lines[0]["名称"] == f"'{HOSTILE}"
    assert lines[1]["问题代码"] == "geometry"
    assert lines[1]["记录编号"] == ""
    assert here.store.records.get(lines[2]["记录编号"]).digest == lines[2]["摘要"]


def test_the_workbook_keeps_rows_without_a_verdict_apart_and_holds_no_formula(finished) -> None:
    here, job = finished
    book = openpyxl.load_workbook(here.result(job, "xlsx"))
    assert book.sheetnames == ["地块", "无法检测"]
    good, bad = book["地块"], book["无法检测"]
    assert (good.max_row, bad.max_row) == (3, 2)
    assert all(cell.data_type != "f" for row in good.iter_rows() for cell in row)
    assert good.cell(2, 3).value == f"'{HOSTILE}"
    assert good.cell(1, good.max_column).value == "记录编号"


def test_the_geojson_is_in_degrees_and_says_what_has_no_outline(finished) -> None:
    here, job = finished
    found = json.loads(here.result(job, "geojson").read_text("utf-8"))
    frame = geopandas.GeoDataFrame.from_features(found["features"], crs=4490)
    west, south, east, north = frame.total_bounds
    assert 115 < west < east < 117
    assert 36 < south < north < 37
    assert [f["geometry"] is None for f in found["features"]] == [False, True, False]
    assert found["features"][1]["properties"]["problem_code"] == "geometry"


def test_the_zip_has_a_report_for_each_record_with_safe_and_unique_names(finished) -> None:
    pytest.importorskip("typst")
    here, job = finished
    with zipfile.ZipFile(here.result(job, "zip")) as package:
        names = package.namelist()
        assert names[:2] == ["地块检测结果.csv", "汇总报告.pdf"]
        assert [name[:6] for name in names[2:]] == ["00001-", "00003-"]
        assert not any(set(name) & set('/\\:*?"<>|') for name in names)
        assert all(package.read(name).startswith(b"%PDF") for name in names[1:])
    assert not (here.bench.root / job.id / "reports").exists()


def test_reports_are_made_some_at_a_time_so_that_others_have_their_turn(
    finished, monkeypatch
) -> None:
    pytest.importorskip("typst")
    here, job = finished
    monkeypatch.setattr("gis.jobs.reports._TURN_S", 0.0)
    (here.bench.root / job.id / "results.zip").unlink(missing_ok=True)
    here.store.want(job.id, TaskKind.zip, anew=True)
    here.step()
    making = here.store.want(job.id, TaskKind.zip)
    assert (making.state, making.total) == ("waiting", 2)
    other = here.submit(collection(1), owner="key:b")
    assert here.store.claim("here:9/x").job_id == other.id
    here.store.cancel(other.id)
    here.finish()
    assert here.store.want(job.id, TaskKind.zip).state == "done"


def test_a_record_that_has_changed_ends_the_reports_and_not_the_tables(
    finished, monkeypatch
) -> None:
    pytest.importorskip("typst")
    here, job = finished

    def damaged(_: str):
        raise StoreDamagedError("这条检测记录与写入时不一致，不予采用")

    (here.bench.root / job.id / "results.zip").unlink(missing_ok=True)
    here.store.want(job.id, TaskKind.zip, anew=True)
    monkeypatch.setattr(here.store.records, "get", damaged)
    here.finish()
    making = here.store.want(job.id, TaskKind.zip)
    assert (making.state, making.error["code"]) == ("failed", "store_damaged")
    assert here.result(job, "csv").exists()
