"""The summary of many sites: counts and sums by hand, problems, and what cannot be judged."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from report_tools import docx_text, pdf_text, squeezed

import gis
from gis.batch.tables import read_back
from gis.errors import ClaimError
from gis.output.report import summary
from gis.output.report.blocks import Conclusion, Figure, Paragraph, Table
from gis.output.report.docx import docx_bytes
from gis.output.report.pdf import pdf_bytes
from gis.output.report.summary import summary_content

EAST, NORTH = 406_000.0, 4_032_000.0


def site_row(n: int, verdict: str | None, area_m2: float, rule: str | None, **more) -> dict:
    row = {
        "row": n, "file": "地块.gpkg", "name": f"地块 {n}", "verdict": verdict,
        "deciding_rule": rule, "reason": "理由。" if rule else None, "use": "0901",
        "area_m2": area_m2, "planar_m2": area_m2, "mu": area_m2 * 15 / 10_000,
        "problem_code": None, "problem": None,
        "geometry": shapely.box(EAST + 200 * n, NORTH, EAST + 200 * n + 100, NORTH + 100),
    }  # fmt: skip
    return row | more


@pytest.fixture
def frame() -> geopandas.GeoDataFrame:
    nan = float("nan")
    rows = [
        site_row(1, "fail", 20_000.0, "cn.green-line"),
        site_row(2, "fail", 30_000.0, "cn.permanent-farmland"),
        site_row(3, "fail", 10_000.0, "cn.green-line"),
        site_row(4, "undetermined", 30_000.0, "plan.zone-use"),
        site_row(5, "pass", 10_000.0, None),
        site_row(6, None, nan, None, mu=nan, problem_code="geometry", problem="自相交。",
                 geometry=None),
    ]  # fmt: skip
    return geopandas.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=4548)


def tables(report) -> dict[str, Table]:
    return {t.caption.split("　")[1]: t for t in report.blocks if isinstance(t, Table)}


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_verdicts_are_counted_and_their_land_is_summed(plan, frame) -> None:
    # 100,000 m² in all are 150 mu and 10 hectares; 60,000 of them do not comply.
    assert texts(tables(summary_content(frame, plan))["按结论汇总"]) == [
        ["不符合", "3", "90.00", "6.0000", "60.00%"],
        ["需核实", "1", "45.00", "3.0000", "30.00%"],
        ["有条件符合", "0", "0.00", "0.0000", "0.00%"],
        ["符合", "1", "15.00", "1.0000", "10.00%"],
        ["合计", "5", "150.00", "10.0000", "100.00%"],
    ]


def test_problems_stand_worst_first_and_most_sites_first(plan, frame) -> None:
    assert texts(tables(summary_content(frame, plan))["按问题汇总"]) == [
        ["城市绿线", "不符合", "2", "45.00"],
        ["永久基本农田", "不符合", "1", "45.00"],
        ["五大功能区准入", "需核实", "1", "45.00"],
    ]


def test_a_row_that_cannot_be_judged_is_told_apart_and_adds_no_land(plan, frame) -> None:
    report = summary_content(frame, plan)
    assert texts(tables(report)["无法判定的地块"]) == [["6", "地块 6", "自相交。"]]
    assert texts(tables(report)["地块清单"])[5][4] == "无法判定"
    first = report.blocks[0]
    assert isinstance(first, Conclusion)
    assert first.sentence == "6 个地块中，1 个符合或有条件符合，4 个不符合或需核实，1 个无法判定。"


def test_sums_add_up_as_printed(plan, frame) -> None:
    # Thirds of a square metre: rounded one by one they would not make the total.
    frame["area_m2"] = [1 / 3, 1 / 3, 1 / 3, 1 / 3, 2 / 3, float("nan")]
    *parts, total = texts(tables(summary_content(frame, plan))["按结论汇总"])
    for place in (2, 3):
        printed = sum(float(row[place]) for row in parts)
        assert printed == pytest.approx(float(total[place]), abs=1e-9)


def test_the_map_shows_each_verdict_once_in_its_legend(plan, frame) -> None:
    report = summary_content(frame, plan)
    (figure,) = (b for b in report.blocks if isinstance(b, Figure))
    for word, count in (("不符合", 1), ("需核实", 1), ("有条件符合", 0)):
        assert figure.svg.count(f">{word}</text>") == count


def test_many_sites_of_one_place_are_one_disc(plan, frame) -> None:
    # 300 sites of 10 m within 10 m, at 1:250,000 the same pixel: the drawing must not grow.
    one = frame[frame["verdict"] == "pass"]
    many = pd.concat([one] * 300, ignore_index=True)
    many["geometry"] = shapely.buffer(shapely.points(EAST + np.arange(300) / 30, NORTH), 5.0)
    svg = next(b for b in summary_content(many, plan).blocks if isinstance(b, Figure)).svg
    dots = [part for part in svg.split("<path ") if part.startswith('class="sites"')]
    assert len(dots) == 1
    assert dots[0].count("Z") <= 2


def test_a_table_without_outlines_has_no_map(plan, frame) -> None:
    report = summary_content(pd.DataFrame(frame.drop(columns="geometry")), plan)
    assert not [b for b in report.blocks if isinstance(b, Figure)]
    assert len(tables(report)["地块清单"].rows) == 6


def test_nothing_but_compliance_is_a_report_too(plan, frame) -> None:
    report = summary_content(frame[frame["verdict"] == "pass"], plan)
    assert "按问题汇总" not in tables(report)
    assert any("没有地块存在" in b.text for b in report.blocks if isinstance(b, Paragraph))


def test_no_row_at_all_is_a_report_too(plan, frame) -> None:
    report = summary_content(frame.head(0), plan)
    assert texts(tables(report)["按结论汇总"])[-1] == ["合计", "0", "0.00", "0.0000", "0.00%"]
    assert pdf_bytes(report)[:5] == b"%PDF-"


def test_sites_that_are_not_listed_are_counted(plan, frame, monkeypatch) -> None:
    monkeypatch.setattr(summary, "MOST_SITES", 2)
    report = summary_content(frame, plan)
    assert len(tables(report)["地块清单"].rows) == 2
    assert any("其余 4 个地块未列出" in b.text for b in report.blocks if isinstance(b, Paragraph))


def test_a_table_of_something_else_is_refused(plan, frame) -> None:
    with pytest.raises(ClaimError, match="deciding_rule"):
        summary_content(frame.drop(columns="deciding_rule"), plan)


def test_hostile_names_are_shown_as_text_on_both_papers(plan, frame) -> None:
    name = "#panic(1) *x* <script>alert(1)</script> =1+1"
    frame.loc[0, "name"] = name
    report = summary_content(frame, plan)
    assert squeezed(name) in squeezed(pdf_text(pdf_bytes(report)))
    assert squeezed(name) in squeezed(docx_text(docx_bytes(report)))


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "csv"])
def test_a_written_batch_gives_the_same_tables_as_the_result_itself(
    plan, samples_dir, as_of, tmp_path, suffix: str
) -> None:
    files = [samples_dir / "fire_station.geojson", samples_dir / "mingzhu_roads.geojson"]
    out = tmp_path / f"out.{suffix}"
    result = gis.check_sites(files, plan, as_of=as_of, out=out)
    wanted = tables(summary_content(result, plan, as_of=as_of))
    found = tables(summary_content(read_back(out), plan, as_of=as_of))
    assert found == wanted
    assert len(wanted["地块清单"].rows) == 2
