"""Defects in hand-written TOML are named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from gis.errors import PlanError
from gis.tomlfile import key_lines, read_model


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    size: int = 0


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    item: list[Item]


def read(tmp_path: Path, text: str) -> Whole:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    return read_model(path, Whole, shown="x.toml")


def test_a_good_file_becomes_its_model(tmp_path: Path) -> None:
    assert read(tmp_path, '[[item]]\nid = "a"\n').item[0].id == "a"


def test_an_unknown_key_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read(tmp_path, '[[item]]\nid = "a"\n\n[[item]]\nid = "b"\ncolour = "red"\n')
    assert caught.value.line == 6
    assert "未知的键" in caught.value.detail
    assert "x.toml 第 6 行" in caught.value.detail


def test_a_missing_key_points_at_its_table(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read(tmp_path, '[[item]]\nid = "a"\n[[item]]\nsize = 3\n')
    assert caught.value.line == 3
    assert "缺少必填的键" in caught.value.detail


def test_every_defect_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read(tmp_path, '[[item]]\nid = "a"\nx = 1\ny = 2\nsize = "big"\n')
    assert [f.where for f in caught.value.faults] == ["第 5 行", "第 3 行", "第 4 行"]


def test_a_duplicate_key_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read(tmp_path, '[[item]]\nid = "a"\nid = "b"\n')
    assert caught.value.line == 3


def test_a_missing_file_and_a_binary_file_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="文件不存在"):
        read_model(tmp_path / "none.toml", Whole)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="无法读取"):
        read_model(tmp_path / "b.toml", Whole)


def test_keys_inside_nested_tables_are_found() -> None:
    lines = key_lines(
        "[a]\nx = 1\n[[r]]\nid = 1\n[[r.cell]]\nv = 1\n[[r.cell]]\nv = 2\n[[r]]\nid=2\n"
    )
    assert lines["a", "x"] == 2
    assert lines["r", 0, "cell", 1, "v"] == 8
    assert lines["r", 1, "id"] == 10
