"""The schematic towns lie inside the real district, after its web-map shift is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from gis.crs import transform
from gis.plan import Plan
from gis.webmap import GCJ02, unshifted


@pytest.fixture(scope="module")
def district(shared_data: Path):
    """The real boundary, drawn in GCJ-02 by a public web map, corrected and in the work CRS."""
    file = shared_data / "dongchangfu_371502_gcj02.json"
    if not file.exists():
        pytest.skip("the real district boundary is not beside this checkout")
    feature = json.loads(file.read_text(encoding="utf-8"))[0]
    shifted = shapely.from_geojson(json.dumps(feature["geometry"]))

    return transform(shapely.transform(shifted, lambda xy: unshifted(xy, GCJ02)), 4490, 4548)


def test_the_district_contains_every_town_within_a_kilometre(plan: Plan, district) -> None:
    towns = plan.layer("towns").index
    assert len(towns) == 4
    for name, town in zip(towns.names, towns.geometries, strict=True):
        assert district.buffer(1000).contains(town), name


def test_without_the_correction_the_boundary_is_half_a_kilometre_off(shared_data) -> None:
    file = shared_data / "dongchangfu_371502_gcj02.json"
    if not file.exists():
        pytest.skip("the real district boundary is not beside this checkout")
    lon, lat = json.loads(file.read_text(encoding="utf-8"))[0]["properties"]["center"]
    as_drawn = transform(shapely.Point(lon, lat), 4490, 4548)
    corrected = transform(shapely.Point(unshifted([[lon, lat]], GCJ02)[0]), 4490, 4548)
    assert as_drawn.x - corrected.x == pytest.approx(503, abs=20)
