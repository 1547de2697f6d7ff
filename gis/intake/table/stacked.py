"""Where does another plot begin in a table that has no column for plots?

People put several tables below each other, each with its title and its heading. A heading that
comes again, or a title between the rows, begins another plot unless it only stands on top of a
further page of the same ring. It reads no cell as a number and draws nothing.
"""

from __future__ import annotations

import re

from gis.intake.boundary.lines import PointLine
from gis.intake.boundary.rings import is_same_point
from gis.intake.draft import clean_text
from gis.intake.table.cells import Row, plain

_MAX_TITLE = 40
_PLOT_TITLE = re.compile(
    r"(?:地块|宗地|图斑)(?:名称|编号|代码|号)?\s*[:：]\s*([^\s;；]+)"
    r"|^((?:地块|宗地|图斑)\s*[\dA-Za-z一二三四五六七八九十甲乙丙丁-]{1,12}号?)$"
    r"|^([\dA-Za-z一二三四五六七八九十甲乙丙丁-]{1,12}号?\s*(?:地块|宗地|图斑))$"
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What a title says beside the name: 甲地块界址点坐标成果表 is that of 甲地块.
_TABLE_WORDS = re.compile(
    r"(?:宗地|勘测定界)?(?:界址点|拐点|边界点)?(?:坐标)?(?:成果)?(?:一览)?(?:表|列表)?$"
)
# Texts beside the points that name no plot; a part that is taken out belongs to the plot before.
_NO_NAME = re.compile(
    "[:;。，,]|坐标|高程|备注|说明|注意|合计|小计|总计|面积|续|页|单位|日期|制表|制图|审核|测绘|空白"
    "|内环|内圈|外环|外圈|内边界|孔|洞|扣除|除外|其中|[内外]界"
)


class Stack:
    """Follows the rows of a table and tells where another plot begins."""

    def __init__(self) -> None:
        self.title = ""
        self.running_title = ""
        self.is_heading_again = False
        self.is_named = False
        self._first: PointLine | None = None
        self._size = 0
        self._is_closed = False

    def see_title(self, row: Row) -> None:
        """Take a row that is no point; a text that stands alone may be the name of a plot."""
        self.title = name_in(row) or self.title

    def see_heading(self) -> None:
        """Take a heading after the first."""
        self.is_heading_again = True

    def see_name(self, *, is_new: bool) -> None:
        """Take a title that names its plot outright; the reader of rows follows it itself."""
        self.is_named = True
        if is_new:
            self._first = None

    def begins_plot(self, point: PointLine) -> bool:
        """Whether a point is the first of another plot than that of the point before."""
        first = self._first
        if first is None or self.is_named or not (self.is_heading_again or self.new_title):
            return False
        if is_same_point(first, point) or (_is_next_ring(first, point) and not self.new_title):
            return False  # the closing point on the next page, or a ring with its number
        if self.is_heading_again and self.new_title:
            return True
        return self._is_closed or point.label == first.label != ""

    @property
    def new_title(self) -> str:
        """The title since the last point, if it is another one than that of the running plot."""
        return self.title if self.title != self.running_title else ""

    def take(self, point: PointLine, *, is_first: bool) -> None:
        """Take a point of the running plot, the first of it or a further one."""
        if is_first or self._first is None or self._begins_ring(self._first, point):
            self._first, self._size, self._is_closed = point, 0, False
        self._size += 1
        if self._size > 3 and is_same_point(self._first, point):
            self._is_closed = True
        self.running_title = self.title or self.running_title
        self.title = ""
        self.is_heading_again = self.is_named = False

    def _begins_ring(self, first: PointLine, point: PointLine) -> bool:
        """Whether a ring begins; a closing point that is written twice begins none."""
        return (self._is_closed or point.ring != first.ring) and not is_same_point(first, point)


def plot_named(text: str) -> str:
    """Return the name of a plot that a title gives outright, such as 地块名称：甲; else empty."""
    found = _PLOT_TITLE.search(text)
    return clean_text(found[1] or found[2] or found[3])[0] if found else ""


def name_in(row: Row) -> str:
    """Return the name that a row of one text gives a plot; empty when it is none.

    >>> from gis.intake.table.cells import Row
    >>> name_in(Row(1, ("甲地块界址点成果表", ""))), name_in(Row(2, ("备注：无",)))
    ('甲地块', '')
    """
    texts = row.texts
    if len(texts) != 1 or len(texts[0]) > _MAX_TITLE:
        return ""
    name = _TABLE_WORDS.sub("", plain(texts[0])).strip("()[]{}\"'-_ ")
    if not _CHINESE.search(name) or _NO_NAME.search(name):
        return ""
    return clean_text(name)[0]


def _is_next_ring(first: PointLine, point: PointLine) -> bool:
    """Whether ring numbers say that a ring follows in the same plot: they go up."""
    if not (first.ring.isdecimal() and point.ring.isdecimal()):
        return False
    return int(point.ring) > int(first.ring)
