"""Who has signed in with a browser?

A session is a random text in a cookie; the file keeps its hash and the key that it stands for. So
the cookie tells nothing, signing out ends the session in every worker, and revoking or rotating a
key ends its sessions. It never sees the secret of a key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from api.access.errors import AccessFileError
from api.access.files import SharedFile
from api.access.keys import Clock, Key, KeyStore

_EACH_KEY = 32
_LONGEST_TOKEN = 100

# Hash of the token -> id of the key, when it was made, until when it is good.
_Rows = dict[str, dict[str, str]]


def _now() -> datetime:
    return datetime.now(UTC)


class SessionStore:
    """The sessions of all workers in one file.

    Parameters
    ----------
    hours
        How long a session is good.
    """

    def __init__(self, path: Path, keys: KeyStore, hours: float, now: Clock = _now) -> None:
        self._file = SharedFile(path)
        self._keys = keys
        self._hours = hours
        self._now = now
        self._rows: _Rows = {}

    def open(self, key: Key) -> str:
        """Return the token of a new session; the oldest of too many sessions of a key ends."""
        # By its beginning a log knows what to blot out.
        token = f"wuqu_session_{secrets.token_urlsafe(32)}"
        now = self._now()
        with self._changing() as rows:
            own = [digest for digest, row in rows.items() if row["key"] == key.id]
            for digest in own[: max(0, len(own) - _EACH_KEY + 1)]:
                del rows[digest]
            rows[_digest(token)] = {
                "key": key.id,
                "made": now.isoformat(),
                "until": (now + timedelta(hours=self._hours)).isoformat(),
            }
        return token

    def key_of(self, token: str) -> Key | None:
        """Return the key that a token stands for; None when it stands for none, or no longer."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        self._refresh()
        # Looked up by hash: the time that takes says nothing about the token itself.
        row = self._rows.get(_digest(token))
        if row is None or self._now() >= datetime.fromisoformat(row["until"]):
            return None
        key = self._keys.by_id(row["key"])
        # A new secret is made because the old one may be known to others.
        return None if key is None or _is_older(row["made"], key.rotated_at) else key

    def end(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        if token and len(token) <= _LONGEST_TOKEN and self.key_of(token) is not None:
            with self._changing() as rows:
                rows.pop(_digest(token), None)

    @contextmanager
    def _changing(self) -> Iterator[_Rows]:
        try:
            with self._file.locked():
                self._read()
                now = self._now()
                rows = {
                    digest: row
                    for digest, row in self._rows.items()
                    if now < datetime.fromisoformat(row["until"])
                }
                yield rows
                self._file.write(rows)
                self._rows = rows
        except OSError:
            raise AccessFileError(
                "登录状态无法保存", advice="由管理员检查密钥文件所在的文件夹是否可写"
            ) from None

    def _refresh(self) -> None:
        try:
            if self._file.changed():
                self._read()
        except OSError:
            # As for a broken file: signing in again then says what is wrong.
            self._rows = {}

    def _read(self) -> None:
        try:
            self._rows = _sound(self._file.read())
        except (ValueError, TypeError):
            # Nobody is signed in then; that costs a sign-in and lets nobody in.
            self._rows = {}


def _sound(content: Any) -> _Rows:
    """Return the rows of the file; raise ValueError when they are none."""
    rows: _Rows = {} if content is None else content
    if not isinstance(rows, dict):
        raise ValueError
    for row in rows.values():
        if not isinstance(row, dict) or not {"key", "made", "until"} <= row.keys():
            raise ValueError
        datetime.fromisoformat(row["until"])
        datetime.fromisoformat(row["made"])
    return rows


def _is_older(made: str, rotated: str) -> bool:
    return bool(rotated) and datetime.fromisoformat(made) < datetime.fromisoformat(rotated)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
