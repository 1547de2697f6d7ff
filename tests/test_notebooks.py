"""Notebooks run from top to bottom, stand stripped in the tree, and tell the story they promise."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REPO = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((REPO / "notebooks").glob("[0-9]*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_ipynb_is_the_script_without_outputs(script: Path) -> None:
    spec = importlib.util.spec_from_file_location("strip", REPO / "notebooks" / "strip.py")
    strip = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(strip)
    assert script.with_suffix(".ipynb").read_text(encoding="utf-8") == strip.stripped(script)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_the_notebook_runs(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WUQU_PLAN", str(REPO / "data"))
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    with warnings.catch_warnings():
        # The kernel client of jupyter warns about its own event loop and sockets.
        warnings.simplefilter("ignore")
        if sys.platform == "win32":
            asyncio.set_event_loop_policy(asyncio.WindowsSelectorEventLoopPolicy())
        done = NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
    printed = "".join(
        output.get("text", "") for cell in done.cells for output in cell.get("outputs", [])
    )
    assert "聊城一中新校：符合" in printed
    assert "419.17 亩" in printed
    assert command_line_digest("yizhong_xinxiao.txt", "080403") in printed


def command_line_digest(sample: str, use: str) -> str:
    """Digest of the same check by the command line, in a process of its own."""
    command = [sys.executable, "-m", "gis.cli", "check", f"data/samples/{sample}", "--use", use]
    out = subprocess.run(
        [*command, "--as-of", "2026-11-22", "--plan", "data", "--format", "json"],
        cwd=REPO,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(out.stdout)["digest"]
