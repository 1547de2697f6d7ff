"""The county of the benchmarks is what it says, and engines that are compared say the same."""

import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import county  # noqa: E402 - the path is set above
import county_plan  # noqa: E402 - the path is set above
import job  # noqa: E402 - the path is set above
import lines  # noqa: E402 - the path is set above
import maps  # noqa: E402 - the path is set above
import peers  # noqa: E402 - the path is set above
import table  # noqa: E402 - the path is set above
import w1  # noqa: E402 - the path is set above
import w2  # noqa: E402 - the path is set above
from county_cells import Cells  # noqa: E402 - the path is set above

import gis  # noqa: E402 - the path is set above

SCALE = 0.004  # 2.5 km across


@pytest.fixture(scope="module")
def tiny():
    return county.make(SCALE, seed=3).layers


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("county")
    county_plan.write(folder, tiny, county.EPSG)
    return folder


@pytest.fixture(scope="module")
def sites():
    return county.parcels(60, SCALE, seed=3)


def test_a_seed_gives_the_same_county_to_the_bit_and_another_seed_another(tiny):
    again, other = county.make(SCALE, seed=3).layers, county.make(SCALE, seed=4).layers
    for name, frame in tiny.items():
        assert shapely.to_wkb(frame.geometry.to_numpy()).tolist() == (
            shapely.to_wkb(again[name].geometry.to_numpy()).tolist()
        )
    assert not tiny["landuse"].geometry.iloc[0].equals(other["landuse"].geometry.iloc[0])


def test_the_land_use_is_a_true_coverage_of_the_whole_square(tiny):
    cells = tiny["landuse"].geometry.to_numpy()
    assert shapely.is_valid(cells).all()
    assert shapely.coverage_is_valid(cells)
    # The frame is straight, so the cells fill the square: 40 km x 40 km x scale, by hand.
    assert shapely.area(cells).sum() == pytest.approx(1_600e6 * SCALE, rel=1e-6)


def test_a_cell_has_eight_points_on_each_of_its_four_edges(tiny):
    assert set(shapely.get_num_coordinates(tiny["landuse"].geometry.to_numpy())) == {33}


def test_every_twentieth_row_and_column_is_a_strip_of_twelve_metres():
    cells = Cells.of(0.0, 0.0, 4_000.0, 40, np.random.default_rng(1))
    widths = np.diff(cells.across[0, :, 0, 0], append=4_000.0)
    # Nodes move by at most 12 % of the strip on either side, those of the frame do not move.
    assert (np.abs(widths - 12.0) < 3.0).nonzero()[0].tolist() == [10, 30]


def test_blocks_are_the_union_of_their_four_cells():
    cells = Cells.of(0.0, 0.0, 800.0, 8, np.random.default_rng(2))
    blocks, all_cells = cells.blocks(16, np.random.default_rng(3)), cells.polygons()
    assert len(blocks) == 16
    first = shapely.union_all(all_cells[[0, 1, 8, 9]])
    assert shapely.area(shapely.symmetric_difference(blocks[0], first)) < 1e-6
    assert shapely.area(blocks).sum() == pytest.approx(shapely.area(all_cells).sum(), rel=1e-9)


def test_layers_are_valid_rounded_to_a_millimetre_and_do_not_overlap_themselves(tiny):
    for name in county.POLYGONS:
        shapes = tiny[name].geometry.to_numpy()
        assert shapely.is_valid(shapes).all(), name
        xy = shapely.get_coordinates(shapes)
        assert np.abs(xy - np.round(xy, 3)).max() == 0.0, name
        # Features that touch after rounding may cross by a millimetre along their border.
        doubled = shapely.area(shapes).sum() - shapely.area(shapely.union_all(shapes))
        assert abs(doubled) < 0.5, name


