"""What pygeoapi asks of a store of features, answered by a collection of the request at hand.

pygeoapi makes a new provider for every request and gives it nothing of the request; the collection
comes from ``ASKING``. So a provider holds no plan, and a request is answered by the release that it
began with.
"""

from __future__ import annotations

from typing import Any

from pygeoapi.provider.base import BaseProvider

from api.ogc.references import Reference
from api.ogc.sources import ASKING, Feature, Wanted

NAME = f"{__name__}.CatalogueProvider"


class CatalogueProvider(BaseProvider):  # type: ignore[misc]  # pygeoapi ships no types
    """One collection for one request; read only."""

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        asking = ASKING.get()
        self._asking = asking
        self._source = asking.sources[provider_def["data"]]
        self._storage = asking.known[provider_def["storage_crs"]]
        self.get_fields()

    def get_fields(self) -> dict[str, Any]:
        """Return the attributes as JSON Schema; new objects, because pygeoapi changes them."""
        self._fields = {name: field.schema for name, field in self._source.fields.items()}
        return self._fields

    def query(
        self,
        offset: int = 0,
        limit: int = 1000,
        resulttype: str = "results",
        properties: list[tuple[str, str]] | None = None,
        sortby: list[dict[str, str]] | None = None,
        select_properties: list[str] | None = None,
        skip_geometry: bool = False,
        crs_transform_spec: Any = None,
        filterq: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        """Return one page of features; box and dates come with the request."""
        wanted = Wanted(
            reference=self._reference(crs_transform_spec),
            box=self._asking.box,
            period=self._asking.period if self._source.has_dates else None,
            equals=tuple(properties or ()),
            condition=filterq,
            sort=tuple((s["property"], s["order"] == "-") for s in sortby or ()),
            shown=tuple(select_properties or ()),
            has_geometry=not skip_geometry,
            is_count=resulttype == "hits",
            offset=offset,
            limit=limit,
        )
        page = self._source.page(wanted)
        return {
            "type": "FeatureCollection",
            "features": page.features,
            "numberMatched": page.matched,
            "numberReturned": len(page.features),
        }

    def get(self, identifier: str, crs_transform_spec: Any = None, **_: Any) -> Feature:
        """Return one feature."""
        return self._source.item(identifier, self._reference(crs_transform_spec))

    def _reference(self, spec: Any) -> Reference:
        """Return the CRS to write: that of a transformation, else the one of the store.

        The transformation is ours, not the decorator of pygeoapi: that one takes the features one
        by one from GeoJSON to shapes and back, and knows the CRS of the store only in the order of
        its axes.
        """
        return self._storage if spec is None else self._asking.known[spec.target_crs_uri]
