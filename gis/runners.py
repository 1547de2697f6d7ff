"""Who does the work of a batch: this process, a pool of processes, or a cluster?

Three runners with one interface: tasks go in, results come out in whatever order they are done.
A task and its result are bytes, so they look the same wherever the work was done. A worker that is
lost costs time and no result: its task is given to another one, and a task that kills every worker
that touches it is handed back as lost instead of stopping all others. Nothing is known here of
sites and plans.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

from gis.errors import ClaimError

Work = Callable[[bytes], bytes]
# Tasks that wait at each worker: one under work, one that is ready when it is done.
_AHEAD = 2
# How often a task may lose its worker before it is told to be the reason.
_LIVES = 3
_CONNECT_S = 10
# dask warns of every task with more; a crop of a county has tens of megabytes, and is needed once.
_WARN_FROM = {"distributed.admin.large-graph-warning-threshold": "1GB"}


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work: its number and what is needed for it."""

    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a task; ``result`` is None when every worker that had it was lost."""

    number: int
    result: bytes | None


class Job(Protocol):
    """What all tasks have in common; it is pickled once for each worker."""

    def start(self) -> Work:
        """Return what works off a task; called once in each worker, where it opens files."""
        ...


class Runner(Protocol):
    """What all runners offer."""

    @property
    def sees_files(self) -> bool:
        """Whether the workers see the files of this machine."""
        ...

    def run(self, tasks: Iterable[Task], job: Job) -> Iterator[Done]:
        """Yield each task once; tasks are drawn only as fast as they are worked off."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One task after another, here."""

    sees_files: bool = True

    def run(self, tasks: Iterable[Task], job: Job) -> Iterator[Done]:
        """Yield the results in the order of the tasks."""
        work = job.start()
        for task in tasks:
            yield Done(task.number, work(task.content))


# --- processes -----------------------------------------------------------------------------------

_STARTED: list[Work | Exception] = []


def _start(job: Job) -> None:
    # An exception here would look like a worker that was killed; it is told with the first task.
    try:
        _STARTED[:] = [job.start()]
    except Exception as problem:
        _STARTED[:] = [problem]


def _work(content: bytes) -> bytes:
    work = _STARTED[0]
    if isinstance(work, Exception):
        raise work
    return work(content)


@dataclass(frozen=True)
class ProcessPool:
    """Processes of this machine, started fresh, so that they inherit no thread and no lock."""

    workers: int
    sees_files: bool = True

    def run(self, tasks: Iterable[Task], job: Job) -> Iterator[Done]:
        """Yield the results as they come.

        When a process dies, nobody can tell which task did it. All that were under work are done
        again one by one, so that the guilty one is the only one that is counted.
        """
        waiting = iter(tasks)
        suspects: list[Task] = []
        while True:
            with self._pool(self.workers, job) as pool:
                yield from _drained(pool, waiting, self.workers * _AHEAD, suspects)
            if not suspects:
                return
            yield from self._one_by_one(suspects, job)
            suspects = []

    def _pool(self, workers: int, job: Job) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(workers, context, initializer=_start, initargs=(job,))

    def _one_by_one(self, tasks: list[Task], job: Job) -> Iterator[Done]:
        """Yield the results of tasks that have nothing beside them when a process dies."""
        waiting, lost = list(tasks), 0
        while waiting:
            with self._pool(1, job) as pool:
                try:
                    while waiting:
                        result = pool.submit(_work, waiting[0].content).result()
                        yield Done(waiting.pop(0).number, result)
                        lost = 0
                except BrokenProcessPool:
                    lost += 1
            if lost == _LIVES - 1:
                yield Done(waiting.pop(0).number, None)
                lost = 0


def _drained(
    pool: ProcessPoolExecutor, waiting: Iterator[Task], ahead: int, lost: list[Task]
) -> Iterator[Done]:
    """Yield the results of a pool until all is done or a process dies.

    ``lost`` takes the tasks that were under work when that happened.
    """
    under_work: dict[Future[bytes], Task] = {}
    while not lost:
        try:
            for task in islice(waiting, ahead - len(under_work)):
                lost.append(task)  # until the pool has taken it
                under_work[pool.submit(_work, task.content)] = lost.pop()
        except BrokenProcessPool:
            pass
        if not under_work:
            return
        finished, _ = wait(under_work, timeout=None, return_when=FIRST_COMPLETED)
        for future in sorted(finished, key=lambda f: under_work[f].number):
            task = under_work.pop(future)
            if isinstance(future.exception(), BrokenProcessPool):
                lost.append(task)
            else:
                yield Done(task.number, future.result())
    # The pool is broken: every other task of it ends the same way, some with a result before that.
    for future, task in under_work.items():
        if isinstance(future.exception(), BrokenProcessPool):
            lost.append(task)
        else:
            yield Done(task.number, future.result())


