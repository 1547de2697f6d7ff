"""Numbers that no text has published: who declared them, and what does the plan fill in?

A rule refers to them as limits. The loader puts title and value into the rules, so that the
kinds see one number, or none; a limit without value leaves its rule undetermined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from gis.model import Parameter
from gis.rulebook.schema import Limit, RuleFile

_Model = TypeVar("_Model", bound=BaseModel)


def parameters_of(files: Iterable[RuleFile]) -> dict[str, Parameter]:
    """Return every declared parameter by id, with the value that some file gives it."""
    read = list(files)
    values = {v.parameter: v for f in read for v in f.parameter_value}
    return {
        p.id: Parameter(
            p.id,
            p.title,
            p.unit,
            values[p.id].value if p.id in values else None,
            values[p.id].source if p.id in values else "",
            p.note,
        )
        for f in read
        for p in f.parameter
    }


def filled(model: _Model, parameters: Mapping[str, Parameter]) -> _Model:
    """Return a rule whose limits carry title and value of the parameters they name."""
    changed = {
        name: new
        for name in type(model).model_fields
        if (new := _filled(old := getattr(model, name), parameters)) is not old
    }
    return model.model_copy(update=changed) if changed else model


def _filled(value: Any, parameters: Mapping[str, Parameter]) -> Any:
    if isinstance(value, Limit):
        if not value.parameter:
            return value
        known = parameters[value.parameter]
        return value.model_copy(update={"value": known.value, "title": known.title})
    if isinstance(value, BaseModel):
        return filled(value, parameters)
    if isinstance(value, tuple):
        new = tuple(_filled(item, parameters) for item in value)
        return value if all(a is b for a, b in zip(new, value, strict=True)) else new
    return value
