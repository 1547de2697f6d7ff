"""How is a plan package written from what was found and answered? Once, whole, and with its doubts.

Every layer becomes a GeoPackage of its own in the CRS that it came in, all fields and features
kept; the files that were given stay as they are. What could not be told stands in ``plan.toml`` as
a comment beside the layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from pyproj import CRS

from gis.errors import ClaimError
from gis.files import free_folder, whole_folder, write_gpkg
from gis.plan.area import PLAN_FILE, Plan, load_plan
from gis.plan.new.found import look
from gis.plan.new.proposal import (
    Proposed,
    accepted_crs,
    bounds_of,
    is_chinese,
    propose,
    work_crs,
)
from gis.plan.new.questions import Answers, Question
from gis.plan.schema import PlanFile

_FOLDER = "layers"
_HOW = {
    "name": "按图层名识别",
    "word": "按中文名识别",
    "fields": "按字段识别",
    "answer": "按回答收录",
}
# Layers that say something of every place: where they have nothing, nothing is known.
_COVERAGES = ("landuse", "planned_use", "ownership", "zone", "district")
_ID = re.compile(r"[a-z0-9][a-z0-9-]*")
_DRAFT = "由 wuqu plan new 生成的草案，图层角色、字段和坐标系尚未逐项核对。"


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A package to be: header and layers, what was passed over, and the questions."""

    header: dict[str, Any]
    layers: tuple[Proposed, ...]
    passed: tuple[str, ...]
    answers: Answers

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "plan": dict(self.header),
            "layers": [_layer_row(p) for p in self.layers],
            "passed_over": list(self.passed),
            "questions": [
                q.to_dict() | {"answer": self.answers.taken[q.key], "open": q in self.answers.open}
                for q in self.answers.asked
            ],
        }


def _layer_row(p: Proposed) -> dict[str, Any]:
    return {
        "id": p.id,
        "title": p.title,
        "role": p.role,
        "geometry": p.found.geometry,
        "features": len(p.found.frame),
        "from": p.found.shown,
        "recognised_by": p.by,
        "fields": dict(p.fields),
        "scheme": "/".join(p.scheme) if p.scheme else None,
        "crs": _crs_label(p.crs),
        "vintage": p.vintage,
        "encoding": p.found.encoding or None,
        "notes": list(p.notes),
    }


def new_plan(
    folder: str | Path,
    layers: str | Path | Sequence[str | Path],
    *,
    answers: Mapping[str, str] | None = None,
) -> Plan:
    """Make a plan package of layers, and open it.

    Parameters
    ----------
    folder
        Where the package is written; must not exist yet, or be empty.
    layers
        Files and folders of layers; they stay as they are.
    answers
        Answers by the key of their question (``layer.data1``, ``crs``, ``plan.title``); questions
        without one take their default. ``plan_new(…).to_dict()["questions"]`` lists them.

    Returns
    -------
    plan
        The package, opened; status ``draft``. What is in doubt stands in its ``plan.toml``.

    Raises
    ------
    ClaimError
        Nothing usable was found, an answer makes no sense, or the folder is in use.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import gis
    >>> with tempfile.TemporaryDirectory() as desk:
    ...     plan = gis.new_plan(Path(desk) / "county", "data/shapefiles/DLTB.shp")
    >>> plan.with_role("landuse")[0].info.scheme, plan.status_label
    ('三调', '草案')
    """
    given = [layers] if isinstance(layers, str | Path) else layers
    free_folder(Path(folder))
    told = plan_new([Path(path) for path in given], Path(folder).name, Answers(answers or {}, None))
    return load_plan(write_package(told, Path(folder)))


