"""Which collections and processes does a plan offer, and how does pygeoapi answer about them?

The configuration of pygeoapi is made from the opened plan and lives in memory: one for who may see
records, one for who may not. When another release of the plan comes into force, another service
takes the place of this one; a request goes on with the one that it began with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pygeoapi.api as core_api
from pygeoapi.api import API, APIRequest, itemtypes, processes

from api.access.roles import Role
from api.access.visit import Caller
from api.errors import QueryError
from api.examples import body_examples
from api.ogc import process, provider
from api.ogc.execution import SITE_CHECK
from api.ogc.layers import layer_sources
from api.ogc.projects import project_sources
from api.ogc.records import RECORDS, RecordSource
from api.ogc.references import CRS84, references, storage_uri
from api.ogc.sources import DEFAULT_LIMIT, PLACEHOLDER, Source
from gis.errors import NotFoundError
from gis.output.records import software_versions
from gis.plan import Plan

# What of pygeoapi is used, by the name of the route.
CALLS: Mapping[str, Callable[..., Any]] = {
    "landing_page": core_api.landing_page,
    "collections": core_api.describe_collections,
    "schema": core_api.get_collection_schema,
    "queryables": itemtypes.get_collection_queryables,
    "items": itemtypes.get_collection_items,
    "item": itemtypes.get_collection_item,
    "processes": processes.describe_processes,
}

_LOG = logging.getLogger("pygeoapi")
# It writes queries and coordinates, and a line for every request without an offset.
_LOG.setLevel(logging.CRITICAL + 1)


class PlanApi(API):  # type: ignore[misc]  # pygeoapi ships no types
    """pygeoapi, with errors of our own."""

    def __init__(self, config: dict[str, Any]) -> None:
        with _no_new_log():
            super().__init__(config, {})

    def get_exception(
        self, status: int, headers: Any, format_: Any, code: str, description: str
    ) -> Any:
        """Raise what the service answers everywhere; what was wrong has been said before, mostly.

        Raises
        ------
        NotFoundError, QueryError
            Always one of them.
        """
        del headers, format_
        if int(status) == 404 or code in ("NotFound", "NoSuchProcess"):
            raise NotFoundError(
                "没有这个图层集合或处理过程",
                expected="清单中的编号",
                advice="清单见 /ogc/collections 和 /ogc/processes",
            )
        wrong = next(
            (said for key, said in _WRONG.items() if key in str(description)), "参数不能采用"
        )
        raise QueryError(wrong, expected="接口说明中的写法", advice="说明见 /ogc/openapi")


_WRONG = {
    "CQL": "参数 filter 不是可识别的 ECQL 文本（关键字大写，文字用单引号，NOT 后不用括号）",
    "sort property": "参数 sortby 中有不能排序的字段",
    "unknown properties": "参数 properties 中有未知的字段",
    "CRS": "参数 crs 不是本集合提供的坐标系",
    "crs": "参数 crs 不是本集合提供的坐标系",
    "limit": "参数 limit 不能采用",
}


@contextmanager
def _no_new_log() -> Iterator[None]:
    """Keep pygeoapi from sending the log of the whole process to stdout, as it does by itself."""
    root, silent = logging.getLogger(), logging.NullHandler()
    root.addHandler(silent)
    try:
        yield
    finally:
        root.removeHandler(silent)


class PlanService:
    """What one plan offers.

    Parameters
    ----------
    plan
        An opened plan.
    hidden
        Layers above the secrecy ceiling.
    is_kept
        Whether answers of checks are recorded: one that is given later is read from its record.
    """

    def __init__(self, plan: Plan, hidden: frozenset[str], *, is_kept: bool) -> None:
        self.plan = plan
        self.known = references(plan)
        layers = {**layer_sources(plan, hidden), **project_sources(plan, hidden)}
        self._sources: dict[bool, Mapping[str, Source]] = {
            False: {**layers},
            # No layer has this id: a package with one is refused (``gis.plan.schema``).
            True: {**layers, RECORDS: RecordSource(plan)},
        }
        self._apis = {deep: PlanApi(self._config(deep)) for deep in self._sources}
        for api in self._apis.values():
            # Its manager runs nothing here; this is what it says of every process.
            api.manager.is_async = is_kept

    def sources(self, caller: Caller) -> Mapping[str, Source]:
        """Return the collections that a caller may see, by id."""
        return self._sources[_sees_records(caller)]

    def source(self, collection: str, caller: Caller) -> Source:
        """Return one collection; raise NotFoundError when there is none for the caller."""
        found = self.sources(caller).get(collection)
        if found is None:
            raise NotFoundError(
                "没有这个图层集合", expected="清单中的编号", advice="清单见 /ogc/collections"
            )
        return found

    def ask(
        self, caller: Caller, name: str, parameters: Mapping[str, str], *given: str
    ) -> tuple[Mapping[str, str], str]:
        """Let pygeoapi answer; return its headers and its JSON text.

        Parameters
        ----------
        name
            One of ``CALLS``.
        parameters
            What the client asked for, checked.
        given
            What stands in the path.
        """
        api = self._apis[_sees_records(caller)]
        # Language and format are not negotiated: an answer is Chinese and JSON.
        request = APIRequest(_Given({"f": "json", **parameters}), api.locales)
        headers, _, content = CALLS[name](api, request, *given)
        return headers, content

    def _config(self, deep: bool) -> dict[str, Any]:
        ref = self.plan.ref
        resources: dict[str, Any] = {
            name: self._collection(name, source) for name, source in self._sources[deep].items()
        }
        if deep:
            example = body_examples(self.plan)["application/geo+json"]
            processor = {"name": process.NAME, "example": example}
            resources[SITE_CHECK] = {"type": "process", "processor": processor}
        return {
            "server": {
                "url": PLACEHOLDER,
                "mimetype": "application/json; charset=UTF-8",
                "encoding": "utf-8",
                "languages": ["zh-CN"],
                "limits": {"default_items": DEFAULT_LIMIT, "max_items": DEFAULT_LIMIT},
                "pretty_print": False,
            },
            "logging": {"level": "CRITICAL"},
            "metadata": {
                "identification": {
                    "title": ref.title,
                    "description": (
                        f"规划版本 {ref.version}，状态：{self.plan.status_label}。{ref.status_note}"
                    ),
                    "keywords": [ref.title],
                    "url": PLACEHOLDER,
                },
                "software": software_versions()["wuqu"],
            },
            "resources": resources,
        }

    def _collection(self, name: str, source: Source) -> dict[str, Any]:
        return {
            "type": "collection",
            "title": source.title,
            "description": source.description,
            "keywords": list(source.keywords),
            "links": [],
            "extents": {"spatial": {"bbox": list(source.extent), "crs": CRS84}},
            "limits": {"default_items": DEFAULT_LIMIT, "max_items": source.most},
            "providers": [
                {
                    "type": "feature",
                    "name": provider.NAME,
                    "data": name,
                    "title_field": "name",
                    # What the list of queryables tells.
                    "properties": [n for n, f in source.fields.items() if f.is_queryable],
                    "crs": list(self.known),
                    "storage_crs": storage_uri(self.plan),
                }
            ],
        }


def _sees_records(caller: Caller) -> bool:
    """Whether somebody works with sites: checks them and sees the records of that."""
    return caller.role.covers(Role.clerk)


class _Given:
    """A request as pygeoapi takes it apart: parameters, and no header of the client."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.args = dict(parameters)
        self.headers: dict[str, str] = {}
        self.path_info = ""
