"""May this package come into force, and how does it?

Copied first, then opened and checked from the copy, so that what was checked is what comes into
force. Then one line in the history activates it. Whenever the process dies, either the old release
is in force or the new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gis.errors import ClaimError, Fault, PlanError
from gis.plan.area import PLAN_FILE, Plan, load_plan
from gis.plan.quality import PlanQuality, Severity, check_plan
from gis.plan.quota.journal import Journal, append
from gis.plan.releases.folder import (
    HISTORY,
    Activation,
    activation_of,
    find_release,
    history,
    is_releases,
)
from gis.plan.releases.manifest import REGISTER, Manifest, read_manifest, verify_files
from gis.plan.releases.packing import (
    copy_package,
    put_in_place,
    refuse_outside,
    staging,
    write_manifest,
)
from gis.plan.schema import STATUS_LABELS, PlanFile
from gis.rulebook.lint import lint
from gis.tomlfile import read_model

# A version is part of the name of a folder, on any system.
_VERSION = re.compile(r"[\w][\w.+\-]{0,59}")
_TOLD = 20
_LENGTHS = {"by": 100, "note": 500}


@dataclass(frozen=True, slots=True)
class Published:
    """What came of a publication.

    ``is_new`` is False when exactly this content was published before, ``changed`` when it was in
    force already and nothing was written. ``warnings`` counts the warnings of the layer checks and
    the notes of the rule book.
    """

    release: str
    version: str
    sha256: str
    before: str | None
    is_new: bool
    changed: bool
    warnings: int
    notes: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def publish(
    package: Path,
    releases: Path,
    *,
    by: str,
    today: date,
    note: str = "",
    unapproved: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Published:
    """Check a package, keep it as an immutable release and put it in force.

    Parameters
    ----------
    package
        Folder with ``plan.toml``; it stays as it is.
    releases
        The folder of releases; created when absent.
    by, note
        Who does it, and why; they go into the history.
    today
        The day against which the rule book is held.
    unapproved
        Whether a plan that is not ``approved`` may come into force; answers say what it is.
    told
        Called with each step, in Chinese.

    Raises
    ------
    PlanError
        The package has faults, all listed; or its files cannot be copied.
    ClaimError
        The version exists with other content, or its name cannot be that of a folder.
    """
    _refuse_long(by=by, note=note)
    _refuse_inside(package, releases)
    file = read_model(package / PLAN_FILE, PlanFile)
    _refuse_version(file.plan.version)
    refuse_outside(file)
    try:
        with staging(releases) as copy:
            told("复制规划数据包")
            marks = copy_package(package, copy)
            told("检查图层和规则库")
            plan = load_plan(copy)
            report, notes = _checked(plan, today, unapproved=unapproved)
            manifest = Manifest(
                format=1,
                plan=plan.ref.id,
                version=plan.ref.version,
                files=marks,
                tables=_tables(plan),
            )
            write_manifest(manifest, copy)
            told("生效")
            return _activated(copy, releases, manifest, by, note, _warnings(report), notes, package)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise PlanError(
            f"发布文件夹无法写入（{reason}），没有发布", advice="检查权限和磁盘空间后重新发布"
        ) from None


def rollback(releases: Path, name: str, *, by: str, note: str = "") -> Published:
    """Put a release in force that was published before.

    Parameters
    ----------
    releases
        The folder of releases.
    name
        Of a release, or its version.
    by, note
        Who does it, and why.

    Raises
    ------
    NotFoundError
        No release of that name was ever published here.
    PlanError
        It is not what was published, byte for byte, or cannot be opened any more.
    """
    _refuse_long(by=by, note=note)
    chosen = find_release(releases, name)
    root = releases / chosen.release
    manifest = read_manifest(root)
    if manifest is None or manifest.sha256 != chosen.sha256:
        raise PlanError(f"发布版本 {chosen.release} 不在发布文件夹中，或不是所发布的内容")
    verify_files(root, manifest)
    load_plan(root)
    before = history(releases)[-1]
    if before.release != chosen.release:
        line = _line("rollback", manifest, by, note)
        append(releases / HISTORY, lambda _: line)
    changed = before.release != chosen.release
    return _result(manifest, before, is_new=False, changed=changed, warnings=0, notes=0)


# --- may it --------------------------------------------------------------------------------------


def _checked(plan: Plan, today: date, *, unapproved: bool) -> tuple[PlanQuality, int]:
    """Return the report of the layers and the number of notes; raise PlanError for faults."""
    report = check_plan(plan)
    remarks = lint(plan.rulebook, today, plan.classes)
    faults = [*_status_faults(plan, unapproved=unapproved)]
    faults += [
        Fault(f"图层 {f.layer}", f.message) for f in report.findings if f.severity is Severity.ERROR
    ]
    faults += [Fault(f"规则库 {r.where}", r.message) for r in remarks if r.level == "fault"]
    if faults:
        shown = "；".join(f"{f.where}：{f.message}" for f in faults[:3])
        raise PlanError(
            f"规划数据包有 {len(faults)} 处错误，不能发布：{shown}",
            advice="用 wuqu data check 和 wuqu rules lint 查看全部，改正后重新发布",
            faults=faults[:_TOLD],
        )
    return report, sum(r.level == "note" for r in remarks)


def _status_faults(plan: Plan, *, unapproved: bool) -> Iterator[Fault]:
    if plan.file.plan.status != "approved" and not unapproved:
        label = STATUS_LABELS[plan.file.plan.status]
        yield Fault("plan.toml", f"规划状态为“{label}”，不是“法定”；确要生效的，加 --unapproved")


def _warnings(report: PlanQuality) -> int:
    return sum(f.severity is Severity.WARNING for f in report.findings) + len(report.figures)


def _tables(plan: Plan) -> dict[str, str]:
    """Return the content hash of each layer that stands in a database."""
    return {
        entry.id: str(plan.layers[entry.id].content_sha256)
        for entry in plan.file.layer
        if entry.postgis
    }


def _refuse_version(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise ClaimError(
            f"版本“{version[:60]}”不能用作发布版本的名称",
            expected="1 至 60 个汉字、字母、数字或 . _ + -，以汉字、字母或数字开头",
            advice="修改 plan.toml 中的 version",
        )


def _refuse_long(**texts: str) -> None:
    for name, text in texts.items():
        if len(text) > _LENGTHS[name] or not text.isprintable():
            raise ClaimError(f"--{name} 过长或含有换行", expected=f"{_LENGTHS[name]} 字以内的一行")


def _refuse_inside(package: Path, releases: Path) -> None:
    """Refuse releases inside the package: a folder that is copied into itself has no end."""
    inner, outer = releases.resolve(), package.resolve()
    if inner == outer or outer in inner.parents or is_releases(package):
        raise ClaimError(
            "发布文件夹与规划数据包重叠", expected="规划数据包以外的文件夹", advice="换一个 --to"
        )


# --- how -----------------------------------------------------------------------------------------


def _activated(
    copy: Path,
    releases: Path,
    manifest: Manifest,
    by: str,
    note: str,
    warnings: int,
    notes: int,
    package: Path,
) -> Published:
    known = [*history(releases)]
    is_new = all(a.release != manifest.release for a in known)
    before = known[-1] if known else None
    if before is not None and before.release == manifest.release:
        return _result(
            manifest, before, is_new=False, changed=False, warnings=warnings, notes=notes
        )

    def compose(journal: Journal) -> Mapping[str, Any]:
        # With the lock of the journal held: of two that publish, the second sees the first.
        _refuse_other_content(journal, manifest)
        _keep(copy, releases / manifest.release, manifest)
        _bring_register(package, releases)
        return _line("publish", manifest, by, note)

    append(releases / HISTORY, compose)
    return _result(manifest, before, is_new=is_new, changed=True, warnings=warnings, notes=notes)


def _refuse_other_content(journal: Journal, manifest: Manifest) -> None:
    for line, entry in enumerate(journal.entries, start=1):
        found = activation_of(entry, line)
        if found.version == manifest.version and found.sha256 != manifest.sha256:
            raise ClaimError(
                f"版本 {manifest.version} 已于 {found.at} 以其他内容发布",
                expected="同一版本只有一种内容",
                advice="修改 plan.toml 中的 version 后发布",
            )


def _keep(copy: Path, place: Path, manifest: Manifest) -> None:
    """Put the copy in place, unless a release of this content is there and still what it was."""
    if place.exists():
        verify_files(place, manifest)
    else:
        put_in_place(copy, place)


def _bring_register(package: Path, releases: Path) -> None:
    """Take the reservations of a package along with its first release; later ones share them."""
    if any((releases / name).exists() for name in REGISTER):
        return
    # The line before the head that names it, as it is read: a kill between leaves a whole register.
    for name in sorted(REGISTER, reverse=True):
        if (package / name).is_file():
            (releases / name).write_bytes((package / name).read_bytes())


def _line(event: str, manifest: Manifest, by: str, note: str) -> dict[str, Any]:
    return {
        "event": event,
        "release": manifest.release,
        "version": manifest.version,
        "sha256": manifest.sha256,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": by,
        "note": note,
    }


def _result(
    manifest: Manifest,
    before: Activation | None,
    *,
    is_new: bool,
    changed: bool,
    warnings: int,
    notes: int,
) -> Published:
    return Published(
        release=manifest.release,
        version=manifest.version,
        sha256=manifest.sha256,
        before=before.release if before else None,
        is_new=is_new,
        changed=changed,
        warnings=warnings,
        notes=notes,
    )
