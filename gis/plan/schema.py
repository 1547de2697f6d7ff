"""The shape of ``plan.toml``: what a plan package says about itself and its layers.

Unknown keys are refused; ``gis.tomlfile`` adds the line. Nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gis.crs import parse_epsg
from gis.engine.spectral import INDICES
from gis.model import LayerInfo, OutOfScope
from gis.plan.sources.addresses import checked_address, is_name
from gis.rulebook import land_classes

Status = Literal["schematic", "draft", "approved"]
STATUS_LABELS = {"schematic": "示意", "draft": "草案", "approved": "法定"}
Role = Literal[
    "planning_area",
    "district",
    "core",
    "approval",
    "zone",
    "dev_boundary",
    "farmland",
    "redline",
    "landuse",
    "planned_use",
    "control_line",
    "water",
    "river_range",
    "built_up",
    "ownership",
    "road",
    "railway",
    "power_line",
    "project",
    "other",
]

Band = Literal["blue", "green", "red", "nir", "swir", "ndvi", "ndwi"]
Index = Literal["ndvi", "ndwi"]
# Keys that say nothing of a raster of the other kind.
_IMAGE_IDLE = ("table", "scheme", "edition")
_CLASSES_IDLE = ("bands", "thresholds", "scale", "offset", "series")


# Layers are offered to desktop programs under their ids, beside what the service has of its own
# under these: decision records, and the projects, which a layer of that role draws.
RESERVED_IDS: Mapping[str, Role | None] = {"records": None, "projects": "project"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OutOfScopeEntry(_Strict):
    """A topic that the package does not check, and why."""

    topic: str
    reason: str


class PlanHeader(_Strict):
    """The ``[plan]`` table."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: str
    title: str
    status: Status
    status_note: str = ""
    # 审图号, printed on maps and cards beside scale and date; empty until a map was approved.
    map_number: str = Field(default="", max_length=60)
    work_crs: int
    accepted_crs: tuple[int, ...]
    bounds: tuple[float, float, float, float]
    rulebooks: tuple[str, ...] = ()
    out_of_scope: tuple[OutOfScopeEntry, ...] = ()

    @field_validator("work_crs", mode="before")
    @classmethod
    def _code(cls, value: object) -> int:
        return parse_epsg(str(value))

    @field_validator("accepted_crs", mode="before")
    @classmethod
    def _codes(cls, value: object) -> object:
        return [parse_epsg(str(v)) for v in value] if isinstance(value, list) else value

    @field_validator("bounds")
    @classmethod
    def _ordered(
        cls, value: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float]:
        west, south, east, north = value
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError("bounds 应为 [西, 南, 东, 北]，单位为度")
        return value

    def excluded(self) -> tuple[OutOfScope, ...]:
        """Return the out-of-scope entries as model objects."""
        return tuple(OutOfScope(o.topic, o.reason) for o in self.out_of_scope)


class Stated(_Strict):
    """A figure that the plan's own documents state, and how to compute it from the layers."""

    id: str
    title: str = ""
    value: float
    unit: Literal["km2", "ha", "mu", "m2", "share"]
    measure: Literal["area", "green_water_share"]
    layer: str
    within: str | None = None
    definition: str | None = None
    tolerance: float = Field(0.0, ge=0)
    source: str

    @field_validator("definition")
    @classmethod
    def _letter(cls, value: str | None) -> str | None:
        return value.upper() if value else value

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> Stated:
        share = self.measure == "green_water_share"
        if share != (self.unit == "share"):
            raise ValueError(f"指标 {self.id} 的 unit “{self.unit}”不是 {self.measure} 的单位")
        idle = [n for n in ("within", "definition") if getattr(self, n) is not None]
        if idle and not share:
            raise ValueError(f"指标 {self.id} 是面积，{'、'.join(idle)} 不起作用，请去掉")
        known = [d.id for d in land_classes.green_water_definitions()]
        if self.definition is not None and self.definition not in known:
            raise ValueError(f"指标 {self.id} 的口径 definition 应为 {'、'.join(known)}")
        return self


class FieldNames(_Strict):
    """Which columns of the file carry the id, class, name, half width in metres and stated area.

    ``values`` names further columns that rules read: ``{ plot_ratio_max = "RJLSX" }``.
    The stated area is compared with the geometry by ``wuqu data check`` and used for nothing else.
    """

    id: str | None = None
    cls: str | None = Field(None, alias="class")
    name: str | None = None
    half_width: str | None = None
    area: str | None = None
    area_unit: Literal["m2", "ha", "mu", "km2"] = "m2"
    values: dict[str, str] = {}


