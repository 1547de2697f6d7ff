"""A record that is made quickly is the frozen record that it would be otherwise."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from inspect import signature
from typing import Any

import pytest

from gis.model import (
    Area,
    Demand,
    Evidence,
    Finding,
    Impact,
    Measure,
    Quantity,
    Remedy,
    Touched,
    Verdict,
)
from gis.model.record import quickly_made


@dataclass(frozen=True, slots=True)
class Plain:
    name: str
    size: float = 1.0
    rows: dict[str, int] = field(default_factory=dict)
    seen: Any = field(default=None, compare=False)
    twice: float = field(default=0.0, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size is negative")
        object.__setattr__(self, "twice", 2 * self.size)


@quickly_made
@dataclass(frozen=True, slots=True)
class Quick:
    name: str
    size: float = 1.0
    rows: dict[str, int] = field(default_factory=dict)
    seen: Any = field(default=None, compare=False)
    twice: float = field(default=0.0, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size is negative")
        object.__setattr__(self, "twice", 2 * self.size)


DEMAND = Demand("l", Quantity.INSIDE)
RECORDS: tuple[Any, ...] = (
    Finding("r", "规则", Verdict.FAIL, "l", None, "", "", (), "plan", "某局", "", 1),
    Impact("a", "占用", 1.0, text="占用 1 平方米"),
    Remedy("r", "避让", rules=("r",)),
    Evidence("l", None, "甲", "area", area_m2=1.0, feature_ids=("1",)),
    Measure(DEMAND, Area(2.0, 2.0), 0.5, decisive_m2=2.0),
    Touched("1", "A", None, 1.0, 1.0),
    Quick("x", 2.0),
)


@pytest.mark.parametrize(
    ("args", "more"), [(("x",), {}), (("x", 2.0), {"seen": 3}), ((), {"name": "y"})]
)
def test_it_has_the_values_of_a_plain_one(args: Any, more: Any) -> None:
    one, other = Quick(*args, **more), Plain(*args, **more)
    assert [getattr(one, f.name) for f in fields(one)] == [
        getattr(other, f.name) for f in fields(other)
    ]
    assert repr(one) == repr(other).replace("Plain", "Quick")
    assert one == Quick(*args, **more | {"seen": "x"})
    assert one.rows is not Quick(*args, **more).rows
    assert signature(Quick) == signature(Plain)


@pytest.mark.parametrize("own", RECORDS, ids=lambda r: type(r).__name__)
def test_nothing_of_it_can_be_set_once_it_is_there(own: Any) -> None:
    for f in fields(own):
        with pytest.raises(FrozenInstanceError):
            setattr(own, f.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(own, f.name)
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        own.other = 1


@pytest.mark.parametrize("own", RECORDS, ids=lambda r: type(r).__name__)
def test_it_is_of_its_class_alone_and_so_are_its_copies(own: Any) -> None:
    for made in (own, replace(own), copy.copy(own), pickle.loads(pickle.dumps(own))):
        assert type(made) is type(own)
        assert made == own
        with pytest.raises(FrozenInstanceError):
            setattr(made, fields(own)[0].name, None)


def test_a_changed_copy_is_worked_out_anew() -> None:
    assert replace(Quick("x", 2.0), size=3.0).twice == 6.0
    assert replace(RECORDS[4], area=Area(0.0, 0.0), share=0.0).is_nothing
    assert hash(RECORDS[0]) == hash(replace(RECORDS[0]))


@pytest.mark.parametrize("args", [(), ("x", 1.0, {}, None, 2.0), ("x", -1.0)])
def test_a_wrong_call_is_refused_as_that_of_a_plain_one(args: Any) -> None:
    messages = []
    for cls in (Plain, Quick):
        with pytest.raises((TypeError, ValueError)) as refused:
            cls(*args)
        messages.append((type(refused.value), str(refused.value).replace("Quick", "Plain")))
    assert messages[0] == messages[1]
