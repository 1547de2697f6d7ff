"""What lies over a map that is handed on? The watermark of its recipient, and the 审图号."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from gis.output.maps.text import clean
from gis.output.sharing import Sharing

if TYPE_CHECKING:
    from gis.plan.area import Plan

_COPIES = 24


def over_the_map(sharing: Sharing, plan: Plan) -> Markup:
    """Return the watermark, and the line with 审图号 and recipient; empty without either."""
    recipient, number = clean(sharing.recipient), clean(plan.map_number)
    rows = []
    if recipient:
        copies = Markup("").join([Markup("<span>{}　专用</span>").format(recipient)] * _COPIES)
        rows.append(
            Markup('<div class="wq-recipient" aria-hidden="true"><div>{}</div></div>').format(
                copies
            )
        )
    words = [Markup("审图号：{}").format(number)] if number else []
    words += [Markup("本图供 {} 使用").format(recipient)] if recipient else []
    if words:
        text = Markup("　").join(words)
        rows.append(Markup('<div class="wq-approval">{}</div>').format(text))
    return Markup("").join(rows)
