"""Batches that a service works off: laid down in the store of the records, done by processes.

``model`` says what a job is, ``store`` keeps jobs and hands out their pieces, ``fairness`` says whose
turn it is, ``reading`` finds the rows of an upload, ``work`` does a piece, ``results`` and
``reports`` write files, ``worker`` is the process that works, ``crew`` keeps such processes running.
"""

from gis.jobs.model import Job, JobState, Limits, Options, Task, TaskKind
from gis.jobs.store import JobStore

__all__ = ["Job", "JobState", "JobStore", "Limits", "Options", "Task", "TaskKind"]
