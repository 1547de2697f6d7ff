"""How is a scenario kept? As a plan package with the status ``draft``, complete in itself.

A copy of the package, in which the layers that were changed stand as GeoPackages in the work CRS,
``plan.toml`` says that this is a draft, and ``scenario.toml`` says of what and how it differs. So
every command, map and service works on a scenario as on any plan, and none takes it for the plan in
force.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import shapely
import tomlkit
from pydantic import BaseModel, ConfigDict
from shapely.geometry.base import BaseGeometry

from gis.errors import ClaimError, NotFoundError, PlanError
from gis.files import free_folder, whole_folder, write_gpkg
from gis.intake.read import read_sites
from gis.model import LayerState, Site
from gis.plan.area import PLAN_FILE, Plan, load_plan
from gis.plan.catalogue import put_right, stored
from gis.plan.releases.manifest import REGISTER, members
from gis.plan.schema import LayerEntry, PlanFile
from gis.plan.sources.files import read_file
from gis.plan.sources.postgis import databases_of
from gis.plan.sources.stored import LayerAbsentError, LayerUnusableError, Stored
from gis.scenario.changes import Change, check_change, frame_of, with_land
from gis.tomlfile import read_model

SCENARIO_FILE = "scenario.toml"
_FOLDER = "scenario"
_DRAFT_NOTE = "情景草案，不是现行规划，不能作为行政审批依据。"
# Where a changed layer stood before.
_OLD_PLACE = ("postgis", "table", "geometry_column", "encoding")


class ChangeEntry(BaseModel):
    """One change as ``scenario.toml`` lists it; ``land`` is its outline as WKT in the work CRS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: str
    how: Literal["add", "remove", "replace"]
    cls: str = ""
    name: str = ""
    features: int
    land: str = ""