def test_figures_go_with_the_share_of_the_area():
    found = county.figures(county.make(0.04, seed=1).layers)
    # The table of workloads, 200,000 cells and 6.6 M vertices on 1,600 km2, times 0.04.
    assert found["landuse"]["features"] == pytest.approx(8_000, rel=0.02)
    assert found["landuse"]["vertices"] == pytest.approx(264_000, rel=0.02)
    assert found["farmland"] == pytest.approx(
        {"features": 1_200, "vertices": 78_000, "largest": 65, "km2": 38.2}, rel=0.03
    )
    assert found["zones"]["km2"] == pytest.approx(9.04, rel=0.05)
    assert found["dev_boundary"]["km2"] == pytest.approx(7.7, rel=0.05)
    assert found["roads"]["features"] == 240
    assert found["roads"]["vertices"] == 4_800


def test_parcels_have_the_sizes_holes_and_parts_that_the_workload_asks_for():
    parcels = county.parcels(3_000, 1.0, seed=1)
    assert shapely.is_valid(parcels).all()
    hectares = shapely.area(parcels) / 1e4
    assert hectares.min() > 0.45
    assert hectares.max() < 20.01
    # Log-uniform: the median is the geometric mean of the ends, sqrt(0.5 * 20) = 3.16 ha.
    assert np.median(hectares) == pytest.approx(3.16, rel=0.1)
    parts = shapely.get_num_geometries(parcels)
    assert (parts == 2).mean() == pytest.approx(0.05, abs=0.015)
    rings = shapely.get_num_interior_rings(parcels[parts == 1])
    assert (rings == 1).mean() == pytest.approx(0.05, abs=0.015)


def test_a_thousand_parcels_are_the_first_of_two_thousand():
    few, many = county.parcels(1_000, 0.04), county.parcels(2_000, 0.04)
    assert shapely.equals_exact(few, many[:1_000]).all()


def test_the_package_opens_as_a_plan_whose_layers_can_all_be_used(place, sites):
    plan = gis.load_plan(place)
    assert {name: str(layer.state) for name, layer in plan.layers.items()} == dict.fromkeys(
        county_plan.ROLES, "checked"
    )
    assert len(plan.rulebook.rules) == len(county_plan.RULES)
    frame = geopandas.GeoDataFrame(geometry=sites[:1], crs=county.EPSG)
    table_of = gis.overlap_table(frame, plan)
    # A parcel lies wholly on the coverage of land use.
    landuse = table_of[table_of["layer"] == "landuse"]
    assert landuse["planar_m2"].sum() == pytest.approx(shapely.area(sites[0]), abs=1e-6)


@pytest.fixture(scope="module")
def reference(tiny, sites):
    """Return answers of plain shapely, one parcel and layer at a time; no index, no shortcut."""
    answers = job.empty(len(sites), len(county.POLYGONS))
    for number, name in enumerate(county.POLYGONS):
        shapes = tiny[name].geometry.to_numpy()
        for row, site in enumerate(sites):
            shared = shapely.area(shapely.intersection(shapes, site))
            answers.area[row, number] = shared.sum()
            answers.features[row, number] = (shared > job.TOLERANCE_M2).sum()
    roads = shapely.union_all(tiny["roads"].geometry.to_numpy())
    answers.distance[:] = shapely.distance(sites, roads)
    return answers


@pytest.mark.parametrize("name", list(peers.MODULES))
def test_every_engine_that_is_installed_says_what_plain_shapely_says(name, place, sites, reference):
    try:
        run = peers.engine(name).load(place, sites)
    except job.MissingError as missing:
        pytest.skip(str(missing))
    try:
        answers = run()
    finally:
        getattr(run, "close", lambda: None)()
    # Plain shapely measures to the axis, ours to the land edge.
    found = job.agreement(job.to_edge("plain shapely", reference), job.to_edge(name, answers))
    assert found["max_abs_diff_m2"] < 1e-5
    assert found["counts_equal"]
    assert found["max_abs_diff_m"] < 1e-6


def test_a_difference_in_one_answer_is_seen(reference):
    area, features = reference.area.copy(), reference.features.copy()
    area[3, 2] += 0.5
    features[5, 0] += 1
    found = job.agreement(reference, reference._replace(area=area, features=features))
    assert found["max_abs_diff_m2"] == pytest.approx(0.5)
    assert (found["counts_equal"], found["counts_differing"]) == (False, 1)


