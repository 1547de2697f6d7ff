"""The pages: everything from this service, nothing executable from outside, the same colours."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import api
from gis.claims import ATTRIBUTES
from gis.model import Verdict
from gis.output.maps.style import VERDICTS

PAGES = Path(api.__file__).parent / "pages"
RING = [[115.97, 36.37], [115.971, 36.37], [115.971, 36.371], [115.97, 36.371], [115.97, 36.37]]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
# Attributes whose value a browser fetches or follows.
FETCHED = {"src", "href", "action", "data", "poster", "srcset", "formaction", "xlink:href"}


class Links(HTMLParser):
    """Collects what a page would fetch, its inline scripts, and event handlers in the markup."""

    def __init__(self, html):
        super().__init__()
        self.links, self.inline, self.handlers = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.links += [v for k, v in attrs if k in FETCHED and v]
        self.handlers += [k for k in given if k.startswith("on")]
        if tag == "style" or "style" in given or (tag == "script" and "src" not in given):
            self.inline.append(tag)


@pytest.fixture(scope="module")
def record(client):
    geometry = {"type": "Polygon", "coordinates": [RING]}
    body = {"type": "Feature", "properties": {"name": EVIL}, "geometry": geometry}
    headers = {"Content-Type": "application/geo+json"}
    url = "/v1/site-checks?as_of=2026-11-22"
    return client.post(url, content=json.dumps(body).encode(), headers=headers).json()


def page(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def policy(answer):
    rows = answer.headers["content-security-policy"].split(";")
    return {words[0]: words[1:] for words in (row.split() for row in rows)}


@pytest.mark.usefixtures("record")
@pytest.mark.parametrize("url", ["/", "/docs"])
def test_a_page_of_this_service_fetches_from_this_service_only(client, url):
    found = Links(page(client, url).text)
    assert found.links
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in found.links)
    assert found.inline == []
    assert found.handlers == []


@pytest.mark.parametrize(
    "url", ["/maps/plan.html", "/maps/comparison.html", "/maps/site-checks/{id}.html"]
)
def test_a_map_fetches_nothing_at_all(client, record, url):
    found = Links(page(client, url.format(**record)).text)
    assert not [link for link in found.links if not link.startswith(("data:", "#"))]
    assert found.handlers == []


def test_everything_that_a_page_links_to_is_there(client):
    for url in ("/", "/docs"):
        for link in Links(page(client, url).text).links:
            if link.startswith("/"):
                assert client.get(link).status_code == 200, link


def test_own_scripts_and_styles_name_no_other_host():
    for path in (PAGES / "static").iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]", text), path.name
        assert not re.search(r"\binnerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


def test_text_from_a_file_never_becomes_markup(client, record):
    for url in ("/", f"/maps/site-checks/{record['id']}.html"):
        html = page(client, url).text
        assert "<script>alert(1)" not in html
        assert "<img src=x" not in html


def test_the_desk_allows_nothing_from_outside_and_no_inline_code(client):
    rules = policy(page(client, "/"))
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert rules["frame-ancestors"] == ["'self'"]


def test_a_map_runs_in_a_sandbox_that_can_send_nothing(client, record):
    for url in ("/maps/plan.html", "/maps/comparison.html", f"/v1/site-checks/{record['id']}.html"):
        rules = policy(page(client, url))
        assert "allow-same-origin" not in rules["sandbox"]
        assert rules["connect-src"] == rules["form-action"] == ["'none'"]
        assert rules["default-src"] == ["'none'"]


@pytest.mark.parametrize("url", ["/", "/v1/plan", "/nope", "/static/desk.js", "/healthz", "/docs"])
def test_every_answer_carries_the_security_headers(client, url):
    headers = client.get(url).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_the_desk_says_that_the_plan_is_schematic(client, plan):
    html = page(client, "/").text
    assert "示意" in html
    assert plan.ref.status_note in html


def test_the_desk_offers_every_use_and_every_attribute(client):
    html = page(client, "/").text
    assert 'value="080403">080403 中小学用地' in html
    for key, attribute in ATTRIBUTES.items():
        assert f'data-attr="{key}"' in html
        assert attribute.title in html


def test_every_field_of_the_desk_has_a_label(client):
    html = page(client, "/").text
    fields = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"', html)
    labels = set(re.findall(r'<label[^>]*\bfor="([^"]+)"', html))
    # A checkbox that stands inside its label needs no other.
    assert {f for f in fields if f != "repair"} <= labels


def test_the_desk_lists_recent_checks(client, record):
    assert f"#check={record['id']}" in page(client, "/").text


def test_the_samples_of_the_plan_can_be_tried(client):
    samples = client.app.state.wuqu.samples
    html = page(client, "/").text
    assert html.count("data-sample=") == len(samples)
    for number, sample in enumerate(samples, start=1):
        assert client.get(f"/samples/{number}").content == sample.path.read_bytes()


def test_the_colours_of_the_verdicts_are_those_of_the_maps():
    css = (PAGES / "static" / "desk.css").read_text(encoding="utf-8")
    for verdict in Verdict:
        name = verdict.value.replace("_", "-")
        look = VERDICTS[verdict]
        assert f"--{name}: {look.colour};" in css
        assert f"--{name}-tint: {look.tint};" in css


def test_the_plan_map_is_drawn_once(client, monkeypatch):
    first = page(client, "/maps/plan.html").text
    monkeypatch.setattr("api.maps.plan_map", lambda *_args, **_kwargs: "drawn again")
    assert page(client, "/maps/plan.html").text == first


def test_the_map_of_a_record_has_two_addresses_and_one_content(client, record):
    one = page(client, f"/maps/site-checks/{record['id']}.html").text
    assert one == page(client, f"/v1/site-checks/{record['id']}.html").text


def test_kept_maps_are_bounded_and_the_plan_map_stays(client, monkeypatch):
    page(client, "/maps/plan.html")
    monkeypatch.setattr("api.maps._KEPT", 3)
    monkeypatch.setattr("api.maps.site_map", lambda document, *_args, **_kwargs: document["id"])
    headers = {"Content-Type": "application/geo+json"}
    body = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()
    for _ in range(4):
        made = client.post("/v1/site-checks", content=body, headers=headers).json()["id"]
        assert page(client, f"/maps/site-checks/{made}.html").text == made
    pages = client.app.state.wuqu.pages
    assert len(pages) == 3
    assert sum(key.startswith("plan:") for key in pages) == 1


def test_vendored_files_are_those_of_the_manifest():
    manifest = json.loads((PAGES / "vendor" / "manifest.json").read_text(encoding="utf-8"))
    named = {n: f["sha256"] for p in manifest["packages"] for n, f in p["files"].items()}
    files = [p for p in (PAGES / "vendor").rglob("*") if p.is_file() and p.name != "manifest.json"]
    found = {str(p.relative_to(PAGES / "vendor")): p.read_bytes() for p in files}
    assert {n: hashlib.sha256(b).hexdigest() for n, b in found.items()} == named
