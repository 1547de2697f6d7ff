"""Starting the service: this machine only, and a bad plan is one clear message."""

import pytest

from api import serve
from api.settings import Settings, is_loopback
from gis.errors import ClaimError, PlanError


@pytest.fixture
def started(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "api.serve.uvicorn.run", lambda app, **options: calls.append((app, options))
    )
    # What serve() writes for its workers is taken back after the test.
    monkeypatch.setenv("WUQU_PLAN", "")
    return calls


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_addresses_are_recognised(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.8", "192.168.1.5", "example.org", "", "127.0.0.1.evil.org"]
)
def test_any_other_address_is_refused_in_chinese_before_anything_starts(host, started):
    assert not is_loopback(host)
    with pytest.raises(ClaimError, match="访问控制"):
        serve.serve(host=host)
    assert started == []


@pytest.mark.parametrize(("port", "workers"), [(0, 1), (65536, 1), (8000, 0), (8000, 1000)])
def test_port_and_workers_are_bounded(port, workers, started):
    with pytest.raises(ClaimError):
        serve.serve(port=port, workers=workers)
    assert started == []


def test_a_plan_that_cannot_be_used_is_reported_before_the_server_starts(tmp_path, started):
    with pytest.raises(PlanError):
        serve.serve(plan=tmp_path)
    assert started == []


def test_one_process_gets_the_opened_plan(repo, started):
    serve.serve(port=8123, plan=repo / "data")
    ((app, options),) = started
    assert app.title.startswith("五区")
    assert (options["host"], options["port"], options["workers"]) == ("127.0.0.1", 8123, None)
    assert options["limit_concurrency"]


def test_several_workers_load_the_plan_themselves(repo, started):
    serve.serve(workers=2, plan=repo / "data")
    ((app, options),) = started
    assert (app, options["workers"], options["factory"]) == ("api.app:create_app", 2, True)
    assert Settings().plan == repo / "data"


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("WUQU_BODY_LIMIT_BYTES", "2048")
    monkeypatch.setenv("WUQU_SECRECY", "internal")
    assert (Settings().body_limit_bytes, Settings().secrecy) == (2048, "internal")


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("WUQU_PLAN", "")
    assert Settings().plan is None


def test_host_port_and_workers_come_from_the_environment_unless_they_are_given(
    repo, started, monkeypatch
):
    monkeypatch.setenv("WUQU_HOST", "127.0.0.2")
    monkeypatch.setenv("WUQU_PORT", "8211")
    monkeypatch.setenv("WUQU_WORKERS", "3")
    serve.serve(plan=repo / "data")
    serve.serve(plan=repo / "data", port=8300, host="::1", workers=2)
    told = [(options["host"], options["port"], options["workers"]) for _, options in started]
    assert told == [("127.0.0.2", 8211, 3), ("::1", 8300, 2)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WUQU_PORT", "http"),
        ("WUQU_WORKERS", "0"),
        ("WUQU_RECORDS", "maybe"),
        ("WUQU_HOST", "0.0.0.0"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name, value, started, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ClaimError, match=value):
        serve.serve()
    assert started == []
