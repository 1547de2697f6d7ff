"""May these sites be built on? A whole table judged, chunk by chunk, resumable.

The pipeline of a batch: rows are read once and laid down, cut into chunks along a Hilbert curve,
judged by a runner, entered in a journal, and put together in the order of the input. What is
judged, and how, stands in ``gis.check``; nothing of it is done here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path

import geopandas
import pandas as pd

from gis.batch import tables
from gis.batch.answers import Answers, frames
from gis.batch.crop import Cropper, box_of
from gis.batch.identity import plan_sha256
from gis.batch.journal import Header, Journal
from gis.batch.judging import (
    CroppedPlan,
    OpenPlan,
    PlanFolder,
    as_lines,
    content_of,
    judged,
    refused,
)
from gis.batch.progress import Progress, told
from gis.batch.reading import Sites, read_rows
from gis.batch.rows import Problem, Wishes
from gis.batch.spool import Spool
from gis.batch.summary import Count, Summary
from gis.check import legal_day
from gis.claims import check_use, parse_attributes
from gis.engine.chunks import chunks_of
from gis.errors import ClaimError
from gis.plan import Plan, as_plan
from gis.runners import Cluster, InProcess, Job, ProcessPool, Runner, Task

CHUNK = 1_000
_LOST = Problem(
    "worker_lost",
    "检测这一批地块的工作进程反复中断，这些地块没有结论。处理办法：单独检测这些地块；"
    "如果是内存不足，减少每台机器的工作进程。",
)


def check_sites(
    sites: Sites,
    plan: Plan,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    dask: str | None = None,
    crs: int | str | None = None,
    encoding: str | None = None,
    repair: bool = False,
    width_m: float | None = None,
    rules: bool = False,
    findings: bool = False,
    chunk_size: int = CHUNK,
    progress: Progress | bool | None = None,
) -> geopandas.GeoDataFrame:
    """Check many sites against the rules of a plan; return one row per row of the input.

    Parameters
    ----------
    sites
        A GeoDataFrame with a CRS; a file or several (GeoPackage, GeoParquet, shapefile, GeoJSON,
        TXT, tables … with any number of sites each); or sites from ``read_site``. Columns named
        ``use`` or like an attribute of ``gis.claims.ATTRIBUTES`` are the claims of their row.
    plan
        An opened plan package.
    use, attributes, as_of
        As for ``check_site``, for all rows; they win over the columns.
    out
        A file to write as well: ``.gpkg``, ``.parquet`` or ``.csv``. The batch is then resumable:
        called again with the same arguments after an interruption, it goes on where it stopped,
        with the day of the law that it was started with.
    workers
        Processes on this machine; each opens the plan from its folder.
    dask
        Address of a dask scheduler (``tcp://host:8786``) whose workers do the work instead. They
        need this package and no shared disk.
    crs, encoding, repair, width_m
        As for ``read_site``, for all files and tables.
    rules
        A column ``rule_<id>`` with the verdict of each rule in force.
    findings
        A column ``findings`` with the findings as JSON.
    chunk_size
        Sites that are judged together.
    progress
        Called with the number of rows done and of all rows; True shows a bar of tqdm, in a
        notebook or a terminal, with rate and remaining time.

    Returns
    -------
    result
        In the order of the input, in the work CRS: ``row`` (from 1), ``file``, ``name``,
        ``verdict``, ``verdict_label``, ``deciding_rule``, ``reason``, ``use``, ``area_m2`` (on the
        ellipsoid), ``planar_m2``, ``mu``, counts of findings ``n_…``, ``digest``, and for a row
        that cannot be judged ``problem_code`` and ``problem`` instead, without outline.

    Raises
    ------
    ClaimError
        Unknown use, attribute or output format, an interrupted batch with other input, plan or
        options beside the output, or no cluster at the address.
    CrsError
        A GeoDataFrame without CRS.
    PlanError
        The folder of the plan holds another plan now.

    Examples
    --------
    >>> from datetime import date
    >>> import geopandas
    >>> import gis
    >>> plan = gis.load_plan()
    >>> site = gis.read_site("data/samples/yizhong_xinxiao.txt", plan)
    >>> table = geopandas.GeoDataFrame({"use": ["080403"]}, geometry=[site.geometry], crs=4548)
    >>> result = gis.check_sites(table, plan, as_of=date(2026, 11, 22))
    >>> result[["verdict_label", "deciding_rule"]].values.tolist()
    [['有条件符合', 'shandong.archaeology']]
    """
    as_plan(plan)
    parts: list[geopandas.GeoDataFrame] = []
    with told(progress) as report:
        run_batch(
            sites,
            plan,
            use=use,
            attributes=attributes,
            as_of=as_of,
            out=None if out is None else Path(out),
            workers=workers,
            dask=dask,
            crs=crs,
            encoding=encoding,
            repair=repair,
            width_m=width_m,
            rules=rules,
            findings=findings,
            chunk_size=chunk_size,
            progress=report,
            keep=parts.append,
        )
    whole = pd.concat(parts, ignore_index=True)
    return geopandas.GeoDataFrame(whole, geometry="geometry", crs=plan.work_epsg)


def run_batch(
    sites: Sites,
    plan: Plan,
    *,
    use: str | None = None,
    attributes: Mapping[str, object] | None = None,
    as_of: date | None = None,
    out: Path | None = None,
    workers: int = 1,
    dask: str | None = None,
    crs: int | str | None = None,
    encoding: str | None = None,
    repair: bool = False,
    width_m: float | None = None,
    rules: bool = False,
    findings: bool = False,
    chunk_size: int = CHUNK,
    progress: Progress | None = None,
    keep: Callable[[geopandas.GeoDataFrame], None] | None = None,
) -> Summary:
    """Do what ``check_sites`` does and hand out the result slice by slice, to ``out`` and ``keep``.

    Memory does not grow with the number of rows, but for some dozen bytes each.
    """
    if out is not None:
        tables.check_suffix(out)
    if chunk_size < 1:
        raise ClaimError(f"chunk_size 为 {chunk_size}", expected="不小于 1 的整数")
    runner = _runner(workers, dask)
    given = parse_attributes(dict(attributes or {}))
    code = None if use is None else check_use(use)
    with _folder(out) as folder:
        journal = Journal(folder)
        day = as_of or _day(journal)
        wishes = Wishes(day, code, given, repair, width_m, rules, findings)
        with tempfile.TemporaryDirectory(prefix="rows-", dir=_existing(folder.parent)) as scratch:
            rows = read_rows(
                sites,
                plan.crs_policy,
                crs=crs,
                encoding=encoding,
                repair=repair,
                width_m=width_m,
            )
            spool = Spool(Path(scratch) / "rows", rows)
            batch = _Batch(spool, plan, wishes, journal, chunk_size, plan_sha256(plan))
            batch.judge(runner, progress)
            summary = batch.finish(Path(scratch) / "answers", out, keep)
        journal.remove()
    return summary


def _runner(workers: int, dask: str | None) -> Runner:
    if workers < 1 or (dask is not None and workers > 1):
        raise ClaimError(
            f"workers 为 {workers}",
            expected="不小于 1 的整数；用 dask 集群时不写",
            advice="集群的工作进程数由 dask worker 决定",
        )
    if dask is not None:
        return Cluster(dask)
    return InProcess() if workers == 1 else ProcessPool(workers)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Give the folder of the journal: beside the output, or one that goes away."""
    if out is not None:
        yield out.with_name(f"{out.name}.batch")
        return
    with tempfile.TemporaryDirectory(prefix="wuqu-batch-") as folder:
        yield Path(folder) / "journal"


def _existing(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _day(journal: Journal) -> date:
    """Return the day that an interrupted batch was started on, so that it can go on; else today."""
    known = journal.day()
    try:
        return legal_day() if known is None else date.fromisoformat(known)
    except ValueError:
        return legal_day()


class _Batch:
    """One batch: rows, chunks and what is done of them."""

    def __init__(
        self,
        spool: Spool,
        plan: Plan,
        wishes: Wishes,
        journal: Journal,
        chunk_size: int,
        plan_hash: str,
    ) -> None:
        self.spool = spool
        self.plan = plan
        self.wishes = wishes
        self.journal = journal
        self.plan_hash = plan_hash
        self.chunks = chunks_of(spool.boxes, chunk_size)
        self.resumed = 0
        journal.open(
            Header(
                input=spool.sha256,
                plan=plan_hash,
                rulebook=plan.rulebook.sha256,
                as_of=wishes.as_of.isoformat(),
                wishes=wishes.to_dict(),
                chunk_size=chunk_size,
            )
        )

    def judge(self, runner: Runner, progress: Progress | None) -> None:
        """Judge all chunks that are not in the journal yet."""
        open_ = [n for n in range(len(self.chunks)) if self._lines(n) is None]
        done = self.resumed = len(self.spool) - sum(len(self.chunks[n]) for n in open_)
        tell = progress or (lambda *_: None)
        tell(done, len(self.spool))
        if not open_:
            return
        tasks = (Task(n, self._content(n, cropped=not runner.sees_files)) for n in open_)
        for found in runner.run(tasks, self._job(runner)):
            self.journal.add(found.number, self._completed(found.number, found.result))
            done += len(self.chunks[found.number])
            tell(done, len(self.spool))

    def _job(self, runner: Runner) -> Job:
        if not runner.sees_files:
            return CroppedPlan(self.wishes)
        if isinstance(runner, InProcess):
            return OpenPlan(self.plan, self.wishes)
        return PlanFolder(self.plan.root, self.plan_hash, self.wishes)

    def _lines(self, number: int) -> bytes | None:
        """Return the lines of a finished chunk, one for each of its rows."""
        lines = self.journal.chunk(number)
        whole = lines is not None and lines.count(b"\n") == len(self.chunks[number])
        return lines if whole else None

    def _content(self, number: int, *, cropped: bool) -> bytes:
        rows = self.spool.rows(self.chunks[number])
        if not cropped:
            return content_of(rows, self.spool.origins)
        box = box_of(self.spool.boxes[self.chunks[number]])
        return content_of(rows, self.spool.origins, self._cropper.crop(box), box)

    @cached_property
    def _cropper(self) -> Cropper:
        return Cropper(self.plan, self.wishes.as_of)

    def _completed(self, number: int, lines: bytes | None) -> bytes:
        """Return the lines of a chunk with those rows judged that its worker could not judge."""
        if lines is None:
            rows = self.spool.rows(self.chunks[number])
            return as_lines([refused(row, _LOST) for row in rows])
        if b'"again":true' not in lines:
            return lines
        numbers = self.chunks[number]
        kept = lines.splitlines(keepends=True)
        at = [n for n, line in enumerate(kept) if line.startswith(b'{"again":true')]
        rows = self.spool.rows(numbers[at])
        found = as_lines(judged(rows, self.spool.origins, self.plan, self.wishes))
        for n, line in zip(at, found.splitlines(keepends=True), strict=True):
            kept[n] = line
        return b"".join(kept)

    def finish(
        self,
        scratch: Path,
        out: Path | None,
        keep: Callable[[geopandas.GeoDataFrame], None] | None,
    ) -> Summary:
        """Put the result together, write it, and count what is in it."""
        chunks = ((numbers, self._finished(n)) for n, numbers in enumerate(self.chunks))
        answers = Answers(scratch, len(self.spool), chunks)
        count = Count()
        slices = self._slices(answers, count, keep)
        if out is not None:
            tables.write(slices, out)
        else:
            for _ in slices:
                pass
        return count.summary(self.wishes.as_of, self.resumed, out)

    def _finished(self, number: int) -> bytes:
        lines = self._lines(number)
        if lines is None:
            raise ClaimError(
                f"中间结果“{self.journal.folder.name}”在检测期间被改动",
                advice="不要同时用同一个输出文件运行两次；重新运行同一命令会补齐",
            )
        return lines

    def _slices(
        self,
        answers: Answers,
        count: Count,
        keep: Callable[[geopandas.GeoDataFrame], None] | None,
    ) -> Iterator[geopandas.GeoDataFrame]:
        in_force = self.plan.rulebook.in_force(self.wishes.as_of)
        names = tuple(sorted(rule.id for rule in in_force)) if self.wishes.rules else ()
        for part in frames(
            self.spool, answers, self.plan, rules=names, findings=self.wishes.findings
        ):
            count.add(part)
            if keep is not None:
                keep(part)
            yield part