@pytest.fixture
def run_w1(monkeypatch, tmp_path):
    """Return runs of W1 whose engines say n m² of parcel n; GEOS says half more of one of them."""
    monkeypatch.setattr(w1, "CHECKED", 10)
    monkeypatch.setattr(w1.county, "folder_of", lambda *_: tmp_path)

    def child(name, n, _scale, seed, folder, *more):
        rows = w1.chosen(n, seed) if more else np.arange(n)
        answers = job.empty(len(rows), 2)
        answers.area[:] = rows[:, None]
        answers.area[rows == w1.chosen(n, seed)[0], 0] += 0.5 * (name == "wuqu-geos")
        answers.distance[:] = 10.0
        job.save(answers, folder / f"{name}.npz")
        return {"per_s": 1.0, "n": n, "versions": {}}

    monkeypatch.setattr(w1, "_child", child)
    return lambda names, n: list(w1.results(names, n, 1.0, 1, tmp_path))


def test_an_engine_that_others_are_compared_with_is_not_compared_with_itself(run_w1):
    first, second = run_w1(["wuqu-kernel", "wuqu-geos"], 20)
    assert (first["max_abs_diff_m2"], first["counts_equal"]) == (None, None)
    assert "checked" not in first
    assert second["max_abs_diff_m2"] == pytest.approx(0.5)


def test_an_engine_alone_or_with_very_many_parcels_is_checked_with_geos(run_w1, monkeypatch):
    (alone,) = run_w1(["wuqu-kernel"], 8)
    assert (alone["checked"], alone["checked_with"]) == (8, "wuqu-geos")
    assert alone["max_abs_diff_m2"] == pytest.approx(0.5)
    assert alone["counts_equal"] is True
    monkeypatch.setattr(w1, "MOST_COMPARED", 19)
    many, _ = run_w1(["wuqu-kernel", "shapely-tuned"], 20)
    assert many["checked"] == 10
    assert many["max_abs_diff_m2"] == pytest.approx(0.5)


def test_the_parcels_that_are_checked_are_chosen_by_the_seed_once_each():
    places = w1.chosen(30_000, seed=1)
    assert len(set(places)) == w1.CHECKED == 10_000
    assert places.min() >= 0
    assert places.max() > 20_000  # from all of them, not the first
    assert (places == w1.chosen(30_000, seed=1)).all()
    assert (places != w1.chosen(30_000, seed=2)).any()


def test_rows_of_single_parcels_become_answers_that_are_compared(tmp_path):
    # Parcel 0 meets feature 4 of layer 1 with 7 m2, parcel 1 nothing; both are 9 m from an axis.
    theirs = w2._gathered([([(1, 4, 7.0)], 9.0), ([], 9.0)])
    assert theirs.area[:, :2].tolist() == [[0.0, 7.0], [0.0, 0.0]]
    assert theirs.features.sum() == theirs.features[0, 1] == 1
    ours = theirs._replace(area=theirs.area * 2, distance=np.full(2, 9.0 - county.HALF_WIDTH_M))
    for name, answers in (("ours", ours), ("theirs", theirs)):
        job.save(answers, tmp_path / f"{name}.npz")
    times = {"p50_ms": 3.0, "p99_ms": 8.0}, {"p50_ms": 1.5, "p99_ms": 2.0}
    found = w2._beside(*times, "postgis", tmp_path / "ours.npz", tmp_path / "theirs.npz")
    assert (found["ratio_p50"], found["ratio_p99"]) == (2.0, 4.0)
    assert (found["max_abs_diff_m2"], found["counts_equal"]) == (7.0, True)
    assert found["max_abs_diff_m"] == 0.0


def test_pieces_of_one_feature_count_once_and_only_over_the_tolerance():
    # Parcel 0, layer 0: feature 7 in two pieces of 0.6 m2 is over 1 m2, feature 8 with 0.9 is not.
    columns = (np.zeros(3, int), np.zeros(3, int), np.array([7, 8, 7]), np.array([0.6, 0.9, 0.6]))
    found = job.gathered(*columns, job.empty(1, 1))
    assert found.area[0, 0] == pytest.approx(2.1)
    assert found.features[0, 0] == 1


