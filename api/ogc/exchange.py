"""One request to ``/ogc``: by which plan, to which address, with which parameters is it answered?

pygeoapi is loaded with the first request, in a thread: who does not use it does not wait for it.
A request is answered by the plan of its own state, from its first line to its last.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access.roles import Role
from api.access.visit import Visit
from api.answers import GEOJSON_TYPE
from api.deps import State, StateDep, VisitDep
from api.errors import QueryError
from api.ogc.answers import Teller
from api.ogc.query import OWN, parse_box, parse_period, read_parameters, reference_of
from api.ogc.sources import ASKING, Asking, Source
from gis.errors import CrsError, ExtraError

if TYPE_CHECKING:
    from api.ogc.service import PlanService

JSON_TYPE, SCHEMA_TYPE = "application/json", "application/schema+json"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?", re.ASCII)


class OgcApi:
    """Keeps the service of the plan in use."""

    def __init__(self) -> None:
        self._kept: PlanService | None = None
        self._making = asyncio.Lock()

    async def of(self, state: State, is_current: Callable[[], bool]) -> PlanService:
        """Return the service of the plan of a state; made anew when it is another plan.

        Parameters
        ----------
        state
            That of the request.
        is_current
            Whether new requests get this state too: that of an earlier plan is not kept.

        Raises
        ------
        ExtraError
            pygeoapi is not installed.
        """
        if (kept := self._fitting(state)) is not None:
            return kept
        async with self._making:
            if (kept := self._fitting(state)) is not None:
                return kept
            made = await run_in_threadpool(_service, state)
            if is_current():
                self._kept = made
            return made

    def forget(self) -> None:
        """Let go of the service, and of the plan that it belongs to."""
        self._kept = None

    def _fitting(self, state: State) -> PlanService | None:
        kept = self._kept
        return kept if kept is not None and kept.plan is state.plan else None


def _service(state: State) -> PlanService:
    if importlib.util.find_spec("pygeoapi") is None:
        raise ExtraError(
            "没有安装 pygeoapi，不能提供 OGC API",
            expected="带 ogc 组件的安装",
            advice='运行 pip install "wuqu[ogc]" 后重启服务',
        )
    module = importlib.import_module("api.ogc.service")
    made: PlanService = module.PlanService(
        state.plan, state.hidden_layers, is_kept=state.settings.records
    )
    return made


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what it is answered by."""

    request: Request
    state: State
    visit: Visit
    service: PlanService

    @property
    def base(self) -> str:
        """The address of ``/ogc`` as the client knows it.

        ``WUQU_PUBLIC_URL`` goes before; without it the host that the client asked for, which only
        its own answer repeats.
        """
        settings = self.state.settings
        if settings.public_url:
            return f"{settings.public_url.rstrip('/')}/ogc"
        host = self.request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            host = f"{settings.host}:{settings.port}"
        return f"{'https' if self.visit.is_secure else 'http'}://{host}/ogc"

    @property
    def sources(self) -> Mapping[str, Source]:
        """The collections that the caller may see."""
        return self.service.sources(self.visit.caller)

    @property
    def sees_jobs(self) -> bool:
        """Whether the caller may check sites, and so have jobs."""
        return self.visit.caller.role.covers(Role.clerk)

    def source(self, collection_id: str) -> Source:
        """Return one collection; raise NotFoundError when there is none for the caller."""
        return self.service.source(collection_id, self.visit.caller)

    def parameters(self, allowed: Collection[str]) -> dict[str, str]:
        """Return the parameters of the request; raise QueryError for what cannot be used."""
        found = read_parameters(self.request.query_params.multi_items(), allowed)
        if "crs" in found:
            reference_of(found["crs"], self.service.known, "crs")
        return found

    async def answer(
        self,
        name: str,
        parameters: Mapping[str, str],
        *given: str,
        media_type: str = JSON_TYPE,
        described: Source | None = None,
    ) -> Response:
        """Let pygeoapi answer in a thread, and send what it says.

        Parameters
        ----------
        name, given
            Those of ``PlanService.ask``.
        described
            The collection whose attributes the answer describes.
        """
        hidden = {key: value for key, value in parameters.items() if key in OWN}
        shown = {key: value for key, value in parameters.items() if key not in OWN}
        asking = self._asking(parameters)
        teller = Teller(self.base, self.sources, self.sees_jobs, hidden)
        fields = described.fields if described else None

        def work() -> tuple[Mapping[str, str], bytes]:
            ASKING.set(asking)
            headers, content = self.service.ask(self.visit.caller, name, shown, *given)
            return headers, teller.told(content, fields)

        try:
            headers, content = await run_in_threadpool(work)
        except CrsError as error:
            raise QueryError(error.found, expected=error.expected, advice=error.advice) from None
        sent = {"Content-Language": "zh-CN"}
        if media_type == GEOJSON_TYPE:
            sent["Content-Crs"] = headers["Content-Crs"]
        return Response(content, headers=sent, media_type=media_type)

    def _asking(self, parameters: Mapping[str, str]) -> Asking:
        known = self.service.known
        box = parse_box(parameters, known)
        period = parse_period(parameters.get("datetime"))
        return Asking(self.state, self.visit, self.sources, known, box, period)


async def _exchange(request: Request, state: StateDep, visit: VisitDep) -> Exchange:
    app = request.app.state
    kept: OgcApi = app.ogc
    service = await kept.of(state, lambda: bool(app.wuqu.plan is state.plan))
    return Exchange(request, state, visit, service)


ExchangeDep = Annotated[Exchange, Depends(_exchange)]