class ScenarioFile(BaseModel):
    """What ``scenario.toml`` says: the plan that the draft was made from, and what was changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    plan: str
    version: str
    work_crs: int
    change: tuple[ChangeEntry, ...]


@dataclass(slots=True)
class _Edited:
    """A layer of the scenario: what the plan says of it, and its features so far."""

    entry: LayerEntry
    raw: Stored


def make_scenario(
    plan: Plan,
    folder: str | Path,
    changes: Sequence[Change],
    *,
    title: str,
    version: str | None = None,
) -> Plan:
    """Save the plan with changed layers as a package of its own, and open it.

    Parameters
    ----------
    plan
        The plan that is changed; it stays as it is.
    folder
        Where the package is written; must not exist yet, or be empty.
    changes
        In order; several may concern one layer: farmland taken off here and added there.
    title
        What the scenario is called in answers, maps and tables.
    version
        Default the plan's version with ``+`` and the folder's name.

    Returns
    -------
    scenario
        The package, opened from the folder; status ``draft``.

    Raises
    ------
    ClaimError
        No changes, a change that names nothing or changes nothing, or a folder that is in use.
    InputError
        The file of a change cannot be read as land.
    PlanError
        The layer that is changed cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from shapely.geometry import box
    >>> import gis
    >>> plan = gis.load_plan()
    >>> west, south, east, north = plan.layer("farmland").index.geometries[0].bounds
    >>> land = box(west, south, west + 100, south + 100)
    >>> change = gis.Change("farmland", "remove", land)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draft = gis.make_scenario(plan, Path(folder) / "less", [change], title="退出")
    >>> draft.ref.status, draft.ref.version
    ('draft', '2026.11+less')
    """
    target = free_folder(Path(folder))
    if not changes:
        raise ClaimError("没有写明任何改动", expected="至少一项图层改动")
    if not title.strip():
        raise ClaimError("情景没有名称", expected="一个简短的名称")
    edited, listed = _edited(plan, changes)
    with whole_folder(target) as made:
        _copy(plan, made)
        for name, layer in edited.items():
            _write_layer(layer, made / _FOLDER / f"{name}.gpkg", plan.work_epsg)
        _write_plan(made / PLAN_FILE, edited, title, version or f"{plan.ref.version}+{target.name}")
        _write_changes(made / SCENARIO_FILE, plan, title, listed)
    return load_plan(target)


def scenario_of(plan: Plan) -> ScenarioFile | None:
    """Return what a package says of itself as a scenario; None for a plan that is none."""
    path = plan.root / SCENARIO_FILE
    return read_model(path, ScenarioFile, shown=SCENARIO_FILE) if path.is_file() else None


# --- the changes ---------------------------------------------------------------------------------


def _edited(
    plan: Plan, changes: Sequence[Change]
) -> tuple[dict[str, _Edited], tuple[ChangeEntry, ...]]:
    entries = {entry.id: entry for entry in plan.file.layer}
    edited: dict[str, _Edited] = {}
    listed = []
    for change in changes:
        entry = check_change(change, entries.get(change.layer), list(entries))
        if change.how == "replace":
            layer = _replaced(plan, entry, change)
            land, count = None, len(layer.raw)
        else:
            layer = edited.get(entry.id) or _Edited(entry, _features(plan, entry))
            land = land_of(change.land, plan)
            count = with_land(layer.raw, entry, change, land, plan.work_epsg)
        edited[entry.id] = layer
        listed.append(
            ChangeEntry(
                layer=entry.id,
                how=change.how,
                cls=change.cls or "",
                name=change.name or "",
                features=count,
                land="" if land is None else shapely.to_wkt(land, rounding_precision=4),
            )
        )
    return edited, tuple(listed)


def land_of(land: Site | BaseGeometry | Path | str, plan: Plan) -> BaseGeometry:
    """Return the land of a change as one valid polygon in the work CRS.

    Raises
    ------
    InputError
        A file that cannot be read as land, or a geometry that is no valid polygon with an area.
    """
    if isinstance(land, Site):
        return land.geometry
    if isinstance(land, BaseGeometry):
        # Through the same door as files, so that faults are named and limits hold.
        land = f"SRID={plan.work_epsg};{shapely.to_wkt(land, rounding_precision=-1)}"
    return shapely.union_all([site.geometry for site in read_sites(land, plan)])


def _features(plan: Plan, entry: LayerEntry) -> Stored:
    """Return a layer of the plan with all its fields, valid, in the work CRS."""
    if plan.layer(entry.id).state is LayerState.FAILED:
        raise PlanError(plan.layer(entry.id).reason, advice="先修好该图层，再建情景")
    with databases_of(plan.file) as databases:
        try:
            raw = stored(entry, plan.root, databases, every=True)
        except LayerAbsentError:
            raise NotFoundError(
                f"图层“{entry.title}”没有数据，无法划入、划出",
                advice="用 replace 给出该图层的文件",
            ) from None
    put_right(raw, entry, plan.work_epsg)
    return raw


def _replaced(plan: Plan, entry: LayerEntry, change: Change) -> _Edited:
    """Return the layer as another file has it; the fields that the plan names must be there."""
    if not isinstance(change.land, str | Path):
        raise ClaimError("replace 需要一个矢量文件", expected="文件路径")
    path = Path(change.land)
    try:
        raw = read_file(path, None, shown=path.name)
        put_right(raw, entry, plan.work_epsg)
    except (LayerAbsentError, LayerUnusableError) as problem:
        raise ClaimError(f"“{path.name}”不能替换图层“{entry.title}”：{problem}") from None
    names = entry.fields
    wanted = [n for n in (names.id, names.cls, names.name, names.half_width) if n]
    missing = [n for n in (*wanted, *names.values.values()) if n not in raw.fields]
    if missing:
        raise ClaimError(
            f"“{path.name}”缺少字段 {'、'.join(missing)}",
            expected=f"与图层“{entry.title}”相同的字段",
            advice=f"现有字段：{'、'.join(raw.names)}",
        )
    return _Edited(entry, raw)


# --- the package ---------------------------------------------------------------------------------


def _copy(plan: Plan, target: Path) -> None:
    """Copy the files of a package, and the register: promised land is promised in a draft, too."""
    there = dict(members(plan.root))
    register = {name: plan.register_folder / name for name in sorted(REGISTER)}
    there |= {name: path for name, path in register.items() if path.is_file()}
    for name, path in there.items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _write_layer(layer: _Edited, path: Path, epsg: int) -> None:
    write_gpkg({path.stem: frame_of(layer.raw, epsg)}, path)


def _write_plan(path: Path, edited: dict[str, _Edited], title: str, version: str) -> None:
    """Rewrite ``plan.toml`` where the draft differs; comments and order stay."""
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    head: Any = document["plan"]
    head["title"] = f"{head['title']}——{title}"
    head["version"] = version
    head["status"] = "draft"
    head["status_note"] = _DRAFT_NOTE + str(head.get("status_note", ""))
    rows: Any = document["layer"]
    for row in rows:
        if row["id"] not in edited:
            continue
        for key in _OLD_PLACE:
            row.pop(key, None)
        row["path"] = f"{_FOLDER}/{row['id']}.gpkg"
        row["status"] = "draft"
        row["source"] = f"情景“{title}”；原图层：{row.get('source', '') or '未注明'}"
    text = tomlkit.dumps(document)
    # What was written is read before anybody relies on it.
    PlanFile.model_validate(tomlkit.parse(text).unwrap())
    path.write_text(text, encoding="utf-8")


def _write_changes(path: Path, plan: Plan, title: str, listed: tuple[ChangeEntry, ...]) -> None:
    found = ScenarioFile(
        title=title,
        plan=plan.ref.id,
        version=plan.ref.version,
        work_crs=plan.work_epsg,
        change=listed,
    )
    path.write_text(tomlkit.dumps(found.model_dump(mode="json")), encoding="utf-8")
