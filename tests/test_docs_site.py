"""The documentation site: built without a warning, complete, and readable without a network."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import shapely
from pyproj import Transformer

import gis
from gis.crs import densified
from gis.units import m2_to_mu

REPO = Path(__file__).resolve().parents[1]
DOCS = REPO / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it, in a folder of its own."""
    out = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=REPO,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


class Loaded(HTMLParser):
    """Addresses that a page loads by itself; those of plain links are none."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.found += [given[key] for key in ("src", "srcset") if given.get(key)]
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.found.append(given.get("href") or "")


def test_no_page_loads_anything_from_another_host_and_every_file_is_there(site) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        parser = Loaded()
        parser.feed(page.read_text(encoding="utf-8"))
        for address in parser.found:
            parts = urlsplit(address)
            assert not parts.netloc, (page.name, address)
            if parts.scheme != "data" and page.name != "404.html":
                assert (page.parent / parts.path).exists(), (page.name, address)


def test_style_sheets_load_nothing_from_another_host(site) -> None:
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", text), sheet.name
        assert "@import" not in text


def test_every_public_name_is_explained_in_the_reference(site) -> None:
    text = (site / "reference.html").read_text(encoding="utf-8")
    named = set(re.findall(r'id="(gis\.[\w.]+)"', text))
    missing = [n for n in gis.__all__ if n != "__version__" and f"{gis._HOMES[n]}.{n}" not in named]
    assert missing == []


def test_search_finds_chinese_and_english_words_from_the_disk(site, browser) -> None:
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    for word, title in (
        ("永久基本农田", "规则库"),
        ("ellipsoid", "Areas and coordinate systems"),
    ):
        page.goto((site / "index.html").as_uri())
        page.locator("input[name=query]").click()
        told = page.locator(".md-search-result__meta")
        told.filter(has_not_text="正在初始化").wait_for(timeout=20_000)
        page.keyboard.type(word)
        page.keyboard.press("Control")  # an input method ends with a key, too
        # Words are divided by marks that nobody sees.
        wanted = re.compile("\u200b*".join(map(re.escape, title)))
        found = page.locator(".md-search-result__item h1").filter(has_text=wanted)
        found.first.wait_for(timeout=20_000)
    page.close()
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob", "about"}


def test_the_copied_script_is_the_one_of_the_manifest() -> None:
    manifest = json.loads((DOCS / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    listed = {n: f for package in manifest["packages"] for n, f in package["files"].items()}
    there = {p.name for p in (DOCS / "vendor").iterdir()} - {"manifest.json"}
    assert set(listed) == there
    for name, told in listed.items():
        data = (DOCS / "vendor" / name).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (told["sha256"], told["bytes"])


def test_the_table_of_planar_areas_is_what_proj_says(plan) -> None:
    """Shapely and PROJ alone; the ellipsoidal area of the layer is that of the plan."""
    text = (DOCS / "areas-and-crs.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- planar -->(.*?)<!-- end -->", text, re.DOTALL).group(1)
    rows = [line.split("|")[1:-1] for line in table.splitlines() if "EPSG:" in line]
    assert len(rows) == 4
    for head, ppm, core_mu, resort_mu in rows:
        for epsg in re.findall(r"EPSG:(\d+)", head):
            core, resort = (excess(plan, name, int(epsg)) for name in ("core", "resort"))
            assert number(ppm) == pytest.approx(core[0], abs=0.5)
            assert number(core_mu) == pytest.approx(core[1], abs=0.051)
            assert number(resort_mu) == pytest.approx(resort[1], abs=0.051)


def excess(plan, layer: str, epsg: int) -> tuple[float, float]:
    """How much a planar area exceeds that on the ellipsoid: ppm, mu."""
    outline = plan.layer(layer).index.union
    fine = densified(np.array([outline], dtype=object), 50.0)[0]
    move = Transformer.from_crs(plan.work_epsg, epsg, always_xy=True)
    planar = shapely.transform(fine, lambda xy: np.column_stack(move.transform(*xy.T))).area
    legal = plan.area_of(layer).ellipsoidal_m2
    return (planar / legal - 1) * 1e6, m2_to_mu(planar - legal)


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-").replace("mu", "").strip())
