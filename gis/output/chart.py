"""What is a chart in a notebook? A figure that shows itself, whoever draws the others.

Imports matplotlib, which comes with the extra ``notebook``; import it where a chart is drawn.
"""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure


class Chart(Figure):
    """A figure that a notebook shows without pyplot, which nobody needs to import for it."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()
