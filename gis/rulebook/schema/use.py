"""The kinds that ask whether a use is welcome: in the zones, and on the planned land."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gis.rulebook.schema.area import AreaRule
from gis.rulebook.schema.base import (
    ClassPattern,
    LayerPart,
    Metres,
    Origin,
    Outcome,
    Strict,
    Text,
    Use,
)


class UseCell(Strict):
    """One cell of the zone x use matrix: what these zones say to these uses.

    ``attribute`` makes the cell depend on a claim: values in ``accepted`` give the verdict, values
    in ``refused`` prohibit, anything else is undetermined. ``verified`` False says that nobody has
    read the text: a prohibition is then at worst undetermined.
    """

    zones: Annotated[tuple[Text, ...], Field(min_length=1)]
    uses: Annotated[tuple[Text, ...], Field(min_length=1)]
    verdict: Use
    phrase: Text
    origin: Origin
    verified: bool = True
    condition: str = ""
    attribute: str = ""
    accepted: tuple[bool | float | str, ...] = ()
    refused: tuple[bool | float | str, ...] = ()

    @model_validator(mode="after")
    def _conditions_are_stated(self) -> UseCell:
        if bool(self.attribute) != bool(self.accepted) or (self.refused and not self.attribute):
            raise ValueError("attribute 和 accepted 应同时写；refused 只与它们一起写")
        if self.verdict == "conditional" and not self.condition:
            raise ValueError("verdict = conditional 时必须写 condition")
        return self


class ZoneArea(Strict):
    """A zone that is drawn by rule and not by a file: land around features, on or off others."""

    id: Text
    classes: tuple[ClassPattern, ...] = ()
    within_m: Metres = 0.0
    beyond_m: Metres = 0.0
    on: tuple[LayerPart, ...] = ()
    off: tuple[LayerPart, ...] = ()

    @model_validator(mode="after")
    def _has_land(self) -> ZoneArea:
        if self.beyond_m and not self.beyond_m < self.within_m:
            raise ValueError("beyond_m 应小于 within_m")
        return self


class UsePermitted(AreaRule):
    """The use must be permitted in every zone that the site touches.

    The zones are the classes of the layer, or the ``areas`` of the rule when it names some.
    ``unlisted`` is said to a use that no cell of a zone names.
    """

    kind: Literal["use_permitted"]
    outside: Outcome = "undetermined"
    unlisted: Text = "未列入准入表，须由主管部门核实"
    zone_names: dict[str, str] = Field(default_factory=dict)
    areas: tuple[ZoneArea, ...] = ()
    cells: Annotated[tuple[UseCell, ...], Field(min_length=1)]

    placeholders: ClassVar[frozenset[str]] = AreaRule.placeholders | {"cells"}

    @property
    def layers(self) -> tuple[str, ...]:
        """Every layer without which the rule cannot be judged."""
        others = (part.layer for a in self.areas for part in (*a.on, *a.off))
        return tuple(dict.fromkeys((*super().layers, *others)))

    @property
    def use_codes(self) -> tuple[str, ...]:
        """Every use code that the rule names."""
        return (*super().use_codes, *(u for c in self.cells for u in c.uses))

    @model_validator(mode="after")
    def _draws_in_one_place(self) -> UsePermitted:
        if self.areas and (self.within_m or self.on or self.off):
            raise ValueError("写了 areas 时，within_m、on、off 写在各个 area 中")
        return self


class CompatibleEntry(Strict):
    """What land planned for some classes says to other uses; codes of the layer's scheme."""

    planned: Annotated[tuple[Text, ...], Field(min_length=1)]
    uses: Annotated[tuple[Text, ...], Field(min_length=1)]
    verdict: Use
    phrase: Text
    origin: Origin
    verified: bool = True
    condition: str = ""

    @model_validator(mode="after")
    def _conditions_are_stated(self) -> CompatibleEntry:
        if self.verdict == "conditional" and not self.condition:
            raise ValueError("verdict = conditional 时必须写 condition")
        return self


class CompatibleUse(AreaRule):
    """The use must be the planned one, finer, or one that the plan declares compatible.

    A use equal to the planned class or under it complies. Else the entry with the longest planned
    code, then the longest use code, decides; ``unlisted`` when there is none. ``outside`` is said
    of land inside the coverage on which nothing is planned.
    """

    kind: Literal["compatible_use"]
    scheme: Text
    edition: Text
    outside: Outcome = "undetermined"
    unlisted: Outcome = "undetermined"
    unlisted_reason: Text = "与规划用途不同，是否兼容须由主管部门核实"
    entries: tuple[CompatibleEntry, ...] = ()

    placeholders: ClassVar[frozenset[str]] = AreaRule.placeholders | {"planned"}

    @model_validator(mode="after")
    def _looks_at_the_land_itself(self) -> CompatibleUse:
        if self.within_m:
            raise ValueError("规划用途按地块本身比较，不用 within_m")
        return self

    @property
    def class_codes(self) -> tuple[str, ...]:
        """Every planned class that the rule names."""
        return tuple(c for e in self.entries for c in e.planned)

    @property
    def land_scheme(self) -> tuple[str, str] | None:
        """Scheme and edition of the planned classes."""
        return (self.scheme, self.edition)

    @property
    def use_codes(self) -> tuple[str, ...]:
        """Every use code that the rule names."""
        return (*super().use_codes, *(u for e in self.entries for u in e.uses))
