"""How is one piece of a job worked off? Rows are laid down or judged, or a result is made.

Runs in a worker. Whatever goes wrong with a row becomes its problem and the others go on; what goes
wrong with the store or the disk puts the piece back; what is wrong with the whole ends the job.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gis.batch.judging import content_of, judged, refused
from gis.batch.rows import Origin, Problem, Row, Wishes
from gis.check import with_remedies
from gis.claims import parse_attributes
from gis.errors import InputError, StoreDamagedError, StoreError, as_problem
from gis.jobs.folder import JobFolder, write_whole
from gis.jobs.model import CHUNK, Job, Options, Task, TaskKind
from gis.jobs.plans import Plans
from gis.jobs.reading import rows_of
from gis.jobs.reports import PdfZip
from gis.jobs.results import write_result
from gis.jobs.statements import LostLeaseError
from gis.jobs.store import JobStore
from gis.model import SiteCheck, Verdict
from gis.output.records import Entry, Submission, entry_of
from gis.output.records.snapshot import snapshot_of
from gis.plan import Plan

_LOG = logging.getLogger("wuqu")
# How often a piece may lose its worker, or end in a defect, before it is told to be the reason.
LIVES = 3
_TOGETHER = 2
# A search takes longer than the check; a single request looks for no more sites either.
_SEARCHED_SITES = 5
# A full or locked store heals by itself, or somebody comes.
_AGAIN_MS = 5_000
_LOST = Problem(
    "worker_lost",
    "检测这个地块的工作进程反复中断，没有结论。处理办法：核对并简化图形，单独检测这个地块。",
)
_DEFECT = Problem("defect", "检测这个地块时出现内部错误，没有结论。处理办法：请联系管理员。")


@dataclass
class Bench:
    """What a worker has open: the store of the jobs, the folder of their files, and the plans.

    ``ceiling`` is the highest secrecy whose coordinates results may show; ``records`` False keeps
    no record of what is judged.
    """

    store: JobStore
    root: Path
    plans: Plans
    ceiling: str = "public"
    records: bool = True
    lost: Callable[[], bool] = field(default=lambda: False)

    def work(self, task: Task) -> None:
        """Work off a piece; nothing is raised but what stops the worker."""
        try:
            self._do(task)
        except LostLeaseError:
            return  # cancelled, or another worker has it
        except (StoreError, OSError) as error:
            _LOG.warning("a piece of a job is put back: %s", type(error).__name__)
            self._give_back(task)

    def _do(self, task: Task) -> None:
        job = self.store.get(task.job_id)
        try:
            if task.kind is TaskKind.read:
                self._read(job, task)
            elif task.kind is TaskKind.judge:
                self._judge(job, task)
            else:
                self._make(job, task)
        except InputError as error:
            self._refuse(task, dict(as_problem(error)))
        except StoreDamagedError as error:
            # A record that has changed stays so; the other results go on.
            if not task.kind.is_result:
                raise
            self._refuse(task, dict(as_problem(error)))

    def _give_back(self, task: Task) -> None:
        try:
            self.store.give_back(task, after_ms=_AGAIN_MS)
        except StoreError:
            return  # the lease runs out

    def _fail(self, task: Task, problem: dict[str, Any]) -> None:
        self.store.fail(task, problem)
        JobFolder(self.root, task.job_id).forget_rows()

    def _refuse(self, task: Task, problem: dict[str, Any]) -> None:
        if task.kind.is_result:
            self.store.not_made(task, problem)
        else:
            self._fail(task, problem)

    def require(self) -> None:
        """Raise LostLeaseError when the piece is no longer ours."""
        if self.lost():
            raise LostLeaseError

    # --- reading ---------------------------------------------------------------------------------

    def _read(self, job: Job, task: Task) -> None:
        if task.attempts >= LIVES:
            self._fail(task, _problem("读取上传内容的工作进程反复中断", "拆分文件后重新提交"))
            return
        folder = JobFolder(self.root, job.id)
        try:
            content = folder.upload()
        except FileNotFoundError:
            self._fail(task, _problem("上传的内容已不在服务器上", "重新提交"))
            return
        most, now = self.store.limits.sites, self.plans.in_force()
        policy = now.plan.crs_policy
        rows = rows_of(content, job.name, policy, job.options, most, self.require)
        total, waiting = 0, list[tuple[Origin, Row]]()
        for pair in rows:
            waiting.append(pair)
            total += 1
            if len(waiting) == CHUNK:
                self._lay_down(folder, waiting)
                waiting = []
        if waiting:
            self._lay_down(folder, waiting)
        self.store.read(task, total, now.package)

    def _lay_down(self, folder: JobFolder, rows: list[tuple[Origin, Row]]) -> None:
        self.require()
        origins: dict[int, Origin] = {row.origin: origin for origin, row in rows}
        content = content_of([row for _, row in rows], [])
        # Our own file in our own folder, read by nobody but us.
        whole = pickle.dumps((content, origins), protocol=5)
        write_whole(folder.rows(rows[0][1].number // CHUNK), whole)

    def _rows(self, job: Job, task: Task) -> tuple[list[Row], list[Origin]]:
        """Return the rows of a piece with the list of files that their origins point into."""
        path = JobFolder(self.root, job.id).rows(task.first // CHUNK)
        content, origins = pickle.loads(path.read_bytes())
        rows: list[Row] = [
            row for row in pickle.loads(content)[0] if task.first <= row.number < task.last
        ]
        last = max(origins)
        return rows, [origins.get(n, Origin("file", "")) for n in range(last + 1)]

    # --- judging ---------------------------------------------------------------------------------

    def _judge(self, job: Job, task: Task) -> None:
        own = self.plans.of(job)
        if own is None:
            self._fail(
                task,
                _problem(
                    "规划数据包在任务执行期间更换，已检测的地块按原规划", "重新提交未检测的地块"
                ),
            )
            return
        if task.attempts >= _TOGETHER and task.last - task.first > 1:
            self.store.split(task)
            return
        try:
            rows, origins = self._rows(job, task)
        except FileNotFoundError:
            self._fail(task, _problem("任务的中间文件已不在服务器上", "重新提交"))
            return
        if task.attempts >= LIVES:
            found, entries = [refused(row, _LOST) for row in rows], dict[int, Entry]()
        else:
            found, entries = self._answers(job, task, own.plan, rows, origins)
        answers = [
            {
                **answer,
                "file": origins[row.origin].label,
                "entry": answer["row"] in entries,
            }
            for row, answer in zip(rows, found, strict=True)
        ]
        if job.options.call is not None and (said := _unanswered(answers)):
            self._fail(task, said)
            return
        kept = [entries[answer["row"]] for answer in answers if answer["entry"]]
        self.require()
        submission = Submission(kept, job.upload_sha256, job.owner, job.request_id)
        if self.store.judged(task, answers, submission):
            JobFolder(self.root, job.id).forget_rows()

    def _answers(
        self, job: Job, task: Task, plan: Plan, rows: list[Row], origins: list[Origin]
    ) -> tuple[list[dict[str, Any]], dict[int, Entry]]:
        entries: dict[int, Entry] = {}
        # Before the check: what is reserved meanwhile is not what it rests on.
        snapshot = snapshot_of(plan) if self.records else None

        searched = _is_searched(job)

        def seen(row: Row, check: SiteCheck) -> None:
            self.require()
            if searched and check.verdict is not Verdict.PASS:
                check = with_remedies(check, plan)
            if snapshot is not None:
                entries[row.number] = entry_of(check, snapshot=snapshot)

        try:
            found = judged(rows, origins, plan, _wishes(job.options), seen=seen)
        except (LostLeaseError, StoreError, InputError):
            raise
        except Exception:
            # A defect must not stop the rows beside it.
            _LOG.exception("rows %d to %d of job %s", task.first, task.last, job.id)
            if len(rows) > 1:
                self.store.split(task)
                raise LostLeaseError from None
            return [refused(row, _DEFECT) for row in rows], {}
        return found, entries

    # --- results ---------------------------------------------------------------------------------

    def _make(self, job: Job, task: Task) -> None:
        if task.attempts >= LIVES:
            self.store.not_made(task, _problem("生成结果的工作进程反复中断", "改用其他格式"))
            return
        folder = JobFolder(self.root, job.id)
        # Tables can be written by any version; maps of the reports are drawn on their own.
        plan = (self.plans.of(job) or self.plans.in_force()).plan
        if task.kind is TaskKind.zip:
            if not PdfZip(self.store, folder, job, plan, self.ceiling).go_on(task):
                self.store.give_back(task)  # others first
                return
        else:
            write_result(self.store, folder, job, plan, task.kind)
        self.store.made(task)


def _is_searched(job: Job) -> bool:
    """Whether outlines that would comply are looked for: by a call with few sites only."""
    call = job.options.call
    return call is not None and call.remedies and (job.total or 0) <= _SEARCHED_SITES


def _unanswered(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the problem of a call with rows that cannot be judged; empty when all can."""
    found = [(answer["row"] + 1, *answer["problem"]) for answer in answers if "problem" in answer]
    if not found:
        return {}
    _, code, detail = found[0]
    faults = [{"where": f"第 {row} 个地块", "message": message} for row, _, message in found]
    return {"code": code, "title": "地块无法检测", "detail": detail, "errors": faults}


def _wishes(options: Options) -> Wishes:
    """Return what the user wants as a batch of the command line takes it."""
    attributes = parse_attributes(dict(options.attributes))
    return Wishes(options.as_of, options.use, attributes, options.repair, options.width_m)


def _problem(found: str, advice: str) -> dict[str, Any]:
    return dict(as_problem(_WholeError(found, advice=advice)))


class _WholeError(InputError):
    code = "job"
    title = "任务无法完成"
