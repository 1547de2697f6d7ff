"""Are the files of a layer there, complete and of one mind?

A short index or table silently hides features; a layer that the plan could not open must never look
like one without faults.
"""

from __future__ import annotations

from collections.abc import Iterator

from gis.model import LayerState
from gis.plan.quality.findings import ERROR, WARNING, Finding, listed
from gis.plan.quality.layer_data import LayerData, Surroundings

# Codes that say what the reason of the layer's state says already.
AS_REASON = frozenset({"file_missing", "layer_failed"})


def file_findings(data: LayerData, _: Surroundings) -> Iterator[Finding]:
    """Yield absent, unreadable and incomplete files, and why a layer is not in use."""
    if data.state is LayerState.NO_DATA:
        advice = "补充数据文件；在此之前，有关规则的结果为“需核实”"
        yield Finding(data.id, "file_missing", ERROR, data.reason, advice=advice)
        return
    yield from _parts(data)
    if data.state is LayerState.FAILED:
        advice = "按该图层的其他错误逐项改正；在此之前，有关规则的结果为“需核实”"
        yield Finding(data.id, "layer_failed", ERROR, data.reason, advice=advice)
    elif not len(data) and not data.entry.empty:
        advice = "确无要素的，在 plan.toml 中写明 empty = true；否则重新导出"
        yield Finding(data.id, "no_features", WARNING, "没有要素", advice=advice)
    elif len(data) and data.entry.empty:
        text = f"plan.toml 写明没有要素，实际有 {len(data)} 个"
        yield Finding(data.id, "not_empty", WARNING, text, advice="核对数据，去掉 empty = true")


def _parts(data: LayerData) -> Iterator[Finding]:
    facts = data.file
    if facts.problem:
        text = f"{data.entry.store_label}无法读取（{facts.problem}）"
        advice = "核对表、字段和读取权限" if data.entry.postgis else "重新复制或导出"
        yield Finding(data.id, "file_unreadable", ERROR, text, advice=advice)
    for suffix in facts.missing:
        text = f"缺少 {suffix} 文件" + ("，没有属性" if suffix == ".dbf" else "，无法按序读取要素")
        yield Finding(data.id, "file_part_missing", ERROR, text, advice="重新复制全部配套文件")
    if facts.lacking_bytes:
        yield Finding(
            data.id,
            "file_truncated",
            ERROR,
            f".shp 不完整，缺少 {facts.lacking_bytes} 字节",
            value=float(facts.lacking_bytes),
            unit="bytes",
            advice="重新复制或导出",
        )
    if facts.records:
        yield _records(data)
    if facts.deleted:
        yield Finding(
            data.id,
            "record_counts",
            ERROR,
            f".dbf 中有 {facts.deleted} 行标记为已删除，与图形对不上",
            value=float(facts.deleted),
            unit="count",
            advice="整理（pack）后重新导出",
        )


def _records(data: LayerData) -> Finding:
    counts = "，".join(f".{part} {count}" for part, count in (data.file.records or {}).items())
    rows = [row for row in data.file.hidden if row < len(data)]
    ids = data.names_of(rows)
    hidden = f"，其中 {len(rows)} 个要素会被漏掉：{listed(ids)}" if rows else ""
    return Finding(
        data.id,
        "record_counts",
        ERROR,
        f"各文件的记录数不一致（{counts}）{hidden}",
        feature_ids=ids,
        value=float(len(data.file.hidden)),
        unit="count",
        location=data.spots(rows),
        advice="重新复制或导出；.shx 可由 .shp 重建",
    )
