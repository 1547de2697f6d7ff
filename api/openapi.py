"""Is the interface description complete? Every body, every answer and every problem has an example.

FastAPI writes the shapes; here problems get their content type, and examples are put together from
those of the fields. A field of a model says its own (``examples``) where it matters; measures and
names that mean the same everywhere stand in the tables below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.errors import PROBLEM_TYPE, example_problem

_HASH = "1ee53bbb22b9a8eaf35d0d2c54ea91a3f8f5e6b6bd5b0a7a0f0ad4b2b6a8a6c1"
_ID = "7d1f3c6a0b9e4f52a8c1d0e2f3a4b5c6"
# What fields of these names hold when their model does not say.
_BY_NAME: Mapping[str, Any] = {
    "area_title": "核心区",
    "as_of": "2026-11-22",
    "bearing_deg": 45.0,
    "bounds": [115.8, 36.22, 116.18, 36.47],
    "checked_on": "2026-11-20",
    "class": "0102",
    "code": "rounding",
    "count": 3,
    "definition": "B",
    "definition_text": "绿地与开敞空间用地和陆地水域",
    "denominator": "core",
    "edition": "2019",
    "feature_count": 120,
    "feature_ids": ["0001", "0002"],
    "geometry": {"type": "Point", "coordinates": [115.99, 36.345]},
    "id": "zones",
    "kind": "area",
    "km2": 1.25,
    "land_balance_note": "现状用地按功能区分列",
    "law_status": "in_force",
    "layer": "zones",
    "layer_title": "功能分区",
    "layers": ["farmland", "redline"],
    "licence": "内部使用",
    "message": "各行相加与合计相差 0.01 公顷",
    "name": "水浇地",
    "note": "按 2026-11 的图层计算",
    "office": "自然资源和规划局",
    "owner": "office:规划科",
    "params": {"min_width_m": 0.1},
    "percent": 35.2,
    "priority": 10,
    "reason": "图层未覆盖全部地块",
    "record": _ID,
    "recorded": "2026.10",
    "found": "2026.11",
    "release": "2026.11-1",
    "wanted": "2026.11-2",
    "problem": "版本无法打开",
    "remedy": "调整选址，或按程序报批",
    "request_id": "086f814585bcdd1d",
    "role": "zone",
    "rule": "cn.permanent-farmland",
    "rules": ["cn.permanent-farmland"],
    "deciding_rule": "cn.permanent-farmland",
    "schema_version": "1",
    "scheme": "三调",
    "secrecy": "public",
    "sentence": "绿地和水域占核心区的 35.2 %",
    "source": "规划文本第 12 条",
    "source_file": "cn/rules.toml",
    "status": "schematic",
    "status_note": "示意数据，不具法律效力",
    "text": "裁去与永久基本农田重叠的部分",
    "threshold": "不得占用",
    "title": "永久基本农田",
    "title_en": "Permanent basic farmland",
    "topic": "地质灾害危险性评估",
    "valid_from": "2020-01-01",
    "valid_to": None,
    "value": 0.35,
    "verdict_label": "不符合",
    "version": "2026.11",
    "vintage": "2026-11",
    "zones_note": "功能区之外的土地列入其余",
}
_TRUE = (
    "agrees",
    "counted",
    "decides",
    "in_force",
    "shows_coordinates",
    "survey_grade",
    "verified",
)
# By how a name ends: area in square metres, hectares, mu; a share is 0 to 1.
_BY_END: tuple[tuple[str, Any], ...] = (
    ("sha256", _HASH),
    ("digest", _HASH),
    ("_m2", 21345.67),
    ("mu", 32.0185),
    ("ha", 2.1346),
    ("_m", 12.5),
    ("share", 0.35),
)
_BY_TYPE: Mapping[str, Any] = {
    "string": "文字",
    "number": 0.35,
    "integer": 1,
    "boolean": False,
    "object": {},
    "array": [],
    "null": None,
}
_TEXTS = {
    "text/csv": "名称,结论\n中学新校区,不符合\n",
    "text/html": "<!doctype html><html lang=zh-CN><title>规划图</title></html>",
    "text/plain": "[属性描述]\n坐标系=2000国家大地坐标系\n",
}
_DEPTH = 12


def complete(document: dict[str, Any], bodies: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description with the problems' content type and all examples; changes it.

    Parameters
    ----------
    document
        As FastAPI writes it.
    bodies
        Example bodies by content type: sites inside the plan in use.
    """
    shapes = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer["content"] = {PROBLEM_TYPE: _problem(int(status), answer)}
                    continue
                for kind, content in answer.get("content", {}).items():
                    _show(kind, content, shapes, bodies)
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                _show_body(kind, content, shapes)
    for place in ("/v1/site-checks", "/v1/site-checks/batch", "/v1/plan/balance"):
        content = document["paths"][place]["post"]["requestBody"]["content"]
        for kind, example in bodies.items():
            content[kind]["example"] = example
    return document


