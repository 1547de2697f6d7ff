"""The other files of ``deploy``: what they name exists, and the script refuses a wrong call."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from api.settings import Settings

# The connections of layers are named by the plan: WUQU_POSTGIS_ and its name.
SETTING = re.compile(r"\bWUQU_(?!POSTGIS_)([A-Z_]+)\b")
# Read by the toolkit itself, not by the settings of the service.
OTHERS = {"REQUIRE_ALL", "PATIENCE", "EXAMPLES"}


@pytest.fixture(scope="module")
def deploy(repo) -> Path:
    return repo / "deploy"


def test_every_setting_that_a_file_names_is_one_of_the_service(repo, deploy) -> None:
    known = {name.upper() for name in Settings.model_fields} | OTHERS
    pages = (repo / "docs" / f"{name}.md" for name in ("service", "access", "operation"))
    named = {
        name
        for file in (*deploy.iterdir(), *pages)
        for name in SETTING.findall(file.read_text(encoding="utf-8"))
    }
    assert len(named) > 15
    assert named <= known


def test_every_setting_is_told_in_the_documents(repo) -> None:
    text = (repo / "docs" / "service.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"WUQU_{name.upper()}`" not in text]
    assert missing == []


@pytest.mark.parametrize("words", [[], ["build"], ["install", "a"], ["remove", "a", "b"]])
def test_a_wrong_call_of_the_offline_script_says_how_to_call_it(deploy, words) -> None:
    done = subprocess.run(
        ["bash", str(deploy / "offline.sh"), *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "offline.sh install" in done.stderr


def test_a_wheel_that_was_changed_on_the_way_is_not_installed(deploy, tmp_path) -> None:
    house = tmp_path / "house"
    (house / "wheels").mkdir(parents=True)
    (house / "wheels" / "wuqu-0-py3-none-any.whl").write_bytes(b"changed")
    (house / "wuqu.sha256").write_text(f"{'0' * 64}  wheels/wuqu-0-py3-none-any.whl\n")
    done = subprocess.run(
        ["bash", str(deploy / "offline.sh"), "install", str(house), str(tmp_path / "venv")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert not (tmp_path / "venv").exists()


def test_what_was_never_run_says_so(deploy) -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert "NOT RUN HERE" in (deploy / name).read_text(encoding="utf-8")


def test_the_image_is_built_from_the_python_and_the_locked_file_of_the_project(
    repo, deploy
) -> None:
    text = (deploy / "Dockerfile").read_text(encoding="utf-8")
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (version,) = set(re.findall(r"FROM python:(\d+\.\d+)-", text))
    assert f">={version}" == project["requires-python"]
    assert "--require-hashes -r requirements.txt" in text
    assert (repo / "requirements.txt").exists()
