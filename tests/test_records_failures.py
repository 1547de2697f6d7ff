"""A bad day of the records: full, locked, read-only, damaged, away. A reason, never a verdict."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from access_service import service as keyed
from postgres_server import NoServerError, server
from record_world import AS_OF, SITE, document, run_sql
from sqlalchemy.exc import DatabaseError, OperationalError
from starlette.testclient import TestClient

from api.app import create_app
from api.recording import Recorder
from api.settings import Settings
from gis.errors import (
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreOutdatedError,
    StoreReadOnlyError,
)
from gis.output.records import Entry, RecordStore, engines
from gis.output.records.address import address_of
from gis.output.records.audit import audit
from gis.output.records.engines import open_engine
from gis.output.records.failures import store_error
from gis.output.records.schema import migrate
from gis.plan import load_plan

URL = f"/v1/site-checks?as_of={AS_OF}&use=080403&remedies=false"


@pytest.fixture(scope="module")
def small(clean):
    return load_plan(clean)


@contextmanager
def serving(plan, db):
    app = create_app(Settings(db=db), plan=plan)
    with TestClient(app, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.sqlite"


@pytest.fixture
def service(small, path, monkeypatch):
    monkeypatch.setattr(engines, "WAIT_S", 0.2)
    with serving(small, path) as client:
        yield client


def post(client):
    return client.post(URL, json=SITE)


def refused(answer, status, code):
    """The answer is a problem with a reason, and nothing in it looks like a decision."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert not {"verdict", "findings", "digest"} & set(problem)
    assert "处理办法" in problem["detail"]
    assert "/tmp" not in answer.text
    return problem


def good(client):
    answer = post(client)
    assert answer.status_code == 200
    assert client.get(f"/v1/records/{answer.json()['id']}/verify").json()["outcome"] == "identical"
    return answer.json()


# --- full ----------------------------------------------------------------------------------------


@contextmanager
def no_larger_than(size):
    """Let this process write no file beyond a size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_may_not_grow_is_507_and_the_next_one_is_kept_again(service, path):
    first = good(service)
    with no_larger_than(path.with_name(f"{path.name}-wal").stat().st_size):
        for _ in range(3):
            refused(post(service), 507, "store_full")
        assert service.get(f"/v1/site-checks/{first['id']}").json() == first
    second = good(service)
    assert second["digest"] == first["digest"]
    store = RecordStore(path)
    assert audit(store).records == 2
    assert audit(store).is_good
    store.close()


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of one megabyte, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a disk; the limit of a process stands for it above")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_507_and_once_there_is_room_everything_is_kept(small, tiny_disk):
    kept, db = [], tiny_disk / "records.sqlite"
    filler = tiny_disk / "filler"
    filler.write_bytes(b"x" * 300_000)
    with serving(small, db) as client:
        while (answer := post(client)).status_code == 200:
            kept.append(answer.json())
            assert len(kept) < 100
        refused(answer, 507, "store_full")
        assert len(kept) >= 1
        for one in kept:
            assert client.get(f"/v1/site-checks/{one['id']}").json() == one
        filler.unlink()
        kept.append(good(client))
    store = RecordStore(db)
    found = audit(store)
    assert (found.is_good, found.records) == (True, len(kept))
    store.close()


# --- locked --------------------------------------------------------------------------------------


@contextmanager
def held(path):
    """Hold the write lock of a file, as another program may."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_file_is_503_with_a_time_to_come_again(service, path):
    first = good(service)
    with held(path):
        answer = post(service)
        refused(answer, 503, "store_locked")
        assert int(answer.headers["retry-after"]) > 0
        assert service.get(f"/v1/site-checks/{first['id']}").json() == first
    good(service)
    assert len(service.get("/v1/site-checks").json()["checks"]) == 2