def _problem(status: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    # FastAPI declares a problem under the content type of the good answer.
    (shape,) = answer["content"].values()
    return {**shape, "example": example_problem(status, answer["description"])}


def _show(
    kind: str, content: dict[str, Any], shapes: Mapping[str, Any], bodies: Mapping[str, Any]
) -> None:
    """Give an answer its example, or say that it is a file."""
    if "example" in content or "examples" in content:
        return
    if kind in _TEXTS:
        content.setdefault("schema", {"type": "string"})
        content["example"] = _TEXTS[kind]
    elif kind == "application/geo+json":
        content.setdefault("schema", {"type": "object"})
        content["example"] = {"type": "FeatureCollection", "features": [bodies[kind]]}
    elif "json" in kind:
        content["example"] = example_of(content["schema"], shapes)
    else:
        content.setdefault("schema", {"type": "string", "format": "binary"})


def _show_body(kind: str, content: dict[str, Any], shapes: Mapping[str, Any]) -> None:
    if "example" in content or content["schema"].get("format") == "binary":
        return
    content["example"] = example_of(content["schema"], shapes)
    if kind == "multipart/form-data":
        content["example"] = {"file": "地块.txt", "use": "080403", "attr": ["plot_ratio:1.0"]}


def example_of(schema: Mapping[str, Any], shapes: Mapping[str, Any], name: str = "") -> Any:
    """Return a value that fits a schema, for people to see what it looks like.

    Parameters
    ----------
    schema
        JSON Schema as pydantic writes it.
    shapes
        The schemas that it refers to by name.
    name
        That of the field.
    """
    return _example(schema, shapes, name, _DEPTH)


def _example(schema: Mapping[str, Any], shapes: Mapping[str, Any], name: str, depth: int) -> Any:
    if "$ref" in schema:
        return _example(shapes[schema["$ref"].rpartition("/")[2]], shapes, name, depth)
    if "examples" in schema:
        return schema["examples"][0]
    if "example" in schema:
        return schema["example"]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _example(schema[choice][0], shapes, name, depth)
    kind = schema.get("type", "string")
    if kind == "object" and "properties" in schema:
        fields = schema["properties"].items()
        return {key: _example(field, shapes, key, depth - 1) for key, field in fields}
    return _value(kind, schema, shapes, name, depth)


def _value(
    kind: str, schema: Mapping[str, Any], shapes: Mapping[str, Any], name: str, depth: int
) -> Any:
    known = _BY_NAME.get(name, next((v for end, v in _BY_END if name.endswith(end)), None))
    # A list of objects is made of them, whatever lists of this name hold elsewhere.
    if known is not None and _fits(kind, known) and "$ref" not in schema.get("items", {}):
        return known
    if kind == "boolean":
        return name in _TRUE
    if kind == "array" and "items" in schema and depth > 0:
        return [_example(schema["items"], shapes, name, depth - 1)]
    return _BY_TYPE[kind]


def _fits(kind: str, value: Any) -> bool:
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "number": (int, float),
        "integer": (int,),
        "object": (dict,),
        "array": (list,),
    }
    return isinstance(value, types.get(kind, ()))
