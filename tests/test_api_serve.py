"""Starting the service: who may come in is known first, and a bad plan is one clear message."""

import pytest

from api import serve
from api.access.errors import AccessFileError
from api.access.keys import KeyStore
from api.access.roles import Role
from api.settings import Settings, is_loopback
from gis.errors import ClaimError, PlanError


@pytest.fixture
def started(monkeypatch, tmp_path):
    # It looks at the folder of the workers once, when it is loaded, and would write files here.
    import prometheus_client

    assert prometheus_client
    calls = []
    monkeypatch.setattr(
        "api.serve.uvicorn.run", lambda app, **options: calls.append((app, options))
    )
    # What serve() writes for its workers is taken back after the test.
    monkeypatch.setenv("WUQU_PLAN", "")
    monkeypatch.setenv("WUQU_HOST", "")
    monkeypatch.setenv("WUQU_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    return calls


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_addresses_are_recognised(host):
    assert is_loopback(host)


OTHERS = ["0.0.0.0", "::", "10.0.0.8", "192.168.1.5", "example.org", "", "127.0.0.1.evil.org"]


@pytest.mark.parametrize("host", OTHERS)
def test_without_keys_any_other_address_is_refused_before_anything_starts(host, started):
    assert not is_loopback(host)
    with pytest.raises(ClaimError, match=r"还没有密钥.*wuqu keys add 名称 --role admin"):
        serve.serve(host=host)
    assert started == []


@pytest.mark.parametrize("host", OTHERS)
def test_with_a_key_any_other_address_is_served(host, started, repo, tmp_path):
    KeyStore(tmp_path / "keys.json").add("a", Role.clerk)
    serve.serve(host=host, plan=repo / "data")
    assert started[0][1]["host"] == host


def test_with_keys_that_have_all_ended_another_address_is_refused(started, tmp_path):
    keys = KeyStore(tmp_path / "keys.json")
    keys.add("a", Role.admin)
    keys.revoke("a")
    with pytest.raises(ClaimError, match="没有一个有效的密钥"):
        serve.serve(host="0.0.0.0")
    assert started == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_with_a_broken_file_of_keys_nothing_starts(host, started, tmp_path):
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(AccessFileError):
        serve.serve(host=host)
    assert started == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("WUQU_TRUSTED_PROXIES", "proxy"), ("WUQU_PROXY_ROLES", "a=clerk"), ("WUQU_LOG", "xml")],
)
def test_settings_of_access_that_mean_nothing_stop_the_start(name, value, started, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ClaimError, match=name):
        serve.serve()
    assert started == []


@pytest.mark.parametrize(("port", "workers"), [(0, 1), (65536, 1), (8000, 0), (8000, 1000)])
def test_port_and_workers_are_bounded(port, workers, started):
    with pytest.raises(ClaimError):
        serve.serve(port=port, workers=workers)
    assert started == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plan_that_cannot_be_used_is_one_message_before_anything_starts(
    tmp_path, started, workers
):
    with pytest.raises(PlanError, match=r"没有 plan\.toml") as caught:
        serve.serve(plan=tmp_path, workers=workers)
    assert "。。" not in str(caught.value)
    assert started == []


def test_one_process_gets_the_opened_plan(repo, started):
    serve.serve(port=8123, plan=repo / "data")
    ((app, options),) = started
    assert app.title.startswith("五区")
    assert (options["host"], options["port"], options["workers"]) == ("127.0.0.1", 8123, None)
    assert options["limit_concurrency"]
    # Lines with whole addresses, and senders that a client makes up, are switched off.
    assert (options["access_log"], options["proxy_headers"]) == (False, False)


def test_several_workers_load_the_plan_themselves_after_it_was_opened_once(repo, started):
    serve.serve(workers=2, plan=repo / "data")
    ((app, options),) = started
    assert (app, options["workers"], options["factory"]) == ("api.app:create_app", 2, True)
    assert Settings().plan == repo / "data"


def test_limits_that_each_worker_counts_for_itself_are_told_as_what_they_are_together(
    repo, started, caplog, monkeypatch
):
    monkeypatch.setenv("WUQU_RATE_PER_MINUTE", "100")
    monkeypatch.setenv("WUQU_CONCURRENT", "7")
    serve.serve(plan=repo / "data", workers=3)
    assert len(started) == 1
    (told,) = [r.getMessage() for r in caplog.records if "工作进程" in r.getMessage()]
    for part in ("每分钟 300 次", "每个密钥同时 21 个请求", "同时 384 个请求", "60 次错误密钥"):
        assert part in told
    monkeypatch.setenv("WUQU_RATE_PER_MINUTE", "0")
    assert "每分钟" not in serve.limits_of_all(Settings(workers=3))


def test_one_process_has_the_limits_that_are_set_and_says_nothing(repo, started, caplog):
    serve.serve(plan=repo / "data", workers=1)
    assert len(started) == 1
    assert not [r for r in caplog.records if "工作进程" in r.getMessage()]


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
    monkeypatch.setattr(serve, "open_ahead", lambda _plan: None)
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
        ("WUQU_RATE_PER_MINUTE", "-1"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(name, value, started, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ClaimError, match=f"{name}.*{value}"):
        serve.serve()
    assert started == []
