"""What does a decision record look like? Models for the OpenAPI document, field by field.

They describe what ``gis.output.records`` says about a record, and compute nothing.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas import Answer, VerdictCode

_HASH = "1ee53bbb22b9a8eaf35d0d2c54ea91a3f8f5e6b6bd5b0a7a0f0ad4b2b6a8a6c1"
_TIME = "2026-11-22T02:30:05+00:00"


class DecisionIn(Answer):
    """What an officer decides beside the computed answer."""

    verdict: VerdictCode = Field(description="人工结论", examples=["conditional"])
    office: str = Field(
        min_length=1,
        max_length=200,
        description="作出决定的机关（科室）",
        examples=["自然资源局耕保科"],
    )
    reason: str = Field(
        min_length=1,
        max_length=2000,
        description="理由，一行文字",
        examples=["占补平衡方案已批复，同意在落实补划后用地"],
    )


class DecisionOut(Answer):
    """What an officer decided; the computed answer stays as it was."""

    verdict: VerdictCode
    verdict_label: str = Field(examples=["有条件符合"])
    office: str = Field(examples=["自然资源局耕保科"])
    reason: str = Field(examples=["占补平衡方案已批复，同意在落实补划后用地"])
    decided_at: str = Field(description="时间（UTC）", examples=[_TIME])
    decided_by: str = Field(description="记下的人：密钥名称；未启用密钥时为空", examples=["窗口一"])
    seq: int = Field(description="链上位置", examples=[18])
    hash: str = Field(examples=[_HASH])


class ChainOut(Answer):
    """The place of a record in the hash chain."""

    seq: int = Field(description="链上位置，从 1 开始，连续无缺", examples=[17])
    hash: str = Field(description="本条的校验值", examples=[_HASH])
    prev_hash: str = Field(description="前一条的校验值；第一条为 64 个 0", examples=["0" * 64])
    before_the_chain: bool = Field(description="早于哈希链的记录，只核对摘要，不重算")


class RecordPlan(Answer):
    """The plan that a record rests on."""

    id: str = Field(examples=["resort"])
    version: str = Field(examples=["2026.1"])


class RecordOut(Answer):
    """A record, without its answer: that is ``GET /v1/site-checks/{id}``."""

    id: str = Field(examples=["7d1f3c6a0b9e4f52a8c1d0e2f3a4b5c6"])
    name: str = Field(examples=["中学新校区"])
    created_at: str = Field(description="时间（UTC）", examples=[_TIME])
    owner: str = Field(
        description="谁可以看：key:密钥名称、office:科室或 user:用户；未启用密钥时为空"
    )
    request_id: str = Field(description="日志中的请求编号；可能为空")
    verdict: VerdictCode
    verdict_label: str = Field(examples=["符合"])
    digest: str = Field(description="结论部分的 SHA-256", examples=[_HASH])
    as_of: str = Field(description="依据日期", examples=["2026-11-22"])
    plan: RecordPlan
    software: dict[str, str] = Field(
        examples=[{"wuqu": "0.1.0", "geos": "3.14.1", "proj": "9.7.0", "gdal": "3.12.4"}]
    )
    upload_sha256: str = Field(description="上传内容的 SHA-256", examples=[_HASH])
    snapshot_sha256: str | None = Field(
        description="所依据的数据清单（图层、规则、文件的校验值）的 SHA-256；早于哈希链时为 null",
        examples=[_HASH],
    )
    chain: ChainOut
    decisions: list[DecisionOut] = Field(description="人工决定，先后为序；检测结论不因此改变")


class FoundFault(Answer):
    """A place in the store that is not as it was written."""

    kind: Literal["record", "chain", "digest", "snapshot", "decision"]
    where: str = Field(description="字段、链上位置或校验值", examples=["document"])
    message: str = Field(examples=["记录的字段 document 与写入时不同"])


class FoundChange(Answer):
    """Something that the record rests on and that is not as it was."""

    kind: Literal[
        "plan", "plan_file", "layer", "layer_file", "rulebook", "rule", "rule_file",
        "reservations", "software",
    ]  # fmt: skip
    where: str = Field(description="图层、规则、文件或软件", examples=["zones"])
    message: str = Field(examples=["图层 zones 的内容与记录时不同（content_sha256）"])


class FoundDifference(Answer):
    """A value of the decision that is another one now."""

    where: str = Field(examples=["findings/cn.farmland"])
    recorded: Any = Field(description="记录中的值；没有时为 null")
    found: Any = Field(description="重算得到的值；没有时为 null")


class VerificationOut(Answer):
    """What a verification found."""

    record: str
    outcome: Literal["identical", "digest_only", "changed", "damaged"] = Field(
        description="identical 一致；digest_only 只核对摘要；changed 有变化；damaged 损坏"
    )
    outcome_label: str = Field(examples=["一致：记录完好，重算结论相同"])
    seq: int = Field(examples=[17])
    hash: str = Field(examples=[_HASH])
    digest: str = Field(description="记录的摘要", examples=[_HASH])
    replayed_digest: str | None = Field(
        description="重算的摘要；不能重算时为 null", examples=[_HASH]
    )
    faults: list[FoundFault] = Field(description="损坏之处")
    changes: list[FoundChange] = Field(description="所依据的数据、规则、软件的变化")
    differences: list[FoundDifference] = Field(description="重算结论与记录的差异，最多 100 处")
