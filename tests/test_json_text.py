"""The text of a check is that of its document, whatever was written before it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

import gis.written as written
from gis.canonical import to_dict
from gis.check import check_site
from gis.intake import read_site
from gis.json_text import json_bytes, text_without_outlines, with_id, without_outlines
from gis.model import Contact, SiteCheck
from gis.output.export import without_geometry
from gis.plan import Plan
from gis.plan.samples import load_samples


def plain(check: SiteCheck) -> bytes:
    text = json.dumps(to_dict(check), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


@pytest.fixture(scope="module")
def checks(plan: Plan) -> list[SiteCheck]:
    """Every sample, with and without outlines."""
    found = []
    for sample in load_samples(plan):
        site = read_site(sample.path, plan, name=sample.name, width_m=sample.width_m)
        how = {"use": sample.use, "attributes": sample.attributes, "as_of": sample.as_of}
        for shown in (True, False):
            found.append(check_site(site, plan, **how, geometry=shown, remedies=shown))
    return found


def test_the_text_is_that_of_the_document(checks: list[SiteCheck]) -> None:
    for check in checks:
        assert json_bytes(check) == plain(check)


def test_it_is_so_again_when_rows_are_known_and_when_they_were_forgotten(
    checks: list[SiteCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "KEPT", 50)  # less than one check has
    for _ in range(3):
        for check in checks:
            assert json_bytes(check) == plain(check)


def test_without_outlines_it_is_the_document_that_was_stripped_of_them(
    checks: list[SiteCheck],
) -> None:
    drawn = [c for c in checks if c.outline and not any(r.geometry for r in c.remedies)]
    assert drawn
    sliver = Contact("water", "x.rule", 0.5, 0.05, geometry=drawn[0].outline)
    drawn.append(replace(drawn[0], contacts=(sliver,)))
    for check in drawn:
        assert b'"coordinates"' in json_bytes(check)
        bare = without_geometry(to_dict(check))
        assert json.loads(json_bytes(without_outlines(check))) == bare
        assert list(json.loads(json_bytes(without_outlines(check)))) == list(bare)


def test_outlines_are_cut_out_of_a_text_as_if_they_had_never_been_written(
    checks: list[SiteCheck],
) -> None:
    drawn = [c for c in checks if c.outline and not any(r.geometry for r in c.remedies)]
    first, *rest = drawn[0].findings
    # What a person writes must not be taken for an outline, nor hide one.
    false = 'A","geometry":{"type":"Point","coordinates":[1,2]},"x":"}{'
    drawn += [
        replace(drawn[0], site=replace(drawn[0].site, name=false)),
        replace(drawn[0], findings=(replace(first, reason=false), *rest)),
        replace(drawn[0], contacts=(Contact("water", false, 0.5, 0.05, drawn[0].outline),)),
    ]
    for check in drawn:
        bare = json_bytes(without_outlines(check))
        assert text_without_outlines(json_bytes(check)) == bare != json_bytes(check)


def test_another_id_takes_the_place_of_its_own_and_of_nothing_else(
    checks: list[SiteCheck],
) -> None:
    for check in checks:
        named = replace(check, site=replace(check.site, name=f'x"id":"{check.id}"'))
        for one in (check, named):
            text = with_id(json_bytes(one), one.id, "f" * 32)
            assert json.loads(text) == {**to_dict(one), "id": "f" * 32}


def test_rows_that_are_equal_but_not_the_same_are_told_apart(checks: list[SiteCheck]) -> None:
    check = checks[0]
    first, *rest = check.findings
    other = replace(check, findings=(replace(first, reason="另一条理由。"), *rest))
    assert json_bytes(other) == plain(other) != json_bytes(check)


def test_a_number_that_is_none_is_refused_as_ever(checks: list[SiteCheck]) -> None:
    first, *rest = checks[0].findings
    assert first.measure is not None
    broken = replace(first, measure=replace(first.measure, value=float("nan")))
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes(replace(checks[0], findings=(broken, *rest)))


def test_threads_may_write_together(
    checks: list[SiteCheck], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written, "KEPT", 30)
    wrong: list[str] = []

    def write() -> None:
        wrong.extend(c.id for _ in range(5) for c in checks if json_bytes(c) != plain(c))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
