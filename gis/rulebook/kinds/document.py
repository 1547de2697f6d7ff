"""The kind that says which documents and procedures a project needs: document_required."""

from __future__ import annotations

from gis.model import VERDICTS, Demand, Measured, Verdict
from gis.rulebook import land_classes, texts
from gis.rulebook.conditions import Answer, Holds, answers, together
from gis.rulebook.facts import Facts, Outcome
from gis.rulebook.kinds.exceptions import resolve
from gis.rulebook.remembered import once
from gis.rulebook.schema import DocumentRequired, RequiredDocument


def demands_of_document_required(_: DocumentRequired) -> tuple[Demand, ...]:
    """Nothing of its own; what the conditions look at is asked for beside."""
    return ()


def document_required(rule: DocumentRequired, facts: Facts) -> Outcome:
    """Name the documents that are needed, and those of which it is open whether they are."""
    found = [(d, together(answers(d.when, facts))) for d in rule.documents]
    kept = [(d, a) for d, a in found if a.holds is not Holds.NO]
    if not kept:
        why = [a.text for _, a in found if a.text]
        return Outcome(
            Verdict.NOT_APPLICABLE, texts.join(["本条所列文件均不需要", *dict.fromkeys(why)])
        )
    verdict, note = resolve(rule, facts, VERDICTS[rule.outcome])
    measured = Measured("area", facts.site_area_m2, "m²", facts.share(facts.site_area_m2))
    if verdict is Verdict.PASS and rule.outcome != "pass":
        return Outcome(Verdict.PASS, texts.join([note]), measured)
    if verdict is not Verdict.PASS and any(a.holds is Holds.UNKNOWN for _, a in kept):
        verdict = Verdict.UNDETERMINED
    values = {
        "documents": "；".join([_named(d, a) for d, a in kept]),
        "use": land_classes.use_label(facts.use),
    }
    if "area" in texts.names(rule.text.hit):
        values["area"] = texts.area(facts.site_area_m2, facts.share(facts.site_area_m2))
    grounds = dict.fromkeys([a.text for d, a in kept if a.holds is Holds.YES and a.text])
    said = [texts.fill(rule.text.hit, values), *grounds, note]
    return Outcome(verdict, texts.join(said), measured)


def _named(document: RequiredDocument, answer: Answer) -> str:
    if answer.holds is Holds.YES:
        return _title(document)
    asked = answer.text.rstrip("。").replace("。", "，")
    return f"如需要：{_title(document)}（{asked}）"


@once
def _title(document: RequiredDocument) -> str:
    """Return a document with the office that gives it out."""
    return f"{document.title}（{document.office}）" if document.office else document.title


@once
def threshold_of_document_required(rule: DocumentRequired) -> str:
    """Say what the rule asks for."""
    return f"应有：{'；'.join(d.title for d in rule.documents)}"
