"""What did the applicant claim, and is it well formed?

The use is a code of the 2023 land-use classification; attributes are the closed list of
``gis.model.attributes``. The call wins over the file, and nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gis.errors import ClaimError, Fault
from gis.model import Claim, Site
from gis.model.attributes import ATTRIBUTES, parse_attributes
from gis.rulebook import land_classes

__all__ = ["ATTRIBUTES", "check_use", "parse_attributes", "parse_pairs", "with_claims"]


def parse_pairs(pairs: Iterable[str], *, separator: str) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a mapping; raise ClaimError on a pair without separator."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, mark, value = pair.partition(separator)
        if not mark:
            raise ClaimError(
                f"属性“{pair}”缺少“{separator}”",
                expected=f"形如 plot_ratio{separator}1.8",
                advice="补充属性名和值",
            )
        if key.strip() in found:
            raise ClaimError(f"属性“{key.strip()}”给出了两次", advice="每个属性只给一次")
        found[key.strip()] = value.strip()
    return found


def check_use(code: str) -> str:
    """Return the code when it stands in the 2023 classification; raise ClaimError otherwise."""
    if not isinstance(code, str):
        raise ClaimError(
            f"用途代码 {code!r} 是 {type(code).__name__}，不是文字",
            expected='加引号的代码，如 "080403"；写成数字会丢掉前面的 0',
        )
    text = code.strip()
    if not land_classes.uses().exists(text):
        raise ClaimError(
            f"用途代码“{code[:40]}”不在《用地用海分类指南》2023 年版中",
            expected="2023 年版用地用海分类代码，如 080403（中小学用地）",
            advice="核对代码；三调地类编码不能作为用途",
        )
    return text


def _use_of(site: Site) -> str | None:
    """Return the use that the file states; an unknown one is told with the site it stands at."""
    if site.use is None:
        return None
    try:
        return check_use(site.use)
    except ClaimError as error:
        raise ClaimError(
            f"地块“{site.name}”的{error.found}",
            expected=error.expected,
            advice=error.advice,
            faults=[Fault(site.name, error.found)],
        ) from None


def with_claims(site: Site, use: str | None, attributes: Mapping[str, object] | None) -> Site:
    """Return the site with its use and attributes checked; what is given here wins.

    Precedence: the call, then what the file says. Claims of the file that are no attributes (a
    declared area, a land class) stay as they are.
    """
    code = _use_of(site) if use is None else check_use(use)
    of_file = {k: v for k, v in site.claims.items() if k in ATTRIBUTES}
    other = {k: v for k, v in site.claims.items() if k not in ATTRIBUTES and k != "use"}
    claims: dict[str, Claim] = other | parse_attributes(of_file | dict(attributes or {}))
    if code:
        claims["use"] = code
    return replace(site, use=code, claims=dict(sorted(claims.items())))
