"""How the tests of the layer checks confirm that a planted fault is found, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import shapely
from dirty_package import Package, Planted

from gis.plan import load_plan
from gis.plan.quality import Finding, PlanQuality, check_plan

# How far from the planted place a fault may be found.
PLACE_M = 1.0


def checked(package: Package) -> PlanQuality:
    """The report about a package, which must also be good JSON."""
    report = check_plan(load_plan(package.root))
    json.dumps(report.to_dict(), allow_nan=False)
    return report


def found(report: PlanQuality, planted: Planted) -> Finding:
    """The one finding of a planted fault."""
    same = [f for f in report.findings if (f.layer, f.code) == (planted.layer, planted.code)]
    if planted.features:
        same = [f for f in same if set(planted.features) <= set(f.feature_ids)]
    assert len(same) == 1, [(f.layer, f.code, f.message) for f in report.findings]
    return same[0]


def confirm(report: PlanQuality, planted: Planted) -> None:
    """The fault is found where and as large as it was planted."""
    finding = found(report, planted)
    assert finding.severity.value == planted.severity
    if planted.features is not None:
        assert set(finding.feature_ids) == set(planted.features)
    if planted.value is not None:
        assert finding.value == pytest.approx(planted.value, rel=0.01)
    if planted.place is not None:
        assert_at(finding, planted.place)


def assert_at(finding: Finding, place: Any) -> None:
    """Pieces lie where they were planted; points lie inside the feature, lines end in the place."""
    location = finding.location
    assert location is not None
    if finding.code in ("crs_wrong", "zone_prefix", "axes_swapped"):
        end = shapely.Point(shapely.get_coordinates(location)[-1])
        assert end.distance(place) < PLACE_M
    elif location.geom_type == "MultiPoint":
        assert location.distance(place) < PLACE_M
        assert location.difference(place.buffer(PLACE_M)).is_empty
    else:
        assert shapely.hausdorff_distance(location, place) < PLACE_M


def confirm_alone_planted(package: Package, plant: Callable, *args: Any) -> None:
    """Plant one fault, check, and confirm that it alone is found."""
    fault = plant(package, *args)
    confirm_alone(checked(package), fault)


def confirm_alone(report: PlanQuality, planted: Planted) -> None:
    """The fault is found, and besides it only what follows from it, in its layer alone."""
    confirm(report, planted)
    codes = {f.code for f in report.findings if f.severity.value != "note"} - {planted.code}
    assert codes <= planted.also, [(f.layer, f.code, f.message) for f in report.findings]
    assert {f.layer for f in report.findings} == {planted.layer}
