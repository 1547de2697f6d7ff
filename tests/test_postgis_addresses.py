"""Addresses of databases: where they come from, and that no password stands in a plan."""

from __future__ import annotations

import importlib
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import ExtraError, PlanError
from gis.plan import load_plan
from gis.plan.sources.addresses import address_of, has_secret, is_name

HEAD = """[plan]
id = "small"
version = "1"
title = "小规划"
status = "draft"
work_crs = "EPSG:4548"
accepted_crs = ["EPSG:4548"]
bounds = [116.9, 36.2, 117.1, 36.5]
"""
LAYER = """
[[layer]]
id = "zones"
title = "功能区"
role = "other"
geometry = "polygon"
vintage = "2026"
status = "draft"
"""


def refused(tmp_path: Path, layer: str, more: str = "") -> PlanError:
    (tmp_path / "plan.toml").write_text(HEAD + more + LAYER + layer, encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path)
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader:s3cret@db/planning",
        "postgresql://reader:s3/cret@db/planning",
        "postgresql://:s3cret@db/planning",
        "postgresql+psycopg://reader:s3cret@db/planning",
        "postgresql://db/planning?user=reader&password=s3cret",
        "postgresql://db/planning?user=reader&pass%77ord=s3cret",
        "postgresql://reader%3As3cret@db/planning",
        "host=db password=s3cret",
        "host=db PASSWORD = s3cret",
        "host=db sslpassword=s3cret",
    ],
)
def test_a_password_in_the_plan_is_refused_with_its_line_and_not_repeated(
    tmp_path: Path, address: str
) -> None:
    error = refused(tmp_path, f'postgis = "{address}"\ntable = "zones"\n')
    assert "plan.toml 第 17 行" in error.detail
    assert "密码" in error.detail
    assert "WUQU_POSTGIS_" in error.detail
    error_in_table = refused(
        tmp_path,
        'postgis = "planning"\ntable = "zones"\n',
        f'[postgis]\nplanning = "{address}"\n',
    )
    assert "密码" in error_in_table.detail
    for text in (error.detail, error_in_table.detail, repr(error.faults)):
        assert "s3" not in text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs")), min_size=1, max_size=20))
def test_no_password_hides_in_a_url(password: str) -> None:
    assert has_secret(f"postgresql://reader:{password}@db/planning")
    assert has_secret(f"postgresql://reader:{quote(password, safe='')}@db/planning")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://reader@db:5432/planning",
        "postgresql://reader@[::1]:5432/planning?sslmode=require",
        "postgresql://db-a:5432,db-b:5433/planning",
        "postgresql:///planning?host=/run/postgresql&port=5433",
        "service=planning",
        "host=db dbname=planning passfile=/etc/wuqu/pgpass",
    ],
)
def test_an_address_without_a_password_is_taken(address: str) -> None:
    assert not has_secret(address)
    assert address_of(address, {}) == address


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ('path = "a.shp"\npostgis = "planning"\ntable = "a"\n', "二者之一"),
        ("", "二者之一"),
        ('postgis = "planning"\n', "同时写明 postgis（连接）和 table（表）"),
        ('path = "a.shp"\ntable = "a"\n', "同时写明"),
        ('path = "a.shp"\ngeometry_column = "g"\n', "不用 geometry_column"),
        ('postgis = "planning"\ntable = "a"\nencoding = "gbk"\n', "不用 encoding"),
        ('postgis = "Planning DB"\ntable = "a"\n', "postgresql://用户@主机"),
        ('postgis = "planning"\ntable = "a"\n', "环境变量 WUQU_POSTGIS_PLANNING"),
    ],
)
def test_a_layer_that_stands_nowhere_or_twice_is_refused(tmp_path, monkeypatch, layer, said):
    monkeypatch.delenv("WUQU_POSTGIS_PLANNING", raising=False)
    assert said in refused(tmp_path, layer).detail


@pytest.mark.parametrize(
    "table", ['[postgis]\nplanning = "planning"\n', '[postgis]\n"a b" = "service=x"\n']
)
def test_a_table_of_connections_that_means_nothing_is_refused(tmp_path: Path, table: str) -> None:
    assert "postgis" in refused(tmp_path, 'path = "a.shp"\n', table).detail


def test_the_environment_goes_before_the_plan(monkeypatch) -> None:
    named = {"planning": "service=of_the_plan"}
    monkeypatch.delenv("WUQU_POSTGIS_PLANNING", raising=False)
    assert address_of("planning", named) == "service=of_the_plan"
    monkeypatch.setenv("WUQU_POSTGIS_PLANNING", "postgresql+psycopg://u:p@db/x")
    assert address_of("planning", named) == "postgresql://u:p@db/x"
    monkeypatch.setenv("WUQU_POSTGIS_PLANNING", "s3cret and nothing else")
    with pytest.raises(PlanError, match="不是数据库地址") as caught:
        address_of("planning", named)
    assert "s3cret" not in str(caught.value)


def test_names_are_no_addresses() -> None:
    assert is_name("planning_2")
    assert not is_name("Planning")
    assert not is_name("planning.db")


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path, monkeypatch) -> None:
    def absent(name: str):
        raise ImportError(name)

    text = HEAD + LAYER + 'postgis = "service=x"\ntable = "zones"\n'
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ExtraError, match=r"wuqu\[postgis\]"):
        load_plan(tmp_path)