# --- a cluster -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """The workers of a dask scheduler; they need this package and nothing else, no shared disk."""

    address: str
    sees_files: bool = False

    def run(self, tasks: Iterable[Task], job: Job) -> Iterator[Done]:
        """Yield the results as they come; the scheduler gives the tasks of a lost worker to others.

        Raises
        ------
        ClaimError
            dask is not installed, or there is no scheduler with workers at the address.
        """
        client = _connected(self.address)
        try:
            yield from _gathered(client, iter(tasks), job)
        finally:
            client.close()


def _connected(address: str) -> Any:
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise ClaimError(
            "没有安装 dask", expected="附加包 distributed", advice="pip install 'wuqu[distributed]'"
        ) from None
    try:
        client: Any = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError):
        raise _unreachable(address) from None
    try:
        client.wait_for_workers(1, timeout=_CONNECT_S)
    except TimeoutError:
        client.close()
        raise _unreachable(address) from None
    return client


def _unreachable(address: str) -> ClaimError:
    return ClaimError(
        f"无法使用 dask 集群 {address}",
        expected="正在运行的调度器（形如 tcp://主机:8786）和至少一个工作进程",
        advice="先启动 dask scheduler 和 dask worker，核对地址和端口",
    )


def _gathered(client: Any, waiting: Iterator[Task], job: Job) -> Iterator[Done]:
    """Yield all results; what was lost with its worker is tried once more, nothing beside it.

    dask blames every task that a dying worker had, so only a task that is lost alone is guilty.
    """
    distributed: Any = importlib.import_module("distributed")
    sent = _Sent(client, pickle.dumps(job))
    ahead = max(sum(client.nthreads().values()), 1) * _AHEAD
    done = distributed.as_completed(
        (sent.send(t) for t in islice(waiting, ahead)), loop=client.loop
    )
    suspects: list[Task] = []
    for future in done:
        task, result = sent.result(future)
        if result is None:
            suspects.append(task)
        else:
            yield Done(task.number, result)
        for following in islice(waiting, 1):
            done.add(sent.send(following))
    for task in suspects:
        _, result = sent.result(sent.send(task))
        yield Done(task.number, result)


class _Sent:
    """The tasks that a cluster has, by the name of their future."""

    def __init__(self, client: Any, job: bytes) -> None:
        self._client = client
        self._job = job
        self._tasks: dict[str, Task] = {}

    def send(self, task: Task) -> Any:
        """Hand a task to the cluster and return its future."""
        # A key of its own: the content may have megabytes, and a name made of it would cost.
        key = f"wuqu-{uuid.uuid4().hex}"
        self._tasks[key] = task
        dask: Any = importlib.import_module("dask")
        with dask.config.set(_WARN_FROM):
            return self._client.submit(_there, self._job, task.content, key=key, pure=False)

    def result(self, future: Any) -> tuple[Task, bytes | None]:
        """Return a task with its result, None when it was lost with its workers."""
        task = self._tasks.pop(future.key)
        result = _result(future)
        future.release()
        return task, result


def _result(future: Any) -> bytes | None:
    scheduler: Any = importlib.import_module("distributed.scheduler")
    try:
        result: bytes = future.result()
    except scheduler.KilledWorker:
        return None
    except CancelledError:
        raise ClaimError(
            "与 dask 调度器的连接中断",
            advice="恢复集群后重新运行同一命令，已完成的部分不会重做",
        ) from None
    return result


@lru_cache(maxsize=4)
def _started(job: bytes) -> Work:
    # What a scheduler hands out is code as well as data: dask trusts it, and so do we.
    found: Job = pickle.loads(job)
    return found.start()


def _there(job: bytes, content: bytes) -> bytes:
    """Work off one task on a worker of a cluster; the job is started once in each."""
    return _started(job)(content)
