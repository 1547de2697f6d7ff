"""``--ceiling``: what the files of a command show of layers that are not for everyone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

PARK = "theme_park_2000mu.geojson"
FILES = {"--map": "map.html", "--out": "out.geojson", "--report": "r.pdf", "--card": "c.png"}


@pytest.fixture(scope="module")
def secret(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled plan with permanent farmland restricted."""
    root = tmp_path_factory.mktemp("secret") / "plan"
    shutil.copytree(repo / "data", root, ignore=shutil.ignore_patterns("build", "rasters"))
    text = (root / "plan.toml").read_text(encoding="utf-8")
    start = text.index('id = "farmland"')
    end = text.index("secrecy = ", start)
    text = text[:end] + text[end:].replace('secrecy = "public"', 'secrecy = "restricted"', 1)
    head, _, rasters = text.partition("[[raster]]")
    assert rasters
    (root / "plan.toml").write_text(head, encoding="utf-8")
    return root


def outlined(document: dict[str, Any]) -> set[str]:
    """Rules whose place an answer shows."""
    return {f["rule"] for f in document["findings"] if f.get("geometry")}


@pytest.fixture
def checked(wuqu, secret: Path, samples_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WUQU_PLAN", str(secret))
    monkeypatch.delenv("WUQU_SECRECY", raising=False)

    def run(*more: Any) -> dict[str, Any]:
        code, out, err = wuqu(
            "check", samples_dir / PARK, "--use", "0903", "--as-of", "2026-11-22",
            "--format", "json", *more,
        )  # fmt: skip
        assert code == 0, err
        return json.loads(out)

    return run


def test_an_answer_keeps_the_number_and_leaves_the_place_out(checked) -> None:
    public, all_of_it = checked(), checked("--ceiling", "restricted")
    assert public["digest"] == all_of_it["digest"]
    assert public["deciding_rule"] == all_of_it["deciding_rule"]
    hidden = outlined(all_of_it) - outlined(public)
    assert all_of_it["deciding_rule"] in hidden  # the farmland under the park
    assert checked("--ceiling", "internal") == public


def test_the_environment_sets_the_ceiling(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = checked("--ceiling", "restricted")
    monkeypatch.setenv("WUQU_SECRECY", "restricted")
    assert checked() == everything


def test_every_file_that_a_check_leaves_obeys_the_ceiling(checked, tmp_path: Path) -> None:
    sizes: dict[str, list[int]] = {name: [] for name in FILES}
    shown = []
    for ceiling in ("public", "restricted"):
        folder = tmp_path / ceiling
        folder.mkdir()
        named = [part for option, name in FILES.items() for part in (option, folder / name)]
        checked("--ceiling", ceiling, *named)
        for option, name in FILES.items():
            sizes[option].append((folder / name).stat().st_size)
        frame = gpd.read_file(folder / "out.geojson")
        shown.append(int(frame.geometry.notna().sum()))
    assert shown[0] < shown[1]
    assert all(closed != whole for closed, whole in sizes.values())
    # Outlines of two thousand mu of farmland make the page longer by more than their texts.
    closed, whole = sizes["--map"]
    assert whole - closed > 20_000


def test_a_map_of_the_plan_obeys_the_ceiling(wuqu, checked, tmp_path: Path) -> None:
    del checked
    pages = []
    for ceiling in ("public", "restricted"):
        code, _, err = wuqu("map", "--ceiling", ceiling, "-o", tmp_path / f"{ceiling}.html")
        assert code == 0, err
        pages.append((tmp_path / f"{ceiling}.html").read_text(encoding="utf-8"))
    assert '"l-farmland"' not in pages[0]
    assert '"l-farmland"' in pages[1]


def test_a_level_that_nobody_knows_is_refused(wuqu, samples_dir: Path) -> None:
    code, _, err = wuqu("check", samples_dir / PARK, "--ceiling", "secret")
    assert code == 2
    assert "restricted" in err
