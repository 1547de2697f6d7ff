"""What of an answer of pygeoapi is sent? Its content, with links that lead somewhere.

pygeoapi links every page as HTML and JSON-LD too, which this service does not offer, and titles
links in English; addresses stand under a placeholder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from api.answers import json_bytes
from api.ogc.columns import Field
from api.ogc.sources import PLACEHOLDER

_FORMATS = ("text/html", "application/ld+json")
_OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
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
}


def without_dead_links(
    document: dict[str, Any], base: str, hidden: Mapping[str, str]
) -> dict[str, Any]:
    """Return a document of pygeoapi with links to what there is; changes the document.

    Parameters
    ----------
    base
        The address of ``/ogc`` as the client knows it.
    hidden
        Parameters of the request that pygeoapi did not see; links to other pages need them.
    """
    for holder in (document, *document.get("collections", ()), *document.get("processes", ())):
        links = holder.get("links")
        if links is not None:
            kept = (_link(link, base, hidden) for link in links)
            holder["links"] = [link for link in kept if link is not None]
    if "$id" in document:
        document["$id"] = document["$id"].replace(PLACEHOLDER, base, 1).partition("?")[0]
    return document


def _link(link: dict[str, Any], base: str, hidden: Mapping[str, str]) -> dict[str, Any] | None:
    rel, kind = link["rel"], link.get("type", "")
    is_about = rel == "about"
    if rel not in _TITLES or (kind in _FORMATS and not is_about):
        return None
    href = link["href"].replace(PLACEHOLDER, base, 1)
    if is_about:
        # The page of the service, beside this interface.
        href = base.removesuffix("ogc")
    if hidden and rel in ("self", "next", "prev"):
        href += ("&" if "?" in href else "?") + urlencode(hidden)
    kept = {key: value for key, value in link.items() if key != "hreflang"}
    return {**kept, "href": href, "title": _TITLES[rel]}


def with_titles(document: dict[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return a schema with the titles of its fields for people, and with the dates' format."""
    for name, row in document.get("properties", {}).items():
        if name in fields:
            row |= fields[name].schema
    return document


def answer_bytes(
    content: str,
    base: str,
    hidden: Mapping[str, str],
    fields: Mapping[str, Field] | None = None,
) -> bytes:
    """Return the JSON text of pygeoapi as it is sent."""
    document = without_dead_links(json.loads(content), base, hidden)
    return json_bytes(document if fields is None else with_titles(document, fields))
