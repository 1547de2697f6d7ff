"""The planner's table on the bundled plan: areas against GEOS and the exact ellipsoidal areas."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from test_check_chunk import shapes

from gis.crs import ellipsoidal_area
from gis.errors import CrsError, GeometryError
from gis.parcels import overlap_table
from gis.plan import Plan


@pytest.fixture(scope="module")
def parcels(plan: Plan) -> geopandas.GeoDataFrame:
    drawn = list(shapes(plan, 30))
    index = [f"p{n}" for n in range(len(drawn))]
    return geopandas.GeoDataFrame(geometry=drawn, index=index, crs=plan.work_epsg)


def test_each_row_is_what_geos_and_the_exact_formula_give(parcels, plan) -> None:
    table = overlap_table(parcels, plan)
    areas = table[table.area_m2.notna()]
    assert len(areas) > 200
    for row in areas.itertuples():
        land = plan.layers[row.layer].index
        outline = parcels.geometry[row.site]
        shared = shapely.intersection(outline, land.union)
        assert row.planar_m2 == pytest.approx(shared.area, abs=1e-5)
        exact = ellipsoidal_area(shared, plan.work_epsg)
        assert row.area_m2 == pytest.approx(exact, abs=1e-3, rel=1e-8)
        whole = ellipsoidal_area(outline, plan.work_epsg)
        assert row.share == pytest.approx(exact / whole, abs=1e-7)
        each = shapely.area(shapely.intersection(outline, land.geometries))
        assert row.features == (each > 1).sum()
        assert row.title == land.info.title


def test_no_pair_that_geos_sees_is_missing(parcels, plan) -> None:
    table = overlap_table(parcels, plan)
    listed = set(zip(table.site, table.layer, strict=True))
    for name, layer in plan.layers.items():
        if layer.info.geometry != "polygon" or not len(layer.index):
            continue
        land = shapely.area(shapely.intersection(parcels.geometry.to_numpy(), layer.index.union))
        for site in parcels.index[land > 1e-3]:
            assert (site, name) in listed


def test_distances_are_to_the_land_edge_of_the_nearest_line(parcels, plan) -> None:
    table = overlap_table(parcels, plan, reach_m=500)
    roads = plan.layers["roads"].index
    half = np.nan_to_num(roads.half_widths)
    near = table[table.layer == "roads"]
    assert len(near) > 10
    for row in near.itertuples():
        axis = shapely.distance(parcels.geometry[row.site], roads.geometries)
        edge = np.maximum(axis - half, 0)
        assert row.distance_m == pytest.approx(edge.min(), abs=1e-6)
        assert edge[list(roads.ids).index(row.nearest)] == pytest.approx(edge.min(), abs=1e-6)
        assert row.distance_m <= 500


def test_both_modes_and_any_crs_give_the_same_table(parcels, plan) -> None:
    table = overlap_table(parcels, plan)
    built = overlap_table(parcels, plan, mode="geos")
    assert table.drop(columns=["area_m2", "planar_m2", "share"]).equals(
        built.drop(columns=["area_m2", "planar_m2", "share"])
    )
    assert table.planar_m2.to_numpy() == pytest.approx(built.planar_m2, abs=1e-5, nan_ok=True)
    far = overlap_table(parcels.to_crs(4490), plan)
    assert far.site.tolist() == table.site.tolist()
    assert far.area_m2.to_numpy() == pytest.approx(table.area_m2, abs=0.02, nan_ok=True)


def test_rows_stand_in_the_order_of_the_parcels_and_of_the_plan(parcels, plan) -> None:
    backwards = parcels.iloc[::-1]
    table = overlap_table(backwards, plan)
    layers, sites = list(plan.layers), list(backwards.index)
    places = [(sites.index(r.site), layers.index(r.layer)) for r in table.itertuples()]
    assert places == sorted(places)


def test_a_table_without_crs_or_with_a_broken_outline_is_refused(parcels, plan) -> None:
    with pytest.raises(CrsError, match="没有坐标系"):
        overlap_table(geopandas.GeoDataFrame(geometry=parcels.geometry.to_numpy()), plan)
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    broken = parcels.copy()
    broken.loc["p3", "geometry"] = shapely.affinity.translate(bow_tie, 4.05e5, 4.03e6)
    with pytest.raises(GeometryError, match="p3"):
        overlap_table(broken, plan)


def test_no_parcels_make_an_empty_table(parcels, plan) -> None:
    table = overlap_table(parcels.iloc[:0], plan)
    assert len(table) == 0
    assert {"site", "layer", "title", "area_m2", "share", "distance_m"} <= set(table.columns)
