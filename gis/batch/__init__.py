"""Many sites at once: tables in, a table out, resumable, on one machine or on several."""

from __future__ import annotations

from gis.batch.run import check_sites, run_batch
from gis.batch.summary import Summary

__all__ = ["Summary", "check_sites", "run_batch"]
