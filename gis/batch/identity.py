"""Is this the same plan as before?

What a batch is resumed with must be what it was started with: the plan file, the content of every
layer, the rule book, and the land that is promised to others.
"""

from __future__ import annotations

import hashlib
from typing import Any

from gis.canonical import canonical_json
from gis.plan import Plan
from gis.plan.reservations import FILE as RESERVATIONS


def plan_sha256(plan: Plan) -> str:
    """Return a hash of everything in a plan package that can change an answer."""
    promised = hashlib.sha256(reservations_bytes(plan)).hexdigest()
    return _sha256({**_content(plan), "reservations": promised})


def package_sha256(plan: Plan) -> str:
    """Return a hash of a plan package without what is promised meanwhile.

    For work in which every answer says itself which promises it rests on.
    """
    return _sha256(_content(plan))


def _content(plan: Plan) -> dict[str, Any]:
    return {
        "file": plan.file.model_dump(mode="json"),
        "layers": [
            [layer.info.id, layer.state.value, layer.reason, layer.content_sha256]
            for layer in plan.layers.values()
        ],
        "rulebook": plan.rulebook.sha256,
    }


def _sha256(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def reservations_bytes(plan: Plan) -> bytes:
    """Return the register of the plan as it stands; empty when there is none."""
    try:
        return (plan.register_folder / RESERVATIONS).read_bytes()
    except FileNotFoundError:
        return b""
