"""Which keys exist, whose are they, and is this one of them?

A key is ``wuqu_<id>_<secret>``. The secret has 256 random bits, so nobody can guess it from its
SHA-256, which is all that the file keeps; a slow hash protects passwords that people think up, and
here would only make every request slow. The id, which is no secret, finds the row. It never decides
what a role may do.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from api.access.errors import AccessFileError, EndedKeyError, WrongKeyError
from api.access.files import SharedFile
from api.access.roles import Role
from gis.errors import ClaimError, NotFoundError

SHAPE = re.compile(r"wuqu_([0-9a-f]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
_NAME = re.compile(r"\w(?:[\w.\- ]{0,38}[\w.])?")
_NAMING = "1–40 个文字、数字、空格、点、横线或下划线，以文字或数字开头"
_CHINA = timezone(timedelta(hours=8))
_SECRET_BYTES = 32
_VERSION = 1
MAX_KEYS = 2000
MAX_GRACE_HOURS = 24 * 30

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """One key without its secret.

    ``expires_on`` is the last day on which it is good, in China; times are ISO 8601 in UTC.
    ``previous_sha256`` is the secret before the last rotation, good until ``previous_until``.
    """

    id: str
    name: str
    role: Role
    sha256: str
    created_at: str
    office: str = ""
    expires_on: str = ""
    revoked_at: str = ""
    rotated_at: str = ""
    previous_sha256: str = ""
    previous_until: str = ""

    def state(self, now: datetime) -> str:
        """Return ``active``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        over = self.expires_on and now.astimezone(_CHINA).date() > date.fromisoformat(
            self.expires_on
        )
        return "expired" if over else "active"

    def shown(self, now: datetime) -> dict[str, str]:
        """Return what an administrator may read: everything but hashes."""
        hidden = ("sha256", "previous_sha256")
        row = {k: str(v) for k, v in asdict(self).items() if k not in hidden}
        return row | {"state": self.state(now)}


