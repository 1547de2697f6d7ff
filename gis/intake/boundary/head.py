"""What does the head of a boundary-point TXT say about its coordinates?

The section [属性描述] names datum, zone width, zone number, projection and unit. Keys are spelled
in many ways, and missing or empty ones are usual; a statement that contradicts CGCS2000 in
Gauss-Krüger metres is refused, all of them at once. It never looks at the coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gis.crs import CGCS2000, gauss_kruger, gauss_kruger_epsg, refuse_old_datum
from gis.errors import CrsError, Fault, InputError
from gis.intake.boundary.lines import one_letter_off
from gis.intake.draft import Declared, Faults
from gis.intake.position.naming import declared_by
from gis.model import Remark
from gis.webmap import named_shift

KEYS = (
    "格式版本号",
    "数据产生单位",
    "数据产生日期",
    "坐标系",
    "几度分带",
    "投影类型",
    "计量单位",
    "带号",
    "精度",
    "转换参数",
    "中央子午线",
)
# Without these the meaning of the numbers rests on the plan alone.
EXPECTED = ("坐标系", "几度分带", "投影类型", "计量单位", "带号", "精度")
# Spelling in the wild -> the key of the form.
_ALIASES = {
    "坐标系统": "坐标系",
    "坐标系名称": "坐标系",
    "坐标系类型": "坐标系",
    "座标系": "坐标系",
    "座标系统": "坐标系",
    "坐标糸": "坐标系",
    "大地基准": "坐标系",
    "分带": "几度分带",
    "分带方式": "几度分带",
    "度带": "几度分带",
    "几度带": "几度分带",
    "投影": "投影类型",
    "投影方式": "投影类型",
    "单位": "计量单位",
    "坐标单位": "计量单位",
    "投影带号": "带号",
    "投影带": "带号",
    "代号": "带号",
    "中央经线": "中央子午线",
    "中央经度": "中央子午线",
    "版本号": "格式版本号",
    "格式版本": "格式版本号",
    "生产单位": "数据产生单位",
    "产生单位": "数据产生单位",
    "产生日期": "数据产生日期",
    "七参数": "转换参数",
}
_ABOUT_NUMBERS = frozenset(("坐标系", "几度分带", "投影类型", "计量单位", "带号", "中央子午线"))
_METRES = ("米", "m", "meter", "metre", "meters", "metres", "公尺", "单位米")
_DEGREES = ("度", "十进制度", "degree", "degrees", "deg", "decimaldegree", "经纬度")
_LOCAL = re.compile("独立|地方|城市|工程|施工|假定|任意|local", re.IGNORECASE)
_WGS84 = 4326
_CHINESE_DIGITS = {"三": 3, "六": 6}


@dataclass(frozen=True, slots=True)
class HeadLine:
    """One ``key=value`` of the head: key of the form, as written, value, line number."""

    key: str
    written: str
    value: str
    line: int

    @property
    def quoted(self) -> str:
        """The line for a person, with its number."""
        return f"第 {self.line} 行的“{self.written[:20]}={self.value[:40]}”"


@dataclass(slots=True)
class Head:
    """All pairs of the head; of a key said twice, the first, and the pairs that differ."""

    rows: dict[str, HeadLine] = field(default_factory=dict)
    contradictions: list[tuple[HeadLine, HeadLine]] = field(default_factory=list)
    unknown: list[HeadLine] = field(default_factory=list)

    def add(self, written: str, value: str, line: int) -> None:
        """Take one pair under the key of the form."""
        row = HeadLine(key_of(written, value), re.sub(r"\s+", "", written), value, line)
        if row.key not in KEYS:
            self.unknown.append(row)
        first = self.rows.setdefault(row.key, row)
        if not first.value:
            self.rows[row.key] = row
        elif value and value != first.value and row.key in _ABOUT_NUMBERS:
            self.contradictions.append((first, row))

    def get(self, key: str) -> HeadLine | None:
        """Return the line of a key; None when it is missing or empty."""
        row = self.rows.get(key)
        return row if row is not None and row.value else None

    def misspelt(self) -> Iterator[HeadLine]:
        """Yield the lines whose key is neither that of the form nor a usual other name."""
        for row in self.rows.values():
            if row.key in KEYS and row.written != row.key and row.written not in _ALIASES:
                yield row


@dataclass(frozen=True, slots=True)
class Statement:
    """What the head says: the CRS, the width of the zones, and what is wrong with it."""

    declared: Declared | None
    width: HeadLine | None
    width_degrees: int | None
    faults: tuple[Fault, ...]
    refused: InputError | None
    notes: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


def key_of(written: str, value: str = "") -> str:
    """Return the key of the form for a key as spelled; the spelling itself when it is unknown.

    >>> key_of("带 号"), key_of("投影类形"), key_of("单位", "测绘院")
    ('带号', '投影类型', '单位')
    """
    key = re.sub(r"\s+", "", written)
    if key == "单位" and value.lower() not in (*_METRES, *_DEGREES):
        return key  # the office that made the file
    if key in _ALIASES:
        return _ALIASES[key]
    # Shorter keys have neighbours that mean something else: 编号 is no 带号.
    return next((k for k in KEYS if len(k) > 3 and one_letter_off(key, k)), key)


def is_key(written: str) -> bool:
    """Whether a text is a key of the form, or a usual other name of one."""
    return key_of(written, "米") in KEYS


def statement_of(head: Head, *, crs_given: bool = False) -> Statement:
    """Return what the head says about the coordinates, with everything that is wrong with it.

    ``crs_given``: the user names the CRS, so what does not fit together becomes a warning; only an
    old datum stays refused, because the numbers are then certainly not what the user says. Whether
    the zone of the head is that of the user is asked where the CRS is decided.
    """
    reader = _HeadReader(head)
    declared = reader.declared()
    faults, refusals = reader.faults, reader.refusals
    if crs_given:
        overruled = [*faults, *(fault for fault, error in refusals if not _is_old(error))]
        reader.warnings += [
            Remark("head_overruled", f"{f.where}{f.message}；已按用户指定的坐标系理解")
            for f in overruled
        ]
        faults, refusals = [], [row for row in refusals if _is_old(row[1])]
    return Statement(
        declared,
        head.get("几度分带"),
        reader.width,
        tuple(faults),
        _refusal(refusals),
        tuple(reader.notes),
        tuple(reader.warnings),
    )


def _is_old(error: CrsError) -> bool:
    return "旧基准" in error.found


def _refusal(rows: list[tuple[Fault, CrsError]]) -> InputError | None:
    """Return one error for all that cannot be accepted in the head."""
    if not rows:
        return None
    faults = Faults()
    for fault, _ in rows:
        faults.add_fault(fault)
    expected = "；".join(dict.fromkeys(e.expected for _, e in rows if e.expected))
    advice = "；".join(dict.fromkeys(e.advice for _, e in rows if e.advice))
    return faults.error(CrsError, "文件头的坐标说明无法采用", expected=expected, advice=advice)


class _HeadReader:
    """Reads the statements one after the other and collects what is wrong."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.faults: list[Fault] = []
        self.refusals: list[tuple[Fault, CrsError]] = []
        self.notes: list[Remark] = []
        self.warnings: list[Remark] = []
        self.width: int | None = None

    def declared(self) -> Declared | None:
        """Return the CRS that the head declares, None when it leaves it open."""
        self._contradictions()
        datum = self._try(self._datum)
        self._try(self._projection)
        degrees = self._try(self._unit)
        self.width = self._width()
        zones = self._zones()
        if datum is not None or degrees is not None:
            self._check_code(datum, zones)
            return datum or degrees
        codes = [gauss_kruger_epsg(z, prefixed=p) for z in zones for p in (True, False)]
        row = self.head.get("带号") or self.head.get("中央子午线")
        if row is None or not zones:
            return None
        return Declared(tuple(c for c in codes if c), row.quoted, place=f"第 {row.line} 行")

    def _try(self, question: Callable[[], Declared | None]) -> Declared | None:
        try:
            return question()
        except CrsError as error:
            self.refusals.append((error.faults[0], error))
            return None

    def _fault(self, row: HeadLine, message: str) -> None:
        self.faults.append(Fault(f"第 {row.line} 行", message))

    def _contradictions(self) -> None:
        for a, b in self.head.contradictions:
            where = f"第 {a.line} 行 与 第 {b.line} 行"
            message = f"{a.key} 前后不一致（{a.value[:40]}、{b.value[:40]}），像是几个文件拼在一起"
            self.faults.append(Fault(where, message))

    def _datum(self) -> Declared | None:
        row = self.head.get("坐标系")
        if row is None:
            text = "文件未写坐标系，按 2000国家大地坐标系理解"
            self.notes.append(Remark("datum_not_stated", text))
            return None
        text = re.sub(r"\s+", "", row.value)
        if named_shift(text):
            said = declared_by(text)
            return Declared(said.epsgs, row.quoted, said.shift, f"第 {row.line} 行")
        found = re.search(r"EPSG\W*(\d{4,6})", text, re.IGNORECASE)
        code = int(found[1]) if found else 0
        _refuse_old(row, text, code)
        if code and code not in (CGCS2000, _WGS84):  # these two name the datum alone
            return Declared((code,), row.quoted, place=f"第 {row.line} 行")
        upper = text.upper()
        if code == CGCS2000 or (_LOCAL.search(text) is None and re.search("2000|CGCS", upper)):
            return None
        if code == _WGS84 or "WGS" in upper:
            text = "坐标系写作 WGS 84，按 CGCS2000 理解"
            self.notes.append(Remark("wgs84_as_cgcs2000", text))
            return None
        advice = "地方或独立坐标系请先由测绘单位转换"
        raise _refused(row, "坐标系", "2000国家大地坐标系", advice)

    def _check_code(self, datum: Declared | None, zones: tuple[int, ...]) -> None:
        """Note a zone that contradicts the code that the datum names."""
        zone = gauss_kruger(datum.epsgs[0]) if datum is not None else None
        a, b = self.head.get("坐标系"), self.head.get("带号") or self.head.get("中央子午线")
        if zone and zones and zone.zone not in zones and a and b:
            where = f"第 {a.line} 行 与 第 {b.line} 行"
            message = f"坐标系 {a.value[:40]} 与{b.key} {b.value[:20]} 矛盾"
            self.faults.append(Fault(where, message))

    def _projection(self) -> None:
        row = self.head.get("投影类型")
        if row is None:
            return
        text = re.sub(r"\s+", "", row.value).lower()
        fits = re.search(r"高斯|gauss|\bgk\b|克吕格|横轴墨卡托|transverse", text)
        if re.search("utm|universal|通用", text) or not (fits or re.search("经纬|地理|^无", text)):
            raise _refused(
                row, "投影类型", "高斯克吕格（高斯-克吕格）", "先转换到 CGCS2000 高斯-克吕格坐标"
            )

    def _unit(self) -> Declared | None:
        """Return degrees when the head says so; metres declare nothing."""
        row = self.head.get("计量单位")
        text = re.sub(r"[\s()]+", "", row.value).lower() if row else ""
        if row is None or text in _METRES:
            return None
        if text not in _DEGREES:
            raise _refused(row, "计量单位", "米，或十进制度", "换算单位后再提交")
        return Declared((CGCS2000,), row.quoted, place=f"第 {row.line} 行")

    def _width(self) -> int | None:
        row = self.head.get("几度分带")
        if row is None:
            return None
        found = re.match(r"\D*?([36三六])(\.0+)?(?![\d.])", row.value)
        if found is None:
            self._fault(row, f"几度分带“{row.value[:20]}”应为 3 或 6")
            return None
        return _CHINESE_DIGITS.get(found[1]) or int(found[1])

    def _zones(self) -> tuple[int, ...]:
        """Return the zone that the head names; two when a meridian alone leaves it open."""
        zone, by_meridian = self._zone(), self._meridian_zones()
        row, meridian = self.head.get("带号"), self.head.get("中央子午线")
        if zone is None or row is None:
            return by_meridian
        if self.width is not None and self.width != (3 if zone >= 25 else 6):
            self._fault(row, f"带号 {zone} 与几度分带 {self.width} 矛盾")
            return ()
        if meridian is not None and by_meridian and zone not in by_meridian:
            where = f"第 {row.line} 行 与 第 {meridian.line} 行"
            self.faults.append(Fault(where, f"带号 {zone} 与中央子午线 {meridian.value[:20]} 矛盾"))
            return ()
        return (zone,)

    def _zone(self) -> int | None:
        row = self.head.get("带号")
        if row is None:
            return None
        text = re.sub(r"[36三六]\s*[度°](分?带)?", "", row.value)
        found = re.fullmatch(r"\D{0,3}(\d{1,3})(\.0*)?\D{0,3}", text.strip())
        if found is None:
            self._fault(row, f"带号“{row.value[:20]}”不是数字")
            return None
        zone = int(found[1])
        if zone and gauss_kruger_epsg(zone, prefixed=True) is None:
            like = "，像是中央子午线" if 70 <= zone <= 140 else ""
            self._fault(row, f"带号 {zone} 不在 13–23（6度带）或 25–45（3度带）内{like}")
            return None
        return zone or None

    def _meridian_zones(self) -> tuple[int, ...]:
        row = self.head.get("中央子午线")
        if row is None:
            return ()
        found = re.search(r"\d+(\.\d+)?", row.value)
        degrees = float(found[0]) if found else 0.0
        zones = tuple(z for z in (*range(25, 46), *range(13, 24)) if _meridian(z) == degrees)
        if not zones:
            self._fault(row, f"中央子午线“{row.value[:20]}”不是国家 3度带或 6度带的中央子午线")
        kept = tuple(z for z in zones if self.width in (None, 3 if z >= 25 else 6))
        if zones and not kept:
            self._fault(row, f"中央子午线 {row.value[:20]} 与几度分带 {self.width} 矛盾")
        return kept


def _meridian(zone: int) -> float:
    found = gauss_kruger(gauss_kruger_epsg(zone, prefixed=True) or 0)
    return found.central_meridian if found else 0.0


def _refuse_old(row: HeadLine, text: str, code: int) -> None:
    """Raise for Xian 1980 and Beijing 1954 in any spelling, by name or by code."""
    short = re.search(r"(?:^|\D)(?:19)?(80|54)(?:\D|$)", text)
    names = {"80": "1980西安", "54": "1954北京"}
    try:
        refuse_old_datum(text)
        refuse_old_datum(code)
        if short and not code:
            refuse_old_datum(names[short[1]])
    except CrsError as error:
        fault = Fault(f"第 {row.line} 行", error.found)
        raise CrsError(
            error.found, expected=error.expected, advice=error.advice, faults=[fault]
        ) from None


def _refused(row: HeadLine, title: str, expected: str, advice: str) -> CrsError:
    message = f"{title}写作“{row.value[:40]}”，应为{expected}"
    fault = Fault(f"第 {row.line} 行", message)
    return CrsError(message, expected=expected, advice=advice, faults=[fault])
