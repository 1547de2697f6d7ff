"""The decision records: what was answered, on what it rested, and what officers decided beside it.

``store`` keeps them, ``chain`` binds them, ``snapshot`` says what they rest on, ``verify`` and
``replay`` look whether they still hold. What needs a plan is imported from its module.
"""

from gis.output.records.address import Address, address_of
from gis.output.records.entry import Entry, Snapshot, Submission, entry_of
from gis.output.records.kept import Decision, Record, RecordSummary
from gis.output.records.software import software_versions
from gis.output.records.store import RecordStore

__all__ = [
    "Address",
    "Decision",
    "Entry",
    "Record",
    "RecordStore",
    "RecordSummary",
    "Snapshot",
    "Submission",
    "address_of",
    "entry_of",
    "software_versions",
]
