"""In which order files of tests run: the longest first, so that no process ends long after others.

``make test`` hands out whole files, in the order in which they were collected. Files that start
services, browsers or kernels have few tests and take longest; by the alphabet or by the number of
tests some of them would begin last, when the other process has nothing left to do.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

# By seconds on a quiet machine, waiting included; what is not named takes less than ten.
LONGEST_FIRST = (
    "test_jobs_processes",
    "test_desk_browser",
    "test_operation",
    "test_notebooks",
    "test_maps_paper",
    "test_readme",
    "test_operation_workers",
    "test_maps_large",
    "test_api_schema",
    "test_api_examples",
    "test_ogc_jobs",
    "test_siting_plan",
    "test_plan_new",
    "test_docs_site",
    "test_docstrings",
    "test_cli",
    "test_ogc_access",
    "test_ogc_gdal",
    "test_ogc_qgis",
    "test_intake_sandbox",
    "test_quality_layers",
    "test_quality_features",
    "test_operation_proxy",
    "test_runners",
    "test_desk_jobs",
    "test_maps_browser",
    "test_following",
    "test_access_browser",
    "test_quality",
    "test_check",
    "test_landcover",
)
_PLACES = {name: place for place, name in enumerate(LONGEST_FIRST)}


class _InFile(Protocol):
    @property
    def path(self): ...


T = TypeVar("T", bound=_InFile)


def sort_by_length(items: list[T]) -> None:
    """Put tests of long files first, in place; each file stays whole and in its own order."""
    items.sort(key=lambda item: _PLACES.get(item.path.stem, len(_PLACES)))
