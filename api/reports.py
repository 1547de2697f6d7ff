"""How does the report of a record reach the client?

It is made when asked for, in a thread, one at a time: half a second of one core. Records never
change, but their reports are too large to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

import shapely
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access.visit import Visit
from api.deps import State
from gis.files import file_name
from gis.output.maps.text import visible
from gis.output.records import Record
from gis.output.report import report_bytes, require

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


async def report_answer(state: State, visit: Visit, check_id: str, kind: str) -> Response:
    """Return the report of one record as a file.

    Raises
    ------
    ExtraError
        The extra ``report`` is not installed.
    NotFoundError
        There is no such record.
    """
    require(kind)
    record = await state.record(check_id, visit)
    manual = await state.manual(record)
    cited = await state.citing(record.document["plan"]["version"])
    async with state.drawing:
        content = await run_in_threadpool(partial(_made, cited, record, kind, manual))
    name = quote(f"{file_name(visible(record.document['site']['name']))}.{kind}", safe="")
    # Chinese names need the second form; the first is for programs that do not know it.
    told = f"attachment; filename=\"{check_id}.{kind}\"; filename*=UTF-8''{name}"
    headers = {"Content-Disposition": told}
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _made(state: State, record: Record, kind: str, manual: Sequence[str]) -> bytes:
    from gis.output.report.content import site_content

    # The stored outline is the exact one; that of the document went through degrees.
    outline = shapely.from_wkb(record.geometry_wkb) if record.geometry_wkb else None
    report = site_content(
        record.document,
        state.plan,
        ceiling=state.settings.secrecy,
        geometry=outline,
        manual=manual,
    )
    return report_bytes(report, kind)
