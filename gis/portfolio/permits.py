"""Does a number look like that of a land title, a planning permit or a building permit?

The usual forms, as these papers are numbered; offices differ, so another form is a warning and
never a fault. Nothing is looked up: a number of the right form may still be wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from gis.portfolio.approvals import Stage

_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
# The number of a document: 鲁政土字[2021]123号.
_DOCUMENT = r"[\u4e00-\u9fff]{1,16}\[\d{4}\]第?\d{1,6}号"
_FORMS: Mapping[Stage, Mapping[str, str]] = {
    Stage.LAND: {
        "不动产权证（如 鲁(2020)某市不动产权第0008142号）": (
            rf"[{_PROVINCES}]\(\d{{4}}\)[\u4e00-\u9fff]{{2,16}}不动产权第\d{{7}}号"
        ),
        "批复文号（如 鲁政土字〔2021〕123号）": _DOCUMENT,
        "建设用地批准书、划拨决定书或出让合同编号": (
            r"[\u4e00-\u9fff\w()\[\]-]*(?:国用|批准书|划拨|出让|合同)[\u4e00-\u9fff\w()\[\]-]*"
        ),
    },
    Stage.PLANNING: {
        "建设用地规划许可证（地字第15位数字号）": r"地字第\d{15}号",
        "建设工程规划许可证（建字第15位数字号）": r"建字第\d{15}号",
        "选址意见书（选字第15位数字号，或 用字第）": r"[选用]字第\d{15}号",
        "带横线的编号（如 地字第371500-2019-004号）": r"[地建选用]字第\d{6}-\d{4}-\d{3,6}号",
    },
    Stage.BUILDING: {"建筑工程施工许可证（18位数字）": r"\d{18}"},
}


def has_usual_form(stage: Stage, number: str) -> bool:
    """Whether every number in a cell has one of the usual forms.

    >>> has_usual_form(Stage.PLANNING, "地字第371501201930004号")
    True
    >>> has_usual_form(Stage.PLANNING, "地字第37150120193000号")
    False
    """
    flat = re.sub(r"\s+", "", unicodedata.normalize("NFKC", number))
    flat = flat.translate(str.maketrans("〔【［〕】］", "[[[]]]"))
    parts = [part for part in re.split(r"[;,、]", flat) if part]
    patterns = [re.compile(pattern) for pattern in _FORMS[stage].values()]
    return bool(parts) and all(any(p.fullmatch(part) for p in patterns) for part in parts)


def usual_forms(stage: Stage) -> str:
    """Return the usual forms, as a warning names them."""
    return "、".join(_FORMS[stage])