@pytest.fixture
def committed(tmp_path):
    """Return a repository of its own with code and results, all of it committed."""
    for name in ("benchmarks/results/w1.jsonl", "benchmarks/README.md", "benchmarks/w1.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n", encoding="utf-8")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "t")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_lines_of_an_earlier_script_and_the_table_do_not_mark_a_commit_as_changed(committed):
    for name in ("results/w1.jsonl", "README.md"):
        (committed / "benchmarks" / name).write_text("2\n", encoding="utf-8")
    assert len(lines.commit(committed)) == 12


def test_changed_code_marks_the_commit_of_a_line(committed):
    (committed / "benchmarks" / "w1.py").write_text("2\n", encoding="utf-8")
    assert lines.commit(committed).endswith("-dirty")


def test_the_table_marks_what_is_met_missed_and_not_measured():
    base = {"workload": "W1", "date": "2026-01-01", "versions": {}}
    found = [
        base | {"engine": "shapely-tuned", "ratio": 4.0},
        base | {"engine": "shapely-tuned", "ratio": 6.0},  # the newest line counts
        base | {"engine": "postgis", "ratio": 14.9},
        base | {"engine": "wuqu-kernel", "n": 10_000, "per_s": 9_000.0},
        # A run with more parcels has no peers beside it; its cost is 9,000 / 7,500 = 1.2.
        base | {"engine": "wuqu-kernel", "n": 1_000_000, "per_s": 7_500.0, "rss_mb": 3_000},
    ]
    rows = {t.what: t for t in table.targets(found)}
    assert rows["W1 against shapely, well made"].row().endswith("| ≥ 5 x | 6 x | met |")
    assert rows["W1 against PostGIS, subdivided + GiST"].mark == "**missed**"
    assert rows["W1 parcels per CPU second"].value == 9_000.0
    assert rows["W1 1 M parcels, memory"].mark == "met"
    assert rows["W1 1 M parcels, cost per parcel against 10k"].value == pytest.approx(1.2)
    assert rows["W1 against SedonaDB, subdivided"].mark == "–"


def line_of_w1(engine, **own):
    """Return a line of W1 with all that the table of engines shows."""
    row = {"workload": "W1", "date": "2026-01-01", "commit": "a", "engine": engine, "n": 10_000}
    return row | {"cpu_s": 1.0, "per_s": 1.0, "rss_mb": 1, "counts_differing": 0} | own


def shown_of(found):
    """Return the cells of the table of engines by engine."""
    rows = [row.strip("| ").split(" | ") for row in table.engines(table.side_by_side(found))]
    return {name: cells for name, *cells in rows}


def test_peers_stand_beside_the_kernel_of_their_own_run():
    found = [
        line_of_w1("wuqu-kernel", cpu_s=9.0, commit="earlier"),
        line_of_w1("wuqu-kernel", cpu_s=0.5, per_s=20_000.0),
        line_of_w1("wuqu-geos", cpu_s=8.0, ratio=16.0, max_abs_diff_m2=0.0, counts_equal=True),
        line_of_w1("wuqu-kernel", cpu_s=0.4, per_s=25_000.0),  # alone, later
        line_of_w1("wuqu-kernel", cpu_s=0.3, per_s=33_000.0, commit="later"),
    ]
    shown = shown_of(found)
    assert (shown["wuqu-kernel"][1], shown["wuqu-geos"][1]) == ("0.50", "8.00")
    rows = {t.what: t for t in table.targets(found)}
    assert rows["W1 parcels per CPU second"].value == 20_000.0
    # Without the peers of that run the newest line of ours is shown.
    assert shown_of(found[3:])["wuqu-kernel"][1] == "0.30"


