"""The JSON shape and the digest: what counts, and what must not."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.canonical import METRES, SHARES, canonical_json, decision_part, to_dict
from gis.digest import digest, number_text
from gis.model import (
    Area,
    Basis,
    Contact,
    CrsDecision,
    Document,
    Evidence,
    Finding,
    Measured,
    PlanRef,
    Remark,
    Site,
    SiteCheck,
    Source,
    Verdict,
)

DOCUMENT = Document("d", "某法", "第1号", "某机关", date(2020, 1, 1), None, True)
FINDING = Finding(
    rule="r",
    title="规则",
    verdict=Verdict.FAIL,
    layer="l",
    measure=Measured("area", 12.344999, "m2", 0.12345678),
    threshold="0 m²",
    reason="理由",
    basis=(Basis(DOCUMENT, "第一条", True),),
    origin="statute",
    office="某局",
    remedy="处理",
    priority=1,
)
CHECK = SiteCheck(
    id="x",
    verdict=Verdict.FAIL,
    deciding_rule="r",
    site=Site(
        "甲",
        None,  # type: ignore[arg-type]  # nothing reads it here
        Area(1000.004, 1000.2),
        CrsDecision(4527, 4548, "prefix"),
        Source("txt", "a.txt", "00"),
        claims={"use": "0803", "plot_ratio": 1.8},
        notes=(Remark("n", "说明"),),
    ),
    evidence=(
        Evidence("l", "c", "名", "area", area_m2=12.344999, planar_m2=-0.0, share=0.12345678),
    ),
    findings=(FINDING,),
    contacts=(Contact("l", "r", 0.4, 0.01),),
    layers=(),
    impact=(),
    remedies=(),
    as_of=date(2026, 11, 22),
    plan=PlanRef("p", "1", "规划", "draft"),
    rulebook_id="cn",
    rulebook_sha256="ff",
)


def test_the_digest_is_the_hash_of_the_canonical_text() -> None:
    text = json.dumps(
        decision_part(CHECK), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    assert digest(CHECK) == hashlib.sha256(text.encode()).hexdigest()


def test_areas_are_rounded_to_a_hundredth_and_shares_to_a_millionth() -> None:
    row = decision_part(CHECK)["evidence"][0]
    assert (row["area_m2"], row["share"]) == (12.34, 0.123457)


@given(
    st.floats()
    | st.floats(0, 2)
    | st.integers(0, 10**11).map(lambda n: n / 1000)
    | st.sampled_from((1e-4, 0.00015, 0.125, 0.005, 0.015, 99999999.995, 1e8, 1e16, 5e-7)),
    st.sampled_from((METRES, SHARES)),
)
def test_a_number_is_written_as_json_writes_it_rounded(value: float, decimals: int) -> None:
    if math.isfinite(value):
        wanted = canonical_json(round(value, decimals) + 0.0)
        assert number_text(value, decimals) == wanted
    else:
        with pytest.raises(ValueError, match="not JSON compliant"):
            number_text(value, decimals)


def test_minus_zero_is_zero() -> None:
    assert "-0.0" not in canonical_json(decision_part(CHECK))


@pytest.mark.parametrize(
    "changed",
    [
        replace(CHECK, id="other"),
        replace(CHECK, outline={"type": "Polygon", "coordinates": []}),
        replace(CHECK, site=replace(CHECK.site, name="乙", notes=(), source=Source("", "", ""))),
        replace(CHECK, findings=(replace(FINDING, reason="别的", remedy="", title="别的"),)),
        replace(CHECK, plan=replace(CHECK.plan, title="别的")),
    ],
)
def test_names_texts_ids_and_pictures_do_not_change_the_digest(changed: SiteCheck) -> None:
    assert digest(changed) == digest(CHECK)


@pytest.mark.parametrize(
    "changed",
    [
        replace(CHECK, verdict=Verdict.PASS),
        replace(CHECK, as_of=date(2026, 11, 23)),
        replace(CHECK, contacts=()),
        replace(CHECK, rulebook_sha256="fe"),
        replace(CHECK, plan=replace(CHECK.plan, version="2")),
        replace(CHECK, site=replace(CHECK.site, claims={"use": "0804"})),
        replace(CHECK, site=replace(CHECK.site, area=Area(1000.014, 1000.2))),
        replace(CHECK, findings=(replace(FINDING, verdict=Verdict.UNDETERMINED),)),
    ],
)
def test_what_decides_changes_the_digest(changed: SiteCheck) -> None:
    assert digest(changed) != digest(CHECK)


def test_the_order_of_claims_does_not_count() -> None:
    turned = dict(reversed(CHECK.site.claims.items()))
    assert digest(replace(CHECK, site=replace(CHECK.site, claims=turned))) == digest(CHECK)


def test_the_json_shape_has_the_agreed_keys() -> None:
    document = to_dict(CHECK)
    assert set(document["site"]) >= {"name", "area", "crs", "claims", "notes"}
    assert set(document["site"]["area"]) == {"ellipsoidal_m2", "planar_m2", "mu", "ha"}
    assert set(document["evidence"][0]) == {
        "layer",
        "class",
        "name",
        "kind",
        "area_m2",
        "planar_m2",
        "length_m",
        "count",
        "distance_m",
        "share",
        "feature_ids",
    }
    assert set(document["findings"][0]) >= {
        "rule",
        "title",
        "verdict",
        "layer",
        "measure",
        "threshold",
        "reason",
        "basis",
        "origin",
        "office",
        "remedy",
    }
    assert set(document["findings"][0]["basis"][0]) >= {
        "document",
        "number",
        "article",
        "valid_from",
        "verified",
    }
    # 1000.004 m² by hand: / 10000 * 15 = 1.500006 mu, and 0.1000004 ha.
    assert document["site"]["area"]["mu"] == 1.5
    assert document["site"]["area"]["ha"] == 0.1
