"""Offline pages: vendored files are the recorded ones, and no other address survives."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import folium
import pytest

from gis.output.maps.assets import AssetError, asset, manifest, offline

VENDORS = ("gis/output/maps/vendor", "api/pages/vendor")


@pytest.mark.parametrize("folder", VENDORS)
def test_every_vendored_file_has_the_hash_and_size_of_its_manifest(repo, folder):
    recorded = set()
    for package in json.loads((repo / folder / "manifest.json").read_text("utf-8"))["packages"]:
        for name, entry in package["files"].items():
            content = (repo / folder / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"], name
            assert len(content) == entry["bytes"], name
            recorded.add(name)
    present = {
        p.relative_to(repo / folder).as_posix()
        for p in (repo / folder).rglob("*")
        if p.is_file() and p.name != "manifest.json"
    }
    assert present == recorded


@pytest.mark.parametrize("folder", VENDORS)
def test_every_vendored_package_brings_name_version_and_licence_text(repo, folder):
    for package in json.loads((repo / folder / "manifest.json").read_text("utf-8"))["packages"]:
        assert package["name"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert "Copyright" in package["licence_text"] or "Apache License" in package["licence_text"]


def test_leaflet_is_the_release_that_its_file_names():
    assert manifest()["packages"][0]["version"] == "1.9.4"
    assert b"Leaflet 1.9.4" in asset("leaflet.js").content[:200]


def test_a_file_that_the_manifest_does_not_name_is_refused():
    with pytest.raises(AssetError):
        asset("../assets.py")


def stock_map() -> folium.Map:
    fmap = folium.Map(location=[36.4, 116.0], tiles=None)
    folium.GeoJson({"type": "Point", "coordinates": [116.0, 36.4]}).add_to(fmap)
    return fmap


def test_a_stock_folium_page_becomes_one_file_without_any_address():
    page = offline(stock_map().get_root().render())
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=|<link[^>]*\shref=", page)
    assert "Leaflet 1.9.4" in page
    assert "sourceMappingURL" not in page
    for library in ("jquery", "bootstrap", "awesome", "cdn"):
        assert library not in page.split("Leaflet 1.9.4")[0]


def test_images_of_the_style_sheet_are_inside_the_page():
    page = offline(stock_map().get_root().render())
    assert "url(data:image/png;base64," in page
    assert "url(images/" not in page


def test_the_policy_allows_no_network_and_names_each_script_by_its_hash():
    page = offline(stock_map().get_root().render())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    scripts = policy.split("script-src ")[1].split(";")[0]
    assert "unsafe" not in scripts
    for code in re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in scripts


def test_the_policy_comes_before_everything_it_governs():
    page = offline(stock_map().get_root().render())
    assert page.index("Content-Security-Policy") < page.index("<script")
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_static_pages_take_leaflet_from_the_same_host():
    page = offline(stock_map().get_root().render(), assets="static", prefix="/maps/assets/")
    assert '<script src="/maps/assets/leaflet.js"></script>' in page
    assert '<link rel="stylesheet" href="/maps/assets/leaflet.css">' in page
    assert "script-src 'self' " in page


@pytest.mark.parametrize("prefix", ["https://example.org/", "//example.org/", "/a", "/a/../b c/"])
def test_a_prefix_of_another_host_or_a_broken_one_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        offline(stock_map().get_root().render(), assets="static", prefix=prefix)


def test_an_unknown_way_of_assets_is_refused():
    with pytest.raises(ValueError, match="assets"):
        offline("<html><head></head></html>", assets="cdn")


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://example.org/x.js"></script>',
        '<link rel="stylesheet" href="https://example.org/x.css"/>',
        '<img src="logo.png">',
        "<style>@import 'x.css'</style>",
        "<style>a{background:url(x.png)}</style>",
        "<script>fetch('https://example.org')</script>",
        '<a href="http://example.org">x</a>',
        '<form action="/x"></form>',
        '<iframe src="//example.org"></iframe>',
    ],
)
def test_an_address_that_is_not_vendored_stops_the_page(tag):
    with pytest.raises(AssetError):
        offline(f"<html>\n<head>{tag}</head></html>")


def test_namespaces_and_anchors_are_no_addresses():
    tag = '<svg xmlns="http://www.w3.org/2000/svg"></svg><a href="#x">x</a><p style="fill:url(#p)">'
    assert tag in offline(f"<html>\n<head></head><body>{tag}</body></html>")


def test_a_page_that_uses_a_library_we_do_not_vendor_is_refused():
    fmap = stock_map()
    folium.Marker([36.4, 116.0], popup="x").add_to(fmap)  # folium's popups need jQuery
    with pytest.raises(AssetError, match="not vendored"):
        offline(fmap.get_root().render())


def test_the_shared_lists_of_folium_are_left_alone():
    from gis.output.maps.frame import OfflineMap

    assert OfflineMap.default_js is not folium.Map.default_js
    assert len(folium.Map.default_js) > 1
