"""The order of the files of tests: long ones first, each whole, none under an old name."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from file_order import LONGEST_FIRST, sort_by_length

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Item:
    path: Path
    number: int


def test_every_long_file_is_there_and_named_once() -> None:
    assert [name for name in LONGEST_FIRST if not (HERE / f"{name}.py").is_file()] == []
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)


def test_long_files_come_first_and_each_keeps_its_order() -> None:
    names = ["test_aaa", *reversed(LONGEST_FIRST), "test_zzz"]
    items = [Item(HERE / f"{name}.py", n) for name in names for n in range(3)]
    sort_by_length(items)
    assert [item.path.stem for item in items[::3]] == [*LONGEST_FIRST, "test_aaa", "test_zzz"]
    assert [item.number for item in items] == [0, 1, 2] * len(names)


def test_files_that_were_torn_apart_are_whole_again() -> None:
    items = [Item(HERE / f"{name}.py", n) for name in LONGEST_FIRST[:4] for n in range(5)]
    random.Random(1).shuffle(items)
    sort_by_length(items)
    files = [item.path.stem for item in items]
    assert files == [name for name in LONGEST_FIRST[:4] for _ in range(5)]
