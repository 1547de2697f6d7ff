"""Sites as the boundary-point TXT of the land bureau, from a notebook."""

from __future__ import annotations

import pytest
import shapely

import gis
from gis.errors import CrsError, GeometryError
from gis.output import sites_txt


@pytest.fixture
def school(plan) -> gis.Site:
    return gis.read_site(plan.root / "samples" / "yizhong_xinxiao.txt", plan)


def test_a_site_is_the_same_when_it_is_read_again(plan, school, tmp_path) -> None:
    path = gis.write_txt(school, tmp_path / "new folder" / "out.txt", plan)
    again = gis.read_site(path, plan)
    assert again.geometry.hausdorff_distance(school.geometry) < 0.001
    assert again.name == school.name
    assert path.read_bytes().decode("gbk").splitlines()[0] == "[属性描述]"
    assert gis.lint_boundary_txt(path.read_bytes(), plan).is_accepted


def test_several_sites_are_plots_of_one_file_under_one_name(plan, school, tmp_path) -> None:
    path = gis.write_txt([school, school], tmp_path / "two.txt", plan, name="甲地块")
    names = [site.name for site in gis.read_sites(path, plan)]
    assert names == ["甲地块", "甲地块"]


def test_another_zone_and_encoding_are_written_as_asked(plan, school) -> None:
    written = sites_txt.sites_txt([school], plan, crs="EPSG:4526", encoding="utf-8")
    assert (written.epsg, written.plots) == (4526, 1)
    assert "带号=38" in written.content.decode("utf-8")
    assert written.largest_difference_m <= 0.001


def test_what_is_no_zone_is_refused_and_leaves_an_existing_file(plan, school, tmp_path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(CrsError):
        gis.write_txt(school, path, plan, crs="EPSG:3857")
    assert path.read_text(encoding="utf-8") == "before"


def test_a_text_that_reads_otherwise_is_not_written(plan, school, tmp_path, monkeypatch) -> None:
    def moved(plots, **how):
        shifted = [
            sites_txt.Plot(p.name, p.number, shapely.transform(p.polygon, lambda xy: xy + 0.01))
            for p in plots
        ]
        return true_text(shifted, **how)

    true_text = sites_txt.boundary_txt
    monkeypatch.setattr(sites_txt, "boundary_txt", moved)
    with pytest.raises(GeometryError, match="未写出"):
        gis.write_txt(school, tmp_path / "out.txt", plan)
    assert not (tmp_path / "out.txt").exists()
