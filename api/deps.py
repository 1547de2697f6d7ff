"""What does an endpoint need from the app? Plan, records and settings, each named once.

All dependencies are ``async``: FastAPI would run plain ones in a thread for every request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api.access.control import AccessControl
from api.access.visit import Visit, visit_of
from api.following import Following
from api.heavy import HeavyWork
from api.metrics import Metrics
from api.options import unknown_parameters
from api.recording import Recorder
from api.settings import Settings
from api.watching import Watching
from gis.errors import PlanError
from gis.jobs.crew import Crew
from gis.jobs.store import JobStore
from gis.model import may_show
from gis.output.export import without_geometry_of
from gis.output.records import Record, RecordStore, Snapshot
from gis.output.records.described import decision_sentence
from gis.output.records.snapshot import snapshot_of
from gis.plan import Plan
from gis.plan.samples import Sample, load_samples

_LOG = logging.getLogger("wuqu")


@dataclass
class State:
    """What one process holds while it runs, for one plan; opened at start-up.

    When another release comes into force, a new one takes its place (``on``); requests under way
    keep theirs.
    """

    settings: Settings
    plan: Plan
    store: RecordStore
    access: AccessControl
    metrics: Metrics
    jobs: JobStore
    crew: Crew
    following: Following | None = None
    pages: dict[str, str] = field(default_factory=dict)
    ground: bytes | None = None
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)
    measuring: asyncio.Lock = field(default_factory=asyncio.Lock)
    portfolio: Any = None  # the last one, see ``api.projects``
    portfolio_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @cached_property
    def heavy(self) -> HeavyWork:
        """The threads for checks that take long."""
        chosen = self.settings
        return HeavyWork(
            chosen.heavy_checks, chosen.heavy_waiting, chosen.heavy_wait_s, self.metrics.queue
        )

    @cached_property
    def watching(self) -> Watching:
        """Who is told how jobs go on."""
        return Watching(self.jobs, self.settings.job_streams)

    @cached_property
    def recorder(self) -> Recorder:
        """Who keeps the answers, many requests at a time."""
        return Recorder(self.store)

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The sample sites of the plan package; none when their list cannot be read."""
        try:
            return load_samples(self.plan)
        except PlanError as error:
            # The desk works without samples, so a mistake in their list must not close it.
            _LOG.warning("samples are not offered: %s", error)
            return ()

    @cached_property
    def hidden_layers(self) -> frozenset[str]:
        """Layers whose coordinates no answer may show."""
        ceiling = self.settings.secrecy
        infos = [layer.info for layer in self.plan.layers.values()]
        return frozenset(i.id for i in infos if not may_show(i.secrecy, ceiling))

    def on(self, plan: Plan) -> State:
        """Return the same service on another plan: nothing that was made of this one is kept."""
        new = replace(
            self,
            plan=plan,
            pages={},
            ground=None,
            drawing=asyncio.Lock(),
            measuring=asyncio.Lock(),
            portfolio=None,
            portfolio_lock=asyncio.Lock(),
        )
        # The limits and the one who writes are those of the process, whatever the plan.
        same = {"heavy": self.heavy, "recorder": self.recorder, "watching": self.watching}
        new.__dict__.update(same)
        return new

    async def citing(self, version: str) -> State:
        """Return the service on the release that an earlier answer cites, to draw or prove it.

        The same service where the answer is of the release in use, or that one is gone.
        """
        if self.following is None or version == self.plan.ref.version:
            return self
        older = await self.following.older(version)
        return self if older is None else self.on(older)

    def showable(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a check document without coordinates of hidden layers.

        Of a layer that only an earlier release had nobody can say any more how secret it is.
        """
        gone = {row["id"] for row in document["layers"]} - self.plan.layers.keys()
        return without_geometry_of(document, self.hidden_layers | gone)

    async def manual(self, record: Record) -> tuple[str, ...]:
        """Return what officers decided beside the answer of a check, a sentence each."""
        found = await run_in_threadpool(self.store.decisions, record.id)
        return tuple(decision_sentence(decision) for decision in found)

    def snapshot(self) -> Snapshot:
        """Return what an answer that is given now rests on."""
        return snapshot_of(self.plan)

    async def record(self, check_id: str, visit: Visit) -> Record:
        """Return the record of a check.

        Raises
        ------
        NotFoundError
            There is none, or the caller may not see it: the answer does not tell which.
        """
        visit.note(check_id)
        return await run_in_threadpool(self.store.get, check_id, visit.caller.may_see)

    async def document(self, check_id: str, visit: Visit) -> dict[str, Any]:
        """Return the stored document of a check; raises what ``record`` raises."""
        return self.showable((await self.record(check_id, visit)).document)


async def _state(request: Request) -> State:
    # One request, one plan: another release may come into force before the answer is written.
    held: State | None = getattr(request.state, "wuqu_held", None)
    if held is None:
        held = request.state.wuqu_held = request.app.state.wuqu
    return held


async def _plan(request: Request) -> Plan:
    return (await _state(request)).plan


async def _store(request: Request) -> RecordStore:
    return (await _state(request)).store


async def _visit(request: Request) -> Visit:
    return visit_of(request)


async def refuse_unknown_query(request: Request) -> None:
    """Raise ClaimError when the query has a parameter that the endpoint does not know.

    A misspelt parameter that is ignored gives a confident answer to another question.
    """
    allowed = [field.alias for field in request.scope["route"].dependant.query_params]
    unknown = sorted(set(request.query_params) - set(allowed))
    if unknown:
        raise unknown_parameters(unknown, allowed)


StateDep = Annotated[State, Depends(_state)]
PlanDep = Annotated[Plan, Depends(_plan)]
StoreDep = Annotated[RecordStore, Depends(_store)]
VisitDep = Annotated[Visit, Depends(_visit)]
KnownQuery = Depends(refuse_unknown_query)
