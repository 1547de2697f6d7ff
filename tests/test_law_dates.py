"""Which law a check cites depends on its day: the rows of the table of dates, three days each.

Documents are recognised by title and number as they stand in print, articles by their own words.
A document of a row that is not expected on a day must not be cited on it.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest

from gis.check import check_site
from gis.intake import read_site
from gis.model import Basis, SiteCheck, Verdict
from gis.plan import Plan
from gis.plan.samples import load_samples

BEFORE, NOW, AFTER = date(2022, 6, 30), date(2026, 11, 22), date(2027, 1, 1)
DAYS = (BEFORE, NOW, AFTER)
ALWAYS = DAYS
SINCE = (NOW, AFTER)

# Row: the rules that speak of it; then document, words of its articles, and the days it is cited.
TABLE: dict[str, tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...], tuple[date, ...]], ...]]]
TABLE = {
    "permanent farmland": (
        ("cn.permanent-farmland",),
        (
            ("土地管理法2019", ("三十三", "三十五", "四十四"), ALWAYS),
            ("土地管理法实施条例", ("二十四",), ALWAYS),
            ("基本农田保护条例", ("十五", "十七"), ALWAYS),
            ("永久基本农田保护红线管理办法", (), SINCE),
            ("粮食安全保障法", ("第十条", "十一"), SINCE),
            ("生态环境法典", ("七百六十六",), SINCE),
            ("耕地保护和质量提升法", ("十八", "二十条", "二十四", "二十七"), (AFTER,)),
        ),
    ),
    "green belts and lakes on cultivated land": (
        ("cn.greening-on-cultivated-land",),
        (
            ("土地管理法2019", ("三十七", "四十四"), ALWAYS),
            ("粮食安全保障法", ("十二",), SINCE),
            ("耕地保护和质量提升法", ("二十五", "六十七"), (AFTER,)),
        ),
    ),
    "balance of cultivated land": (
        ("cn.cultivated-land",),
        (
            ("土地管理法2019", ("三十条",), ALWAYS),
            ("〔2021〕166号", (), (BEFORE,)),
            ("〔2024〕204号", (), SINCE),
            ("耕地保护和质量提升法", ("二十八",), (AFTER,)),
        ),
    ),
    "development boundary": (
        ("cn.development-boundary", "cn.development-boundary-kind"),
        (("厅字〔2019〕48号", (), ALWAYS), ("自然资规〔2026〕1号", (), SINCE)),
    ),
    "ecological redline": (
        ("cn.ecological-redline",),
        (
            ("厅字〔2019〕48号", (), ALWAYS),
            ("自然资发〔2022〕142号", (), SINCE),
            ("生态环境法典", ("六十",), SINCE),
        ),
    ),
    "drinking water, first zone": (
        ("cn.drinking-water-1",),
        (
            ("水污染防治法", ("六十五",), (BEFORE,)),
            ("生态环境法典", ("三百一十九",), SINCE),
        ),
    ),
    "drinking water, second zone": (
        ("cn.drinking-water-2",),
        (
            ("水污染防治法", ("六十六",), (BEFORE,)),
            ("生态环境法典", ("三百二十条",), SINCE),
        ),
    ),
    "drinking water, outer zone": (
        ("cn.drinking-water-3",),
        (
            ("水污染防治法", ("六十七",), (BEFORE,)),
            ("生态环境法典", ("三百二十一",), SINCE),
        ),
    ),
    "pre-examination": (
        ("cn.pre-approval",),
        (
            ("令第68号", (), (BEFORE,)),
            ("土地管理法实施条例", ("二十四",), ALWAYS),
            ("耕地保护和质量提升法", ("二十六",), (AFTER,)),
        ),
    ),
    "heritage, protected extent": (
        ("cn.heritage-protection",),
        (
            ("文物保护法2017", ("十七",), (BEFORE,)),
            ("文物保护法2024", ("二十八",), SINCE),
        ),
    ),
    "heritage, controlled surroundings": (
        ("cn.heritage-control",),
        (
            ("文物保护法2017", ("十八",), (BEFORE,)),
            ("文物保护法2024", ("二十九",), SINCE),
        ),
    ),
    "heritage, digging before building": (
        ("shandong.archaeology",),
        (
            ("文物保护法2017", ("二十九",), (BEFORE,)),
            ("文物保护法2024", ("四十三",), SINCE),
        ),
    ),
    "buried minerals": (
        ("cn.mineral-cover-2009", "cn.mineral-cover"),
        (
            ("矿产资源法2009", ("三十三",), (BEFORE,)),
            ("〔2010〕137号", (), (BEFORE,)),
            ("矿产资源法2024", ("三十二",), SINCE),
            ("自然资规〔2026〕2号", (), SINCE),
        ),
    ),
    "nature reserves": (
        ("cn.nature-reserve", "cn.protected-areas"),
        (
            ("令第167号", (), (BEFORE,)),
            ("令第830号", (), SINCE),
            ("生态环境法典", ("八百五十九", "八百六十四"), SINCE),
        ),
    ),
    "industrial land": (
        ("cn.industry-building-density-2008", "cn.industry-building-density"),
        (("2008年版", (), (BEFORE,)), ("2023年版", (), SINCE)),
    ),
    "comprehensive development": (
        ("cn.comprehensive-development",),
        (("自然资规〔2020〕5号", (), (BEFORE,)), ("自然资规〔2023〕7号", (), SINCE)),
    ),
    "land-use classes": (
        ("cn.planned-use",),
        (("〔2020〕51号", (), (BEFORE,)), ("〔2023〕234号", (), SINCE)),
    ),
}


@pytest.fixture(scope="module")
def checked(plan: Plan):
    """The first sample, checked once on each day."""
    sample = load_samples(plan)[0]
    site = read_site(sample.path, plan)

    @cache
    def on(day: date) -> SiteCheck:
        return check_site(site, plan, use=sample.use, as_of=day)

    return on


def cited(check: SiteCheck, rules: tuple[str, ...]) -> list[Basis]:
    """What the rules of a row cite, as far as they are in force on the day of the check."""
    bases = [b for f in check.findings if f.rule in rules for b in f.basis]
    assert bases, f"none of {rules} is in force on {check.as_of}"
    return bases


def in_print(basis: Basis) -> str:
    return f"{basis.document.title}{basis.document.number}"


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("row", TABLE)
def test_a_check_cites_the_law_of_its_day(checked, row: str, day: date) -> None:
    rules, documents = TABLE[row]
    bases = cited(checked(day), rules)
    for document, articles, days in documents:
        found = [b for b in bases if document in in_print(b)]
        assert bool(found) is (day in days), (document, [in_print(b) for b in bases])
        said = "".join(b.article for b in found)
        assert not found or all(article in said for article in articles), (document, said)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_no_finding_cites_a_document_that_is_not_in_force(checked, day: date) -> None:
    for finding in checked(day).findings:
        assert finding.basis, finding.rule
        for basis in finding.basis:
            doc = basis.document
            assert doc.valid_from is None or doc.valid_from <= day, (finding.rule, in_print(basis))
            assert doc.valid_to is None or day <= doc.valid_to, (finding.rule, in_print(basis))


@pytest.mark.parametrize(
    ("density", "verdicts"),
    [(0.29, ("against", "against")), (0.35, ("clear", "against")), (0.40, ("clear", "clear"))],
)
def test_the_building_coefficient_of_industry_rose_from_30_to_40_percent(
    plan: Plan, density: float, verdicts: tuple[str, str]
) -> None:
    site = read_site(load_samples(plan)[0].path, plan)
    for day, rule, wanted in zip(
        (BEFORE, NOW),
        ("cn.industry-building-density-2008", "cn.industry-building-density"),
        verdicts,
        strict=True,
    ):
        claims = {"building_density": density}
        check = check_site(site, plan, use="100101", attributes=claims, as_of=day)
        found = check.finding(rule).verdict
        assert (found is Verdict.PASS) is (wanted == "clear"), (day, found)


def test_the_verdict_of_a_sample_may_change_with_the_law_and_says_why(checked) -> None:
    """New duties of 2027 stand beside the old ones; none of them is cited before its day."""
    new = {f.rule for f in checked(AFTER).findings} - {f.rule for f in checked(NOW).findings}
    assert "cn.cultivated-land-argument" in new
    for rule in new:
        assert {in_print(b) for b in checked(AFTER).finding(rule).basis}