def plan_new(given: Sequence[Path], name: str, answers: Answers) -> NewPlan:
    """Look at layers and say what the package would be; nothing is written.

    Parameters
    ----------
    given
        Files and folders.
    name
        Of the folder of the package; id and title follow it unless answered.
    answers
        What is answered already; questions that stay open have their default.

    Raises
    ------
    ClaimError
        Nothing usable was found, or an answer makes no sense.
    """
    found, passed = look(given)
    layers = propose(found, answers)
    if not layers:
        raise ClaimError("没有收录任何图层", advice="至少为一个图层回答它的角色")
    bounds = bounds_of(layers)
    work = work_crs(layers, bounds, answers)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "plan"
    ident = Question("plan.id", "规划数据包的编号（小写字母、数字、-）？", slug, check=_id_fault)
    title = Question("plan.title", "规划的名称？", name)
    header = {
        "id": answers.to(ident),
        "version": "1",
        "title": answers.to(title),
        "status": "draft",
        "status_note": _DRAFT,
        "work_crs": f"EPSG:{work}",
        "accepted_crs": [f"EPSG:{code}" for code in accepted_crs(work, bounds)],
        "bounds": [round(v, 4) for v in bounds],
        "rulebooks": ["cn"] if is_chinese(bounds) else [],
    }
    answers.check_known()
    return NewPlan(header, tuple(layers), tuple(passed), answers)


def _id_fault(answer: str) -> str:
    return "" if _ID.fullmatch(answer) else f"编号“{answer}”应由小写字母、数字和 - 组成"


def write_package(plan: NewPlan, folder: Path) -> Path:
    """Write the package; return its folder. It appears whole or not at all.

    Raises
    ------
    ClaimError
        The folder is in use.
    OSError
        The disk refuses.
    """
    target = free_folder(folder)
    text = _plan_text(plan)
    # What was written is read before anybody relies on it.
    PlanFile.model_validate(tomlkit.parse(text).unwrap())
    with whole_folder(target) as made:
        (made / _FOLDER).mkdir()
        for layer in plan.layers:
            frame = layer.found.frame
            frame = frame if frame.crs is not None else frame.set_crs(layer.crs)
            write_gpkg({layer.id: frame}, made / _FOLDER / f"{layer.id}.gpkg")
        (made / PLAN_FILE).write_text(text, encoding="utf-8")
    return target


def _plan_text(plan: NewPlan) -> str:
    document = tomlkit.document()
    document.add(tomlkit.comment("规划数据包，写法见 docs/plan-package.md。"))
    for line in plan.passed:
        document.add(tomlkit.comment(line))
    head = tomlkit.table()
    for key, value in plan.header.items():
        head.add(key, value)
    document.add("plan", head)
    whole = next((p.id for p in plan.layers if p.role == "planning_area"), "bounds")
    rows = tomlkit.aot()
    for layer in plan.layers:
        rows.append(_layer_table(layer, whole))
    document.add("layer", rows)
    return tomlkit.dumps(document)


def _layer_table(layer: Proposed, whole: str) -> Any:
    table = tomlkit.table()
    table.add(tomlkit.comment(f"{_HOW[layer.by]}：{layer.found.shown}"))
    for note in layer.notes:
        table.add(tomlkit.comment(f"待核：{note}"))
    if layer.role not in (*_COVERAGES, "planning_area") and whole != "bounds":
        table.add(tomlkit.comment("待核：在规划范围内没有图形之处，按“已查、没有”处理"))
    fields = tomlkit.inline_table()
    fields.update(layer.fields)
    row = {
        "id": layer.id,
        "title": layer.title,
        "path": f"{_FOLDER}/{layer.id}.gpkg",
        "role": layer.role,
        "geometry": layer.found.geometry,
        **({"fields": fields} if layer.fields else {}),
        **({"scheme": layer.scheme[0], "edition": layer.scheme[1]} if layer.scheme else {}),
        "vintage": layer.vintage,
        "status": "draft",
        "coverage": _coverage(layer, whole),
        "source": layer.found.shown,
    }
    for key, value in row.items():
        table.add(key, value)
    return table


def _coverage(layer: Proposed, whole: str) -> str:
    if layer.role == "planning_area":
        return "bounds"
    return layer.id if layer.role in _COVERAGES else whole


def _crs_label(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.name
