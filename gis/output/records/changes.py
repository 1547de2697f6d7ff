"""What is not as it was? Faults of the store, and changes of what a record rests on, by name.

Compares plan, layers, rules, files and software of the record with what there is now; it judges
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Contents = Mapping[str, Any]
_STATES = {"checked": "可用", "no_data": "没有数据", "failed": "无法使用"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: what kind, which one, and a sentence.

    ``kind``: ``plan``, ``plan_file``, ``layer``, ``layer_file``, ``rulebook``, ``rule``,
    ``rule_file``, ``reservations``, ``software``. Of these ``reservations`` and ``software`` are
    expected to change; they matter when the decision is another one.
    """

    kind: str
    where: str
    message: str

    @property
    def is_expected(self) -> bool:
        """Whether it changes in the course of things."""
        return self.kind in {"reservations", "software"}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"kind": self.kind, "where": self.where, "message": self.message}


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in the store that is not as it was written.

    ``kind``: ``record`` (a field), ``chain`` (a link), ``digest``, ``snapshot``, ``decision`` (a
    field of a decision of an officer).
    """

    kind: str
    where: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """Return plain JSON values."""
        return {"kind": self.kind, "where": self.where, "message": self.message}


def changes_between(recorded: Contents, now: Contents) -> Iterator[Change]:
    """Yield what is different in two contents of snapshots."""
    yield from _plan(recorded["plan"], now["plan"])
    yield from _layers(recorded["layers"], now["layers"])
    yield from _rules(recorded["rulebook"], now["rulebook"])
    if recorded["reservations"] != now["reservations"]:
        lines = f"{_lines(recorded)} 行变为 {_lines(now)} 行"
        yield Change("reservations", "reservations.jsonl", f"预留台账由 {lines}")


def software_changes(recorded: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    """Yield the software that has another version now."""
    for name in sorted({*recorded, *now}):
        old, new = recorded.get(name, "未知"), now.get(name, "未知")
        if old != new:
            yield Change("software", name, f"软件 {name} 由 {old} 变为 {new}")


def _lines(contents: Contents) -> object:
    lines = contents["reservations"]["lines"]
    return "？" if lines is None else lines


def _plan(old: Contents, new: Contents) -> Iterator[Change]:
    labels = {"id": "编号", "version": "版本", "status": "状态", "work_crs": "坐标系"}
    for key, label in labels.items():
        if old[key] != new[key]:
            said = f"规划数据包的{label}由“{old[key]}”变为“{new[key]}”"
            yield Change("plan", key, said)
    for name in _differing(old["files"], new["files"]):
        yield Change("plan_file", name, f"规划数据包的文件 {name} 与记录时不同")


def _layers(old: Contents, new: Contents) -> Iterator[Change]:
    for name in _differing(old, new):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            said = "记录时没有" if before is None else "现在没有"
            yield Change("layer", name, f"图层 {name}：{said}这个图层")
            continue
        yield from _layer(name, before, after)


def _layer(name: str, old: Contents, new: Contents) -> Iterator[Change]:
    same = old["content_sha256"] == new["content_sha256"]
    if old["state"] != new["state"]:
        states = f"{_STATES.get(old['state'])}”变为“{_STATES.get(new['state'])}"
        yield Change("layer", name, f"图层 {name} 由“{states}”")
    elif not same:
        yield Change("layer", name, f"图层 {name} 的内容与记录时不同（content_sha256）")
    for file in _differing(old["files"], new["files"]):
        known = "文件已不存在" if file not in new["files"] else "与记录时不同"
        content = "，要素内容未变" if same else ""
        yield Change("layer_file", f"{name}/{file}", f"图层 {name} 的文件 {file} {known}{content}")


def _rules(old: Contents, new: Contents) -> Iterator[Change]:
    if old["id"] != new["id"]:
        yield Change("rulebook", "id", f"规则库由“{old['id']}”变为“{new['id']}”")
    rules = _differing(old["rules"], new["rules"])
    for name in rules:
        what = "已修改" if name in old["rules"] and name in new["rules"] else "已删除"
        what = "为新增" if name not in old["rules"] else what
        yield Change("rule", name, f"规则 {name} {what}")
    if old["sha256"] != new["sha256"] and not rules:
        yield Change("rulebook", "sha256", "规则库中的文件依据或参数说明与记录时不同")
    for file in _differing(old["files"], new["files"]):
        yield Change("rule_file", file, f"规则文件 {file} 与记录时不同")


def _differing(old: Contents, new: Contents) -> list[str]:
    """Return the keys that are on one side only, or have another value there."""
    return [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
