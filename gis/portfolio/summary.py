"""What do the projects wait for as a whole, in one sentence and by class of problem?

Counts rows of the document of a portfolio; every project is in one class of the list or in none,
and projects without a stated problem are told as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gis.model import Verdict
from gis.portfolio.columns import ASSUMED

Row = Mapping[str, Any]
UNSORTED = "未分类"


def sentence_of(rows: Sequence[Row]) -> str:
    """Return the one sentence about all projects."""
    checked = [row for row in rows if row["verdict"] is not None]
    order = sorted((v for v in Verdict if v is not Verdict.NOT_APPLICABLE), key=lambda v: -v.rank)
    parts = [
        f"{count} 个{verdict.label}"
        for verdict in order
        if (count := sum(row["verdict"] == verdict for row in checked))
    ]
    said = [f"{len(rows)} 个项目"]
    if checked:
        said.append(f"{len(checked)} 个有边界图并已检测（{'、'.join(parts)}）")
    lacking = sum(row["verdict"] is None and "边界图" in row["verdict_label"] for row in rows)
    if lacking:
        said.append(f"{lacking} 个没有可用的边界图")
    if others := len(rows) - len(checked) - lacking:
        said.append(f"{others} 个未能检测")
    problems = sum(bool(row["problem_open"]) for row in rows)
    said.append(f"{problems} 个有未销号的问题" if problems else "没有未销号的问题")
    return "，".join(said) + "。"


def waiting_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the open problems by class, the most frequent first, each with its projects."""
    classes: dict[str, list[Row]] = {}
    for row in rows:
        if row["problem_open"]:
            classes.setdefault(row["problem_class"] or UNSORTED, []).append(row)
    found = sorted(classes.items(), key=lambda pair: (-len(pair[1]), pair[1][0]["order"]))
    return [
        {
            "class": name,
            "count": len(own),
            "investment_wan": _sum(own),
            "investment_rows": sum(row["investment_wan"] is not None for row in own),
            "projects": [
                {
                    "id": row["id"],
                    "name": row["name"],
                    "problem": row["problem"],
                    "next_stage": row["next_stage"] and row["next_stage"]["todo"],
                    "verdict": row["verdict"],
                    "verdict_label": row["verdict_label"],
                }
                for row in own
            ],
        }
        for name, own in found
    ]


def _sum(rows: Sequence[Row]) -> float | None:
    """Return the investment that waits; None when none of the projects states its own."""
    known = [row["investment_wan"] for row in rows if row["investment_wan"] is not None]
    return sum(known) if known else None


def notes_of(rows: Sequence[Row]) -> list[str]:
    """Return what a reader has to know about these rows before quoting them."""
    assumed = sum(row["use_basis"] == ASSUMED for row in rows)
    unused = sum(row["use"] is None for row in rows)
    unranked = sum(row["priority"] is None for row in rows)
    doubtful = [row["name"] for row in rows if row.get("doubt")]
    found = []
    if assumed:
        found.append(f"{assumed} 个项目的用途代码为假定，结论随用途改变")
    if unused:
        found.append(f"{unused} 个项目没有用途代码，取决于用途的规则无法判定，指标按建设用地计")
    if unranked:
        found.append(f"{unranked} 个项目没有优先级，按清单顺序排在其后依次计算占用")
    if doubtful:
        found.append(f"{'、'.join(doubtful)}的坐标不是测量成果，面积仅供参考")
    found.append("文号栏空白只说明清单未载明，不等于没有办理；模拟占用不写入预留台账")
    return found
