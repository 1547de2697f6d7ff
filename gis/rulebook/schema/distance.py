"""The kind that measures a distance to the edge that the law names: min_distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gis.rulebook.schema.base import Against, ClassPattern, Flag, Metres, RuleEntry, Text

# A number, [least, most], or one number per setting.
Distance = Metres | tuple[Metres, Metres] | dict[str, Metres]


class MinDistance(RuleEntry):
    """The site must keep its distance from the edge of some features.

    ``distance_m`` has per class a number; or ``[least, most]`` where the exact number depends on a
    setting that the layer does not know; or one number per setting (``{ "城市市区" = 8.0, … }``),
    which the layer's value ``setting`` names. Nearer than the least is a hit, between least and
    most is undetermined; a setting that is missing or unknown leaves the whole span open.
    ``no_distance`` names the classes the rule leaves alone; an unknown class is undetermined.
    With ``from_axis`` the law counts from the centre line and no half width is asked for.
    """

    placeholders: ClassVar[frozenset[str]] = frozenset({"distance", "required", "feature", "use"})

    kind: Literal["min_distance"]
    edge: Text
    distance_m: Annotated[dict[ClassPattern, Distance], Field(min_length=1)]
    setting: str = ""
    from_axis: Flag = False
    no_distance: tuple[ClassPattern, ...] = ()
    plausible_half_width_m: Metres
    outcome: Against

    @model_validator(mode="after")
    def _spans_are_sane(self) -> MinDistance:
        if not self.layer:
            raise ValueError("这一类规则必须写明 layer")
        for cls, value in self.distance_m.items():
            if isinstance(value, tuple) and not value[0] < value[1]:
                raise ValueError(f"{cls} 的距离区间应由小到大")
            if isinstance(value, Mapping) and not (value and self.setting):
                raise ValueError(f"{cls} 的距离按区段给出，须写明 setting（图层的哪个值是区段）")
        return self
