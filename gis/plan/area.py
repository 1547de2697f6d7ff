"""What does the planning area consist of, and do its stated figures agree with the geometry?

``Plan`` is a plan package opened once: header, layers, rule book. It is read-only afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from gis.crs import CrsPolicy, ellipsoidal_area, geographic_code, transform
from gis.engine import Stack, Survey
from gis.engine.around import draw_ahead
from gis.engine.stack_file import FROM_VERTICES, cache_folders, stack_for
from gis.errors import ClaimError, NotFoundError, PlanError
from gis.model import Area, Demand, LayerState, OutOfScope, PlanRef, Site
from gis.plan import balance
from gis.plan.areas import PlanArea, find_area, plan_areas
from gis.plan.catalogue import Layer, open_layer
from gis.plan.quota.ledger import ledger_of
from gis.plan.releases.folder import active_root, is_releases, register_folder
from gis.plan.releases.manifest import read_manifest, verify_files, verify_tables
from gis.plan.schema import STATUS_LABELS, PlanFile, PlanHeader
from gis.plan.sources.postgis import databases_of
from gis.plan.stated import Figure, figure_of
from gis.rulebook import RuleBook, demands, load_rulebook
from gis.tomlfile import read_model
from gis.viewable import Viewable

PLAN_FILE = "plan.toml"

# Days and selections of rules for which it is kept what they ask of the layers.
_SURVEYS = 256
# Windows around features that are drawn before anybody asks, some milliseconds each.
_WINDOWS = 2_000


@dataclass(frozen=True, eq=False)
class Plan(Viewable):
    """A plan package, opened.

    ``layers`` keeps the order of ``plan.toml``. All geometry is in the work CRS.
    """

    root: Path
    file: PlanFile
    layers: Mapping[str, Layer]
    rulebook: RuleBook

    @property
    def ref(self) -> PlanRef:
        """Id, version and status, as every answer cites them."""
        p = self.file.plan
        return PlanRef(p.id, p.version, p.title, p.status, p.status_note)

    @property
    def status_label(self) -> str:
        """示意, 草案 or 法定."""
        return STATUS_LABELS[self.file.plan.status]

    @property
    def map_number(self) -> str:
        """审图号 of the approved map, empty when the package states none."""
        return self.file.plan.map_number

    @property
    def work_epsg(self) -> int:
        """EPSG code of the work CRS."""
        return self.file.plan.work_crs

    @property
    def crs_policy(self) -> CrsPolicy:
        """What the plan accepts as input."""
        p = self.file.plan
        return CrsPolicy(p.work_crs, p.accepted_crs, p.bounds)

    @property
    def out_of_scope(self) -> tuple[OutOfScope, ...]:
        """Topics that this package does not check."""
        return self.file.plan.excluded()

    def layer(self, layer_id: str) -> Layer:
        """Return a layer; raise NotFoundError when the plan has none of that id."""
        try:
            return self.layers[layer_id]
        except KeyError:
            raise NotFoundError(
                f"没有图层“{layer_id}”", expected="、".join(self.layers), advice="核对图层 id"
            ) from None

    def with_role(self, role: str) -> tuple[Layer, ...]:
        """Return the layers of a role, in the order of the plan."""
        return tuple(layer for layer in self.layers.values() if layer.info.role == role)

    @cached_property
    def register_folder(self) -> Path:
        """Where the register of reservations lies; the releases of a plan share one."""
        return register_folder(self.root)

    def to_frame(self) -> Any:
        """Return a data frame with one row per layer: what it is, how old, whether it is usable."""
        import pandas as pd

        rows = [
            {
                "id": x.info.id,
                "title": x.info.title,
                "role": x.info.role,
                "geometry": x.info.geometry,
                "features": len(x.index),
                "state": x.state.value,
                "vintage": x.info.vintage,
                "status": x.info.status,
                "law_status": x.info.law_status,
                "secrecy": x.info.secrecy,
                "reason": x.reason,
            }
            for x in self.layers.values()
        ]
        return pd.DataFrame(rows).set_index("id") if rows else pd.DataFrame(rows)

    @property
    def classes(self) -> dict[str, frozenset[str] | None]:
        """Per layer the classes that its data have; None where there is none."""
        return {
            name: frozenset(str(cls) for cls in layer.index.classes if cls) or None
            for name, layer in self.layers.items()
        }

    @cached_property
    def bounds_polygon(self) -> BaseGeometry:
        """The bounds as a polygon in the work CRS, edges densified."""
        return _bounds_polygon(self.file.plan)

    @cached_property
    def coverages(self) -> Mapping[str, BaseGeometry | None]:
        """Per layer the polygon inside which absence means absence; None when unknown."""
        return {
            layer.info.id: self._coverage(layer.info.coverage) for layer in self.layers.values()
        }

    def _coverage(self, name: str) -> BaseGeometry | None:
        if name == "bounds":
            return self.bounds_polygon
        layer = self.layers[name]
        return layer.index.union if layer.state is LayerState.CHECKED else None

    @cached_property
    def stack(self) -> Stack:
        """All layers under one tree, ready to be searched at once.

        That of a large plan is kept on disk, beside the plan, and shared by processes.
        """
        indexes = [layer.index for layer in self.layers.values()]
        size = sum(int(shapely.get_num_coordinates(i.geometries).sum()) for i in indexes)
        folders = cache_folders(self.root) if size >= FROM_VERTICES else ()
        stack = stack_for(indexes, folders).prepare()
        stack.tell(indexes)
        return stack

    def survey(self, day: date, rules: frozenset[str] | None = None) -> Survey:
        """Return what the rules in force on a day, or only those named, ask of the layers.

        Of a selection of rules only the layers that they look at are surveyed.
        """
        key = day, rules
        book, found = self._surveys.get(key, (None, None))
        if found is None or book is not self.rulebook:
            if len(self._surveys) >= _SURVEYS:
                self._surveys.clear()
            found = self._surveyed(day, rules)
            self._surveys[key] = self.rulebook, found
        return found

    @cached_property
    def _surveys(self) -> dict[tuple[date, frozenset[str] | None], tuple[RuleBook, Survey]]:
        return {}

    def _surveyed(self, day: date, rules: frozenset[str] | None) -> Survey:
        book = self.rulebook if rules is None else self.rulebook.part(rules)
        names = self.layers.keys() if rules is None else _looked_at(book)
        indexes = (layer.index for id_, layer in self.layers.items() if id_ in names)
        return Survey(indexes, demands(book, day), self.coverages)

    def draft(self) -> Plan:
        """Return the plan as it would be with its changing layers in force.

        Each layer with ``replaces`` stands in place of the layer that it names; rules, budgets and
        all other layers stay as they are.

        Raises
        ------
        NotFoundError
            No layer of the plan says what it replaces.
        """
        drafts = [e for e in self.file.layer if e.replaces is not None]
        if not drafts:
            raise NotFoundError(
                "规划数据包没有草案图层",
                expected='至少一个写明 law_status = "changing" 和 replaces 的图层',
                advice="用 --draft 指定另一个规划数据包作为草案",
            )
        layers = dict(self.layers)
        for entry in drafts:
            layers[str(entry.replaces)] = _in_place_of(str(entry.replaces), layers[entry.id])
        header = self.file.plan.model_copy(
            update={"version": f"{self.file.plan.version}+draft", "status": "draft"}
        )
        return replace(self, file=self.file.model_copy(update={"plan": header}), layers=layers)

    def prepare(self) -> Plan:
        """Build everything that is built once, before threads or requests share the plan."""
        # First the stack: one from disk knows of the layers what takes them long to find out.
        _ = self.stack
        for layer in self.layers.values():
            layer.index.prepare()
        _ = self.coverages, ledger_of(self), self.areas, self.figures()
        self._draw_ahead()
        return self

    def _draw_ahead(self) -> None:
        """Draw the land around features that rules ask for, unless that is too much."""
        asked: dict[str, list[Demand]] = {}
        for demand in demands(self.rulebook):
            for part in (demand, *demand.divided):
                asked.setdefault(part.layer, []).append(part)
        left = _WINDOWS
        for name in asked.keys() & self.layers.keys():
            left -= draw_ahead(self.layers[name].index, asked[name], left)

    def area_of(self, layer_id: str) -> Area:
        """Return the area of a whole layer, overlapping features counted once."""
        union = self.layer(layer_id).index.union
        return Area(ellipsoidal_area(union, self.work_epsg), float(union.area))

    def figures(self) -> tuple[Figure, ...]:
        """Return every stated figure beside the computed one."""
        return self._figures

    @cached_property
    def _figures(self) -> tuple[Figure, ...]:
        # Nothing of an opened plan changes, and each figure measures a whole layer.
        return tuple(figure_of(self, stated) for stated in self.file.stated)

    @cached_property
    def areas(self) -> tuple[PlanArea, ...]:
        """Every named area with both areas: resort, core, approval, boundary, towns, zones."""
        return plan_areas(self)

    def land_balance(
        self,
        area: str | Site | BaseGeometry | None = None,
        *,
        definition: str | None = None,
    ) -> balance.LandBalance:
        """Return the land balance of an area.

        Parameters
        ----------
        area
            A layer id (``resort``, ``core``, ``approval_area``), a zone's class (``Z1``), the
            short name ``approval``, a site, or a polygon in the work CRS; default the core.
        definition
            A, B, C (planned use) or D (current land use); default B.

        Raises
        ------
        NotFoundError
            No such area or definition, or the plan has no layer with data for it.
        InputError
            The polygon cannot be measured in this plan.
        """
        letter = (definition or balance.DEFAULT_DEFINITION).upper()
        found = find_area(self, area)
        if found.layer is None:
            return balance.land_balance(self, found, letter)
        # Nothing of an opened plan changes, and its areas are few.
        key = (found.id, letter)
        if key not in self._balances:
            self._balances[key] = balance.land_balance(self, found, letter)
        return self._balances[key]

    @cached_property
    def _balances(self) -> dict[tuple[str, str], balance.LandBalance]:
        return {}


def _looked_at(book: RuleBook) -> set[str]:
    return {name for rule in book.rules for name in (*rule.layers, *rule.params.when_layers)}


def _in_place_of(layer_id: str, draft: Layer) -> Layer:
    """Return a draft layer under the id of the layer that it replaces."""
    own = draft.info.coverage == draft.info.id
    info = replace(
        draft.info,
        id=layer_id,
        law_status="in_force",
        coverage=layer_id if own else draft.info.coverage,
    )
    return replace(draft, info=info, index=replace(draft.index, info=info))


def _bounds_polygon(header: PlanHeader) -> BaseGeometry:
    box = shapely.segmentize(shapely.box(*header.bounds), 0.05)
    return transform(box, geographic_code(header.work_crs), header.work_crs)


def as_plan(plan: object) -> Plan:
    """Return a plan that was handed in as one.

    Raises
    ------
    ClaimError
        Something else, most often the folder of a plan in place of the opened plan.
    """
    if isinstance(plan, Plan):
        return plan
    raise ClaimError(
        f"plan 是 {type(plan).__name__}，不是打开的规划",
        expected="load_plan 的结果",
        advice="先写 plan = gis.load_plan(文件夹)，再把 plan 交给函数",
    )


def load_plan(path: str | Path | None = None) -> Plan:
    """Open a plan package.

    Parameters
    ----------
    path
        Folder with ``plan.toml``, or that file, or a folder of releases, of which the one in force
        is opened. Default: the environment variable ``WUQU_PLAN``, then the data packed with the
        installation, then ``data/`` of the checkout.

    Raises
    ------
    PlanError
        No ``plan.toml`` there, or one that cannot be used; file and line are named. A release that
        is not what was published.
    RuleBookError
        A rule book named in it cannot be used.
    ExtraError
        Layers stand in a database, and the extra ``postgis`` is not installed.

    Examples
    --------
    >>> import gis
    >>> plan = gis.load_plan()
    >>> plan.status_label, plan.work_epsg
    ('示意', 4548)
    """
    root = find_plan(path)
    manifest = read_manifest(root)
    file = read_model(root / PLAN_FILE, PlanFile)
    if manifest is not None:
        verify_files(root, manifest, by_size={raster.path for raster in file.raster})
    work, bounds = file.plan.work_crs, _bounds_polygon(file.plan)
    with databases_of(file) as databases:
        layers = {e.id: open_layer(e, root, work, bounds, databases) for e in file.layer}
    if manifest is not None:
        verify_tables(manifest, layers)
    return Plan(root, file, layers, load_rulebook(file.plan.rulebooks, root))


def find_plan(path: str | Path | None = None) -> Path:
    """Return the folder of the plan in use; see ``load_plan`` for the order."""
    wanted = path or os.environ.get("WUQU_PLAN")
    if wanted:
        root = Path(wanted)
        root = root.parent if root.name == PLAN_FILE else root
        if is_releases(root):
            return active_root(root)
        if not (root / PLAN_FILE).is_file():
            raise PlanError(
                f"“{wanted}”中没有 {PLAN_FILE}",
                expected=f"含 {PLAN_FILE} 的规划数据包文件夹，或发布文件夹",
                advice="核对 --plan 或环境变量 WUQU_PLAN",
            )
        return root
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_data", package.parent / "data"):
        if (root / PLAN_FILE).is_file():
            return root
    raise PlanError(
        "没有找到随附的规划数据包", advice="用 --plan 指定文件夹，或先运行 wuqu data build"
    )
