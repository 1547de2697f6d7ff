"""A row is written once as long as it is asked for, and never taken for another one."""

from __future__ import annotations

import gc

import pytest

import gis.written
from gis.written import Written


class Row:
    def __init__(self, said: str) -> None:
        self.said = said


def test_the_same_object_is_written_once_and_an_equal_one_again() -> None:
    times: list[str] = []

    def write(row: list[str]) -> str:
        times.append(row[0])
        return row[0]

    written = Written[list[str], str](write)
    row, twin = ["a"], ["a"]
    assert [written(row), written(row), written(twin)] == ["a", "a", "a"]
    assert times == ["a", "a"]


def test_of_many_rows_only_those_that_are_not_known_are_written_otherwise() -> None:
    written = Written[Row, str](lambda row: row.said)
    known, new = Row("known"), Row("new")
    written(known)
    assert written.each([new, known, new], lambda row: f"otherwise {row.said}") == [
        "otherwise new",
        "known",
        "otherwise new",
    ]
    assert id(new) not in written._young


def test_what_is_asked_for_stays_and_the_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gis.written, "KEPT", 10)
    times: list[str] = []

    def write(row: Row) -> bytes:
        times.append(row.said)
        return row.said.encode()

    written = Written[Row, bytes](write)
    shared = Row("shared")
    for n in range(200):
        assert written(Row(str(n))) == str(n).encode()
        assert written(shared) == b"shared"
    assert times.count("shared") == 1
    assert len(written._young) + len(written._old) <= 20


def test_an_object_in_the_place_of_a_dropped_one_is_not_taken_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gis.written, "KEPT", 3)
    written = Written[Row, str](lambda row: row.said)
    for n in range(2_000):  # places in memory are used again at once
        assert written(Row(str(n))) == str(n)
        if n % 500 == 0:
            gc.collect()
