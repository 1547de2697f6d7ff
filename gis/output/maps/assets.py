"""How does a folium page live without the internet?

Turns the stock links of a folium page into vendored files, either inside the page (``inline``) or
under a path of the serving application (``static``), and gives the page a Content-Security-Policy
that allows no network. It raises on every address it does not know; it never fetches anything.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gis.output.sharing import Basemap

STATIC_PREFIX = "/maps/assets/"

# Addresses of the folium release in use, without host and version. None: the page must not need it.
_STOCK: tuple[tuple[str, str | None, str], ...] = (
    (r"leaflet@[\d.]+/dist/leaflet\.js$", "leaflet.js", ""),
    (r"leaflet@[\d.]+/dist/leaflet\.css$", "leaflet.css", ""),
    (r"/jquery-[\d.]+(\.min)?\.js$", None, r"\$\(|\$\.|\bjQuery\b"),
    (r"bootstrap@[\d.]+/dist/js/bootstrap\.bundle\.min\.js$", None, r"\bbootstrap\."),
    (r"leaflet\.awesome-markers\.js$", None, r"AwesomeMarkers"),
    (r"bootstrap@[\d.]+/dist/css/bootstrap\.min\.css$", None, ""),
    (r"bootstrap-glyphicons\.css$", None, "glyphicon"),
    (r"fontawesome-free@[\d.]+/css/all\.min\.css$", None, r"\bfa-"),
    (r"leaflet\.awesome-markers\.css$", None, "awesome-marker"),
    (r"leaflet\.awesome\.rotate\.min\.css$", None, "awesome-marker"),
)
_SCRIPT_LINK = re.compile(r'<script\s+src="([^"]*)"\s*>\s*</script>', re.IGNORECASE)
_STYLE_LINK = re.compile(r'<link\s+rel="stylesheet"\s+href="([^"]*)"\s*/?>', re.IGNORECASE)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.IGNORECASE | re.DOTALL)
_INLINE_STYLE = re.compile(r"<style>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_LOADING = frozenset(
    {"src", "href", "srcset", "action", "formaction", "poster", "background", "data", "ping"}
    | {"xlink:href", "manifest"}
)
_STYLED = re.compile(r"""url\(\s*["']?(?!#|data:)|@import|image-set\(""", re.IGNORECASE)
# No text of a plan or a site can hold one: clean() writes the slash as an entity.
_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp|file):\\?/\\?/", re.IGNORECASE)
_NAMESPACES = re.compile(r"http://www\.w3\.org/(?:2000/svg|1999/xlink)")
_CSS_URL = re.compile(r"url\(\s*[\"']?([^)\"']+)[\"']?\s*\)")


class AssetError(RuntimeError):
    """A page wants an address that is not vendored, or a vendored file is not the recorded one."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One vendored file as recorded in the manifest."""

    name: str
    media_type: str
    sha256: str
    content: bytes


