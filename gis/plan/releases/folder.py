"""Which release of a plan is in force?

A folder of releases holds each release in a folder of its own, named by version and content hash,
and ``history.jsonl``, a journal that is only ever added to: who put which release in force, and
when. Its last line names the release in force; to activate is to add one line, so that there is
never half an activation. Nothing is loaded here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gis.errors import NotFoundError, PlanError
from gis.plan.quota.journal import read_journal

HISTORY = "history.jsonl"
MANIFEST = "release.json"
_TEXTS = ("event", "release", "version", "sha256", "at", "by", "note")
_EVENTS = ("publish", "rollback")

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Activation:
    """One line of the history: a release that was put in force.

    ``event`` is ``publish`` or ``rollback``; ``at`` is a moment in UTC, ``by`` who did it.
    """

    seq: int
    event: str
    release: str
    version: str
    sha256: str
    at: str
    by: str
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def is_releases(folder: Path) -> bool:
    """Return whether a folder holds releases of a plan."""
    return (folder / HISTORY).is_file()


def stamp_of(folder: Path) -> Stamp | None:
    """Return what differs once a release was activated; one look at the journal's directory entry.

    None while nothing was ever published, or the folder is out of reach.
    """
    try:
        found = (folder / HISTORY).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def history(folder: Path) -> tuple[Activation, ...]:
    """Return every activation, oldest first.

    Raises
    ------
    PlanError
        The journal is broken or cannot be read; the line is named.
    """
    journal = read_journal(folder / HISTORY)
    return tuple(activation_of(entry, n) for n, entry in enumerate(journal.entries, start=1))


def activation_of(entry: Mapping[str, Any], line: int) -> Activation:
    """Return a line of the journal as an activation; raise PlanError when it is none."""
    texts = {name: entry.get(name) for name in _TEXTS}
    release = texts["release"]
    known = all(isinstance(text, str) for text in texts.values()) and texts["event"] in _EVENTS
    # A name is a folder in here, never a way out of it.
    if not known or Path(str(release)).name != release or str(release).startswith("."):
        raise PlanError(
            "不是一条发布记录", file=HISTORY, line=line, advice="从备份恢复，不要手工修改"
        )
    return Activation(line, **{name: str(text) for name, text in texts.items()})


def in_force(folder: Path) -> Activation:
    """Return the activation that holds now.

    Raises
    ------
    PlanError
        Nothing was published here yet, or the journal is broken.
    """
    found = history(folder)
    if not found:
        raise PlanError(
            "发布文件夹中还没有生效的版本", advice="用 wuqu plan publish 发布一个规划数据包"
        )
    return found[-1]


def active_root(folder: Path) -> Path:
    """Return the plan package of the release in force; raise PlanError when there is none."""
    chosen = in_force(folder)
    root = folder / chosen.release
    if not (root / MANIFEST).is_file():
        raise PlanError(
            f"生效的发布版本 {chosen.release} 不在发布文件夹中",
            advice="从备份恢复该版本的文件夹，或用 wuqu plan rollback 退回另一个版本",
        )
    return root


def find_release(folder: Path, name: str) -> Activation:
    """Return the newest activation of a release, named by itself or by its version.

    Raises
    ------
    NotFoundError
        No release of that name was ever published here.
    """
    found = [a for a in history(folder) if name in (a.release, a.version)]
    if not found:
        known = "、".join(dict.fromkeys(a.release for a in history(folder))) or "无"
        raise NotFoundError(
            f"没有发布过“{name[:80]}”", expected=known, advice="用 wuqu plan releases 查看"
        )
    return found[-1]


def root_of(folder: Path, version: str) -> Path:
    """Return the release of a version, and the one in force when that was never published here.

    For what was decided by a version; raise PlanError when the journal is broken.
    """
    try:
        return folder / find_release(folder, version).release
    except NotFoundError:
        return active_root(folder)


def register_folder(root: Path) -> Path:
    """Return where the register of reservations of a package lies.

    Land stays promised when a new version comes into force, so all releases share one register.
    """
    is_release = (root / MANIFEST).is_file() and is_releases(root.parent)
    return root.parent if is_release else root
