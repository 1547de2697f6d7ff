"""A bureau's Excel list becomes the register: nothing lost, nothing guessed, everything named."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from project_list import project_list

import gis
from gis.errors import ClaimError, FormatError, InputError, PlanError
from gis.intake.table.cells import Unreadable
from gis.portfolio.cells import CellError
from gis.portfolio.importing.run import import_projects
from gis.portfolio.importing.values import read_area, read_day, read_paper, read_period, read_wan
from gis.portfolio.importing.writing import register_text
from gis.portfolio.project import Project
from gis.portfolio.register import load_projects, read_register
from gis.units import M2_PER_MU

EXAMPLES = examples(60)


@pytest.fixture(scope="module")
def small(scarce_dir):
    return gis.load_plan(scarce_dir())


@pytest.fixture
def own(small, tmp_path: Path):
    """The small plan in a folder of its own, so that a register can be written into it."""
    from dataclasses import replace

    root = tmp_path / "plan"
    shutil.copytree(small.root, root)
    return replace(small, root=root)


def bundled(own, repo: Path):
    for name in ("projects.csv", "projects.toml"):
        shutil.copy(repo / "data" / name, own.root / name)
    return own


def test_a_real_list_is_read_row_by_row(own) -> None:
    done = import_projects(project_list(), own, file="清单.xlsx")
    assert [f.message for f in done.faults] == []
    assert done.to_dict()["heading_rows"] == [3, 4]
    rows = load_projects(own).projects
    assert [p.name for p in rows] == [
        "聊城健康科技园",
        "现代·明珠广场",
        "现代中药园区",
        "新建冷链园",
    ]
    health, plaza, herbal, cold = rows
    assert health.unit == "某健康公司"
    assert (health.period, health.start_date) == ("2019-08至2023-12", "2019-08-15")
    assert (health.investment_wan, health.annual_plan_wan, health.done_wan) == (
        173_619,
        50_000,
        12_000.5,
    )
    assert health.problem == "供电；道路连接"  # two rows of one project
    assert health.land_approval == "鲁(2020)聊城市不动产权第0008142号"
    assert health.land_approval_by == "市自然资源局"
    assert health.building_permit == "正在办理"
    assert health.group == plaza.group == "续建项目"
    assert plaza.start_date == "2020-02"  # the number 2020.2
    assert plaza.responsible_unit == "卫健局"  # one merged cell for two projects
    assert (herbal.period, herbal.start_date, herbal.done_wan) == (
        "2022-06至2023-11",
        "2022-06",
        None,
    )
    assert (cold.investment_wan, cold.period) == (20_000, "2022至2024")  # 2亿元
    assert cold.land_approval == "未办理"  # ×


def test_columns_without_a_place_are_named_and_names_of_people_are_never_taken(own) -> None:
    done = import_projects(project_list(), own, file="清单.xlsx").to_dict()
    why = {row["heading"]: row["why"] for row in done["unplaced"]}
    assert why == {"包保领导": "是个人信息，不导入", "容积率": "没有对应的列"}
    assert "某某" not in (own.root / "projects.csv").read_text(encoding="utf-8")


def test_ids_are_kept_by_name_and_what_the_register_says_stays(own, repo) -> None:
    plan = bundled(own, repo)
    before = {p.id: p for p in load_projects(plan).projects}
    done = import_projects(project_list(), plan, file="清单.xlsx")
    after = {p.id: p for p in load_projects(plan).projects}
    assert list(after) == [*before, "P21"]
    assert after["P21"].name == "新建冷链园"
    assert after["P03"].annual_plan_wan == 50_000  # was empty
    assert after["P03"].problem_class == "配套与资金"  # the list says 配套
    assert after["P03"].use == before["P03"].use
    conflicts = {(c.id, c.column) for c in done.merged.conflicts}
    assert {("P03", "problem_class"), ("P03", "problem"), ("P05", "problem")} <= conflicts
    assert ("P03", "investment_wan") not in conflicts  # 173619 in both
    assert {p.id for p in done.merged.unlisted} == set(before) - {"P03", "P05", "P06"}
    for project_id in set(before) - {"P03", "P05", "P06"}:
        assert after[project_id] == before[project_id]


def test_the_list_wins_only_where_it_is_asked_to(own, repo) -> None:
    plan = bundled(own, repo)
    import_projects(project_list(), plan, file="清单.xlsx", list_wins=True)
    assert load_projects(plan).get("P03").problem_class == "配套"
    assert load_projects(plan).get("P03").land_on is None


def test_importing_twice_changes_nothing_more(own) -> None:
    import_projects(project_list(), own, file="清单.xlsx")
    first = (own.root / "projects.csv").read_bytes()
    done = import_projects(project_list(), own, file="清单.xlsx")
    assert not done.written
    assert not any((done.merged.filled, done.merged.conflicts, done.merged.added))
    assert (own.root / "projects.csv").read_bytes() == first


def test_a_column_of_the_register_that_nobody_knows_survives(own) -> None:
    text = "id,name,内部编码\nA-1,现代中药园区,机密7\n"
    (own.root / "projects.csv").write_text(text, encoding="utf-8")
    import_projects(project_list(), own, file="清单.xlsx")
    with (own.root / "projects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["内部编码"] == "机密7"
    assert [row["id"] for row in rows] == ["A-1", "A-2", "A-3", "A-4"]


def test_the_totals_of_the_list_become_those_of_the_register(own) -> None:
    done = import_projects(project_list(), own, file="清单.xlsx")
    assert done.warnings == ()
    register = load_projects(own)
    assert register.year == 2022
    assert [(s.title, s.projects, s.investment_wan) for s in register.stated] == [
        ("续建项目", 2, 209_619),
        ("新建项目", 2, 35_000),
        ("全部项目", 4, 244_619),
    ]
    from gis.portfolio.totals import totals_of

    assert all(total.sums["investment_wan"].difference == 0 for total in totals_of(register))


def test_rows_that_do_not_add_up_to_the_total_are_told(own) -> None:
    def change(page) -> None:
        page["D12"] = 300_000
        page["A12"] = "合计（5个）"

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    texts = [w.message for w in done.warnings]
    assert "写 5 个项目，各行共 4 个" in texts
    assert "总投资合计写 300000 万元，各行之和 244619 万元" in texts


def test_cells_that_cannot_be_read_are_named_and_the_rest_is_taken(own) -> None:
    def change(page) -> None:
        page["D6"] = "若干"
        page["H8"] = 2020.1  # January or October
        page["C10"] = "2023.11-2022.6"
        page["F10"] = "=1/0"

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    found = {fault.where.split()[-1]: fault.message for fault in done.faults}
    assert set(found) == {"D6", "H8", "C10", "F10"}
    assert "分不清是 1 月还是 10 月" in found["H8"]
    assert "结束早于开始" in found["C10"]
    assert "没有计算结果" in found["F10"]
    rows = load_projects(own).projects
    assert rows[0].investment_wan is None
    assert rows[0].annual_plan_wan == 50_000
    assert rows[1].start_date is None


def test_a_row_without_a_name_and_a_name_that_comes_twice_are_faults(own) -> None:
    def change(page) -> None:
        page["B8"] = None
        page["B11"] = "现代中药 园区"

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    assert ["没有项目名称" in f.message for f in done.faults] == [True, False]
    assert "第 10 行是同一个项目名称" in done.faults[1].message
    assert [p.name for p in load_projects(own).projects] == ["聊城健康科技园", "现代中药园区"]


def test_a_name_that_is_a_formula_without_result_is_no_continuation(own) -> None:
    def change(page) -> None:
        page["A8"] = None
        page["B8"] = "=B20"

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    assert [f.where.split()[-1] for f in done.faults] == ["B8"]
    health, *_ = load_projects(own).projects
    assert (health.name, health.investment_wan, health.problem) == (
        "聊城健康科技园",
        173_619,
        "供电；道路连接",
    )


def test_rows_that_nobody_sees_are_read_and_told(own) -> None:
    def change(page) -> None:
        page.row_dimensions[10].hidden = True
        page.cell(5, 70, "远处")

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    texts = [w.message for w in done.warnings]
    assert texts[:2] == ["有 1 行被隐藏，也已读取", "第 64 列以后未读取"]
    assert "现代中药园区" in [p.name for p in load_projects(own).projects]


def test_money_in_merged_cells_counts_once(own) -> None:
    def change(page) -> None:
        page.merge_cells("D10:D11")

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    assert [p.investment_wan for p in load_projects(own).projects][2:] == [15_000, None]
    assert any("只计入上方的项目" in w.message for w in done.warnings)


def test_sums_without_a_unit_are_not_guessed(own) -> None:
    def change(page) -> None:
        page["Q2"] = None

    bare = project_list(change=change)
    done = import_projects(bare, own, file="清单.xlsx", write=False)
    assert any("没有写明单位" in fault.message for fault in done.faults)
    done = import_projects(bare, own, file="清单.xlsx", money="元", write=False)
    assert done.merged.projects[0].investment_wan == 17.3619
    assert not (own.root / "projects.csv").exists()


def test_a_heading_that_could_mean_two_things_is_not_taken(own) -> None:
    def change(page) -> None:
        page["G4"] = "完成投资"
        page.unmerge_cells("F3:G3")
        page["G3"] = None
        page["F3"] = "年度计划投资"
        page["F4"] = None
        page.merge_cells("F3:F4")

    done = import_projects(project_list(change=change), own, file="清单.xlsx")
    why = {row["heading"]: row["why"] for row in done.to_dict()["unplaced"]}
    assert any("看不出" in text for text in why.values())
    assert all(p.done_wan is None for p in load_projects(own).projects)


def test_another_year_and_a_like_name_are_pointed_out(own, repo) -> None:
    def change(page) -> None:
        page["A1"] = "2023年重点项目"
        page["F3"] = "2023年投资情况"
        page["B11"] = "健康科技园二期"
        page["B10"] = "聊城现代中药园区"

    done = import_projects(project_list(change=change), bundled(own, repo), file="清单.xlsx")
    texts = "".join(w.message for w in done.warnings)
    assert "是 2023 年的清单" in texts
    assert "“聊城现代中药园区”与登记册的“现代中药园区”（P06）相近" in texts
    assert [p.id for p in done.merged.added] == ["P21", "P22"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xd0\xcf\x11\xe0old", "xls"),
        ("点号,X,Y\nJ1,1,2\n".encode(), "没有找到项目清单的表头"),
        (b"PK\x03\x04broken", "zip|损坏|Excel"),
        (b"", "没有找到项目清单的表头"),
    ],
)
def test_what_is_no_list_is_refused(own, data: bytes, message: str) -> None:
    with pytest.raises((FormatError, PlanError), match=message):
        import_projects(data, own, file="x")
    assert not (own.root / "projects.csv").exists()


def test_two_sheets_that_look_like_lists_are_asked_for(own) -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(project_list()))
    book.copy_worksheet(book.active).title = "二"
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(FormatError, match="--sheet"):
        import_projects(stream.getvalue(), own, file="x.xlsx")
    assert import_projects(stream.getvalue(), own, file="x.xlsx", sheet="二").sheet == "二"
    with pytest.raises(FormatError, match="项目清单、二"):
        import_projects(stream.getvalue(), own, file="x.xlsx", sheet="三")


def test_a_csv_in_gbk_is_a_list_too(own) -> None:
    text = '项目名称,总投资（万元）,责任单位\n甲项目,"1,200",一局\n乙项目,300,二局\n'
    import_projects(text.encode("gbk"), own, file="清单.csv")
    assert [p.investment_wan for p in load_projects(own).projects] == [1200, 300]


def test_a_release_is_never_written_into(own) -> None:
    (own.root / "release.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ClaimError, match="已发布的版本"):
        import_projects(project_list(), own, file="x.xlsx")


def test_the_command_writes_into_a_plan_that_somebody_named(own, tmp_path, wuqu) -> None:
    file = tmp_path / "清单.xlsx"
    file.write_bytes(project_list())
    code, _, err = wuqu("projects", "import", file)
    assert code == 2
    assert "--plan" in err
    call = ("projects", "import", file, "--plan", own.root)
    code, out, _ = wuqu(*call, "--dry-run")
    assert code == 0
    assert "没有写入" in out
    assert not (own.root / "projects.csv").exists()
    code, out, _ = wuqu(*call)
    assert code == 0
    assert "包保领导：是个人信息，不导入" in out
    file.write_bytes(project_list(change=lambda page: page.__setitem__("D6", "若干")))
    code, out, _ = wuqu(*call, "--format", "json")
    assert code == 3
    assert "D6" in json.loads(out)["faults"][0]["where"]


def test_a_formula_of_the_list_is_written_as_text(own) -> None:
    def change(page) -> None:
        page["I6"] = "'=HYPERLINK(1)"
        page["I6"].data_type = "s"
        page["I8"] = "@x"

    import_projects(project_list(change=change), own, file="x.xlsx")
    text = (own.root / "projects.csv").read_text(encoding="utf-8")
    assert ",@x" not in text
    assert "'@x" in text


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (44713.0, "2022-06-01"),
        (44713.75, "2022-06-01"),
        (Unreadable("是日期", stored="44713"), "2022-06-01"),
        (2022.0, "2022"),
        (2022.12, "2022-12"),
        (2022.05, "2022-05"),
        (202206.0, "2022-06"),
        ("2022.10", "2022-10"),
        ("２０２２年６月", "2022-06"),
        ("2022/6/5", "2022-06-05"),
        ("20220615", "2022-06-15"),
        ("—", None),
        ("", None),
    ],
)
def test_a_date_is_read_as_it_was_meant(cell, day) -> None:
    assert read_day(cell) == day


def test_dates_of_a_workbook_that_counts_from_1904_are_four_years_later() -> None:
    assert read_day(Unreadable("是日期", stored="43251"), has_1904=True) == "2022-06-01"


@pytest.mark.parametrize(
    "cell", [2022.1, 2022.13, 1.0, 99999.0, "2022.13", "六月", "2022-02-30", -5.0]
)
def test_what_is_no_date_is_refused(cell) -> None:
    with pytest.raises(CellError):
        read_day(cell)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2019.8-2023.12", "2019-08至2023-12"),
        ("2019-08-2023-12", "2019-08至2023-12"),
        ("2019-2023", "2019至2023"),
        ("2019年8月—2023年12月", "2019-08至2023-12"),
        ("2019.8～2023", "2019-08至2023"),
        ("2022年6月至今", "2022-06至"),
        ("2022-06", "2022-06"),
        (2022.0, "2022"),
        ("/", None),
    ],
)
def test_a_period_is_read_as_it_was_meant(text, period) -> None:
    assert read_period(text) == period


@pytest.mark.parametrize(
    ("cell", "unit", "wan"),
    [
        ("1.5亿", "", 15_000),
        ("3000元", "万元", 0.3),
        ("约1,234.5", "万元", 1_234.5),
        (0.1, "亿元", 1_000),
        (0.0, "万元", 0.0),
        ("×", "万元", None),
    ],
)
def test_money_is_brought_to_ten_thousand_yuan(cell, unit, wan) -> None:
    assert read_wan(cell, unit) == wan


@pytest.mark.parametrize("cell", [-1.0, "-5", "一千万", "1.2.3", float("inf"), True])
def test_what_is_no_sum_is_refused(cell) -> None:
    with pytest.raises(CellError):
        read_wan(cell, "万元")


def test_areas_are_brought_to_mu() -> None:
    assert read_area(17.3333, "公顷", M2_PER_MU) == pytest.approx(260, abs=0.001)
    assert read_area("8.07万平方米", "", M2_PER_MU) == pytest.approx(121.05, abs=0.01)
    with pytest.raises(CellError, match="单位"):
        read_area(5.0, "", M2_PER_MU)


def test_an_approval_is_split_into_body_and_number_and_absence_is_no_number() -> None:
    assert read_paper("市自然资源和规划局：地字第1号") == ("市自然资源和规划局", "地字第1号")
    assert read_paper("未办理") == (None, "未办理")
    assert read_paper("鲁政土字〔2021〕12号") == (None, "鲁政土字〔2021〕12号")
    assert read_paper(None) == (None, None)


_words = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1, max_size=20)
_sums = st.none() | st.integers(0, 10**9).map(lambda n: n / 100)


@given(st.lists(st.tuples(_words, _sums, st.none() | _words), max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory, rows) -> None:
    projects = [
        Project(id=f"P{n}", name=f"{n}{name}", investment_wan=wan, problem=problem)
        for n, (name, wan, problem) in enumerate(rows)
    ]
    root = tmp_path_factory.mktemp("register")
    (root / "projects.csv").write_text(register_text(projects), encoding="utf-8", newline="")
    found, faults = read_register(root)
    assert faults == ()
    for before, after in zip(projects, found.projects, strict=True):
        assert (after.id, after.name, after.investment_wan) == (
            before.id,
            before.name,
            before.investment_wan,
        )
        # A text that a spreadsheet would run has a mark before it.
        assert (after.problem or "").removeprefix("'") == (before.problem or "").removeprefix("'")


HEADS = (
    "序号 项目名称 总投资（万元） 1-5月完成投资 开工时间 建设起止年限 问题类别 存在问题 土地手续 "
    "规划审批单位 施工许可证 销号日期 项目编号 用地面积（亩） 优先级 完成投资 所在镇街"
)
CELLS = (
    "甲 乙项目 合计 一、续建（2个） 注： 12 1.5亿元 -3 2022.6 2022.1 2019.8-2023.12 未办理 √ / "
    "某局地字第371501201930004号 =1+1 P01 零"
)
_heads = st.sampled_from(HEADS.split())
_cells = st.sampled_from([*CELLS.split(), "", "甲\n乙", "某公司\n丙"])


@settings(
    max_examples=EXAMPLES,
)
@given(
    st.lists(_heads, min_size=3, max_size=9, unique=True), st.lists(st.lists(_cells), max_size=6)
)
def test_any_list_is_taken_or_refused_and_what_was_taken_can_be_read(small, heads, rows) -> None:
    import tempfile
    from dataclasses import replace

    text = io.StringIO()
    csv.writer(text).writerows([heads, *rows])
    with tempfile.TemporaryDirectory() as folder:
        own = replace(small, root=Path(folder))
        try:
            done = import_projects(text.getvalue().encode(), own, file="清单.csv", money="万元")
        except InputError:
            assert not (own.root / "projects.csv").exists()
            return
        if not (own.root / "projects.csv").exists():
            assert not done.merged.projects
            return
        register, faults = read_register(own.root)
        assert faults == ()
        assert len(register.projects) == len(done.merged.projects)
        again = import_projects(text.getvalue().encode(), own, file="清单.csv", money="万元")
        assert not again.written
