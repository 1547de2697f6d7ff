"""Maps on paper: round scales, what is drawn, and what must never be."""

from __future__ import annotations

import re

import pytest
import shapely
from report_tools import checked

from gis.output.drawing import Frame, round_length, xml
from gis.output.maps.style import Look
from gis.output.report.figure import Painter, SiteMaps
from gis.output.report.sheet import PX_PER_MM, Layout, LegendRow, sheet, window
from gis.plan import load_plan


@pytest.fixture(scope="module")
def document(plan, samples_dir, as_of):
    return checked(plan, samples_dir / "mingzhu_guangchang.geojson", "0901", as_of)[1]


@pytest.fixture(scope="module")
def maps(plan, document) -> SiteMaps:
    return SiteMaps(Painter(plan), document)


def test_north_is_up_and_a_metre_is_as_long_as_the_frame_says() -> None:
    frame = Frame((1000.0, 2000.0, 1100.0, 2050.0), 200.0, 100.0)
    assert frame.per_m == 2.0
    assert frame.place(1000.0, 2050.0) == (0.0, 0.0)
    assert frame.place(1100.0, 2000.0) == (200.0, 100.0)


def test_a_window_grows_to_the_shape_of_its_paper() -> None:
    frame = Frame((0.0, 0.0, 100.0, 10.0), 100.0, 100.0)
    assert frame.window.bounds == (0.0, -45.0, 100.0, 55.0)


def test_the_scale_is_the_next_round_one_that_shows_everything() -> None:
    # 900 m on 100 mm less the 7 mm of the scale bar: 1:9,678 would fit, 1:10,000 is the next round
    # one; then 100 mm are 1,000 m, a metre is a tenth of a millimetre, and the strip of 70 m at the
    # foot moves the window down by 35 m.
    layout = Layout(140.0, 100.0)
    frame, scale = window((0.0, 0.0, 900.0, 900.0), layout, margin=0.0)
    assert layout.map_mm == (100.0, 100.0)
    assert scale == 10_000
    assert frame.window.bounds == pytest.approx((-50.0, -85.0, 950.0, 915.0))
    assert frame.per_m == pytest.approx(0.1 * PX_PER_MM)


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    layout = Layout(140.0, 100.0)
    frame, scale = window((0.0, 0.0, 900.0, 900.0), layout, margin=0.0)
    svg = sheet(layout, [], [], frame, scale, [])
    # The largest round length within a quarter of 1,000 m is 200 m: 20 mm at 1:10,000.
    assert "200 m（1:10,000）" in svg
    width = re.search(r'<rect x="10" y="[\d.]+" width="([\d.]+)"', svg)
    assert width is not None
    assert float(width[1]) == pytest.approx(20 * PX_PER_MM, abs=0.06)


@pytest.mark.parametrize(("metres", "bar"), [(37.0, 20.0), (0.9, 0.5), (5.0, 5.0), (1999.0, 1000)])
def test_bars_are_one_two_or_five_of_something(metres: float, bar: float) -> None:
    assert round_length(metres) == bar


def test_words_of_others_are_text_in_a_drawing() -> None:
    layout = Layout(140.0, 100.0)
    frame, scale = window((0.0, 0.0, 900.0, 900.0), layout)
    row = LegendRow("</text><script>alert(1)</script>", Look("#000000"), "line")
    svg = sheet(layout, [], [row], frame, scale, ["<b>&"])
    assert "<script" not in svg
    assert "&lt;b&gt;&amp;" in svg
    assert xml("a\u202eb\x00") == "ab"


def test_a_finding_is_drawn_with_its_pattern_and_the_outline_of_the_site(maps, document) -> None:
    finding = next(f for f in document["findings"] if f["rule"] == "cn.green-line")
    svg = maps.finding(finding, "图").svg
    assert 'fill="url(#wq-p-slash)"' in svg  # the pattern of 不符合
    assert "地块范围" in svg
    assert "城市绿线" in svg


def test_a_finding_without_a_place_has_no_map(maps, document) -> None:
    finding = next(f for f in document["findings"] if not f.get("geometry"))
    assert maps.finding(finding, "图") is None


def test_a_record_without_outlines_has_no_maps(plan, document) -> None:
    from gis.output.export import without_geometry

    maps = SiteMaps(Painter(plan), without_geometry(document))
    assert maps.overview("图") is None
    assert maps.theme("landuse", "图") is None
    assert maps.remedies("图") is None


def test_the_same_map_has_the_same_bytes(plan, document) -> None:
    one, two = (SiteMaps(Painter(plan), document).lines("图").svg for _ in range(2))
    assert one == two


def test_a_layer_above_the_ceiling_is_never_drawn(scarce_dir) -> None:
    root = scarce_dir()
    toml = (root / "plan.toml").read_text(encoding="utf-8")
    secret = toml.replace('id = "farmland"\n', 'id = "farmland"\nsecrecy = "restricted"\n')
    (root / "plan.toml").write_text(secret, encoding="utf-8")
    plan = load_plan(root)
    assert not Painter(plan).layers(["farmland"])
    assert Painter(plan, "restricted").layers(["farmland"])


def test_a_map_is_drawn_in_the_work_crs(scarce_dir) -> None:
    # The square of 1401 lies at x 408,000-408,500, y 4,030,500-4,031,000; in a window of 1,000 m on
    # 100 px its corners stand at whole pixels: 0-50 from the left, 0-50 from the top.
    plan = load_plan(scarce_dir())
    frame = Frame((408_000.0, 4_030_000.0, 409_000.0, 4_031_000.0), 100.0, 100.0)
    painter = Painter(plan)
    paths, keys = painter.paint(frame, painter.layers(["planned_use"]))
    park = next(p for p, k in zip(paths, keys, strict=True) if k.label == "绿地与开敞空间用地")
    data = re.search(r'd="([^"]+)"', park)[1]
    xy = [tuple(map(float, point.split())) for point in re.findall(r"[\d.-]+ [\d.-]+", data)]
    assert shapely.Polygon(xy).bounds == (0.0, 0.0, 50.0, 50.0)
