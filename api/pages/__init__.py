"""The pages for people: templates and the files that they load."""

from __future__ import annotations

from pathlib import Path

from starlette.templating import Jinja2Templates

templates = Jinja2Templates(Path(__file__).parent / "templates")
