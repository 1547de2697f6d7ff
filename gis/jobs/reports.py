"""How do all reports of a job fit into one zip? One PDF for each site, a summary, and the table.

A report takes half a second, so they are made some at a time, each in a file of its own, and other
pieces of work come in between; when all are there they are put together. Nothing above the secrecy
ceiling is drawn.
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import shapely

from gis.files import file_name
from gis.jobs.folder import JobFolder, write_whole
from gis.jobs.model import Job, Task
from gis.jobs.results import slices
from gis.jobs.store import JobStore
from gis.output.maps.text import visible
from gis.output.records.described import decision_sentence
from gis.plan import Plan

# How long one piece may take before others have their turn.
_TURN_S = 4.0
_STAMP = (2000, 1, 1, 0, 0, 0)
_AT_ONCE = 200


@dataclass(frozen=True)
class PdfZip:
    """The zip of one job."""

    store: JobStore
    folder: JobFolder
    job: Job
    plan: Plan
    ceiling: str

    def go_on(self, task: Task) -> bool:
        """Make some of the reports; return whether the zip is there."""
        until = time.monotonic() + _TURN_S
        total = 0
        missing: list[dict[str, Any]] = []
        for answer in self._recorded():
            total += 1
            if not self.folder.report(answer["row"]).exists():
                missing.append(answer)
        for n, answer in enumerate(missing):
            self.store.advance(task, total - len(missing) + n, total)
            write_whole(self.folder.report(answer["row"]), self._report(answer["record_id"]))
            if time.monotonic() > until and n < len(missing) - 1:
                return False
        self.store.advance(task, total, total)
        self._together()
        self.folder.forget_reports()
        return True

    def _recorded(self) -> Iterator[dict[str, Any]]:
        after = -1
        while found := self.store.answers(self.job.id, after, _AT_ONCE):
            after = found[-1]["row"]
            yield from (answer for answer in found if answer["record_id"])

    def _report(self, record_id: str) -> bytes:
        from gis.output.report import report_bytes
        from gis.output.report.content import site_content

        record = self.store.records.get(record_id)
        manual = [decision_sentence(d) for d in self.store.records.decisions(record_id)]
        # The stored outline is the exact one; that of the document went through degrees.
        outline = shapely.from_wkb(record.geometry_wkb) if record.geometry_wkb else None
        report = site_content(
            record.document, self.plan, ceiling=self.ceiling, geometry=outline, manual=manual
        )
        return report_bytes(report, "pdf")

    def _together(self) -> None:
        target = self.folder.result("zip")
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                with zipfile.ZipFile(stream, "w") as package:
                    for shown, path in self._files():
                        # Pictures and fonts in a PDF are packed already.
                        info = zipfile.ZipInfo(shown, _STAMP)
                        info.compress_type = zipfile.ZIP_DEFLATED
                        package.writestr(info, path.read_bytes(), compresslevel=1)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Yield every member with its name: safe on every system, and unique by the row number."""
        from gis.batch import tables
        from gis.output.report import sites_report

        with tempfile.TemporaryDirectory(prefix="wuqu-") as made:
            table = tables.write(slices(self.store, self.job, self.plan), Path(made) / "t.csv")
            yield "地块检测结果.csv", table
            frame = pd.concat(list(slices(self.store, self.job, self.plan)), ignore_index=True)
            name = visible(self.job.name)
            summary = Path(made) / "summary.pdf"
            sites_report(
                frame,
                self.plan,
                summary,
                name=name,
                as_of=self.job.options.as_of,
                ceiling=self.ceiling,
            )
            yield "汇总报告.pdf", summary
        for answer in self._recorded():
            shown = file_name(visible(answer["name"]))
            yield f"{answer['row'] + 1:05d}-{shown}.pdf", self.folder.report(answer["row"])
