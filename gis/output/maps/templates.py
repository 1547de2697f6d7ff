"""How does a view model become HTML?

One Jinja environment in which every printed value passes ``clean()``: a template cannot forget it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from gis.output.maps.text import clean


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        finalize=clean,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=16,
    )


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def fill(name: str, **values: object) -> Markup:
    """Return a template of this package filled with values; all of them cleaned."""
    return Markup(_environment().get_template(name).render(**values))


@cache
def static_text(name: str) -> str:
    """Return a style sheet or script of this package as text."""
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def style_of(*names: str) -> str:
    """Return style sheets of this package as one style element, in this order."""
    return f"<style>{''.join(map(static_text, names))}</style>"


def script_of(*names: str) -> str:
    """Return scripts of this package one after the other."""
    return "".join(map(static_text, names))
