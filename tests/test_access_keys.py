"""Keys: made, checked, renewed and ended, in one file that several processes share."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.errors import AccessFileError, EndedKeyError, WrongKeyError
from api.access.files import SharedFile
from api.access.keys import SHAPE, KeyStore
from api.access.roles import Role
from api.access.sessions import SessionStore
from gis.errors import ClaimError, NotFoundError

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)  # noon in China


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **more: float) -> None:
        self.now += timedelta(**more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access" / "keys.json"


@pytest.fixture
def store(path, clock) -> KeyStore:
    return KeyStore(path, now=clock)


# --- secrets -------------------------------------------------------------------------------------


def test_a_key_is_256_random_bits_and_its_text_stands_nowhere_in_the_file(store, path) -> None:
    key, text = store.add("窗口一", Role.clerk)
    shape = SHAPE.fullmatch(text)
    assert shape
    assert shape[1] == key.id
    content = path.read_text(encoding="utf-8")
    assert shape[2] not in content
    assert text not in content
    assert json.loads(content)["keys"][0]["sha256"] == key.sha256


def test_two_keys_are_never_alike(store) -> None:
    texts = {store.add(f"k{n}", Role.viewer)[1] for n in range(20)}
    assert len({SHAPE.fullmatch(text)[2] for text in texts}) == 20


def test_what_an_administrator_may_read_has_no_hash(store) -> None:
    key, text = store.add("a", Role.admin)
    shown = json.dumps(key.shown(NOON))
    assert key.sha256 not in shown
    assert text not in shown


def test_the_right_key_is_known_by_every_store_of_the_file(store, path) -> None:
    key, text = store.add("a", Role.reviewer, office="用途管制科")
    assert store.verify(text) == key == KeyStore(path, now=lambda: NOON).verify(text)


@pytest.mark.parametrize("change", [str.upper, str.strip, lambda t: t[:-1], lambda t: t + "A"])
def test_nearly_the_right_key_is_wrong(store, change) -> None:
    _, text = store.add("a", Role.admin)
    if change(text) == text:
        text, change = f"{text} ", lambda t: t
    with pytest.raises(WrongKeyError):
        store.verify(change(text))


@given(st.text(max_size=80))
def test_no_other_text_is_a_key(tmp_path_factory, text) -> None:
    folder = tmp_path_factory.mktemp("keys")
    store = KeyStore(folder / "keys.json")
    with pytest.raises(WrongKeyError):
        store.verify(text)


def test_each_changed_character_of_a_key_makes_it_wrong(store) -> None:
    _, text = store.add("a", Role.admin)
    for place, character in enumerate(text):
        other = "B" if character == "A" else "A"
        with pytest.raises(WrongKeyError):
            store.verify(text[:place] + other + text[place + 1 :])


# --- the end of a key ----------------------------------------------------------------------------


def test_a_key_is_good_to_the_end_of_its_last_day_in_china(store, clock) -> None:
    _, text = store.add("a", Role.clerk, expires_on=date(2026, 11, 23))
    clock.now = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert store.verify(text).name == "a"
    clock.now = datetime(2026, 11, 23, 16, tzinfo=UTC)
    with pytest.raises(EndedKeyError, match="到期"):
        store.verify(text)
    assert not store.has_active()
    assert store.is_configured()


def test_a_last_day_that_is_over_is_refused(store) -> None:
    with pytest.raises(ClaimError, match="已过"):
        store.add("a", Role.clerk, expires_on=date(2026, 11, 21))
    assert store.add("b", Role.clerk, expires_on=date(2026, 11, 22))


def test_a_revoked_key_is_wrong_at_once_in_every_process(store, path) -> None:
    _, text = store.add("a", Role.clerk)
    other = KeyStore(path, now=lambda: NOON)
    assert other.verify(text)
    store.revoke("a")
    with pytest.raises(EndedKeyError, match="吊销"):
        other.verify(text)


def test_revoking_twice_keeps_the_first_time(store, clock) -> None:
    store.add("a", Role.clerk)
    first = store.revoke("a").revoked_at
    clock.forward(hours=1)
    assert store.revoke("a").revoked_at == first


def test_after_a_rotation_only_the_new_secret_is_good(store) -> None:
    old_key, old = store.add("a", Role.clerk)
    key, new = store.rotate("a")
    assert (key.id, key.name, key.role) == (old_key.id, "a", Role.clerk)
    assert store.verify(new) == key
    with pytest.raises(WrongKeyError):
        store.verify(old)


def test_the_old_secret_is_good_for_the_hours_of_grace(store, clock) -> None:
    _, old = store.add("a", Role.clerk)
    _, new = store.rotate("a", grace_hours=2)
    clock.forward(hours=1, minutes=59)
    assert store.verify(old) == store.verify(new)
    clock.forward(minutes=1)
    assert store.verify(new)
    with pytest.raises(EndedKeyError, match="更换"):
        store.verify(old)


def test_grace_does_not_outlive_a_revocation(store) -> None:
    _, old = store.add("a", Role.clerk)
    _, new = store.rotate("a", grace_hours=2)
    store.revoke("a")
    for text in (old, new):
        with pytest.raises(EndedKeyError):
            store.verify(text)


@pytest.mark.parametrize("hours", [-1, 10_000, float("nan")])
def test_hours_of_grace_are_bounded(store, hours) -> None:
    store.add("a", Role.clerk)
    with pytest.raises(ClaimError, match="小时"):
        store.rotate("a", grace_hours=hours)


def test_an_ended_key_is_not_rotated_back_to_life(store) -> None:
    store.add("a", Role.clerk)
    store.revoke("a")
    with pytest.raises(ClaimError, match="吊销"):
        store.rotate("a")


def test_a_name_is_used_once_for_ever(store) -> None:
    store.add("a", Role.clerk)
    store.revoke("a")
    with pytest.raises(ClaimError, match="已有"):
        store.add("a", Role.admin)


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a/b", "a\nb", "<b>", "长" * 41, "\ud800", "-a", "a\u202eb", "a{b"]
)
def test_a_name_that_could_harm_a_log_or_a_page_is_refused(store, name) -> None:
    with pytest.raises(ClaimError, match="名称"):
        store.add(name, Role.clerk)
    if name:
        with pytest.raises(ClaimError, match="科室"):
            store.add("a", Role.clerk, office=name)


@pytest.mark.parametrize("what", ["revoke", "rotate"])
def test_a_key_that_does_not_exist_is_not_found(store, what) -> None:
    with pytest.raises(NotFoundError):
        getattr(store, what)("nobody")


# --- the file ------------------------------------------------------------------------------------


def test_without_a_file_no_key_was_ever_made(store, path) -> None:
    assert not store.is_configured()
    assert not store.has_active()
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_is_for_its_owner_alone(store, path) -> None:
    store.add("a", Role.clerk)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.revoke("a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_lets_nobody_in(store, path, mode) -> None:
    _, text = store.add("a", Role.clerk)
    path.chmod(mode)
    with pytest.raises(AccessFileError, match="改写"):
        KeyStore(path).verify(text)


def row(**changed: object) -> str:
    """A file with one key that is like a right one but for something."""
    right = {"id": "0", "name": "a", "role": "admin", "sha256": "0", "created_at": ""}
    return json.dumps({"version": 1, "keys": [right | changed]})


def test_a_row_that_is_like_those_written_here_is_taken(path) -> None:
    path.parent.mkdir()
    path.write_text(row())
    assert [key.name for key in KeyStore(path).all()] == ["a"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"version": 2, "keys": []}', '{"version": 1}', "\xff",
     '{"version":1,"keys":[{}]}', row(role="king"), row(name=7), row(expires_on="soon"),
     row(previous_sha256="x"), row(more="x")],
)  # fmt: skip
def test_a_broken_file_lets_nobody_in_and_is_not_overwritten(store, path, content) -> None:
    _, text = store.add("a", Role.admin)
    path.write_text(content, encoding="latin-1")
    with pytest.raises(AccessFileError):
        store.verify(text)
    with pytest.raises(AccessFileError):
        store.add("b", Role.admin)
    with pytest.raises(AccessFileError):
        store.is_configured()
    assert path.read_text(encoding="latin-1") == content


def test_no_message_about_the_file_names_its_place(store, path) -> None:
    store.add("a", Role.admin)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(AccessFileError) as caught:
        store.has_active()
    assert str(path.parent) not in str(caught.value)


def test_a_write_that_fails_leaves_the_file_and_the_keys_as_they_were(
    store, path, monkeypatch
) -> None:
    _, text = store.add("a", Role.admin)
    before = path.read_bytes()
    monkeypatch.setattr("api.access.files.json.dump", _full)
    with pytest.raises(AccessFileError):
        store.add("b", Role.admin)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [key.name for key in store.all()] == ["a"]
    assert store.verify(text)
    assert sorted(p.name for p in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def _full(*_args, **_kwargs) -> None:
    raise OSError(28, "No space left on device")


def test_writers_in_many_threads_lose_no_key(path) -> None:
    def add(number: int) -> str:
        return KeyStore(path).add(f"k{number}", Role.viewer)[1]

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(add, range(24)))
    store = KeyStore(path)
    assert {store.verify(text).name for text in texts} == {f"k{n}" for n in range(24)}


def test_writers_in_several_processes_lose_no_key(path) -> None:
    code = (
        "import sys, pathlib\nfrom api.access.keys import KeyStore\n"
        "from api.access.roles import Role\n"
        "store = KeyStore(pathlib.Path(sys.argv[1]))\n"
        "for n in range(5): store.add(f'{sys.argv[2]}-{n}', Role.viewer)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), f"p{n}"]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(KeyStore(path).all()) == 15


def test_a_reader_never_sees_half_a_file(path) -> None:
    file = SharedFile(path)
    with file.locked():
        file.write(["x"] * 5000)
    reader = SharedFile(path)
    assert len(reader.read()) == 5000
    assert not reader.changed()
    with file.locked():
        file.write(["y"] * 5000)
    assert reader.changed()


@pytest.mark.skipif(os.name != "posix", reason="only there files have other owners")
def test_an_administrator_does_not_take_the_file_from_the_service(store, path) -> None:
    if os.geteuid():
        pytest.skip("only root can give files away")
    store.add("a", Role.clerk)
    os.chown(path, 65534, 65534)
    store.revoke("a")
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)
    assert path.with_name("keys.json.lock").stat().st_uid == 65534


# --- sessions ------------------------------------------------------------------------------------


@pytest.fixture
def sessions(store, path, clock) -> SessionStore:
    return SessionStore(path.with_name("sessions.json"), store, 10, now=clock)


def test_a_session_stands_for_its_key_until_it_is_over(store, sessions, clock) -> None:
    key, _ = store.add("a", Role.clerk)
    token = sessions.open(key)
    assert sessions.key_of(token) == key
    clock.forward(hours=10)
    assert sessions.key_of(token) is None


@pytest.mark.parametrize("end", ["revoke", "rotate"])
def test_the_end_of_a_key_is_the_end_of_its_sessions(store, sessions, clock, end) -> None:
    key, _ = store.add("a", Role.clerk)
    token = sessions.open(key)
    clock.forward(microseconds=1)
    getattr(store, end)("a")
    assert sessions.key_of(token) is None


def test_signing_out_ends_a_session_in_every_process(store, sessions, path, clock) -> None:
    key, _ = store.add("a", Role.clerk)
    one, two = sessions.open(key), sessions.open(key)
    other = SessionStore(path.with_name("sessions.json"), store, 10, now=clock)
    assert other.key_of(one) == key
    sessions.end(one)
    assert other.key_of(one) is None
    assert other.key_of(two) == key


def test_the_file_of_sessions_holds_no_token(store, sessions, path) -> None:
    token = sessions.open(store.add("a", Role.clerk)[0])
    content = path.with_name("sessions.json").read_text()
    assert token not in content
    assert token.removeprefix("wuqu_session_") not in content


def test_a_key_has_a_bounded_number_of_sessions_and_the_oldest_goes(store, sessions, path) -> None:
    key, _ = store.add("a", Role.clerk)
    tokens = [sessions.open(key) for _ in range(40)]
    assert len(json.loads(path.with_name("sessions.json").read_text())) == 32
    assert sessions.key_of(tokens[0]) is None
    assert sessions.key_of(tokens[-1]) == key


def test_sessions_that_are_over_leave_the_file(store, sessions, path, clock) -> None:
    key, _ = store.add("a", Role.clerk)
    sessions.open(key)
    clock.forward(hours=11)
    sessions.open(key)
    assert len(json.loads(path.with_name("sessions.json").read_text())) == 1


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', '{"a": {"key": "x"}}', "{"])
def test_a_broken_file_of_sessions_signs_everybody_out_and_heals(
    store, sessions, path, content
) -> None:
    key, _ = store.add("a", Role.clerk)
    token = sessions.open(key)
    path.with_name("sessions.json").write_text(content)
    assert sessions.key_of(token) is None
    assert sessions.key_of(sessions.open(key)) == key


def test_a_file_of_sessions_that_cannot_be_read_signs_everybody_out(store, sessions, path) -> None:
    token = sessions.open(store.add("a", Role.clerk)[0])
    path.with_name("sessions.json").unlink()
    path.with_name("sessions.json").mkdir()
    assert sessions.key_of(token) is None
    with pytest.raises(AccessFileError, match="登录状态"):
        sessions.open(store.all()[0])


@given(st.text(max_size=120))
def test_no_other_text_is_a_session(tmp_path_factory, text) -> None:
    folder = tmp_path_factory.mktemp("sessions")
    store = KeyStore(folder / "keys.json")
    assert SessionStore(folder / "s.json", store, 10).key_of(text) is None


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def keys_file(tmp_path, monkeypatch):
    path = tmp_path / "keys.json"
    monkeypatch.setenv("WUQU_KEYS", str(path))
    return path


def test_the_command_shows_a_new_key_once_and_alone_on_stdout(wuqu, keys_file) -> None:
    code, out, err = wuqu(
        "keys", "add", "窗口一", "--role", "clerk", "--office", "用途管制科",
        "--expires", "2099-12-31",
    )  # fmt: skip
    assert code == 0
    assert KeyStore(keys_file).verify(out.strip()).office == "用途管制科"
    assert "只显示这一次" in err
    code, listed, _ = wuqu("keys", "list")
    assert "窗口一" in listed
    assert out.strip() not in listed
    assert KeyStore(keys_file).all()[0].sha256 not in listed


def test_the_command_lists_rotates_and_revokes_as_json(wuqu, keys_file) -> None:
    added = json.loads(wuqu("keys", "add", "a", "--role", "admin", "--format", "json")[1])
    rotated = json.loads(wuqu("keys", "rotate", "a", "--grace", "1", "--format", "json")[1])
    assert added["key"] != rotated["key"]
    assert KeyStore(keys_file).verify(added["key"]).name == "a"
    revoked = json.loads(wuqu("keys", "revoke", "a", "--format", "json")[1])
    assert revoked["state"] == "revoked"
    (row,) = json.loads(wuqu("keys", "list", "--format", "json")[1])["keys"]
    assert row == revoked
    assert "key" not in row


@pytest.mark.parametrize(
    "words",
    [
        ("add", "a"),
        ("add", "a", "--role", "king"),
        ("add", "a/b", "--role", "clerk"),
        ("add", "a", "--role", "clerk", "--expires", "soon"),
        ("add", "a", "--role", "clerk", "--expires", "2020-01-01"),
        ("rotate", "nobody"),
        ("revoke", "nobody"),
    ],
)
def test_a_wrong_call_is_one_clear_message(wuqu, keys_file, words) -> None:
    code, out, err = wuqu("keys", *words)
    assert (code, out) == (2, "")
    assert err.strip()
    assert not keys_file.exists() or KeyStore(keys_file).all() == ()


@pytest.mark.usefixtures("keys_file")
def test_without_keys_the_command_says_how_to_make_one(wuqu) -> None:
    code, out, err = wuqu("keys", "list")
    assert (code, out) == (0, "")
    assert "wuqu keys add" in err


@pytest.mark.usefixtures("keys_file")
def test_what_the_command_changed_stands_in_the_audit_log(wuqu, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WUQU_AUDIT", str(tmp_path / "audit.jsonl"))
    text = wuqu("keys", "add", "a", "--role", "admin")[1].strip()
    wuqu("keys", "revoke", "a")
    log = (tmp_path / "audit.jsonl").read_text()
    rows = [json.loads(line) for line in log.splitlines()]
    assert [(row["method"], row["key"]) for row in rows] == [
        ("keys add", "a"),
        ("keys revoke", "a"),
    ]
    assert rows[0]["who"]
    assert text not in log


def test_the_roles_of_the_command_are_those_of_the_service() -> None:
    from gis.commands.keys import RoleName

    assert [role.value for role in RoleName] == [role.value for role in Role]
