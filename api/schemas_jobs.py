"""What does a job look like? Models for the OpenAPI document; they compute nothing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas import Answer

EXAMPLE_ID = "7d1f3c6a0b9e4f52a8c1d0e2f3a4b5c6"
_TIME = "2026-11-22T02:30:05+00:00"
StateCode = Literal["queued", "running", "done", "cancelled", "failed"]


class JobCounts(Answer):
    """Rows by verdict so far."""

    pass_: int = Field(alias="pass", description="符合", examples=[120])
    conditional: int = Field(description="有条件符合", examples=[8])
    undetermined: int = Field(description="需核实", examples=[31])
    fail: int = Field(description="不符合", examples=[14])
    problem: int = Field(description="无法检测的行数", examples=[2])


class JobProgress(Answer):
    """How far a job is; what each event of ``/events`` carries."""

    id: str = Field(description="任务编号", examples=[EXAMPLE_ID])
    state: StateCode = Field(description="状态", examples=["running"])
    state_label: str = Field(examples=["检测中"])
    total: int | None = Field(description="地块总数；读完上传内容之前为空", examples=[300])
    done: int = Field(description="已有结果的行数", examples=[175])
    rate_per_s: float | None = Field(description="最近的速度：每秒地块数", examples=[22.5])
    remaining_s: int | None = Field(description="按最近的速度还需要的秒数", examples=[6])
    counts: JobCounts


class JobProblem(Answer):
    """A row that could not be judged; the others go on."""

    row: int = Field(description="行号，从 1 开始", examples=[17])
    file: str | None = Field(description="所在文件", examples=["地块17.txt"])
    name: str = Field(description="名称", examples=["地块17"])
    code: str = Field(examples=["geometry"])
    message: str = Field(
        description="原因和处理办法", examples=["图形自相交；处理办法：改正后提交。"]
    )


class JobPlan(Answer):
    """The plan that all sites of a job are judged by."""

    id: str = Field(examples=["resort"])
    version: str = Field(examples=["2026.11"])


class JobLinks(Answer):
    """Where to go on."""

    self: str = Field(examples=[f"/v1/jobs/{EXAMPLE_ID}"])
    events: str = Field(
        description="进度（server-sent events）", examples=[f"/v1/jobs/{EXAMPLE_ID}/events"]
    )
    cancel: str | None = Field(
        description="取消（POST）；已结束时为空", examples=[f"/v1/jobs/{EXAMPLE_ID}/cancel"]
    )
    results: dict[str, str] = Field(
        description="各种结果的地址；结束之前为空",
        examples=[{"gpkg": f"/v1/jobs/{EXAMPLE_ID}/results.gpkg"}],
    )


class JobOut(JobProgress):
    """A job."""

    name: str = Field(description="上传文件的名称", examples=["2026年第四批.zip"])
    created_at: str = Field(description="提交时间（UTC）", examples=[_TIME])
    started_at: str | None = Field(description="开始时间", examples=[_TIME])
    finished_at: str | None = Field(description="结束时间", examples=[None])
    expires_at: str | None = Field(description="结果保留到何时；之后答复 410", examples=[None])
    expired: bool = Field(description="结果已过保留期", examples=[False])
    as_of: str = Field(description="依据日期", examples=["2026-11-22"])
    use: str | None = Field(description="用途代码", examples=["080403"])
    attributes: dict[str, Any] = Field(description="项目属性", examples=[{"plot_ratio": "1.0"}])
    plan: JobPlan
    upload_sha256: str = Field(
        description="上传内容的 SHA-256",
        examples=["1ee53bbb22b9a8eaf35d0d2c54ea91a3f8f5e6b6bd5b0a7a0f0ad4b2b6a8a6c1"],
    )
    problems: list[JobProblem] = Field(description="无法检测的行，最多列出 50 条；全部见结果表")
    error: dict[str, Any] | None = Field(
        description="任务整体失败的原因：code、title、detail、errors", examples=[None]
    )
    links: JobLinks


class JobList(Answer):
    """The newest jobs."""

    jobs: list[JobOut] = Field(description="新的在前；problems 只在单个任务中列出")


class ResultPending(Answer):
    """A result that is being written; ask again."""

    state: Literal["making"] = Field(examples=["making"])
    kind: str = Field(examples=["zip"])
    done: int = Field(description="已生成的份数", examples=[40])
    total: int = Field(description="总份数；0 表示还未知", examples=[173])