class KeyStore:
    """The keys in one file, shared by all workers and by the command line.

    Parameters
    ----------
    path
        Where the file is or will be; absent means that no key was ever made.
    """

    def __init__(self, path: Path, now: Clock = _now) -> None:
        self._file = SharedFile(path)
        self._now = now
        self._keys: dict[str, Key] = {}
        self._read_once = False
        self._exists = False

    # --- asking ----------------------------------------------------------------------------------

    def is_configured(self) -> bool:
        """Return whether a key was ever made; revoking the last one opens nothing."""
        self._refresh()
        return self._exists

    def has_active(self) -> bool:
        """Return whether somebody could come in."""
        self._refresh()
        return any(key.state(self._now()) == "active" for key in self._keys.values())

    def all(self) -> tuple[Key, ...]:
        """Return all keys, also those that are no longer good, in the order of making."""
        self._refresh()
        return tuple(self._keys.values())

    def by_id(self, key_id: str) -> Key | None:
        """Return the key of an id while it is good."""
        self._refresh()
        key = self._keys.get(key_id)
        return key if key is not None and key.state(self._now()) == "active" else None

    def verify(self, text: str) -> Key:
        """Return the key that a secret belongs to.

        Raises
        ------
        WrongKeyError
            Nobody was given this.
        EndedKeyError
            It is expired, revoked or replaced; only who holds the secret learns that.
        AccessFileError
            The file cannot be read.
        """
        self._refresh()
        shape = SHAPE.fullmatch(text)
        key = self._keys.get(shape[1]) if shape else None
        given = _sha256(text)
        # Compared even when there is no such id, so that the time tells nothing about ids.
        right = hmac.compare_digest(given, key.sha256 if key else _sha256(""))
        before = hmac.compare_digest(given, (key.previous_sha256 if key else "") or _sha256(""))
        if key is None or not (right or before):
            raise WrongKeyError
        return self._good(key, right=right)

    def _good(self, key: Key, *, right: bool) -> Key:
        now = self._now()
        state = key.state(now)
        if state == "revoked":
            raise EndedKeyError(f"密钥“{key.name}”已吊销")
        if state == "expired":
            raise EndedKeyError(f"密钥“{key.name}”已于 {key.expires_on} 到期")
        if not right and now >= datetime.fromisoformat(key.previous_until):
            raise EndedKeyError(f"密钥“{key.name}”已更换")
        return key

    # --- changing --------------------------------------------------------------------------------

    def add(
        self, name: str, role: Role, *, office: str = "", expires_on: date | None = None
    ) -> tuple[Key, str]:
        """Make a key; return it and its text, which nobody can read again.

        Raises
        ------
        ClaimError
            The name is taken (also by a key that is no longer good: records and the audit log
            name it), name or office cannot be used, or the last day is over.
        """
        _require(name, "名称")
        if office:
            _require(office, "科室")
        now = self._now()
        if expires_on is not None and expires_on < now.astimezone(_CHINA).date():
            raise ClaimError(f"到期日 {expires_on} 已过", expected="今天或以后的日期")
        key_id, text = _fresh()
        last = expires_on.isoformat() if expires_on else ""
        key = Key(key_id, name, role, _sha256(text), _stamp(now), office, last)
        with self._changing() as keys:
            if any(known.name == name for known in keys.values()):
                raise ClaimError(
                    f"已有名为“{name}”的密钥",
                    expected="没有用过的名称",
                    advice="换一个名称，或用 wuqu keys rotate 更换这个密钥",
                )
            if len(keys) >= MAX_KEYS:
                raise ClaimError(f"密钥已达 {MAX_KEYS} 个", advice="停用的服务请另设密钥文件")
            keys[key_id] = key
        return key, text

    def revoke(self, name: str) -> Key:
        """End a key at once, for good; raise NotFoundError when there is none of this name."""
        with self._changing() as keys:
            key = _named(keys, name)
            ended = key if key.revoked_at else replace(key, revoked_at=_stamp(self._now()))
            keys[key.id] = ended
        return ended

    def rotate(self, name: str, *, grace_hours: float = 0) -> tuple[Key, str]:
        """Give a key a new secret; the old one is good for some hours more.

        Raises
        ------
        NotFoundError
            There is no key of this name.
        ClaimError
            The key is revoked or expired, or the hours are out of range.
        """
        if not 0 <= grace_hours <= MAX_GRACE_HOURS:
            raise ClaimError(
                f"旧密钥的保留时间为 {grace_hours:g} 小时", expected=f"0 到 {MAX_GRACE_HOURS} 小时"
            )
        with self._changing() as keys:
            key, now = _named(keys, name), self._now()
            if (state := key.state(now)) != "active":
                word = "吊销" if state == "revoked" else "到期"
                raise ClaimError(f"密钥“{name}”已{word}", advice="另做一个密钥")
            _, text = _fresh(key.id)
            changed = replace(
                key,
                sha256=_sha256(text),
                rotated_at=_stamp(now),
                previous_sha256=key.sha256 if grace_hours else "",
                previous_until=_stamp(now + timedelta(hours=grace_hours)) if grace_hours else "",
            )
            keys[key.id] = changed
        return changed, text

    # --- the file --------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Read the file when it is another one than last time."""
        try:
            if self._read_once and not self._file.changed():
                return
            _require_private(self._file.path)
            self._take(self._file.read())
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            self._read_once = False
            raise _unusable(error) from None
        self._read_once = True

    def _take(self, content: Any) -> None:
        rows = [] if content is None else _rows(content)
        keys = {row["id"]: _key(row, self._now()) for row in rows}
        self._keys, self._exists = keys, content is not None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """Give the keys as they stand in the file, for one writer; keep them unless that failed."""
        try:
            with self._file.locked():
                self._refresh()
                keys = dict(self._keys)
                yield keys
                rows = [asdict(key) for key in keys.values()]
                self._file.write({"version": _VERSION, "keys": rows})
                self._keys, self._exists, self._read_once = keys, True, True
        except OSError as error:
            raise _unusable(error) from None


def _named(keys: Mapping[str, Key], name: str) -> Key:
    for key in keys.values():
        if key.name == name:
            return key
    raise NotFoundError(f"没有名为“{name[:80]}”的密钥", advice="密钥清单见 wuqu keys list")


def _rows(content: Any) -> list[Mapping[str, Any]]:
    if content["version"] != _VERSION:
        raise ValueError(content["version"])
    return list(content["keys"])


def _key(row: Mapping[str, Any], now: datetime) -> Key:
    """Return the key of a row of the file; raise ValueError for one that nobody wrote here."""
    if not all(isinstance(value, str) for value in row.values()):
        raise ValueError
    key = Key(**{**row, "role": Role(row["role"])})
    key.state(now)
    if key.previous_sha256:
        datetime.fromisoformat(key.previous_until)
    return key


def _require(text: str, what: str) -> None:
    if not _NAME.fullmatch(text):
        raise ClaimError(f"密钥的{what}为“{text[:80]}”", expected=_NAMING)


def _require_private(path: Path) -> None:
    """Refuse a file that other accounts may write: they could let themselves in."""
    if sys.platform == "win32" or not path.exists():
        return
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise AccessFileError(
            "其他用户可以改写密钥文件", expected="只有服务的用户可写（0600）", advice="改正文件权限"
        )


def _unusable(error: Exception) -> AccessFileError:
    if isinstance(error, TimeoutError):
        found = "密钥文件正被另一个程序改写"
    elif isinstance(error, OSError):
        found = f"密钥文件无法读写（{error.strerror or type(error).__name__}）"
    else:
        found = "密钥文件的内容已损坏"
    return AccessFileError(found, advice="由管理员检查 WUQU_KEYS 指定的文件，或从备份恢复")


def _fresh(key_id: str = "") -> tuple[str, str]:
    key_id = key_id or secrets.token_hex(4)
    return key_id, f"wuqu_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="microseconds")
