"""What of an answer of pygeoapi is sent? Its content, with links that lead somewhere.

pygeoapi links every page as HTML and JSON-LD too, which this service does not offer, and titles
links in English; addresses stand under a placeholder. The span of time of a collection is added
here, because that of the records grows while the service runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from api.answers import json_bytes
from api.ogc.columns import Field
from api.ogc.sources import PLACEHOLDER, Interval, Source

_FORMATS = ("text/html", "application/ld+json")
_OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
_JOB_LIST = f"{_OGC}job-list"
_TITLES = {
    "root": "服务首页",
    "self": "本页",
    "alternate": "本页的其他格式",
    "about": "选址合规性检测",
    "service-desc": "接口说明（OpenAPI）",
    "conformance": "符合的标准",
    "data": "图层集合",
    "items": "要素",
    "item": "要素",
    "collection": "所属集合",
    "next": "下一页",
    "prev": "上一页",
    f"{_OGC}schema": "字段",
    f"{_OGC}queryables": "可查询的字段",
    f"{_OGC}processes": "处理过程",
    f"{_OGC}execute": "执行",
    _JOB_LIST: "任务",
}


@dataclass(frozen=True, slots=True)
class Teller:
    """For whom an answer is rewritten.

    Parameters
    ----------
    base
        The address of ``/ogc`` as the client knows it.
    sources
        The collections that the caller may see.
    sees_jobs
        Whether the caller may have jobs.
    hidden
        Parameters of the request that pygeoapi did not see; links to other pages need them.
    """

    base: str
    sources: Mapping[str, Source]
    sees_jobs: bool
    hidden: Mapping[str, str]

    def told(self, content: str, fields: Mapping[str, Field] | None = None) -> bytes:
        """Return the JSON text of pygeoapi as it is sent.

        ``fields`` are those of the collection whose schema this is.
        """
        document = _without_dead_links(json.loads(content), self)
        if fields is not None:
            return json_bytes(_with_titles(document, fields))
        for holder in (document, *document.get("collections", ())):
            if "extent" in holder:
                holder["extent"] |= _in_time(self.sources[holder["id"]].interval)
        return json_bytes(document)


def _in_time(interval: Interval | None) -> dict[str, Any]:
    return {} if interval is None else {"temporal": {"interval": [list(interval)]}}


def _without_dead_links(document: dict[str, Any], teller: Teller) -> dict[str, Any]:
    """Return a document of pygeoapi with links to what there is; changes the document."""
    for holder in (document, *document.get("collections", ()), *document.get("processes", ())):
        links = holder.get("links")
        if links is not None:
            kept = (_link(link, teller) for link in links)
            holder["links"] = [link for link in kept if link is not None]
    if "$id" in document:
        document["$id"] = document["$id"].replace(PLACEHOLDER, teller.base, 1).partition("?")[0]
    return document


def _link(link: dict[str, Any], teller: Teller) -> dict[str, Any] | None:
    rel, kind = link["rel"], link.get("type", "")
    is_about = rel == "about"
    if rel not in _TITLES or (kind in _FORMATS and not is_about):
        return None
    if rel == _JOB_LIST and not teller.sees_jobs:
        return None
    href = link["href"].replace(PLACEHOLDER, teller.base, 1)
    if is_about:
        # The page of the service, beside this interface.
        href = teller.base.removesuffix("ogc")
    if teller.hidden and rel in ("self", "next", "prev"):
        href += ("&" if "?" in href else "?") + urlencode(teller.hidden)
    kept = {key: value for key, value in link.items() if key != "hreflang"}
    return {**kept, "href": href, "title": _TITLES[rel]}


def _with_titles(document: dict[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return a schema with the titles of its fields for people, and with the dates' format."""
    for name, row in document.get("properties", {}).items():
        if name in fields:
            row |= fields[name].schema
    return document
