"""What the documentation site does differently from a plain build; see ``mkdocs.yml``.

Links out of ``docs/`` name the file instead: in the repository a link to ``../deploy/nginx.conf``
opens it, the site holds no such file. The one script that the theme would fetch from the network,
for the search of pages that are opened from a disk, comes from ``docs/vendor``.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

_OUT = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)]+)\)")
_FETCHED = "https://unpkg.com/iframe-worker/shim"
_OWN = "vendor/iframe-worker.js"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with each link out of ``docs/`` as the path of the file in code type."""
    folders = page.file.src_uri.count("/")

    def named(link: re.Match[str]) -> str:
        leads_out = link.group(0).count("../") > folders
        return f"`{link.group(2)}`" if leads_out else link.group(0)

    return _OUT.sub(named, markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Return the finished page with our own copy of the script in place of the fetched one."""
    return output.replace(_FETCHED, posixpath.relpath(_OWN, posixpath.dirname(page.url) or "."))


def on_post_template(output_content: str, **_: Any) -> str:
    """Return a page without a place of its own (404) with our own copy of the script."""
    return output_content.replace(_FETCHED, _OWN)