class LayerEntry(_Strict):
    """One ``[[layer]]`` table.

    ``replaces`` names the layer in force that a changing layer takes the place of in the draft.
    ``empty`` says that somebody looked and found nothing to draw inside the coverage, so that a
    layer without features is no slip of an export.
    A layer stands in a file (``path``) or in a ``table`` (``schema.table``) of a PostGIS database;
    ``postgis`` is the name of the connection, or its address without a password.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    path: str = ""
    postgis: str = ""
    table: str = ""
    geometry_column: str | None = None
    role: Role
    geometry: Literal["polygon", "line", "point"]
    fields: FieldNames = Field(default_factory=lambda: FieldNames.model_validate({}))
    encoding: str | None = None
    scheme: str | None = None
    edition: str | None = None
    vintage: str
    status: Status
    law_status: Literal["in_force", "changing"] = "in_force"
    replaces: str | None = None
    coverage: str = "bounds"
    empty: bool = False
    secrecy: Literal["public", "internal", "restricted"] = "public"
    licence: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _class_codes_need_a_scheme(self) -> LayerEntry:
        # The same code means different classes in different schemes: 1101 is a river in one, a
        # logistics warehouse in another.
        if self.role in {"landuse", "planned_use"} and not (self.scheme and self.edition):
            raise ValueError("用地图层必须写明分类体系 scheme 和版本 edition")
        if self.replaces is not None and self.law_status != "changing":
            raise ValueError('写了 replaces 的图层是草案，应同时写 law_status = "changing"')
        return self

    @model_validator(mode="after")
    def _id_is_free(self) -> LayerEntry:
        kept_for = RESERVED_IDS.get(self.id, self.role)
        if kept_for is None:
            raise ValueError(
                f"图层 id {self.id} 是服务自有集合的名称；请换一个 id，如 {self.id}_layer"
            )
        if kept_for != self.role:
            raise ValueError(
                f'图层 id {self.id} 只用于 role = "{kept_for}" 的图层；请换一个 id，或改正 role'
            )
        return self

    @field_validator("postgis")
    @classmethod
    def _holds_no_password(cls, value: str) -> str:
        return checked_address(value, "postgis ")

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> LayerEntry:
        if bool(self.path) == bool(self.postgis):
            raise ValueError("图层应写明 path（文件）或者 postgis 和 table（数据库），二者之一")
        if bool(self.postgis) != bool(self.table):
            raise ValueError("数据库中的图层应同时写明 postgis（连接）和 table（表）")
        idle = "geometry_column" if self.geometry_column and not self.postgis else ""
        idle = "encoding" if self.encoding and self.postgis else idle
        if idle:
            raise ValueError(f"这个图层不用 {idle}，请去掉")
        return self

    @property
    def place(self) -> str:
        """Where the layer stands, as messages name it: a file, or connection and table.

        An address is not shown: it names a host and a user.
        """
        if not self.postgis:
            return self.path
        return f"{self.postgis}：{self.table}" if is_name(self.postgis) else self.table

    @property
    def store_label(self) -> str:
        """What holds the layer, in Chinese."""
        return "数据库表" if self.postgis else "数据文件"

    @property
    def crs_place(self) -> str:
        """Where the store of the layer says its CRS."""
        return "SRID" if self.postgis else ".prj"

    def info(self) -> LayerInfo:
        """Return the entry as the model type that answers carry."""
        return LayerInfo(
            id=self.id,
            title=self.title,
            role=self.role,
            geometry=self.geometry,
            vintage=self.vintage,
            status=self.status,
            law_status=self.law_status,
            coverage=self.coverage,
            scheme=self.scheme,
            edition=self.edition,
            secrecy=self.secrecy,
            licence=self.licence,
            source=self.source,
        )


class RasterEntry(_Strict):
    """One ``[[raster]]`` table.

    ``kind = "classes"``: one band of class values, explained by a code ``table`` (CSV beside the
    plan) or by a land-class ``scheme`` with ``edition``; with both, the table's ``classes`` column
    names classes of that scheme, and vector layers of the same scheme are compared.
    ``kind = "bands"``: ``bands`` names which band (from 1) is ``green``, ``red``, ``nir`` …, from
    which indices such as NDVI are computed, or which one holds a finished index (``ndvi``).
    ``thresholds`` says from where on an index counts, as a number or ``"otsu"``. ``scale`` and
    ``offset`` turn stored numbers into reflectance, in place of what the file says. Images of one
    place at several dates share a ``series``.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    path: str
    kind: Literal["classes", "bands"]
    date: date
    bands: dict[Band, Annotated[int, Field(ge=1)]] = {}
    thresholds: dict[Index, Annotated[float, Field(gt=-1, lt=1)] | Literal["otsu"]] = {}
    scale: float | None = Field(None, gt=0)
    offset: float | None = None
    table: str | None = None
    scheme: str | None = None
    edition: str | None = None
    nodata: float | None = None
    series: str | None = None
    status: Status
    secrecy: Literal["public", "internal", "restricted"] = "public"
    licence: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _values_are_explained(self) -> RasterEntry:
        if self.kind == "bands" and not self.bands:
            raise ValueError('kind = "bands" 的栅格必须用 bands 写明波段，如 { red = 3, nir = 4 }')
        if len(set(self.bands.values())) < len(self.bands):
            raise ValueError("bands 中有两个名称指向同一波段")
        if bool(self.scheme) != bool(self.edition):
            raise ValueError("分类体系 scheme 和版本 edition 必须一起写明")
        if self.kind == "classes" and not (self.table or self.scheme):
            raise ValueError("分类栅格必须写明编码表 table，或分类体系 scheme 和版本 edition")
        return self

    @model_validator(mode="after")
    def _values_are_used(self) -> RasterEntry:
        """Refuse what would be ignored: it must not look as if it had an effect."""
        what, idle = ("影像", _IMAGE_IDLE) if self.kind == "bands" else ("分类栅格", _CLASSES_IDLE)
        given = [name for name in idle if getattr(self, name) not in (None, {})]
        if given:
            raise ValueError(f"{what}不用 {'、'.join(given)}")
        named: set[str] = {*self.bands}
        for index in self.thresholds:
            if index not in named and not set(INDICES[index]) <= named:
                needed = "、".join(INDICES[index])
                raise ValueError(f"写有 {index} 的阈值，但 bands 没有写明 {needed}")
        return self


