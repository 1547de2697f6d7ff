"""The tutorial of the own county is what a planner types: every command runs as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
TEXT = (REPO / "docs" / "tutorial-your-county.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- run -->\n```bash\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [shlex.split(line) for block in BLOCKS for line in block.splitlines()]


def test_every_block_of_the_tutorial_is_run() -> None:
    assert TEXT.count("```bash") == len(BLOCKS) == 5


def test_a_county_of_ten_minutes(tmp_path, monkeypatch, wuqu) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(REPO / "data")
    told = {}
    for words in COMMANDS:
        if words[0] == "wuqu":
            told[words[1]] = wuqu(*words[1:])
        else:
            as_the_shell(words)
    assert {name: code for name, (code, _, _) in told.items()} == dict.fromkeys(told, 0)
    assert "水系" in (tmp_path / "my-county" / "plan.toml").read_text(encoding="utf-8")
    assert "没有发现问题" in told["data"][1]
    # The farmland of the resort does not move because its files have other names.
    assert "占用永久基本农田 955,017.85 m²" in told["check"][1].replace("\n", "")
    assert "草案" in (tmp_path / "my-county.html").read_text(encoding="utf-8")


def as_the_shell(words: list[str]) -> None:
    """mkdir and cp, the two other commands of the tutorial."""
    match words:
        case ["mkdir", folder]:
            os.mkdir(folder)  # noqa: PTH102 - as the command does it
        case ["cp", *sources, target]:
            for pattern in sources:
                for path in sorted(Path().glob(pattern)):
                    shutil.copy(path, target)
        case _:
            pytest.fail(f"the test cannot run {words}")
