"""Rule books are read strictly: every mistake has a file and a line, every value is in the hash."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gis.errors import NotFoundError, RuleBookError
from gis.rulebook import RuleBook, land_classes, load_rulebook
from gis.rulebook.beforehand import basis_in_force
from gis.rulebook.kinds.distance import required_of

DATA = Path(__file__).resolve().parents[1] / "data"
BUNDLED = ("cn", "rules/zones.toml", "rules/local.toml")

DOCUMENT = """
[[document]]
id = "law"
title = "某法"
valid_from = 2020-01-01
verified = true
checked_on = 2026-11-22
source = "全文"
"""

RULE = """
[[rule]]
id = "x.line"
title = "某线"
kind = "forbid_overlap"
layer = "line"
outcome = "fail"
origin = "statute"
effect_verified = true
office = "某局"
priority = 10
checked_on = 2026-11-22
remedy = "避让"
text = { clear = "未涉及", hit = "占用 {area}" }
basis = [{ document = "law", article = "第一条", verified = true }]
"""


@pytest.fixture(scope="module")
def book() -> RuleBook:
    return load_rulebook(BUNDLED, DATA)


def load(folder: Path, text: str, name: str = "rules.toml") -> RuleBook:
    (folder / name).write_text(text, encoding="utf-8")
    return load_rulebook([name], folder)


def refused(folder: Path, text: str) -> RuleBookError:
    with pytest.raises(RuleBookError) as caught:
        load(folder, text)
    return caught.value


# --- what is refused -----------------------------------------------------------------------------


def test_an_unknown_key_is_refused_with_file_and_line(tmp_path: Path) -> None:
    text = DOCUMENT + RULE.replace('layer = "line"', 'layer = "line"\ntolerence = 3')
    error = refused(tmp_path, text)
    line = text.splitlines().index("tolerence = 3") + 1
    assert (error.file, error.line) == ("rules.toml", line)
    assert f"rules.toml 第 {line} 行" in str(error)
    assert "未知的键" in str(error)


def test_an_unknown_kind_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, DOCUMENT + RULE.replace("forbid_overlap", "forbid_everything"))
    assert error.line is not None
    assert "未知的类型" in str(error)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('outcome = "fail"', 'outcome = "pass"'),
        ("priority = 10", 'priority = "10"'),
        ("effect_verified = true", 'effect_verified = "yes"'),
        ("checked_on = 2026-11-22\nremedy", 'checked_on = "2026-11-22"\nremedy'),
        ("priority = 10\n", ""),
        ('layer = "line"', 'layer = "line"\nsliver_limit_m2 = -1.0'),
        ('layer = "line"', 'layer = "line"\narea_tolerance_m2 = nan'),
        ('id = "x.line"', 'id = "X line"'),
        ("basis = [{", "basis = [] # [{"),
    ],
)
def test_a_value_of_the_wrong_kind_or_a_missing_key_is_refused(
    tmp_path: Path, old: str, new: str
) -> None:
    assert old in RULE
    assert refused(tmp_path, DOCUMENT + RULE.replace(old, new)).code == "rulebook"


def test_a_citation_of_a_document_nobody_registered_is_refused_with_its_line(
    tmp_path: Path,
) -> None:
    text = DOCUMENT + RULE.replace('document = "law"', 'document = "lwa"')
    error = refused(tmp_path, text)
    assert "lwa" in str(error)
    assert text.splitlines()[(error.line or 0) - 1].startswith("basis")


@pytest.mark.parametrize("code", ["0999", "8", "080499", "教育"])
def test_a_use_code_that_is_not_in_the_2023_table_is_refused(tmp_path: Path, code: str) -> None:
    exception = f'exceptions = [{{ uses = ["{code}"], verdict = "pass", reason = "略" }}]\n'
    assert code in str(refused(tmp_path, DOCUMENT + RULE + exception))


def test_an_exception_for_a_class_or_claim_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    cls = 'exceptions = [{ uses = ["08"], verdict = "pass", reason = "略", classes = ["甲"] }]\n'
    assert "甲" in str(refused(tmp_path, DOCUMENT + RULE + cls))
    claim = (
        'exceptions = [{ uses = ["08"], verdict = "pass", reason = "略", '
        "attributes = { colour = true } }]\n"
    )
    assert "colour" in str(refused(tmp_path, DOCUMENT + RULE + claim))


def test_a_land_class_of_another_scheme_is_refused(tmp_path: Path) -> None:
    # 08H2 is a class of the national land survey; the 2023 plan classification has no such code.
    convert = RULE.replace('kind = "forbid_overlap"', 'kind = "convert"').replace(
        'outcome = "fail"',
        'scheme = "用地用海"\nedition = "2023"\ngroups = [{ label = "甲", classes = ["08H2"] }]',
    )
    assert "08H2" in str(refused(tmp_path, DOCUMENT + convert))


def test_an_unknown_placeholder_is_refused_with_its_name(tmp_path: Path) -> None:
    error = refused(tmp_path, DOCUMENT + RULE.replace("占用 {area}", "占用 {aera}"))
    assert "aera" in str(error)
    assert "area" in str(error)


@pytest.mark.parametrize("template", ["占用 {area", "占用 {area!r}", "占用 {area:>10}", "占 {0}"])
def test_a_broken_placeholder_is_refused(tmp_path: Path, template: str) -> None:
    refused(tmp_path, DOCUMENT + RULE.replace("占用 {area}", template))


def test_a_rule_id_used_twice_is_refused_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(DOCUMENT + RULE, encoding="utf-8")
    (tmp_path / "b.toml").write_text(RULE, encoding="utf-8")
    with pytest.raises(RuleBookError, match=r"x\.line") as caught:
        load_rulebook(["a.toml", "b.toml"], tmp_path)
    assert caught.value.file == "b.toml"
    assert caught.value.line == 3


def test_all_mistakes_are_listed_not_only_the_first(tmp_path: Path) -> None:
    text = DOCUMENT + RULE.replace('document = "law"', 'document = "lwa"').replace("{area}", "{x}")
    assert len(refused(tmp_path, text).faults) == 2


def test_a_use_written_twice_for_one_zone_is_refused(tmp_path: Path) -> None:
    cells = RULE.replace('kind = "forbid_overlap"', 'kind = "use_permitted"').replace(
        'outcome = "fail"\n', ""
    )
    cell = (
        '\n[[rule.cells]]\nzones = ["A"]\nuses = ["08"]\nverdict = "permitted"\n'
        'phrase = "略"\norigin = "plan"\n'
    )
    assert len(load(tmp_path, DOCUMENT + cells + cell).rules) == 1
    assert "08" in str(refused(tmp_path, DOCUMENT + cells + cell + cell))


def test_a_period_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    dates = "valid_from = 2026-01-01\nvalid_to = 2025-01-01\n"
    refused(tmp_path, DOCUMENT + RULE.replace("priority = 10\n", "priority = 10\n" + dates))


@pytest.mark.parametrize("entry", ["../rules.toml", "missing.toml", "/etc/passwd"])
def test_a_file_outside_the_package_or_missing_is_refused(tmp_path: Path, entry: str) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    (tmp_path / "rules.toml").write_text(DOCUMENT + RULE, encoding="utf-8")
    with pytest.raises(RuleBookError):
        load_rulebook([entry], folder)


def test_a_key_written_twice_and_broken_toml_are_refused_with_the_line(tmp_path: Path) -> None:
    error = refused(tmp_path, DOCUMENT + RULE + 'layer = "other"\n')
    assert error.line == len((DOCUMENT + RULE).splitlines()) + 1


# --- the hash ------------------------------------------------------------------------------------


def test_comments_blank_lines_and_the_order_of_keys_do_not_change_the_hash(tmp_path: Path) -> None:
    plain = load(tmp_path, DOCUMENT + RULE)
    other = RULE.replace('layer = "line"\n', "").replace(
        'title = "某线"', '# 注释\n\nlayer   =   "line"  # 图层\ntitle = "某线"'
    )
    assert load(tmp_path, DOCUMENT + other).sha256 == plain.sha256


def test_the_split_into_files_and_their_order_do_not_change_the_hash(tmp_path: Path) -> None:
    whole = load(tmp_path, DOCUMENT + RULE)
    (tmp_path / "d.toml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "r.toml").write_text(RULE, encoding="utf-8")
    for order in (["d.toml", "r.toml"], ["r.toml", "d.toml"]):
        assert load_rulebook(order, tmp_path).sha256 == whole.sha256


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"fail"', '"conditional"'),
        ("未涉及", "不涉及"),
        ("第一条", "第二条"),
        ("某局", "某厅"),
        ("priority = 10", "priority = 11"),
        ('layer = "line"', 'layer = "line"\nstrict_slivers = true'),
        ("valid_from = 2020-01-01", "valid_from = 2020-01-02"),
        ("全文", "摘录"),
    ],
)
def test_every_value_changes_the_hash(tmp_path: Path, old: str, new: str) -> None:
    text = DOCUMENT + RULE
    assert old in text
    before = load(tmp_path, text).sha256
    assert load(tmp_path, text.replace(old, new, 1)).sha256 != before


# --- the bundled book ----------------------------------------------------------------------------


def test_a_plan_without_the_national_book_has_only_its_own_rules(tmp_path: Path) -> None:
    own = load(tmp_path, DOCUMENT + RULE)
    assert [r.id for r in own.rules] == ["x.line"]
    assert own.id == "rules"
    assert load_rulebook([], tmp_path).rules == ()


def test_the_bundled_book_still_has_the_rules_of_its_first_edition(book: RuleBook) -> None:
    assert book.id == "cn+zones+local"
    assert {r.id for r in book.rules} >= {
        "cn.agricultural-land",
        "cn.blue-line",
        "cn.cultivated-land",
        "cn.development-boundary",
        "cn.development-boundary-kind",
        "cn.ecological-redline",
        "cn.green-line",
        "cn.greening-on-cultivated-land",
        "cn.highway-control",
        "cn.permanent-farmland",
        "cn.power-line-protection",
        "cn.purple-line",
        "cn.railway-protection",
        "cn.river-range",
        "cn.yellow-line",
        "local.inside-resort",
        "local.village-road-control",
        "plan.zone-use",
    }


def test_every_citation_points_to_a_document_and_every_document_is_cited(book: RuleBook) -> None:
    cited = {b.document.id for r in book.rules for b in r.basis}
    assert cited == set(book.documents)


def test_the_book_in_force_has_more_than_forty_distinct_effects(book: RuleBook) -> None:
    effects = {
        (basis.document.id, basis.article, rule.id)
        for rule in book.in_force(date(2026, 11, 22))
        for basis in basis_in_force(rule, date(2026, 11, 22))
    }
    assert len(effects) >= 40
    assert len({rule for _, _, rule in effects}) >= 40


def test_every_rule_and_document_says_when_it_was_checked_and_where_from(book: RuleBook) -> None:
    for rule in book.rules:
        assert rule.checked_on == date(2026, 11, 22), rule.id
        assert rule.valid_from is not None, rule.id
        assert rule.office, rule.id
        assert rule.remedy, rule.id
        assert rule.layers[:1] == ((rule.params.layer,) if rule.params.layer else ())
        assert rule.source_file.endswith(".toml")
    for document in book.documents.values():
        assert document.checked_on == date(2026, 11, 22), document.id
        assert document.source, document.id
        assert document.valid_from is not None, document.id


@pytest.mark.parametrize("day", [date(2022, 6, 30), date(2026, 11, 22), date(2027, 1, 1)])
def test_every_rule_in_force_rests_on_a_document_in_force(book: RuleBook, day: date) -> None:
    for rule in book.in_force(day):
        assert basis_in_force(rule, day), rule.id


def test_a_citation_is_verified_only_if_its_document_is(book: RuleBook) -> None:
    basis = {b.document.id: b for r in book.rules for b in r.basis}
    assert basis["land-law-2019"].verified
    assert not basis["redline-2022"].verified
    assert "依据待核" in basis["dev-boundary-2026"].text
    assert "依据待核" not in basis["road-safety-2011"].text


def test_no_text_of_the_book_names_a_sum_of_money(book: RuleBook) -> None:
    for rule in book.rules:
        words = f"{rule.params.text.hit}{rule.params.text.clear}{rule.remedy}"
        assert "罚" not in words
        assert "元" not in words


def test_the_national_book_names_no_place() -> None:
    # The one place words appear in is the plan package.
    folder = Path(land_classes.__file__).parent
    for path in folder.rglob("*"):
        if path.suffix in {".py", ".toml", ".csv"}:
            text = path.read_text(encoding="utf-8")
            for place in ("聊城", "山东", "度假区", "东昌", "望岳湖", "黄河"):
                assert place not in text, (path.name, place)


def test_distances_and_their_edges_are_those_of_the_regulations(book: RuleBook) -> None:
    # 公路安全保护条例 第十一条: 20, 15, 10, 5 and 30 m from 公路用地外缘.
    highway = book.rule("cn.highway-control").params
    assert highway.edge == "公路用地外缘"
    least = {"高速公路": 30.0, "国道": 20.0, "省道": 15.0, "县道": 10.0, "乡道": 5.0}
    for cls, metres in least.items():
        assert required_of(highway, cls) == (metres, metres)
    # 铁路安全管理条例 第二十七条: 10/12/15/20 m high speed, 8/10/12/15 m other, by setting.
    railway = book.rule("cn.railway-protection").params
    assert required_of(railway, "高速铁路") == (10.0, 20.0)
    assert required_of(railway, "普速铁路") == (8.0, 15.0)
    assert required_of(railway, "高速铁路", "村镇居民居住区") == (15.0, 15.0)
    assert required_of(railway, "普速铁路", "城市市区") == (8.0, 8.0)
    # 电力设施保护条例 第十条: 1-10 kV 5, 35-110 kV 10, 154-330 kV 15, 500 kV 20 m.
    power = book.rule("cn.power-line-protection").params
    assert {k: power.distance_m[k] for k in ("10kV", "35kV", "110kV", "220kV", "500kV")} == {
        "10kV": 5.0,
        "35kV": 10.0,
        "110kV": 10.0,
        "220kV": 15.0,
        "500kV": 20.0,
    }
    # 山东省农村公路条例 第四十一条: 3 m.
    assert book.rule("local.village-road-control").params.distance_m == {"村道": 3.0}


def test_a_rule_is_found_by_id_and_an_unknown_id_is_named(book: RuleBook) -> None:
    assert book.rule("cn.green-line").title == "城市绿线"
    with pytest.raises(NotFoundError, match=r"cn\.nothing"):
        book.rule("cn.nothing")


def test_the_wing_loads_no_geometry_library() -> None:
    code = (
        "import sys, gis.rulebook, gis.rulebook.land_classes\n"
        "bad = {'shapely', 'geopandas', 'pyogrio', 'rasterio', 'numpy'} & set(sys.modules)\n"
        "print(sorted(bad))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0)