class QuotaEntry(_Strict):
    """One ``[[quota]]`` table: an amount that an authority has granted, in ``unit``.

    ``kind``: ``conversion`` is the year's quota of farmland that may be converted (农用地转用计划),
    ``replacement`` the stock of reclaimed cultivated land that may replace what is taken
    (补充耕地指标). A quota that nobody has stated is left out, never invented.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    kind: Literal["conversion", "replacement"]
    value: float = Field(ge=0, allow_inf_nan=False)
    unit: Literal["m2", "ha", "mu", "km2"]
    source: str


def _unique(what: str, ids: list[str]) -> None:
    doubled = sorted({i for i in ids if ids.count(i) > 1})
    if doubled:
        raise ValueError(f"{what} id 重复：{'、'.join(doubled)}")


class PlanFile(_Strict):
    """The whole ``plan.toml``.

    ``postgis``: addresses of databases by name, without passwords; the environment goes before.
    """

    plan: PlanHeader
    postgis: dict[str, str] = {}
    stated: tuple[Stated, ...] = ()
    layer: tuple[LayerEntry, ...] = ()
    raster: tuple[RasterEntry, ...] = ()
    quota: tuple[QuotaEntry, ...] = ()

    @field_validator("postgis")
    @classmethod
    def _hold_no_passwords(cls, value: dict[str, str]) -> dict[str, str]:
        for name, address in value.items():
            if not is_name(name) or is_name(checked_address(address, f"连接“{name[:40]}”的地址")):
                raise ValueError("[postgis] 中应为 名称 = 地址，名称为小写字母、数字和 _")
        return value

    @model_validator(mode="after")
    def _references_exist(self) -> PlanFile:
        ids = [entry.id for entry in self.layer]
        _unique("图层", ids)
        _unique("栅格", [entry.id for entry in self.raster])
        _unique("指标额度", [entry.id for entry in self.quota])
        for entry in self.layer:
            if entry.coverage != "bounds" and entry.coverage not in ids:
                raise ValueError(f"图层 {entry.id} 的 coverage “{entry.coverage}”不是图层 id")
        self._drafts_fit()
        polygons = {entry.id for entry in self.layer if entry.geometry == "polygon"}
        for figure in self.stated:
            for name in (figure.layer, figure.within):
                if name is not None and name not in ids:
                    raise ValueError(f"指标 {figure.id} 引用的图层“{name}”不存在")
                if name is not None and name not in polygons:
                    raise ValueError(f"指标 {figure.id} 引用的图层“{name}”不是面")
        return self

    def _drafts_fit(self) -> None:
        """Refuse a draft that stands for no layer in force of its own role and geometry."""
        known = {e.id: e for e in self.layer if e.law_status == "in_force"}
        drafts = [entry for entry in self.layer if entry.replaces is not None]
        _unique("replaces 所指图层", [str(entry.replaces) for entry in drafts])
        for entry in drafts:
            old = known.get(str(entry.replaces))
            if old is None:
                raise ValueError(f"图层 {entry.id} 的 replaces “{entry.replaces}”不是现行图层的 id")
            if (old.role, old.geometry) != (entry.role, entry.geometry):
                raise ValueError(f"图层 {entry.id} 与所替换的 {old.id} 的 role 或 geometry 不同")
