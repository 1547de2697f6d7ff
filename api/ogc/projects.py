"""The collection of projects: outlines of the layer joined with what the register says of them.

A feature is joined by the id that a project names, else by its name. What the register does not
have stays empty. The register is read when the service opens the plan.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from api.ogc.columns import Field, field_type, objects
from api.ogc.layers import LayerSource
from gis.errors import WuquError
from gis.model import LayerState
from gis.plan import Plan
from gis.plan.catalogue import Layer
from gis.portfolio.columns import COLUMNS
from gis.portfolio.project import Project, name_key
from gis.portfolio.register import load_projects

Array = np.ndarray[Any, Any]

# The layer has these itself, or they say where the outline comes from.
_LEFT_OUT = frozenset({"id", "name", "site_file", "site_feature"})
_JOINED = tuple(column for column in COLUMNS if column.name not in _LEFT_OUT)
_LOG = logging.getLogger("wuqu")


def project_sources(plan: Plan, hidden: frozenset[str]) -> dict[str, ProjectSource]:
    """Return the collections of project layers by id, without those that may not be shown."""
    return {
        layer_id: ProjectSource(plan, layer)
        for layer_id, layer in plan.layers.items()
        if layer.info.role == "project"
        and layer_id not in hidden
        and layer.state is LayerState.CHECKED
    }


class ProjectSource(LayerSource):
    """The features of a project layer with the columns of the register."""

    def __init__(self, plan: Plan, layer: Layer) -> None:
        super().__init__(plan, layer)
        self._projects = _projects(plan)

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields of the layer, then the columns of the register."""
        titles = {"project_id": "项目编号"} | {c.name: c.title for c in _JOINED}
        values = self._values
        own = super().fields
        return {n: Field(titles[n], field_type(values[n])) if n in titles else own[n] for n in own}

    @cached_property
    def _values(self) -> dict[str, Array]:
        index = self._index
        rows = [self._project(i, n) for i, n in zip(index.ids, index.names, strict=True)]
        joined = {c.name: _column(rows, c.name) for c in _JOINED}
        return {**super()._values, "project_id": _column(rows, "id"), **joined}

    def _project(self, feature_id: str, name: str | None) -> Project | None:
        by_feature = self._projects.get(f"feature {feature_id}")
        return by_feature or self._projects.get(f"name {name_key(name or '')}")


def _column(rows: list[Project | None], name: str) -> Array:
    values = [None if row is None else getattr(row, name) for row in rows]
    return objects([float(v) if isinstance(v, int) else v for v in values])


def _projects(plan: Plan) -> dict[str, Project]:
    """Return the projects by feature and by name; none where there is no register to read."""
    try:
        register = load_projects(plan)
    except WuquError as problem:
        _LOG.warning("projects are not joined: %s", problem)
        return {}
    found = {f"name {name_key(p.name)}": p for p in register.projects}
    return found | {f"feature {p.site_feature}": p for p in register.projects if p.site_feature}
