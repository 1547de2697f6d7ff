"""Who did what, when, from where, and with which result?

One JSON line per request to the plan, to records or to keys, and per refusal. It names the key, the
route as the table writes it and the ids of records; never a header, a query, a body, a coordinate
or an address of the site that was asked for.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.access.visit import Visit

LOGGER = logging.getLogger("wuqu.audit")


class AuditLog:
    """Appends lines to a file that several processes share; without a file, to a logger.

    Parameters
    ----------
    path
        The file, made for the owner alone; None writes to the logger ``wuqu.audit``.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._opened: tuple[int, int] | None = None
        self.fault = ""

    def of_visit(self, visit: Visit, method: str, status: int) -> None:
        """Write the line of one request."""
        caller = visit.caller
        if self._path is None and caller.kind == "open":
            return  # nobody that the line could name; the log has the request already
        row: dict[str, Any] = {
            "request_id": visit.request_id,
            "who": caller.name,
            "kind": caller.kind,
            "key_id": caller.key_id,
            "role": caller.role.value if caller.kind != "nobody" else "",
            "office": caller.office,
            "from": visit.address,
            "method": method,
            "route": visit.place.route,
            "records": visit.records,
            "status": status,
            "result": visit.result or _result(status),
        }
        self.write(row)

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one line; a file that cannot be written is told once, and by ``fault``."""
        if self._path is None:
            told = "%(who)s %(method)s %(route)s %(result)s"
            LOGGER.info(told, {"route": "", **row}, extra={"fields": row})
            return
        stamped = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **row}
        line = json.dumps(stamped, ensure_ascii=False, separators=(",", ":"))
        try:
            # One write to a file opened for appending: lines of several processes never mix.
            os.write(self._file(self._path), f"{line}\n".encode("utf-8", "replace"))
        except OSError as error:
            self._tell(error.strerror or type(error).__name__)
            return
        self.fault = ""

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _file(self, path: Path) -> int:
        """Return the descriptor of the file; a new one after the file was moved away."""
        try:
            found = path.stat()
            there: tuple[int, int] | None = (found.st_dev, found.st_ino)
        except FileNotFoundError:
            there = None
        if self._descriptor is None or there != self._opened:
            self.close()
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o600)
            opened = os.fstat(self._descriptor)
            self._opened = (opened.st_dev, opened.st_ino)
        return self._descriptor

    def _tell(self, reason: str) -> None:
        if not self.fault:
            logging.getLogger("wuqu").error("the audit log cannot be written: %s", reason)
        self.fault = reason


def _result(status: int) -> str:
    if status < 400:
        return "ok"
    return "failed" if status >= 500 else "refused"
