"""What a report says: the same numbers as the JSON, in the usual order, and nothing hidden."""

from __future__ import annotations

import pytest
from report_tools import checked

import gis
from gis.output.report.blocks import (
    Conclusion,
    Figure,
    Heading,
    Item,
    Paragraph,
    Table,
    printed,
    texts_of,
)
from gis.output.report.content import site_content
from gis.output.report.tables import land_table, line_table
from gis.plan import load_plan


@pytest.fixture(scope="module")
def document(plan, samples_dir, as_of):
    return checked(plan, samples_dir / "mingzhu_guangchang.geojson", "0901", as_of)[1]


@pytest.fixture(scope="module")
def report(plan, document):
    return site_content(document, plan)


def of(report, kind):
    return [block for block in report.blocks if isinstance(block, kind)]


def table(report, words: str) -> Table:
    return next(t for t in of(report, Table) if words in t.caption)


def column(table: Table, number: int) -> list[str]:
    return [row[number].text for row in table.rows]


def number(text: str) -> float:
    return float(text.replace(",", "").rstrip("%"))


def test_the_conclusion_stands_in_front_of_everything(report, document) -> None:
    first = report.blocks[0]
    assert isinstance(first, Conclusion)
    assert (first.verdict, first.label) == (document["verdict"], document["verdict_label"])
    deciding = next(f for f in document["findings"] if f["rule"] == document["deciding_rule"])
    assert deciding["title"] in dict(first.facts).values()


def test_the_eight_parts_stand_in_their_order(report) -> None:
    chapters = [h.text for h in of(report, Heading) if h.level == 1]
    assert chapters == [
        "一、项目概况",
        "二、选址条件",
        "三、合法合规性",
        "四、选址合理性",
        "五、节约集约用地",
        "六、结论与建议",
        "七、附件",
        "八、附图",
    ]


def test_tables_and_figures_are_numbered_without_a_gap(report) -> None:
    for kind, word in ((Table, "表"), (Figure, "图")):
        captions = [block.caption.split("　")[0] for block in of(report, kind)]
        assert captions == [f"{word} {n}" for n in range(1, len(captions) + 1)]
        assert captions


def test_every_finding_that_is_not_clear_has_an_item_with_its_basis(report, document) -> None:
    todo = [f for f in document["findings"] if f["verdict"] not in {"pass", "not_applicable"}]
    items = of(report, Item)
    assert [item.title for item in items] == [f["title"] for f in todo]
    for item, finding in zip(items, todo, strict=True):
        facts = dict(item.facts)
        assert facts["理由"] == finding["reason"]
        assert facts["处理办法"] == finding["remedy"]
        assert all(basis["document"] in facts["依据"] for basis in finding["basis"])
        assert bool(item.figure) == bool(finding.get("geometry"))


def test_every_rule_that_applies_stands_in_the_rule_table(report, document) -> None:
    applied = [f for f in document["findings"] if f["verdict"] != "not_applicable"]
    rules = table(report, "规则审查表")
    assert column(rules, 1) == [f["title"] for f in applied]
    assert column(rules, 4) == [f["verdict_label"] for f in applied]


def test_every_measured_number_of_the_json_is_printed(report, document) -> None:
    words = "\n".join(texts_of(report))
    for evidence in document["evidence"]:
        for key in ("area_m2", "length_m", "distance_m"):
            if evidence[key] is not None:
                assert f"{evidence[key]:,.2f}" in words
    area = document["site"]["area"]
    assert f"{area['ellipsoidal_m2']:,.2f}" in words
    assert f"{area['planar_m2']:,.2f}" in words
    assert document["digest"] in words
    assert document["rulebook"]["sha256"] in words
    assert document["id"] in words


def test_the_green_line_is_in_the_table_of_lines_with_area_and_share(report, document) -> None:
    lines = table(report, "三区三线指标汇总表")
    row = next(r for r in lines.rows if r[0].text.startswith("城市绿线"))
    taken = next(e for e in document["evidence"] if e["layer"] == "green_line")
    assert row[1].text == "涉及"
    assert row[2].text == f"{taken['area_m2']:,.2f}"
    # 994.79 m² are 994.79 / (10,000 / 15) = 1.49 mu.
    assert row[3].text == f"{taken['area_m2'] * 15 / 10_000:.2f}" == "1.49"
    assert row[4].text == f"{taken['share']:.2%}"


def test_a_line_without_data_is_never_called_clear(document, plan) -> None:
    layers = [
        {**row, "state": "no_data", "content_sha256": None} if row["id"] == "redline" else row
        for row in document["layers"]
    ]
    lines = line_table({**document, "layers": layers}, plan)
    row = next(r for r in lines.rows if "生态保护红线" in r[0].text)
    assert [cell.text for cell in row[1:5]] == ["未检查", "—", "—", "—"]


@pytest.mark.parametrize("role", ["landuse", "planned_use"])
def test_land_classes_add_up_as_printed(plan, document, role: str) -> None:
    land = land_table(document, plan, role, "表")
    *parts, total = land.rows
    for place in (3, 4, 5):
        printed_sum = sum(number(row[place].text) for row in parts)
        assert printed_sum == pytest.approx(number(total[place].text), abs=1e-9)
    assert number(total[2].text) == document["site"]["area"]["ellipsoidal_m2"]
    own = [e for e in document["evidence"] if e["layer"] == land_layer(plan, role)]
    assert [row[2].text for row in parts] == [f"{e['area_m2']:,.2f}" for e in own]


