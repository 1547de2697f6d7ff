"""How do numbers and names read in the Chinese sentences of a finding?

Formatting only; nothing is decided here.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from functools import lru_cache

from gis.units import m2_to_mu


def percent(share: float) -> str:
    """Return a share as percent, never rounding a part up to the whole or down to nothing.

    >>> percent(0.1234), percent(0.9999), percent(0.0002), percent(1.0)
    ('12.3%', '超过 99.9%', '不足 0.1%', '100%')
    """
    if share >= 1 - 5e-7:  # shares are kept to 1e-6; the rest is rounding
        return "100%"
    if share > 0.999:
        return "超过 99.9%"
    if 0 < share < 0.001:
        return "不足 0.1%"
    return f"{share * 100:.1f}%"


def square_metres(area_m2: float) -> str:
    """Return an area in m² with two decimals.

    >>> square_metres(12345.678)
    '12,345.68 m²'
    """
    return "不足 0.01 m²" if 0 < area_m2 < 0.005 else f"{area_m2:,.2f} m²"


# Many rules of one check speak of the same land.
@lru_cache(maxsize=1_024)
def area(area_m2: float, share: float) -> str:
    """Return an area as m², mu and share of the site.

    >>> area(10000.0, 0.25)
    '10,000.00 m²（15.00 亩，占地块 25.0%）'
    """
    mu = m2_to_mu(area_m2)
    # A rounded 0.00 亩 beside a real overlap would contradict itself.
    text = "不足 0.01 亩" if 0 < mu < 0.005 else f"{mu:,.2f} 亩"
    return f"{square_metres(area_m2)}（{text}，占地块 {percent(share)}）"


def metres(length_m: float) -> str:
    """Return a length in metres, without useless zeros.

    >>> metres(20.0), metres(12.346), metres(0.001)
    ('20 m', '12.35 m', '不足 0.01 m')
    """
    if 0 < length_m < 0.005:
        return "不足 0.01 m"
    return f"{length_m:.2f}".rstrip("0").rstrip(".") + " m"


def sentence(text: str) -> str:
    """Return the text with exactly one full stop at its end.

    >>> sentence("不涉及"), sentence("不涉及。")
    ('不涉及。', '不涉及。')
    """
    return text.strip().rstrip("。；") + "。"


def join(sentences: Iterable[str]) -> str:
    """Return the non-empty sentences as one text."""
    ends = [text.rstrip("。；") for s in sentences if s and (text := s.strip())]
    return "。".join(ends) + "。" if ends else ""


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with its placeholders filled; an unknown one stays empty.

    Attribute and index look-ups are not resolved, so a template cannot reach into objects.
    """
    parsed = _parsed(template)
    if len(parsed) == 1 and parsed[0][1] is None:
        return parsed[0][0]
    return "".join(
        [literal if name is None else literal + values.get(name, "") for literal, name in parsed]
    )


@lru_cache(maxsize=4_096)
def names(template: str) -> tuple[str, ...]:
    """Return the names of the placeholders, whatever stands after them."""
    return tuple(dict.fromkeys(name for _, name in _parsed(template) if name is not None))


@lru_cache(maxsize=4_096)
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in string.Formatter().parse(template))


def placeholders(template: str) -> set[str]:
    """Return the names of the placeholders.

    Raises
    ------
    ValueError
        Unbalanced braces, or a conversion or format after the name.
    """
    names: set[str] = set()
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion:
            raise ValueError(f"{{{name}}} 后不能带格式")
        names.add(name)
    return names