def test_a_million_parcels_are_held_against_ten_thousand_of_the_same_commit():
    found = [
        line_of_w1("wuqu-kernel", per_s=20_000.0),
        line_of_w1("wuqu-kernel", per_s=40_000.0, commit="another"),
        line_of_w1("wuqu-kernel", n=1_000_000, per_s=16_000.0),
        line_of_w1("wuqu-kernel", per_s=40_000.0, commit="later"),
    ]
    what = "W1 1 M parcels, cost per parcel against 10k"
    assert {t.what: t for t in table.targets(found)}[what].value == pytest.approx(1.25)
    assert {t.what: t for t in table.targets(found[1:])}[what].value is None


def test_rows_without_a_limit_are_shown_and_not_judged():
    base = {"workload": "W6", "date": "2026-01-01"}
    found = [
        base | {"task": "check", "ratio": 0.09},
        base | {"task": "check with records", "ratio": 0.05},
        {"workload": "W2b", "plan": "bundled plan", "p50_ms": 1.5},
        {"workload": "W2b", "plan": "bundled plan, with remedies and outlines", "p50_ms": 15.0},
    ]
    rows = {t.what: t.row() for t in table.targets(found)}
    after = " / requests of a no-op endpoint"
    assert rows[f"W6 checks per second{after}"].endswith("| ≥ 0.08  | 0.09  | met |")
    assert rows[f"W6 checks with records{after}"].endswith("| – | 0.05  | – |")
    assert rows["W2b check_site with remedies, p50"].endswith("| – | 15 ms | – |")
    lean = rows["W2b check_site, bundled plan, no remedies, no outlines, p50"]
    assert lean.endswith("| ≤ 2 ms | 1.5 ms | met |")


@pytest.mark.parametrize("ours", ["wuqu", "wuqu-kernel"])
def test_lines_of_before_and_after_the_engine_got_its_name_are_found(ours):
    found = [
        {"workload": "W4", "engine": ours, "name": "import gis", "wall_s": 0.02},
        {"workload": "report", "engine": ours, "name": "report as pdf, 20 findings",
         "cold_wall_s": 0.7},
        {"workload": "maps", "engine": ours, "name": "parcels", "size_mb": 9.0},
    ]  # fmt: skip
    rows = {t.what: t.value for t in table.targets(found)}
    assert rows["W4 import gis"] == 0.02
    assert rows["Report of 20 findings as PDF, new process"] == 0.7
    assert rows["map of 100,000 polygons, size"] == 9.0


@pytest.mark.parametrize(
    "told",
    [
        {"max_abs_diff_m2": None, "counts_equal": None},
        {"max_abs_diff_m2": 0.0, "counts_equal": True},
    ],
)
def test_the_table_shows_no_agreement_of_an_engine_with_itself(told):
    found = [line_of_w1("wuqu-kernel", **told)]
    assert shown_of(found)["wuqu-kernel"][-3:] == ["–", "–", "2026-01-01"]
    checked = {"max_abs_diff_m2": 2e-8, "counts_equal": True, "checked": 10_000}
    shown = shown_of([*found, line_of_w1("wuqu-kernel", **checked)])
    assert shown["wuqu-kernel"][-3:] == ["2.0e-08", "yes", "2026-01-01"]


def test_a_million_parcels_are_in_agreement_only_where_some_were_checked():
    what = "W1 1 M parcels, largest difference to GEOS in 10,000 of them"
    million = line_of_w1("wuqu-kernel", max_abs_diff_m2=0.0, counts_equal=True) | {"n": 1_000_000}
    marks = [
        {t.what: t.mark for t in table.targets([million | own])}[what]
        for own in ({}, {"checked": 10_000}, {"checked": 10_000, "max_abs_diff_m2": 2e-5})
    ]
    assert marks == ["–", "met", "**missed**"]


def test_the_plan_of_the_maps_has_as_many_parcels_as_asked_and_can_be_drawn(tmp_path):
    maps.write_plan(tmp_path, 90)
    plan = gis.load_plan(tmp_path)
    assert {layer.state for layer in plan.layers.values()} == {"checked"}
    assert len(plan.layer("landuse").frame) == 100  # the next square
    assert len(gis.plan_map(plan)) > 100_000