def land_layer(plan, role: str) -> str:
    return plan.with_role(role)[0].info.id


def test_land_that_no_parcel_covers_has_a_row_of_its_own(plan, document) -> None:
    # A quarter of the only class is taken away: 62,026.78 - 15,506.695 m² stay.
    whole = document["site"]["area"]["ellipsoidal_m2"]
    kept = next(e for e in document["evidence"] if e["layer"] == "landuse")
    evidence = [{**kept, "area_m2": round(whole * 0.75, 2), "share": 0.75}]
    land = land_table({**document, "evidence": evidence}, plan, "landuse", "表")
    names = column(land, 1)
    assert names == [kept["name"], "图层未覆盖", ""]
    assert column(land, 5) == ["75.00%", "25.00%", "100.00%"]


def test_what_was_not_checked_is_listed(report, document) -> None:
    opened = table(report, "未检查和未定事项")
    topics = column(opened, 1)
    for topic in document["out_of_scope"]:
        assert topic["topic"] in topics
    for finding in document["findings"]:
        if finding["verdict"] == "undetermined":
            assert finding["title"] in topics


def test_a_layer_without_data_stands_first_among_the_sources_and_among_the_open(
    plan, document
) -> None:
    layers = [
        {**row, "state": "failed", "reason": "文件损坏"} if row["id"] == "roads" else row
        for row in document["layers"]
    ]
    report = site_content({**document, "layers": layers}, plan)
    first = table(report, "数据来源表").rows[0]
    assert first[3].text == "未检查"
    assert first[3].bold
    assert ("图层未检查", "文件损坏") in [
        (row[0].text, row[2].text) for row in table(report, "未检查和未定事项").rows
    ]


def test_every_layer_has_its_date_and_status(report, document) -> None:
    sources = table(report, "数据来源表")
    assert len(sources.rows) == len(document["layers"])
    assert set(column(sources, 2)) == {"示意"}
    assert all(column(sources, 1))


def test_a_schematic_plan_is_marked_and_an_approved_one_is_not(plan, document) -> None:
    assert "示意" in site_content(document, plan).mark
    ref = {**document["plan"], "status": "approved", "status_note": ""}
    assert site_content({**document, "plan": ref}, plan).mark == ""


def test_a_report_of_another_version_of_the_plan_says_so(plan, document) -> None:
    ref = {**document["plan"], "version": "1999"}
    report = site_content({**document, "plan": ref}, plan)
    notes = [p.text for p in of(report, Paragraph) if "两者不同" in p.text]
    assert len(notes) == 1
    assert "1999" in notes[0]


def test_boundary_points_are_those_of_the_exact_outline(plan, samples_dir, as_of) -> None:
    site, document = checked(plan, samples_dir / "fire_station.geojson", "1310", as_of)
    report = site_content(document, plan, geometry=site.geometry)
    points = table(report, "界址点成果表")
    xs = {cell.text for row in points.rows for cell in (row[2], row[7]) if cell.text}
    ring = list(site.geometry.exterior.coords)
    assert xs == {f"{y:.3f}" for _, y in ring}


def test_without_an_outline_the_report_says_so(plan, document) -> None:
    from gis.output.export import without_geometry

    report = site_content(without_geometry(document), plan)
    assert not of(report, Figure)
    assert any("没有地块图形" in p.text for p in of(report, Paragraph))


def test_layers_above_the_ceiling_keep_their_words_and_lose_their_places(scarce_dir, as_of) -> None:
    root = scarce_dir()
    text = (root / "plan.toml").read_text(encoding="utf-8")
    text = text.replace('id = "farmland"\n', 'id = "farmland"\nsecrecy = "restricted"\n')
    (root / "plan.toml").write_text(
        text.replace("[plan]\n", '[plan]\nrulebooks = ["cn"]\n'), encoding="utf-8"
    )
    plan = load_plan(root)
    site = gis.read_site(
        {
            "type": "Polygon",
            "crs": {"type": "name", "properties": {"name": "EPSG:4548"}},
            "coordinates": [
                [
                    [408_600, 4_030_600],
                    [408_900, 4_030_600],
                    [408_900, 4_030_900],
                    [408_600, 4_030_900],
                    [408_600, 4_030_600],
                ]
            ],
        },
        plan,
    )
    document = gis.to_dict(gis.check_site(site, plan, use="0901", as_of=as_of))
    shown = {
        ceiling: {
            item.title: item for item in of(site_content(document, plan, ceiling=ceiling), Item)
        }
        for ceiling in ("public", "restricted")
    }
    assert shown["restricted"]["永久基本农田"].figure is not None
    assert shown["public"]["永久基本农田"].figure is None
    assert shown["public"]["永久基本农田"].facts == shown["restricted"]["永久基本农田"].facts


def test_printed_texts_have_no_characters_that_act_instead_of_being_seen(plan, document) -> None:
    site = {**document["site"], "name": "甲\u202e乙\x07\u200b"}
    report = printed(site_content({**document, "site": site}, plan))
    words = "".join(texts_of(report))
    assert not {"\u202e", "\x07", "\u200b"} & set(words)
    assert report.subtitle == "甲乙 "


def test_drawings_are_not_texts(report) -> None:
    assert not [text for text in texts_of(report) if "<svg" in text]
