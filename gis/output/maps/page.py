"""What is a map in a notebook? The same HTML text as everywhere, shown in a frame of its own."""

from __future__ import annotations

from html import escape
from pathlib import Path

_HEIGHT_PX = 640


class Page(str):
    """A map as one HTML text, to be written to a file as it is.

    As the last line of a cell it shows itself. A frame keeps its styles and scripts apart from
    those of the notebook.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        style = f"width:100%;height:{_HEIGHT_PX}px;border:0"
        return f'<iframe srcdoc="{escape(self)}" title="地图" style="{style}"></iframe>'

    def __repr__(self) -> str:
        # Megabytes of HTML tell nobody anything; a notebook would keep them a second time.
        return f"<地图 {len(self) / 1e6:.1f} MB HTML>"

    def save(self, path: str | Path) -> Path:
        """Write the page as one HTML file that works without a network; return the path."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self, encoding="utf-8")
        return target
