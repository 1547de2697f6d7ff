"""The process ``site-check``, as pygeoapi describes it; see ``execution`` for how it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pygeoapi.process.base import BaseProcessor

from api.ogc.execution import OUTPUT, SITE_CHECK

NAME = f"{__name__}.SiteCheckProcessor"

_LITERALS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "use": ("用途", "2023 年用地用海分类代码", {"type": "string"}),
    "attr": (
        "项目属性",
        '属性名与值，如 {"plot_ratio": 1.0}，或 ["plot_ratio:1.0"]',
        {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "string"}}]},
    ),
    "as_of": ("依据日期", "默认今天（北京时间）", {"type": "string", "format": "date"}),
    "width_m": ("宽度", "线状项目的宽度（米）", {"type": "number"}),
    "which": (
        "第几个地块",
        "多个地块时的序号（从 1 开始），或 all",
        {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    ),
    "crs": ("坐标系", "EPSG 代码、GCJ-02 或 BD-09；默认按坐标判定", {"type": "string"}),
    "repair": ("修复", "修复无效图形，并告知前后面积", {"type": "boolean", "default": False}),
    "geometry": ("图形", "false：答复中不含任何图形", {"type": "boolean", "default": True}),
    "remedies": ("方案", "false：不寻找合规的方案", {"type": "boolean", "default": True}),
}


def description(example: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the process says of itself; ``example`` is a site inside the plan.

    How it may be executed is told by pygeoapi, of the service as a whole.
    """
    site = {
        "title": "地块",
        "description": "GeoJSON 的几何、Feature 或 FeatureCollection",
        "schema": {"type": "object", "contentMediaType": "application/geo+json"},
        "minOccurs": 1,
        "maxOccurs": 1,
    }
    literals = {
        name: {"title": title, "description": text, "schema": schema, "minOccurs": 0}
        for name, (title, text, schema) in _LITERALS.items()
    }
    return {
        "version": "1.0.0",
        "id": SITE_CHECK,
        "title": "选址合规性检测",
        "description": (
            "提交地块，得到结论、逐条规则的依据与处理办法，与 POST /v1/site-checks 的答复相同；"
            "每次检测留有记录。请求头 Prefer: respond-async 为异步执行，先答复任务。"
        ),
        "keywords": ["选址", "合规性检测"],
        "outputTransmission": ["value"],
        "inputs": {"site": site, **literals},
        "outputs": {
            OUTPUT: {
                "title": "检测结果",
                "description": "与 POST /v1/site-checks 相同；which=all 时为 {checks: [...]}",
                "schema": {"type": "object", "contentMediaType": "application/json"},
            }
        },
        "example": {"inputs": {"site": dict(example), "use": "080403"}},
    }


class SiteCheckProcessor(BaseProcessor):  # type: ignore[misc]  # pygeoapi ships no types
    """Describes the process to pygeoapi."""

    def __init__(self, processor_def: dict[str, Any]) -> None:
        super().__init__(processor_def, description(processor_def["example"]))
