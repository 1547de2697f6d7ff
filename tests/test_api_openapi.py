"""The description of the interface is complete: words and examples for every operation, in Chinese.

The examples are judged by another reader of JSON Schema than the one that made them.
"""

from __future__ import annotations

import re

import jsonschema
import pytest
from fastapi import FastAPI
from jsonschema.exceptions import best_match

from api.app import create_app
from api.openapi import example_of
from api.settings import Settings

PATHS = FastAPI.openapi(create_app(Settings()))["paths"]
OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in methods]
CHINESE = re.compile("[\u4e00-\u9fff]")
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def is_file(content: dict) -> bool:
    return content["schema"].get("format") == "binary"


def assert_fits(content: dict, document: dict) -> None:
    schema = {**content["schema"], "components": document["components"]}
    wrong = best_match(jsonschema.Draft202012Validator(schema).iter_errors(content["example"]))
    assert wrong is None, f"{wrong.json_path}: {wrong.message[:200]}"


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_has_a_name_and_a_description_in_chinese(document, path, method) -> None:
    operation = document["paths"][path][method]
    for word in ("summary", "description"):
        assert CHINESE.search(operation[word]), word
    for parameter in operation.get("parameters", ()):
        said = parameter.get("description") or parameter["schema"].get("description")
        assert said is None or CHINESE.search(said) or parameter["in"] == "path"


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_body_has_an_example_for_every_content_type_that_is_no_file(
    document, path, method
) -> None:
    body = document["paths"][path][method].get("requestBody")
    for kind, content in (body or {"content": {}})["content"].items():
        assert is_file(content) or "example" in content, kind
        if not is_file(content) and kind != "multipart/form-data":
            assert_fits(content, document)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_good_answer_has_an_example_or_is_a_file_and_a_bad_one_is_a_problem(
    document, path, method
) -> None:
    answers = document["paths"][path][method]["responses"]
    assert any(status < "300" for status in answers)
    for status, answer in answers.items():
        assert CHINESE.search(answer["description"]) or answer["description"] in (
            "Successful Response",
            "GeoJSON FeatureCollection",
        )
        if status >= "400":
            assert list(answer["content"]) == [PROBLEM]
            example = answer["content"][PROBLEM]["example"]
            assert example["status"] == int(status)
            assert CHINESE.search(example["detail"])
            assert_fits(answer["content"][PROBLEM], document)
            continue
        # A file beside a map is a script, a style or a picture.
        assert "content" in answer or status == "204" or path == "/maps/assets/{name}"
        for kind, content in answer.get("content", {}).items():
            if not is_file(content):
                assert content["example"] is not None, kind
                assert_fits(content, document)


@pytest.mark.parametrize("path", ["/v1/site-checks", "/v1/zones", "/v1/plan", "/v1/jobs"])
def test_the_examples_of_answers_are_chinese_where_people_read_them(document, path) -> None:
    (content,) = document["paths"][path]["get"]["responses"]["200"]["content"].values()
    assert CHINESE.search(str(content["example"]))


def test_an_example_is_the_field_s_own_before_that_of_its_name_and_of_its_type() -> None:
    shapes = {"Row": {"type": "object", "properties": {"title": {"type": "string"}}}}
    schema = {
        "type": "object",
        "properties": {
            "title": {"type": "string", "examples": ["自己的"]},
            "row": {"$ref": "#/components/schemas/Row"},
            "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}},
            "kind": {"enum": ["a", "b"]},
            "free_m2": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "title_m2": {"type": "integer"},
            "strange": {"type": "boolean"},
        },
    }
    told = example_of(schema, shapes)
    assert told["title"] == "自己的"
    assert told["row"] == told["rows"][0] == {"title": "永久基本农田"}
    assert told["kind"] == "a"
    assert told["free_m2"] > 0
    # A number that is no whole one does not stand for one.
    assert (told["title_m2"], told["strange"]) == (1, False)


def test_a_schema_that_goes_round_in_a_circle_ends() -> None:
    row = {"type": "object", "properties": {"rows": {"type": "array", "items": {"$ref": "#/Row"}}}}
    told = example_of({"$ref": "#/Row"}, {"Row": row})
    assert told["rows"][0]["rows"]