def test_all_who_wait_for_a_locked_file_are_told_after_two_waits_at_most(path, monkeypatch):
    monkeypatch.setattr(engines, "WAIT_S", 0.3)
    store = RecordStore(path)

    async def many():
        recorder = Recorder(store)
        tasks = [recorder.save([Entry(document(f"{n}"))], f"{n}") for n in range(30)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    with held(path):
        begun = time.monotonic()
        found = asyncio.run(many())
        took_s = time.monotonic() - begun
    assert all(isinstance(one, StoreLockedError) for one in found)
    # One by one they would wait for nine seconds.
    assert took_s < 5
    assert store.recent() == ()
    store.close()


def test_a_chain_that_another_server_holds_is_503_with_a_time_to_come_again(
    small, database, monkeypatch
):
    monkeypatch.setattr(engines, "WAIT_S", 0.2)
    with serving(small, migrated(database)) as client:
        other = RecordStore(database)
        with engines.writing(other.engine):
            answer = post(client)
        refused(answer, 503, "store_locked")
        assert int(answer.headers["retry-after"]) > 0
        good(client)
        other.close()


# --- read-only -----------------------------------------------------------------------------------


def test_records_that_may_only_be_read_are_read_and_every_check_is_503(small, path):
    writer = RecordStore(path)
    with serving(small, path) as client:
        kept = good(client)
    with serving(small, f"sqlite:///file:{path}?mode=ro&uri=true") as client:
        refused(post(client), 503, "store_read_only")
        assert client.get(f"/v1/site-checks/{kept['id']}").json() == kept
        decision = {"verdict": "pass", "office": "科", "reason": "理由"}
        url = f"/v1/records/{kept['id']}/decisions"
        refused(client.post(url, json=decision), 503, "store_read_only")
    writer.close()


def test_a_database_user_without_the_right_to_write_is_503(small, database):
    migrated(database)
    run_sql(
        store := RecordStore(database),
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    store.close()
    with serving(small, database.replace("bench@", "reader@")) as client:
        refused(post(client), 503, "store_read_only")
        assert client.get("/v1/site-checks").json() == {"checks": []}
    store = RecordStore(database)
    run_sql(store, "DROP OWNED BY reader", "DROP ROLE reader")
    store.close()


# --- damaged -------------------------------------------------------------------------------------


def damage(path, change):
    """Change one record in the file while the service has it open."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER IF EXISTS records_no_update")
        other.execute(change)


@pytest.mark.parametrize("suffix", ["", ".json", ".geojson", ".html", ".pdf", ".csv", ".gpkg"])
def test_a_record_with_a_changed_verdict_is_never_shown_in_any_form(service, path, suffix):
    record = good(service)["id"]
    damage(path, """UPDATE records SET document = replace(document, '"fail"', '"pass"')""")
    refused(service.get(f"/v1/site-checks/{record}{suffix}"), 503, "store_damaged")
    refused(service.get(f"/maps/site-checks/{record}.html"), 503, "store_damaged")
    refused(service.get(f"/v1/records/{record}"), 503, "store_damaged")
    found = service.get(f"/v1/records/{record}/verify").json()
    assert found["outcome"] == "damaged"
    assert found["faults"][0]["where"] == "document"


def test_a_record_with_a_changed_verdict_is_left_out_of_the_list(service, path, caplog):
    first, second = good(service)["id"], good(service)["id"]
    damage(path, "UPDATE records SET verdict = 'pass' WHERE seq = 1")
    assert [r["id"] for r in service.get("/v1/site-checks").json()["checks"]] == [second]
    assert first in caplog.text
    assert service.get("/").status_code == 200


def test_a_damaged_record_is_none_for_who_may_not_see_it_whole(small, tmp_path):
    """Another's record is not there; that it is damaged is no news for strangers either."""
    with keyed(small, tmp_path) as made:
        for name, role in (("a", "clerk"), ("b", "clerk"), ("r", "reviewer")):
            made.add(name, role)
        record = made.check("a").json()["id"]
        nothing = made.get(f"/v1/site-checks/{'0' * 32}", "b")
        damage(tmp_path / "records.sqlite", "UPDATE records SET verdict = 'pass'")
        for url in (f"/v1/site-checks/{record}", f"/v1/records/{record}"):
            assert made.get(url, "b").status_code == 404
            assert made.get(url, "b").json()["detail"] == nothing.json()["detail"]
            for name in ("a", "r"):
                refused(made.get(url, name), 503, "store_damaged")
        # Nobody can say any more whose it was: only reviewers see that there is something.
        damage(tmp_path / "records.sqlite", "UPDATE records SET owner = 'key:b'")
        for name, status in (("a", 404), ("b", 404), ("r", 503)):
            assert made.get(f"/v1/site-checks/{record}", name).status_code == status


def test_a_record_that_was_damaged_into_an_unknown_id_does_not_make_it_a_known_one(service, path):
    record, unknown = good(service)["id"], "f" * 32
    assert service.get(f"/v1/site-checks/{unknown}").status_code == 404
    damage(path, f"UPDATE records SET id = '{unknown}'")
    answer = service.get(f"/v1/site-checks/{unknown}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert service.get(f"/v1/site-checks/{record}").status_code == 404
    store = RecordStore(path)
    assert not audit(store).is_good
    store.close()


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_file_that_is_no_longer_there_is_503_and_nothing_is_written_into_nowhere(
    service, path, what
):
    """SQLite would go on writing into a file that has no name, and acknowledge it."""
    first = good(service)
    kept = path.with_name("kept.sqlite")
    path.rename(kept)
    if what == "replaced":
        shutil.copyfile(kept, path)
    for _ in range(2):
        refused(post(service), 503, "store")
        refused(service.get(f"/v1/site-checks/{first['id']}"), 503, "store")
    assert "记录库文件" in service.get("/readyz").json()["errors"][0]["message"]
    assert path.exists() is (what == "replaced")
    path.unlink(missing_ok=True)
    kept.rename(path)
    assert good(service)["digest"] == first["digest"]
    assert service.get("/readyz").status_code == 200


def test_a_file_full_of_rubbish_is_503_for_everybody(service, path):
    good(service)
    for part in (path, path.with_name(f"{path.name}-wal")):
        with part.open("r+b") as file:
            file.write(os.urandom(part.stat().st_size))
    # The service may still know pages that it has read; no answer may rest on the others.
    service.app.state.wuqu.store.close()
    refused(post(service), 503, "store_damaged")
    refused(service.get("/v1/site-checks"), 503, "store_damaged")
    refused(service.get("/readyz"), 503, "not_ready")
    assert "损坏" in service.get("/readyz").json()["errors"][0]["message"]


def test_a_service_does_not_start_on_a_damaged_file_and_says_why(small, path):
    path.write_bytes(b"SQLite format 3\0" + os.urandom(8000))
    with pytest.raises(StoreDamagedError, match="损坏"), serving(small, path):
        pass


def test_wuqu_serve_says_what_is_wrong_with_the_records_before_it_starts(
    wuqu, path, monkeypatch, clean
):
    path.write_bytes(b"no database at all, but long enough to be one" * 100)
    monkeypatch.setenv("WUQU_DB", str(path))
    code, out, err = wuqu("serve", "--plan", str(clean))
    assert (code, out) == (2, "")
    assert "损坏" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("place", ["file/records.sqlite", "folder"])
def test_a_place_where_no_file_can_be_is_told_without_its_path(tmp_path, wuqu, monkeypatch, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError) as caught:
        RecordStore(tmp_path / place)
    assert str(tmp_path) not in caught.value.detail
    monkeypatch.setenv("WUQU_DB", str(tmp_path / place))
    code, out, err = wuqu("serve")
    assert (code, out) == (2, "")
    assert "Traceback" not in err


# --- away ----------------------------------------------------------------------------------------


@pytest.fixture
def own_server():
    """A server that may be stopped."""
    try:
        with server() as own:
            yield own
    except NoServerError as problem:
        if os.environ.get("WUQU_REQUIRE_ALL") == "1":
            pytest.fail(str(problem))
        pytest.skip(str(problem))


def migrated(url):
    engine = open_engine(address_of(url))
    migrate(engine)
    engine.dispose()
    return url


def test_a_database_that_went_away_is_503_and_is_found_again_when_it_comes_back(small, own_server):
    url = migrated(own_server.url("postgres"))
    with serving(small, url) as client:
        first = good(client)
        own_server.stop()
        problem = refused(post(client), 503, "store")
        assert "连接" in problem["detail"]
        assert str(own_server.folder) not in json.dumps(problem)
        refused(client.get(f"/v1/site-checks/{first['id']}"), 503, "store")
        own_server.start({"fsync": "off", "listen_addresses": "''"})
        assert good(client)["digest"] == first["digest"]
        assert client.get(f"/v1/site-checks/{first['id']}").json() == first
    store = RecordStore(url)
    assert audit(store).records == 2
    store.close()


def test_a_password_stands_in_no_message_no_log_and_no_text(caplog, capsys, monkeypatch, wuqu):
    secret = "s3cr3t-Pa55"
    url = f"postgresql://clerk:{secret}@127.0.0.1:1/records"
    with pytest.raises(StoreError) as caught:
        RecordStore(url)
    assert secret not in str(address_of(f"postgresql://clerk@x/records?password={secret}"))
    monkeypatch.setenv("WUQU_DB", url)
    settings = Settings()
    shown = [repr(settings), str(settings.db), repr(settings.db), f"{caught.value!r}"]
    _, out, err = wuqu("records", "list")
    shown += [out, err, caplog.text, *capsys.readouterr()]
    assert "无法连接" in err
    for wrong in (
        f"mysql://clerk:{secret}@x/y",
        f"sqlite://{secret}",
        f"postgresql://a:{secret}@[",
    ):
        monkeypatch.setenv("WUQU_DB", wrong)
        shown += wuqu("serve")[1:]
        shown += wuqu("records", "list")[1:]
    assert not [text for text in shown if secret in text]


# --- what drivers report -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", StoreFullError),
        ("53300", StoreLockedError),
        ("55P03", StoreLockedError),
        ("57014", StoreLockedError),
        ("25006", StoreReadOnlyError),
        ("42501", StoreReadOnlyError),
        ("XX001", StoreDamagedError),
        ("42P01", StoreOutdatedError),
        ("57P01", StoreError),
        ("28P01", StoreError),
        ("ZZ999", StoreError),
        (None, StoreError),
    ],
)
def test_what_postgresql_reports_has_a_reason_in_chinese(state, kind):
    cause = type("Error", (Exception,), {"sqlstate": state})("secret text")
    found = store_error(OperationalError("INSERT", {}, cause))
    assert type(found) is kind
    assert "secret" not in found.detail
    assert "处理办法" in found.detail


def test_an_error_of_sqlite_without_a_code_has_a_reason_too():
    for cause in (sqlite3.ProgrammingError("x"), SimpleNamespace(), None):
        found = store_error(DatabaseError("SELECT", {}, cause))
        assert isinstance(found, StoreError)
        assert found.detail


# --- the layers under a running service ----------------------------------------------------------


@pytest.mark.parametrize("what", ["deleted", "replaced", "emptied"])
def test_a_layer_that_changes_under_a_running_service_changes_no_answer_and_is_named(
    package, path, what
):
    """The service decides on the layers that it loaded and hashed at its start."""
    with serving(load_plan(package.root), path) as client:
        before = post(client).json()
        files = sorted(package.file("zones").parent.glob(f"{package.file('zones').stem}.*"))
        for file in files:
            if what == "deleted":
                file.unlink()
            elif what == "emptied":
                file.write_bytes(b"")
            else:
                shutil.copyfile(package.file("core", file.suffix), file)
        after = post(client).json()
        assert after["digest"] == before["digest"]
        assert after["layers"] == before["layers"]
        for answer in (before, after):
            found = client.get(f"/v1/records/{answer['id']}/verify").json()
            assert found["outcome"] == "changed"
            assert found["replayed_digest"] == answer["digest"]
            named = {change["where"].split("/")[0] for change in found["changes"]}
            assert named == {"zones"}
    # Started anew, it knows what it has not: that never passes.
    with serving(load_plan(package.root), path) as client:
        restarted = post(client).json()
        assert restarted["verdict"] in {"undetermined", "fail"}
        assert restarted["digest"] != before["digest"]
