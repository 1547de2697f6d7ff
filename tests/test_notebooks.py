"""Notebooks run from top to bottom, stand stripped in the tree, and tell the story they promise."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((REPO / "notebooks").glob("[0-9]*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_ipynb_is_the_script_without_outputs(script: Path) -> None:
    spec = importlib.util.spec_from_file_location("strip", REPO / "notebooks" / "strip.py")
    strip = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(strip)
    assert script.with_suffix(".ipynb").read_text(encoding="utf-8") == strip.stripped(script)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch):
    """Run a notebook from top to bottom and return what it prints."""
    # Every process that collects the tests would load them, for one file that runs in one.
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("WUQU_PLAN", str(REPO / "data"))
    monkeypatch.setenv("PYTHONPATH", str(REPO))

    def run(name: str) -> str:
        notebook = nbformat.read(REPO / "notebooks" / f"{name}.ipynb", as_version=4)
        with warnings.catch_warnings():
            # The kernel client of jupyter warns about its own event loop and sockets.
            warnings.simplefilter("ignore")
            if sys.platform == "win32":
                asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
            done = NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
        return "".join(
            output.get("text", "") for cell in done.cells for output in cell.get("outputs", [])
        )

    return run


def test_every_notebook_is_run_by_a_test_below() -> None:
    assert [p.stem for p in SCRIPTS] == ["01_plan_and_site_check", "02_land_balance"]


def test_plan_and_site_check_gives_the_digest_of_the_command_line(printed) -> None:
    text = printed("01_plan_and_site_check")
    assert "聊城一中新校：有条件符合" in text
    assert "419.17 亩" in text
    command = ("check", "data/samples/yizhong_xinxiao.txt", "--use", "080403")
    assert command_line(*command, "--as-of", "2026-11-22")["digest"] in text


def test_land_balance_gives_the_sentence_of_the_command_line(printed) -> None:
    text = printed("02_land_balance")
    # The share that the resort states of itself is 52 %.
    assert "规划核心区绿地和水域占比 52.00%" in text
    document = command_line("balance")
    assert document["land_balance"]["sentence"] in text
    assert all(row["sentence"] in text for row in document["rasters"])


def command_line(*words: str) -> dict:
    """Answer of the command line to the same question, in a process of its own."""
    out = subprocess.run(
        [sys.executable, "-m", "gis.cli", *words, "--plan", "data", "--format", "json"],
        cwd=REPO,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(out.stdout)
