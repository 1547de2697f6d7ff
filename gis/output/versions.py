"""Who changes verdict when one version of a plan takes the place of another, and why?

Every recorded site is checked again on both versions: outline, use, claims and day of the law as
they were recorded. Records of one site that was asked about several times count as one. Nothing is
written, and no record changes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gis.canonical import SCHEMA_VERSION, canonical_json, to_dict
from gis.check import check_site
from gis.comparison import rules_beside
from gis.errors import InputError, StoreDamagedError
from gis.files import write_table
from gis.model import Verdict
from gis.output.records import Record, RecordStore
from gis.output.records.replay import day_of, site_of
from gis.output.records.walk import ids_in_order
from gis.plan import Plan

Row = dict[str, Any]


@dataclass(slots=True)
class _Asked:
    """One question that was recorded: the site as recorded first, and all records of it."""

    record: Record
    ids: list[str] = field(default_factory=list)


def compare_versions(
    store: RecordStore,
    old: Plan,
    new: Plan,
    *,
    each: Callable[[], None] = lambda: None,
) -> Row:
    """Check every recorded site on two versions of a plan, and say what differs.

    Parameters
    ----------
    store
        The decision records.
    old, new
        Two versions of a plan.
    each
        Called once for each record that is read and once for each site that is done.

    Returns
    -------
    document
        Plain JSON values: ``old`` and ``new`` (plan, rule book), ``layers`` whose content differs,
        counts, ``transitions`` (verdict before, after, number of sites), and ``sites``: those that
        change, changed verdicts first, each with the rules that differ. ``problems`` are records
        that one of the versions cannot judge; they are counted nowhere else.

    Raises
    ------
    StoreError
        The records cannot be read.
    """
    asked, problems, count = _questions(store, each)
    rows, same = [], 0
    moves: Counter[tuple[str, str]] = Counter()
    for one in asked.values():
        row = _compared(one, old, new)
        each()
        if "problem" in row:
            problems.append(row)
            continue
        moves[row["old"]["verdict"], row["new"]["verdict"]] += 1
        if row["rules"]:
            rows.append(row)
        else:
            same += 1
    return {
        "schema_version": SCHEMA_VERSION,
        "old": _plan_row(old),
        "new": _plan_row(new),
        "layers": list(_changed_layers(old, new)),
        "records": count,
        "compared": sum(moves.values()),
        "changed": len(rows),
        "verdict_changed": sum(n for (before, after), n in moves.items() if before != after),
        "unchanged": same,
        "transitions": _transitions(moves),
        "sites": sorted(rows, key=_order),
        "problems": problems,
    }


def steps_of(store: RecordStore) -> int:
    """Return how often ``compare_versions`` calls ``each`` at most."""
    return 2 * len(ids_in_order(store))


# --- what was asked ------------------------------------------------------------------------------


def _questions(
    store: RecordStore, each: Callable[[], None]
) -> tuple[dict[str, _Asked], list[Row], int]:
    """Return the recorded questions by their content, records that cannot be read, and a count."""
    asked: dict[str, _Asked] = {}
    problems: list[Row] = []
    ids = ids_in_order(store)
    for record_id in ids:
        each()
        try:
            record = store.get(record_id)
        except StoreDamagedError as error:
            problems.append(_problem("", [record_id], error.detail))
            continue
        asked.setdefault(_key(record), _Asked(record)).ids.append(record_id)
    return asked, problems, len(ids)


def _key(record: Record) -> str:
    """Return what two records have in common that ask the same: not the name, nor who asked."""
    inputs = {k: v for k, v in record.inputs.items() if k != "name"} or record.document["site"]
    digest = hashlib.sha256(record.geometry_wkb or record.id.encode())
    digest.update(canonical_json([record.as_of, inputs]).encode())
    return digest.hexdigest()


def _problem(name: str, ids: Sequence[str], said: str) -> Row:
    return {"name": name, "records": list(ids), "problem": said}


# --- one site ------------------------------------------------------------------------------------


def _compared(asked: _Asked, old: Plan, new: Plan) -> Row:
    record = asked.record
    try:
        site, day = site_of(record), day_of(record)
        before, after = (
            to_dict(check_site(site, plan, as_of=day, remedies=False, geometry=False))
            for plan in (old, new)
        )
    except (InputError, StoreDamagedError) as error:
        return _problem(record.name, asked.ids, error.detail)
    rules = [_rule_row(row) for row in rules_beside(before, after) if row["changed"]]
    return {
        "name": record.name,
        "records": asked.ids,
        "as_of": day.isoformat(),
        "use": site.use,
        "area_m2": before["site"]["area"]["ellipsoidal_m2"],
        "recorded_verdict": record.verdict,
        "old": _side(before),
        "new": _side(after),
        "verdict_changed": before["verdict"] != after["verdict"],
        "rules": rules,
    }


def _side(check: Mapping[str, Any]) -> Row:
    return {key: check[key] for key in ("verdict", "verdict_label", "deciding_rule", "digest")}


def _rule_row(row: Mapping[str, Any]) -> Row:
    names = {key: row[key] for key in ("rule", "title", "title_en")}
    return {**names, "old": row["in_force"], "new": row["draft"]}


def _order(row: Row) -> tuple[bool, int, int, str, str]:
    # Equal ones stay in the order of their records; ids are random.
    old, new = (Verdict(row[side]["verdict"]).rank for side in ("old", "new"))
    return not row["verdict_changed"], -max(old, new), old - new, row["name"], row["as_of"]


# --- the two plans -------------------------------------------------------------------------------


def _plan_row(plan: Plan) -> Row:
    ref = plan.ref
    return {
        "plan": {key: getattr(ref, key) for key in ("id", "version", "title", "status")},
        "rulebook": {"id": plan.rulebook.id, "sha256": plan.rulebook.sha256},
    }


def _changed_layers(old: Plan, new: Plan) -> Iterator[Row]:
    for name in dict.fromkeys((*old.layers, *new.layers)):
        sides = [plan.layers.get(name) for plan in (old, new)]
        hashes = [layer.content_sha256 if layer else None for layer in sides]
        states = [layer.state.value if layer else None for layer in sides]
        if hashes[0] != hashes[1] or states[0] != states[1]:
            title = next(layer.info.title for layer in reversed(sides) if layer)
            yield {
                "id": name,
                "title": title,
                "old": {"state": states[0], "content_sha256": hashes[0]},
                "new": {"state": states[1], "content_sha256": hashes[1]},
            }


def _transitions(moves: Mapping[tuple[str, str], int]) -> list[Row]:
    ranked = sorted(moves, key=lambda pair: tuple(-Verdict(verdict).rank for verdict in pair))
    return [
        {"old": old, "new": new, "sites": moves[old, new], "changed": old != new}
        for old, new in ranked
    ]


# --- as a table ----------------------------------------------------------------------------------


def write_csv(document: Mapping[str, Any], path: Path) -> Path:
    """Write the sites that change, and the records with problems, as a table for offices."""
    return write_table([_HEADS, *_lines(document)], path)


_HEADS = (
    "地块", "记录", "法规时点", "用途", "原结论", "新结论", "原决定性规则", "新决定性规则",
    "有变化的规则", "问题",
)  # fmt: skip


def _lines(document: Mapping[str, Any]) -> Iterator[Iterable[Any]]:
    for row in document["sites"]:
        old, new = row["old"], row["new"]
        changed = "；".join(f"{r['title']}（{r['rule']}）" for r in row["rules"])
        yield (
            row["name"], " ".join(row["records"]), row["as_of"], row["use"] or "",
            old["verdict_label"], new["verdict_label"], old["deciding_rule"] or "",
            new["deciding_rule"] or "", changed, "",
        )  # fmt: skip
    for row in document["problems"]:
        yield row["name"], " ".join(row["records"]), *[""] * 7, row["problem"]
