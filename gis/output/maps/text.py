"""May this string stand in a page?

Every text of a plan, an upload or a rule passes ``clean()`` before folium, Jinja or HTML sees it:
folium evaluates ``{{ }}`` on the server and puts names into JavaScript template strings, so plain
HTML escaping is not enough. Never decides what is shown, only how it is written.
"""

from __future__ import annotations

import json
import unicodedata

from markupsafe import Markup

MAX_LENGTH = 4000

# HTML needs the first five; folium needs { } $ \ and the backtick (template strings, Jinja). The
# slash breaks "//", so that no text can look like an address to the check in assets.py.
_ENTITIES = {ord(c): f"&#{ord(c)};" for c in "&<>\"'`{}$\\/"}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(value: object, *, limit: int = MAX_LENGTH) -> Markup:
    """Return a text that is inert in HTML, in an attribute, in a script string and in Jinja.

    Parameters
    ----------
    value
        Anything with a text; None is empty. A ``Markup`` is taken as cleaned before.
    limit
        Longest text in characters; the rest is replaced by an ellipsis.

    Examples
    --------
    >>> str(clean("<b>${x}</b>"))
    '&#60;b&#62;&#36;&#123;x&#125;&#60;&#47;b&#62;'
    """
    if isinstance(value, Markup):
        return value
    text = "" if value is None else str(value)
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return Markup(visible(text).translate(_ENTITIES))


def visible(text: str) -> str:
    r"""Replace what has no place in a printed text: controls, direction overrides, surrogates.

    >>> visible("a\u202eb\x07c")
    'ab c'
    """
    return "".join(_visible_character(c) for c in text)


def _visible_character(character: str) -> str:
    category = unicodedata.category(character)
    # U+FFFE and U+FFFF, and their like on every plane, are no characters; XML refuses two of them.
    if category == "Cs" or ord(character) & 0xFFFE == 0xFFFE:
        return _REPLACEMENT
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    # Cf holds the direction overrides that let a name be read backwards, and zero-width blanks.
    return "" if category == "Cf" else character


def script_json(value: object) -> str:
    """Return JSON that may stand in a script: no tag, no line separator."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
