"""Reports over HTTP: of records only, as files, and what happens without the extra."""

from __future__ import annotations

import sys
from urllib.parse import unquote

import pytest
from report_tools import docx_text, pdf_text, squeezed

TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@pytest.fixture(scope="module")
def record(client, samples_dir):
    body = (samples_dir / "yizhong_xinxiao.txt").read_bytes()
    query = {"use": "080403", "as_of": "2026-11-22"}
    answer = client.post("/v1/site-checks", params=query, files={"file": ("一.txt", body)})
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("kind", TYPES)
def test_the_report_of_a_record_carries_its_numbers(client, record, kind: str) -> None:
    answer = client.get(f"/v1/site-checks/{record['id']}.{kind}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == TYPES[kind]
    text = squeezed(pdf_text(answer.content) if kind == "pdf" else docx_text(answer.content))
    assert record["id"] in text
    assert record["digest"] in text
    assert f"{record['site']['area']['ellipsoidal_m2']:,.2f}" in text


def test_the_file_is_called_like_the_site(client, record) -> None:
    told = client.get(f"/v1/site-checks/{record['id']}.pdf").headers["content-disposition"]
    assert told.startswith("attachment; ")
    assert unquote(told.split("filename*=UTF-8''")[1]) == f"{record['site']['name']}.pdf"


@pytest.mark.parametrize("name", ['a";\r\nX-Evil: 1', "\ud800甲", "../../etc/passwd"])
def test_a_hostile_name_breaks_no_header(client, samples_dir, name: str) -> None:
    import json

    body = json.loads((samples_dir / "fire_station.geojson").read_text(encoding="utf-8"))
    feature = body["features"][0] if "features" in body else body
    feature = {"type": "Feature", "geometry": feature.get("geometry", feature)}
    feature["properties"] = {"name": name}
    made = client.post(
        "/v1/site-checks",
        content=json.dumps(feature).encode(),
        headers={"Content-Type": "application/geo+json"},
    )
    if made.status_code == 400:  # half a surrogate pair is no text
        return
    answer = client.get(f"/v1/site-checks/{made.json()['id']}.pdf")
    assert answer.status_code == 200
    assert "x-evil" not in answer.headers
    told = unquote(answer.headers["content-disposition"].split("filename*=UTF-8''")[1])
    assert not set('\\/:*?"<>|\r\n') & set(told)


@pytest.mark.parametrize("kind", TYPES)
def test_an_unknown_record_is_not_found(client, kind: str) -> None:
    answer = client.get(f"/v1/site-checks/nothing.{kind}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(("kind", "module"), [("pdf", "typst"), ("docx", "docx")])
def test_without_the_extra_the_answer_says_what_to_install(
    client, record, monkeypatch, kind: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    answer = client.get(f"/v1/site-checks/{record['id']}.{kind}")
    assert answer.status_code == 503
    assert answer.json()["code"] == "extra"
    assert 'pip install "wuqu[report]"' in answer.json()["detail"]


def test_both_papers_are_declared(client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for kind, media in TYPES.items():
        answers = paths[f"/v1/site-checks/{{check_id}}.{kind}"]["get"]["responses"]
        assert list(answers["200"]["content"]) == [media]
        assert {"404", "503"} <= set(answers)
