"""What does an area rule say of the parts of a site, whatever their size?

Which parts there are, and what each would have alone, decides the verdict and every word; only the
areas belong to one site. So sentences are prepared once for parts of a kind, with a blank for each
area, and a check fills the blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gis.model import Verdict, worst
from gis.rulebook import land_classes, texts
from gis.rulebook.remembered import once
from gis.rulebook.schema import AreaRule


class Trait(NamedTuple):
    """What a part of the site is, without its size, and the outcome that it would have alone.

    ``counts`` means that enough of it is more than slivers, ``excused`` that an exception lifted it
    to pass, ``unknown`` that the layer does not say what the land is, so that the sentences of the
    rule do not fit it.
    """

    label: str
    verdict: Verdict
    note: str
    counts: bool
    excused: bool = False
    unknown: bool = False

    @property
    def restricts(self) -> bool:
        """Whether the part would keep the site from a plain pass."""
        return self.verdict.rank > _PASSED


_PASSED = Verdict.PASS.rank


class Blanks(NamedTuple):
    """A text with a blank for each of ``gaps``.

    A gap is the places of the parts whose land it tells, or the name of a text that the kind of
    the rule gives.
    """

    text: str
    gaps: tuple[tuple[int, ...] | str, ...] = ()


class Prepared(NamedTuple):
    """The outcome of parts together as far as their kinds decide it, slivers left aside.

    ``against`` are the places of the parts that stand against the site, ``shown`` of those whose
    land is measured. ``said`` is what stands against it or is excused, None when it is clear; it is
    made of whole sentences, and so is ``clear`` where it has no blanks.
    """

    verdict: Verdict
    against: tuple[int, ...]
    shown: tuple[int, ...]
    said: Blanks | None
    clear: Blanks


@once
def prepared(rule: AreaRule, use: str | None, traits: tuple[Trait, ...]) -> Prepared:
    """Return what a rule says of parts for a use."""
    counting = [i for i, t in enumerate(traits) if t.counts]
    against = [i for i in counting if traits[i].restricts]
    draft = _Draft(use, traits)
    said = draft.said(rule.text.hit, counting, against)
    return Prepared(
        worst([traits[i].verdict for i in counting]),
        tuple(against),
        tuple([i for i in against if not traits[i].unknown] or against or counting),
        draft.with_blanks(texts.join(said)) if said else None,
        draft.clear(rule.text.clear, counting),
    )


class _Draft:
    """Sentences about parts in the making; where an area belongs stands a mark."""

    def __init__(self, use: str | None, traits: Sequence[Trait]) -> None:
        self._use = use
        self._traits = traits
        self._gaps: list[tuple[int, ...] | str] = []

    def said(self, hit: str, counting: Iterable[int], against: Iterable[int]) -> list[str]:
        """Say what stands against the site or is excused; empty when the site is clear."""
        known = [i for i in counting if not self._traits[i].unknown]
        restricting = [i for i in known if self._traits[i].restricts]
        if restricting:
            said = [self.filled(hit, known, given=False), *self._notes(restricting)]
        else:
            said = self._listed([i for i in known if self._traits[i].excused])
        return [*said, *self._listed([i for i in against if self._traits[i].unknown])]

    def clear(self, template: str, counting: Sequence[int]) -> Blanks:
        """Say that nothing stands against the site."""
        text = self.filled(template, counting)
        blanks = self.with_blanks(text)
        return blanks if blanks.gaps else Blanks(texts.join([text]))

    def filled(self, template: str, parts: Sequence[int], *, given: bool = True) -> str:
        """Fill in what a sentence of an area rule names: the restricting area, else all.

        ``given`` leaves blanks for the texts that the kind of the rule gives.
        """
        values: dict[str, str] = {}
        for name in texts.names(template):
            if name == "area":
                restricting = [i for i in parts if self._traits[i].restricts]
                values[name] = self._gap(tuple(restricting or parts))
            elif name == "parts":
                values[name] = self._named_together(parts)
            elif name == "use":
                values[name] = land_classes.use_label(self._use)
            elif given:
                values[name] = self._gap(name)
        return texts.fill(template, values)

    def with_blanks(self, text: str) -> Blanks:
        """Return a text with blanks for its marks."""
        words = _MARK.split(text)
        if len(words) == 1:
            return Blanks(text)
        pattern = "%s".join([word.replace("%", "%%") for word in words[::2]])
        return Blanks(pattern, tuple([self._gaps[int(number)] for number in words[1::2]]))

    def _gap(self, gap: tuple[int, ...] | str) -> str:
        self._gaps.append(gap)
        return f"{_OPENS}{len(self._gaps) - 1}{_ENDS}"

    def _listed(self, parts: Sequence[int]) -> list[str]:
        return [self._named_together(parts), *self._notes(parts)] if parts else []

    def _notes(self, parts: Iterable[int]) -> Iterable[str]:
        return dict.fromkeys([self._traits[i].note for i in parts])

    def _named_together(self, parts: Iterable[int]) -> str:
        return "；".join([f"{self._traits[i].label} {self._gap((i,))}" for i in parts])


# Two characters that Unicode keeps for the inside of programs, and no text has.
_OPENS, _ENDS = "\ufdd0", "\ufdd1"
_MARK = re.compile(f"{_OPENS}([0-9]+){_ENDS}")
