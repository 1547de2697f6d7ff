"""Whatever is wrong or doubtful in a register is told at once, with row and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import NotFoundError, PlanError
from gis.plan import load_plan
from gis.portfolio.approvals import Stage
from gis.portfolio.lint import lint_projects
from gis.portfolio.permits import has_usual_form
from gis.portfolio.register import load_projects, read_register

OUTLINE = (
    "SRID=4548;POLYGON((408600 4030100,408700 4030100,408700 4030200,408600 4030200,"
    "408600 4030100))"
)


@pytest.fixture
def written(scarce_dir):
    """A small plan with this register."""

    def build(text: str | bytes, head: str = ""):
        root: Path = scarce_dir()
        data = text if isinstance(text, bytes) else text.encode()
        (root / "projects.csv").write_bytes(data)
        (root / "a.wkt").write_text(OUTLINE, encoding="utf-8")
        if head:
            (root / "projects.toml").write_text(head, encoding="utf-8")
        return load_plan(root)

    return build


def lines(faults) -> list[str]:
    return [f"{fault.where}：{fault.message}" for fault in faults]


def test_the_bundled_register_has_no_fault_and_one_doubt(plan) -> None:
    report = lint_projects(plan)
    assert report.faults == ()
    assert lines(report.warnings) == [
        "第 5 行 done_total_wan（累计完成投资（万元）），“民生·凤凰城1号院商业”："
        "累计完成投资 14,986 万元大于总投资 14,873 万元"
    ]


def test_all_faults_are_told_at_once(written, wuqu) -> None:
    plan = written(
        "id,name,priority,investment_wan,start_date,use,zone,town,site_file,problem_state\n"
        "A 1,甲,1,5,2022,0901,Z1,x,,\n"
        "B,,2,5,2022,0901,Z1,x,,\n"
        "C,丙,零,-5,2022-13,0901,Z1,x,,\n"
        "D,丁,3,5,2022,9999,Z7,x,gone.wkt,好了\n"
        "D,戊,4,5,2022,0901,Z1,x,,\n"
        "F,丁 ,5,5,2022,0901,Z1,x,,\n"
    )
    report = lint_projects(plan)
    found = "\n".join(lines(report.faults))
    assert len(report.faults) == 11
    for place in (
        "第 2 行 id", "第 3 行", "第 4 行 priority", "第 4 行 investment_wan",
        "第 4 行 start_date", "第 5 行 problem_state", "第 6 行 id", "第 7 行 name",
        "第 5 行 use", "第 5 行 zone", "第 5 行 site_file",
    ):  # fmt: skip
        assert place in found
    assert "“D”与第 5 行相同" in found
    code, out, _ = wuqu("projects", "lint", "--plan", plan.root, "--format", "json")
    assert code == 3
    assert len(json.loads(out)["faults"]) == 11
    code, out, _ = wuqu("projects", "lint", "--plan", plan.root)
    assert code == 3
    assert "11 个错误" in out
    assert str(plan.root) not in out
    with pytest.raises(PlanError, match="共 8 处"):
        load_projects(plan)


def test_a_zone_and_a_town_must_be_those_of_the_layers(plan, tmp_path) -> None:
    from dataclasses import replace

    (tmp_path / "projects.csv").write_text(
        "id,name,zone,town\nA,甲,Z9,某街道\nB,乙,Z1,朱老庄镇\n", encoding="utf-8"
    )
    faults = lint_projects(replace(plan, root=tmp_path)).faults
    assert [f.where.split("（")[0] for f in faults] == ["第 2 行 zone", "第 2 行 town"]
    assert "Z1、Z2、Z3、Z4、Z5" in faults[0].message


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("land_approval=地字第1号", "不是常见的编号形式"),
        ("building_permit=371501202001010101", "已有施工许可，但用地手续未载明"),
        ("problem=缺水", "没有问题类别"),
        ("problem_class=缺水", "没有写明是否销号"),
        ("problem_state=未销号", "没有存在问题"),
        ("period=2020-01至2021-06;start_date=2021-07", "晚于建设期的结束"),
        ("period=2020-03至2021-06;start_date=2020-02", "早于建设期的开始"),
        ("investment_wan=5;annual_plan_wan=6", "大于总投资"),
        ("done_wan=6;done_total_wan=5", "大于累计完成投资"),
        ("site_file=a.wkt;area_mu=16", "相差超过 1%"),
        ("use=", "没有用途代码"),
    ],
)
def test_what_is_doubtful_is_a_warning(written, row: str, words: str) -> None:
    given = {"use": "0901"} | dict(pair.split("=") for pair in row.split(";"))
    names, cells = ",".join(given), ",".join(given.values())
    report = lint_projects(written(f"id,name,{names}\nA,甲,{cells}\n"))
    assert report.faults == ()
    assert any(words in warning.message for warning in report.warnings), lines(report.warnings)


@pytest.mark.parametrize(
    "row",
    [
        "site_file=a.wkt;area_mu=15",
        "period=2020至2021;start_date=2021-12",
        "period=2020-03至2021-06;start_date=2020",
        "land_approval=鲁(2020)甲市不动产权第0008142号;planning_permit=地字第371501201930004号",
        "problem_class=资金;problem=缺口;problem_state=已销号;problem_closed_on=2022-06",
    ],
)
def test_what_is_right_is_not_mentioned(written, row: str) -> None:
    given = {"use": "0901"} | dict(pair.split("=") for pair in row.split(";"))
    names, cells = ",".join(given), ",".join(given.values())
    report = lint_projects(written(f"id,name,{names}\nA,甲,{cells}\n"))
    assert (report.faults, report.warnings) == ((), ())


def test_a_closing_day_of_an_open_problem_is_a_fault(written) -> None:
    text = "id,name,use,problem_class,problem,problem_state,problem_closed_on\n"
    report = lint_projects(written(text + "A,甲,0901,资金,缺口,未销号,2022-06\n"))
    assert "销号状态不是“已销号”" in report.faults[0].message


def test_a_feature_must_be_there_and_have_the_name_of_the_project(plan, tmp_path) -> None:
    from dataclasses import replace

    (tmp_path / "projects.csv").write_text(
        "id,name,use,site_feature\nA,甲,0901,371502600100000001\nB,乙,0901,nope\n", encoding="utf-8"
    )
    report = lint_projects(replace(plan, root=tmp_path))
    assert "没有编号为“nope”的面" in report.faults[0].message
    assert "与项目名称不同" in report.warnings[0].message


def test_rows_that_exceed_the_stated_total_are_a_contradiction(written) -> None:
    head = '[[stated]]\nid = "all"\ntitle = "全部"\nprojects = 1\ninvestment_wan = 10\n'
    plan = written("id,name,use,investment_wan\nA,甲,0901,6\nB,乙,0901,6\n", head)
    texts = lines(lint_projects(plan).warnings)
    assert any("清单写 1 个项目，登记册已有 2 个" in text for text in texts)
    assert any("各行之和已是 12 万元" in text for text in texts)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "是空的"),
        ("name\n甲\n", "表头缺少 id"),
        ("id,name,id\nA,甲,B\n", "出现两次"),
        ('id,name\nA,"甲\nB,乙\n', "引号不成对"),
        (b"\xff\xfe\x00\xd8", "编码|表头"),
    ],
)
def test_what_is_no_register_is_refused_with_its_line(written, data, message) -> None:
    with pytest.raises(PlanError, match=message):
        lint_projects(written(data))


def test_a_row_with_too_many_cells_is_a_fault(written) -> None:
    report = lint_projects(written("id,name\nA,甲,乙,丙\n"))
    assert "表头只有 2 列" in report.faults[0].message


def test_columns_that_nobody_knows_are_named_and_kept(written) -> None:
    plan = written("id,name,use,内部\nA,甲,0901,x\n")
    assert "列“内部”不是清单的列" in lint_projects(plan).warnings[0].message
    assert load_projects(plan).projects[0].extra == {"内部": "x"}


def test_an_unknown_key_of_the_head_is_told_with_its_line(written) -> None:
    plan = written("id,name\nA,甲\n", "[list]\ntitel = '清单'\n")
    with pytest.raises(PlanError, match=r"projects\.toml 第 2 行"):
        load_projects(plan)


def test_a_register_saved_by_a_spreadsheet_in_gbk_is_read(written) -> None:
    plan = written("id,name,problem\nA,甲项目,用地边界图\n".encode("gbk"))
    assert load_projects(plan).projects[0].problem == "用地边界图"


def test_no_register_is_told_with_what_to_do(scarce_dir, wuqu) -> None:
    root = scarce_dir()
    with pytest.raises(NotFoundError):
        lint_projects(load_plan(root))
    code, _, err = wuqu("projects", "lint", "--plan", root)
    assert code == 2
    assert "wuqu projects import" in err


@pytest.mark.parametrize(
    ("stage", "number", "usual"),
    [
        (Stage.LAND, "鲁（2020）聊城市不动产权第0008142号", True),
        (Stage.LAND, "鲁政土字〔2021〕123号", True),
        (Stage.LAND, "2021-04-02取得土地", False),
        (Stage.PLANNING, "地字第371501201930004号；建字第371501202030001号", True),
        (Stage.PLANNING, "地字第371501201930004号；无", False),
        (Stage.BUILDING, "371501202006180101", True),
        (Stage.BUILDING, "3715012020061801", False),
        (Stage.BUILDING, "", False),
    ],
)
def test_numbers_of_the_usual_forms(stage, number, usual) -> None:
    assert has_usual_form(stage, number) is usual


@given(st.binary(max_size=300))
def test_any_bytes_are_a_register_or_a_clear_error(tmp_path_factory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("bytes")
    (root / "projects.csv").write_bytes(b"id,name,investment_wan,period\n" + data)
    try:
        register, faults = read_register(root)
    except PlanError:  # nothing else may come out
        return
    assert all(fault.where for fault in faults)
    assert len({p.id for p in register.projects}) == len(register.projects) or faults
