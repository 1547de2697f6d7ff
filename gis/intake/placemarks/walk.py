"""Which Placemarks hold the folders of a KML file, and what does each say about itself?

Name, attributes, drawing and the coordinates it declares: ovkml names them per Placemark, folder or
document. What lies outside of any Placemark is counted, never followed and never silently lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gis.crs import CGCS2000, refuse_old_datum
from gis.errors import CrsError, FormatError
from gis.intake.draft import Declared, Draft, Faults, ShapeKind, check_features, clean_text
from gis.intake.placemarks.geometry import NUMBER, GeometryReader
from gis.intake.placemarks.xml_tree import Node, XmlTree
from gis.intake.position.naming import declared_by
from gis.intake.statements import read_properties
from gis.model import Remark
from gis.model.attributes import ATTRIBUTES

_CONTAINERS = ("Document", "Folder")
_OVERLAYS = ("GroundOverlay", "ScreenOverlay", "PhotoOverlay")
_TEXTS = ("name", "description", "Snippet", "author", "Schema")
_COORD_TYPE = "OvCoordType"
_VENDOR = re.compile(r"Ov[A-Z]")
_COORD_TYPES = "CGCS2000、WGS84、GCJ-02 或 BD-09"
# As they stand without blanks, hyphens and underlines.
_CGCS2000 = re.compile(
    r"(中国)?(CGCS2000|国家2000|2000国家|2000)((国家)?大地)?(坐标系?)?", re.IGNORECASE
)
_WGS84 = re.compile(r"WGS(19)?84(坐标系?)?", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_STANDARD = "KML 标准规定坐标为 WGS 84 经纬度，文件没有另外说明"


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One Placemark as a draft, where it lies, and the words that stand beside it.

    The draft has no name when the Placemark has none.
    """

    draft: Draft
    file: str
    folders: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where in the folders the reader is: their names, and the coordinates they declare."""

    file: str
    folders: tuple[str, ...] = ()
    coord_type: str = ""

    def inside(self, folder: Node) -> _Place:
        name = clean_text(folder.said("name"))[0] or "未命名文件夹"
        said = folder.said(_COORD_TYPE) or self.coord_type
        return _Place(self.file, (*self.folders, name), said)


@dataclass(slots=True, eq=False)
class Walker:
    """Reads one file after the other, and remembers what it left out.

    ``crs_given``: the user names the CRS, so an unknown coordinate type is only a warning.
    ``texts`` are the words of the files and folders, ``vendor`` says that ovkml left its marks,
    ``refused`` is the error about an old datum.
    """

    crs_given: bool = False
    faults: Faults = field(default_factory=Faults)
    found: list[Found] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    vendor: bool = False
    refused: CrsError | None = None
    links: int = 0
    overlays: int = 0
    strays: int = 0
    geometry: GeometryReader = field(init=False)

    def __post_init__(self) -> None:
        self.geometry = GeometryReader(self.faults)

    def read(self, tree: XmlTree, file: str) -> None:
        """Read all Placemarks of one file; ``file`` is its name, empty for the only one.

        Raises
        ------
        FormatError
            The root element is not that of KML.
        LimitError
            Too many Placemarks, rings or vertices.
        """
        root = tree.root
        if root.name.lower() != "kml":
            if root.name not in (*_CONTAINERS, "Placemark"):
                raise FormatError(
                    f"XML 第 {root.line} 行的根元素是“{clean_text(root.name, limit=30)[0]}”",
                    expected="KML（根元素为 kml）",
                    advice="转换格式后再提交",
                )
            root = Node("kml", children=[root])
        self.texts += tree.comments
        self._container(root, _Place(file, coord_type=root.said(_COORD_TYPE)))

    def _container(self, node: Node, place: _Place) -> None:
        for child in node.children:
            self.vendor = self.vendor or _VENDOR.match(child.name) is not None
            if child.name in _CONTAINERS:
                self._container(child, place.inside(child))
            elif child.name == "Placemark":
                check_features(len(self.found) + 1)
                self.found.append(self._placemark(child, place))
            elif child.name == "NetworkLink":
                self.links += 1
            elif child.name in _OVERLAYS:
                self.overlays += 1
            elif child.name in _TEXTS:
                self.texts += [child.title, _plain(child)]
            elif any(n.name in ("Placemark", "coordinates", "coord") for n in child.walk()):
                self.strays += 1

    def _placemark(self, node: Node, place: _Place) -> Found:
        name = node.said("name")
        shown = f"“{clean_text(name, limit=40)[0]}”" if name else ""
        file = f"“{place.file}”" if place.file else ""
        where = f"{file}第 {node.line} 行起的地标{shown}"
        self.vendor = self.vendor or any(_VENDOR.match(child.name) for child in node.children)
        before = len(self.faults.rows) + self.faults.more
        properties = self._properties(node, name, where)
        said = read_properties(properties, where=where)
        shape, warnings = self.geometry.shape(node, where)
        declared, doubts = self._declared(node, place, where)
        draft = Draft(
            said.name or ("未命名的点" if shape.kind is ShapeKind.POINT else ""),
            shape,
            said.use,
            said.claims,
            declared=declared,
            broken=len(self.faults.rows) + self.faults.more > before,
            faults=said.faults,
            notes=() if declared else (Remark("kml_crs", _STANDARD),),
            warnings=(*said.warnings, *warnings, *doubts),
        )
        beside = [_plain(n) for n in node.every("description", "Snippet")]
        values = [value for value in properties.values() if isinstance(value, str)]
        return Found(draft, place.file, place.folders, (*beside, *values))

    def _properties(self, node: Node, name: str, where: str) -> Mapping[str, Any]:
        """Return name and extended data; a value that is said twice differently is a fault."""
        properties: dict[str, Any] = {"name": name} if name else {}
        for key, value in _extended(node):
            key = key.strip().lower()
            if not value or (key == "name" and name):
                continue
            attribute = ATTRIBUTES.get(key)
            if properties.setdefault(key, value) != value and (key == "use" or attribute):
                self.faults.add(where, f"属性 {key} 有两个不同的值")
        for key, value in properties.items():
            attribute = ATTRIBUTES.get(key)
            if attribute and attribute.kind == "number" and NUMBER.fullmatch(value):
                properties[key] = float(value)
        return properties

    def _declared(
        self, node: Node, place: _Place, where: str
    ) -> tuple[Declared | None, tuple[Remark, ...]]:
        """Return what ovkml says about the coordinates of a Placemark; None when it says nothing.

        Its own word goes before that of its folders.
        """
        own = {n.text.strip() for n in node.walk() if n.name == _COORD_TYPE} - {""}
        said = own or {place.coord_type} - {""}
        texts = [clean_text(text, limit=40)[0] for text in sorted(said)]
        try:
            meant = {_coord_type(text) for text in texts}
        except CrsError as error:
            self.refused = self.refused or CrsError(
                f"{where}：{error.found}", expected=error.expected, advice=error.advice
            )
            return None, ()
        if len(meant) <= 1 and None not in meant:
            return next(iter(meant), None), ()
        problem = f"{_COORD_TYPE} 为“{'、'.join(texts[:3])}”，应为 {_COORD_TYPES} 之一"
        if self.crs_given:
            return None, (Remark("coord_type_unknown", f"{where}的 {problem}；已按指定的坐标系"),)
        self.faults.add(where, problem)
        return None, ()


def _coord_type(text: str) -> Declared | None:
    """Return the coordinates that a value of ``OvCoordType`` means; None when nobody knows.

    Raises
    ------
    CrsError
        An old Chinese datum.
    """
    plain = re.sub(r"[\s_'’-]", "", text)
    refuse_old_datum(plain)
    for pattern, epsg in ((_CGCS2000, CGCS2000), (_WGS84, 4326)):
        if pattern.fullmatch(plain):
            return Declared((epsg,), f"{_COORD_TYPE} {text}")
    try:
        return declared_by(text)
    except CrsError:
        return None


def _extended(node: Node) -> Iterator[tuple[str, str]]:
    """Yield key and text of the extended data, typed, untyped, or in elements of others."""
    for child in (c for data in node.every("ExtendedData") for c in data.children):
        if child.name == "Data":
            yield child.title, child.said("value")
        elif child.name == "SchemaData":
            yield from ((row.title, row.text.strip()) for row in child.every("SimpleData"))
        else:
            yield child.name, child.text.strip()


def _plain(node: Node) -> str:
    """Return the words of a text that may hold HTML, its beginning."""
    words = " ".join(n.text[:20_000] for n in node.walk())[:20_000]
    return " ".join(_TAG.sub(" ", words).split())[:2000]