def manifest() -> dict[str, Any]:
    """Return the record of the vendored packages: name, version, licence and SHA-256 of files."""
    text = files(__package__).joinpath("vendor/manifest.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    return record


@cache
def asset(name: str) -> Asset:
    """Return a vendored file by its name in the manifest, such as ``leaflet.js``.

    Raises
    ------
    AssetError
        The manifest does not name the file, or its bytes are not the recorded ones.
    """
    for package in manifest()["packages"]:
        entry = package["files"].get(name)
        if entry is not None:
            content = files(__package__).joinpath("vendor", *name.split("/")).read_bytes()
            if hashlib.sha256(content).hexdigest() != entry["sha256"]:
                raise AssetError(f"vendored file {name} is not the recorded one")
            return Asset(name, entry["media_type"], entry["sha256"], content)
    raise AssetError(f"{name} is not a vendored file")


def offline(
    html: str,
    *,
    assets: str = "inline",
    prefix: str = STATIC_PREFIX,
    basemap: Basemap | None = None,
) -> str:
    """Return a rendered folium page that needs no network.

    Parameters
    ----------
    html
        The page as ``folium.Map.get_root().render()`` gives it, every text in it cleaned.
    assets
        ``inline``: everything inside the page; ``static``: vendored files under ``prefix``.
    prefix
        Path on the serving host, such as ``/maps/assets/``.
    basemap
        The one address that the page may name, and whose host may send it pictures.

    Raises
    ------
    AssetError
        An address is unknown, or the page uses a library that is not vendored.
    """
    if assets not in {"inline", "static"}:
        raise ValueError(f"assets must be 'inline' or 'static', not {assets!r}")
    if not re.fullmatch(r"/?[\w.-]+(/[\w.-]+)*/|/", prefix):
        raise ValueError(f"prefix must be a path of the same host that ends in /, not {prefix!r}")
    rest = _STYLE_LINK.sub("", _SCRIPT_LINK.sub("", html))
    # As a script of the page says it: in JSON, where & stands as its code.
    told = f'"{basemap.url}"'.replace("&", "\\u0026") if basemap else ""
    _refuse_addresses(rest.replace(told, '""', 1) if told else rest)
    page = _SCRIPT_LINK.sub(lambda m: _script(m[1], rest, assets, prefix), html)
    page = _STYLE_LINK.sub(lambda m: _style(m[1], rest, assets, prefix), page)
    return _with_policy(page, assets, f"{basemap.origin} " if basemap else "")


def _refuse_addresses(page: str) -> None:
    page = _NAMESPACES.sub("", page)
    found = _ADDRESS.search(page)
    if found:
        around = page[found.start() : found.start() + 120]
        raise AssetError(f"the page names an address that is not vendored: {around!r}")
    reader = _Loads()
    reader.feed(_SCRIPT.sub("", page))
    reader.close()


class _Loads(HTMLParser):
    """Walks over tags as a browser does, so that a text that looks like one is no tag."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            loads = name in _LOADING and value and not value.startswith("#")
            styled = name in {"style", "fill", "stroke"} and _STYLED.search(value or "")
            if loads or styled:
                raise AssetError(f"<{tag} {name}={(value or '')[:80]!r}> is not vendored")

    def handle_data(self, data: str) -> None:
        found = self._in_style and _STYLED.search(data)
        if found:
            raise AssetError(f"a style loads {data[found.start() : found.start() + 80]!r}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._in_style = False


def _vendored_name(url: str, page: str) -> str | None:
    if url.startswith("vendor:"):
        return url.removeprefix("vendor:")
    for pattern, name, used in _STOCK:
        if re.search(pattern, url):
            if name is None and used and re.search(used, page):
                raise AssetError(f"the page uses {url}, which is not vendored")
            return name
    raise AssetError(f"unknown address: {url}")


def _script(url: str, page: str, assets: str, prefix: str) -> str:
    name = _vendored_name(url, page)
    if name is None:
        return ""
    if assets == "static":
        return f'<script src="{prefix}{name}"></script>'
    return f"<script>{_inside(asset(name).content.decode(), 'script')}</script>"


def _style(url: str, page: str, assets: str, prefix: str) -> str:
    name = _vendored_name(url, page)
    if name is None:
        return ""
    if assets == "static":
        return f'<link rel="stylesheet" href="{prefix}{name}">'
    css = _CSS_URL.sub(_data_uri, asset(name).content.decode())
    return f"<style>{_inside(css, 'style')}</style>"


def _inside(code: str, tag: str) -> str:
    if f"</{tag}" in code.lower():
        raise AssetError(f"vendored code would end its <{tag}>")
    # Carriage returns would be normalised by the browser and change the hash in the policy.
    code = code.replace("\r\n", "\n")
    return re.sub(r"\n?(//|/\*)# sourceMappingURL=\S+( \*/)?\s*$", "\n", code)


def _data_uri(match: re.Match[str]) -> str:
    target = match[1]
    if target.startswith(("#", "data:")):
        return match[0]
    found = asset(target)
    return f"url(data:{found.media_type};base64,{base64.b64encode(found.content).decode()})"


def _with_policy(page: str, assets: str, pictures_from: str) -> str:
    """Put the policy first in the head: scripts by hash, so an injected one would not run."""
    hashes = " ".join(dict.fromkeys(_hash_source(code) for code in _SCRIPT.findall(page)))
    own = "'self' " if assets == "static" else ""
    policy = (
        f"default-src 'none'; script-src {own}{hashes}; style-src {own}'unsafe-inline'; "
        f"img-src {own}{pictures_from}data:; base-uri 'none'; form-action 'none'"
    )
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    head = '<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n' + meta
    page, count = re.subn(r"<html>\s*<head>", lambda _: head, page, count=1)
    if count != 1:
        raise AssetError("the page has no <html><head> to put the policy into")
    return page


def apart(page: str, prefix: str) -> tuple[str, dict[str, bytes]]:
    """Return a ``static`` page with its own scripts and styles taken out, and these by name.

    The names carry a hash, so that a browser may keep them; the policy then allows scripts from
    the host only.
    """
    taken: dict[str, bytes] = {}

    def name_of(code: str, kind: str) -> str:
        content = code.encode()
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        taken[name] = content
        return f"{prefix}{name}"

    page = _SCRIPT.sub(lambda m: f'<script src="{name_of(m[1], "js")}"></script>', page)
    page = _INLINE_STYLE.sub(
        lambda m: f'<link rel="stylesheet" href="{name_of(m[1], "css")}">', page
    )
    # A served page would otherwise be asked for /favicon.ico.
    page = page.replace("<head>", '<head>\n<link rel="icon" href="data:,">', 1)
    policy = re.compile(r"script-src 'self'(?: 'sha256-[^']+')*")
    page, count = policy.subn("script-src 'self'; connect-src 'self'", page, count=1)
    if count != 1:
        raise AssetError("the page has no policy of a static page")
    return page, taken


def _hash_source(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
