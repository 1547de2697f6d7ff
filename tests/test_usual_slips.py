"""What people type by mistake in a notebook: one sentence that says what to type instead."""

from __future__ import annotations

from datetime import date

import geopandas
import pytest
import shapely
from shapely.geometry import box

import gis
from gis.errors import ClaimError, CrsError, FormatError, NotFoundError, PlanError


@pytest.fixture(scope="module")
def square(plan):
    centre = plan.layer("dev_boundary").index.geometries[0].representative_point()
    return box(centre.x - 50, centre.y - 50, centre.x + 50, centre.y + 50)


@pytest.fixture(scope="module")
def site(plan, square):
    return gis.read_site(f"SRID=4548;{square.wkt}", plan)


@pytest.fixture
def frame(square):
    return geopandas.GeoDataFrame({"n": [1]}, geometry=[square], crs=4548)


def test_the_folder_of_a_plan_in_place_of_the_plan(site, frame) -> None:
    for call in (
        lambda: gis.check_site(site, "data"),
        lambda: gis.check_sites(frame, "data"),
        lambda: gis.overlap_table(frame, "data"),
    ):
        with pytest.raises(ClaimError, match=r"plan 是 str.*gis\.load_plan"):
            call()
    with pytest.raises(ClaimError, match="load_plan 的结果"):
        gis.read_site("POINT (0 0)", "data")


def test_a_file_in_place_of_the_site(plan) -> None:
    with pytest.raises(ClaimError, match=r"site 是 str.*gis\.read_site"):
        gis.check_site("data/samples/yizhong_xinxiao.txt", plan)


def test_site_and_plan_the_wrong_way_round(plan, site) -> None:
    with pytest.raises(ClaimError, match="次序相反"):
        gis.check_site(plan, site)


def test_a_use_as_a_number(plan, site) -> None:
    with pytest.raises(ClaimError, match="写成数字会丢掉前面的 0"):
        gis.check_site(site, plan, use=80403)


def test_a_day_as_text(plan, site) -> None:
    with pytest.raises(ClaimError, match=r"datetime\.date\(2026, 11, 22\)"):
        gis.check_site(site, plan, use="0803", as_of="2026-11-22")


def test_a_frame_without_crs(plan, frame) -> None:
    bare = frame.set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="set_crs"):
        gis.check_sites(bare, plan)
    with pytest.raises(CrsError, match="set_crs"):
        gis.overlap_table(bare, plan)


def test_a_frame_whose_crs_is_a_wrong_claim_is_told_row_by_row(plan, frame) -> None:
    result = gis.check_sites(frame.set_crs(3857, allow_override=True), plan)
    assert result.problem_code.tolist() == ["crs"]
    assert "不在可接受之列" in result.problem[0]


def test_longitude_and_latitude_the_wrong_way_round(plan, frame) -> None:
    turned = shapely.transform(frame.to_crs(4490).geometry[0], lambda xy: xy[:, ::-1])
    result = gis.check_sites(geopandas.GeoDataFrame(geometry=[turned], crs=4490), plan)
    assert "顺序相反" in result.problem[0]
    with pytest.raises(CrsError, match="顺序相反"):
        gis.read_site(turned.wkt, plan)


def test_a_list_of_polygons_in_place_of_a_frame(plan, square) -> None:
    with pytest.raises(ClaimError, match=r"geopandas\.GeoDataFrame"):
        gis.check_sites([square], plan)
    with pytest.raises(ClaimError, match=r"geopandas\.GeoDataFrame"):
        gis.overlap_table([square], plan)


def test_a_polygon_or_a_frame_in_place_of_a_file(plan, square, frame) -> None:
    for source in (square, frame):
        with pytest.raises(FormatError, match="check_sites"):
            gis.read_site(source, plan)


def test_columns_called_type_index_or_geometry_area_do_no_harm(plan, square) -> None:
    frame = geopandas.GeoDataFrame(
        {"type": ["a"], "index": [7], "row": [9], "verdict": ["pass"]}, geometry=[square], crs=4548
    )
    result = gis.check_sites(frame, plan, use="0803", as_of=date(2026, 11, 22))
    assert result.problem.tolist() == [None]
    assert result.row.tolist() == [1]


def test_a_folder_in_place_of_a_file_and_layers_in_place_of_a_package(plan, repo) -> None:
    with pytest.raises(FormatError):
        gis.read_site(repo / "data" / "samples", plan)
    with pytest.raises(PlanError, match=r"plan\.toml"):
        gis.load_plan(repo / "data" / "shapefiles")


def test_an_unknown_zone_or_attribute_names_those_that_there_are(plan, site) -> None:
    with pytest.raises(NotFoundError, match="Z1、Z2"):
        plan.land_balance("Z9")
    with pytest.raises(ClaimError, match="plot_ratio"):
        gis.check_site(site, plan, use="0803", attributes={"far": 2})


def test_a_bar_of_tqdm_counts_the_rows(plan, frame, capsys) -> None:
    gis.check_sites(frame, plan, use="0803", as_of=date(2026, 11, 22), progress=True)
    assert "1/1" in capsys.readouterr().err
