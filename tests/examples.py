"""How many examples does a property try?"""

from __future__ import annotations

import os


def examples(usual: int) -> int:
    """So many as is usual, or as the long runs ask for by ``WUQU_EXAMPLES``: then random ones."""
    return int(os.environ.get("WUQU_EXAMPLES", usual))
