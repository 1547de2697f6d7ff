"""How does an office file get the same bytes each time? Its parts are packed with a fixed day."""

from __future__ import annotations

import io
import zipfile

_DAY = (2000, 1, 1, 0, 0, 0)


def repacked(content: bytes) -> bytes:
    """Return a zip file with the same parts in the same order, all of a fixed day."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return out.getvalue()
