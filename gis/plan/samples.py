"""The sample sites that a plan package brings along, with the use that each is checked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gis.plan.area import Plan
from gis.tomlfile import read_model

SAMPLES_FILE = Path("samples") / "samples.toml"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample file with the use and attributes of its project, and the day it is checked for.

    ``width_m`` is the width of the corridor when the file holds a line.
    """

    path: Path
    name: str
    use: str | None
    attributes: dict[str, object]
    note: str
    as_of: date
    width_m: float | None = None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str
    name: str
    use: str | None = None
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    attrs: dict[str, str | int | float | bool] = {}
    note: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    as_of: date
    sample: tuple[_Entry, ...]


def load_samples(plan: Plan) -> tuple[Sample, ...]:
    """Return the samples of a plan package in file order; none when it has no samples."""
    path = plan.root / SAMPLES_FILE
    if not path.exists():
        return ()
    listed = read_model(path, _File, shown=str(SAMPLES_FILE))
    return tuple(
        Sample(path.parent / e.file, e.name, e.use, dict(e.attrs), e.note, listed.as_of, e.width)
        for e in listed.sample
    )
