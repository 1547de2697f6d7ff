"""What the READMEs show is what the commands print."""

import functools
import re
import shlex
import subprocess
import sys
import tomllib
from typing import get_args

import pytest

from gis.plan import schema

FILES = ("README.md", "README.zh-CN.md")


def examples(text):
    """Yield each command of the console blocks with the lines that are shown for it."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, [line for line in shown.splitlines() if line and line != "…"]


@pytest.fixture(scope="module")
def printed(repo):
    """Run a command in a process of its own, once, and return what it prints."""

    @functools.cache
    def call(*words):
        done = subprocess.run(
            [sys.executable, "-m", "gis.cli", *words],
            cwd=repo,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return done.stdout

    return call


@pytest.mark.parametrize("name", FILES)
def test_every_command_of_the_readme_prints_what_it_shows_in_that_order(repo, printed, name):
    found = list(examples((repo / name).read_text(encoding="utf-8")))
    assert found
    for command, shown in found:
        words = shlex.split(command)
        assert words[0] == "wuqu"
        text = printed(*words[1:])
        lines = iter(text.splitlines())
        for line in shown:
            assert any(line == one for one in lines), f"{command}\n{line}\n{text}"


def indicators(text):
    """Yield computed numbers and id of each row of the table of indicators."""
    table = text.split("| indicator |")[1].split("\n\n")[0]
    for row in table.splitlines()[2:]:
        _, _, _, computed, _, name, _ = (cell.strip() for cell in row.split("|"))
        yield re.findall(r"[\d,]+\.\d+", computed), name.strip("`")


def test_the_balance_prints_and_explains_each_number_of_the_table_of_indicators(
    repo, printed, wuqu
):
    found = list(indicators((repo / "README.md").read_text(encoding="utf-8")))
    whole = printed("balance", "--plan", "data")
    assert len(found) == 7
    for numbers, name in found:
        code, explained, _ = wuqu("balance", "--plan", repo / "data", "--explain", name)
        assert code == 0
        assert numbers
        for number in numbers:
            assert number in whole
            assert number in explained, name
        lines = ("定义", "分母") if ":ndvi" in name or "share" in name else ("定义", "图层", "时点")
        assert all(f"│ {line}" in explained for line in lines), name


def test_the_page_on_plan_packages_is_a_valid_plan_that_names_every_key_and_role(repo):
    text = (repo / "docs" / "plan-package.md").read_text(encoding="utf-8")
    example = tomllib.loads(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    schema.PlanFile.model_validate(example)
    tables = {"plan": schema.PlanHeader, "stated": schema.Stated, "layer": schema.LayerEntry}
    tables |= {"raster": schema.RasterEntry, "quota": schema.QuotaEntry}
    for name, model in tables.items():
        rows = [example[name]] if name == "plan" else example[name]
        assert set(model.model_fields) == {key for row in rows for key in row}, name
    fields = {key for row in example["layer"] for key in row.get("fields", {})}
    assert fields == {f.alias or k for k, f in schema.FieldNames.model_fields.items()}
    assert all(f"`{role}`" in text for role in get_args(schema.Role))
