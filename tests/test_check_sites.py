"""Whole tables: judged as one by one, in order, resumable, and no bad row stops the others."""

from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas
import pandas as pd
import pytest
import shapely
from batch_world import TESTS, table

from gis.batch import check_sites, run_batch
from gis.check import check_site
from gis.errors import ClaimError, CrsError, InputError
from gis.intake import read_site
from gis.plan import Plan

COUNT = 14
# Below this, numbers of a shifted parcel are no place in the plan.
BOW_TIE = [(0, 0), (100, 100), (100, 0), (0, 100)]


@pytest.fixture(scope="module")
def good(plan: Plan) -> geopandas.GeoDataFrame:
    return table(plan, COUNT)


@pytest.fixture(scope="module")
def checked(good, plan: Plan, as_of) -> geopandas.GeoDataFrame:
    return check_sites(good, plan, as_of=as_of, rules=True)


@pytest.fixture(scope="module")
def place(good) -> tuple[float, float]:
    x, y = good.geometry[0].centroid.coords[0]
    return x, y


def moved(ring: list[tuple[float, float]], place: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon([(x + place[0], y + place[1]) for x, y in ring])


# --- as one by one -------------------------------------------------------------------------------


def test_each_row_is_judged_as_the_site_alone(good, checked, plan: Plan, as_of) -> None:
    assert checked["problem_code"].isna().all()
    for (_, row), (_, found) in zip(good.iterrows(), checked.iterrows(), strict=True):
        site = read_site(row.geometry.wkt, plan, crs=plan.work_epsg)
        use = row["use"] if isinstance(row["use"], str) else None
        check = check_site(site, plan, use=use, as_of=as_of, remedies=False)
        assert found["digest"] == check.digest
        assert found["verdict"] == check.verdict.value
        assert found["verdict_label"] == check.verdict.label
        assert found["deciding_rule"] == check.deciding_rule
        assert found["reason"] == check.finding(check.deciding_rule).reason
        assert found["area_m2"] == round(site.area.ellipsoidal_m2, 2)
        assert found["n_fail"] == sum(f.verdict == "fail" for f in check.findings)
        assert {f.rule: f.verdict.value for f in check.findings} == {
            name.removeprefix("rule_"): found[name] for name in found.index if "rule_" in name[:5]
        }


def test_the_result_keeps_order_names_uses_and_outlines(good, checked, plan: Plan) -> None:
    assert checked["row"].tolist() == list(range(1, COUNT + 1))
    assert checked["name"].tolist() == good["name"].tolist()
    assert checked["use"].tolist() == [use if isinstance(use, str) else None for use in good["use"]]
    assert checked.crs.to_epsg() == plan.work_epsg
    assert checked.geometry.geom_equals(good.geometry).all()


def test_sites_that_were_read_already_are_judged_the_same(good, plan: Plan, as_of) -> None:
    sites = [
        read_site(shape.wkt, plan, crs=plan.work_epsg, name=name)
        for shape, name in zip(good.geometry, good["name"], strict=True)
    ]
    found = check_sites(sites, plan, as_of=as_of, use="0803")
    expected = check_sites(good, plan, as_of=as_of, use="0803")
    assert found["digest"].tolist() == expected["digest"].tolist()


def test_what_the_caller_says_wins_over_the_columns(good, plan: Plan, as_of) -> None:
    first = good[:1].assign(plot_ratio=[3.0])
    found = check_sites(first, plan, as_of=as_of, use="0803", attributes={"plot_ratio": "1.5"})
    site = read_site(first.geometry[0].wkt, plan, crs=plan.work_epsg)
    check = check_site(site, plan, use="0803", attributes={"plot_ratio": 1.5}, as_of=as_of)
    assert found["digest"].tolist() == [check.digest]


def test_a_table_without_rows_is_a_table_without_rows(good, plan: Plan, as_of, tmp_path) -> None:
    found = check_sites(good[:0], plan, as_of=as_of, out=tmp_path / "out.parquet")
    assert len(found) == 0
    assert len(geopandas.read_parquet(tmp_path / "out.parquet")) == 0


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb", ".zip", ".geojson"])
def test_every_format_gives_the_decisions_of_the_table(
    suffix: str, good, checked, plan: Plan, as_of, tmp_path: Path
) -> None:
    path = tmp_path / f"sites{suffix}"
    if suffix == ".parquet":
        good.to_parquet(path)
    elif suffix == ".zip":
        good.to_file(tmp_path / "sites.shp", encoding="utf-8")
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob("sites.[scdp][hpbr][pxfgj]"):
                archive.write(part, part.name)
    elif suffix == ".geojson":
        good.to_crs(4490).to_file(path, COORDINATE_PRECISION=12)
    else:
        options = {"SPATIAL_INDEX": "NO"} if suffix == ".fgb" else {}  # keeps the order
        good.to_file(path, **options)
    found = check_sites(path, plan, as_of=as_of)
    # Through degrees and back, areas move by less than the last digit; verdicts do not.
    key = "verdict" if suffix == ".geojson" else "digest"
    assert found[key].tolist() == checked[key].tolist()
    assert found["name"].tolist() == good["name"].tolist()


def test_several_files_of_any_kind_are_one_batch(good, plan: Plan, as_of, samples_dir, tmp_path):
    good[:2].to_file(tmp_path / "two.gpkg")
    (tmp_path / "damaged.gpkg").write_bytes(b"SQLite format 3\x00 and nothing else")
    txt = samples_dir / "yizhong_xinxiao.txt"
    found = check_sites([txt, tmp_path / "damaged.gpkg", tmp_path / "two.gpkg"], plan, as_of=as_of)
    assert found["file"].tolist() == [txt.name, "damaged.gpkg", "two.gpkg", "two.gpkg"]
    assert found["problem_code"].tolist() == [None, "format", None, None]
    site = read_site(txt, plan)
    assert found["digest"][0] == check_site(site, plan, as_of=as_of).digest


def test_one_bad_plot_of_a_text_file_does_not_stop_the_others(good, plan, as_of, tmp_path, place):
    shapes = [good.geometry[1], moved(BOW_TIE, place), good.geometry[2]]
    path = tmp_path / "three.geojson"
    frame = geopandas.GeoDataFrame({"name": list("甲乙丙")}, geometry=shapes, crs=plan.work_epsg)
    frame.to_crs(4490).to_file(path)
    found = check_sites(path, plan, as_of=as_of)
    assert found["problem_code"].tolist() == [None, "geometry", None]
    assert "相交" in found["problem"][1]


# --- bad rows ------------------------------------------------------------------------------------


def bad_rows(place: tuple[float, float]) -> dict[str, shapely.Geometry | None]:
    x, y = place
    return {
        "crossed": moved(BOW_TIE, place),
        "elsewhere": shapely.box(x + 3e6, y, x + 3e6 + 100, y + 100),
        "line": shapely.LineString([(x, y), (x + 100, y)]),
        "point": shapely.Point(x, y),
        "degrees": shapely.box(116.0, 36.3, 116.001, 36.301),
        "tiny": shapely.box(x, y, x + 0.01, y + 0.01),
        "mistyped": shapely.Polygon([(x, y), (x + 100, y), (x + 100, y + 9e5)]),
        "hole outside": shapely.Polygon(
            [(x, y), (x + 9, y), (x + 9, y + 9)], [[(x + 50, y), (x + 60, y), (x + 60, y + 9)]]
        ),
    }


def test_a_row_is_refused_for_the_reason_that_the_door_gives(good, plan, as_of, place) -> None:
    rows = bad_rows(place)
    shapes = [*rows.values(), None, good.geometry[3]]
    frame = geopandas.GeoDataFrame({"name": [*rows, "no shape", "good"]}, geometry=shapes)
    found = check_sites(frame.set_crs(plan.work_epsg), plan, as_of=as_of)
    for n, shape in enumerate(rows.values()):
        with pytest.raises(InputError) as caught:
            read_site(shape.wkt, plan, crs=plan.work_epsg)
        assert found["problem_code"][n] == caught.value.code, found["name"][n]
        assert found["problem"][n]
    assert found["problem_code"].tolist()[-2:] == ["geometry", None]
    assert found["digest"].isna().tolist() == [True] * (len(rows) + 1) + [False]
    assert found.geometry.isna().tolist() == found["digest"].isna().tolist()


def test_repeated_points_are_tidied_as_the_door_does_it(plan: Plan, as_of, place) -> None:
    x, y = place
    ring = shapely.Polygon([(x, y), (x + 80, y), (x + 80, y), (x + 80, y + 80), (x, y + 80)])
    frame = geopandas.GeoDataFrame(geometry=[ring], crs=plan.work_epsg)
    found = check_sites(frame, plan, as_of=as_of)
    site = read_site(ring.wkt, plan, crs=plan.work_epsg)
    assert found["digest"].tolist() == [check_site(site, plan, as_of=as_of).digest]
    assert shapely.get_num_coordinates(found.geometry[0]) == 5


def test_unknown_uses_and_values_out_of_range_concern_their_row_only(good, plan, as_of) -> None:
    frame = good[:4].assign(use=["0803", "9999", "0803", "0803"], green_rate=[0.3, 0.3, 35.0, None])
    found = check_sites(frame, plan, as_of=as_of)
    assert found["problem_code"].tolist() == [None, "claim", "claim", None]
    assert "9999" in found["problem"][1]


def test_a_crossed_outline_is_repaired_and_a_line_gets_its_width_on_request(plan, as_of, place):
    x, y = place
    line = shapely.LineString([(x, y), (x + 100, y)])
    frame = geopandas.GeoDataFrame(geometry=[moved(BOW_TIE, place), line], crs=plan.work_epsg)
    found = check_sites(frame, plan, as_of=as_of, repair=True, width_m=10.0)
    # Two triangles of 100 m x 50 m; a strip of 100 m x 10 m.
    assert found["planar_m2"].tolist() == [5000.0, 1000.0]


def test_a_table_without_crs_is_refused_as_a_whole(good, plan: Plan) -> None:
    with pytest.raises(CrsError, match="没有坐标系"):
        check_sites(good.set_crs(None, allow_override=True), plan)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"out": "x.xlsx"}, ".gpkg、.parquet 或 .csv"),
        ({"workers": 0}, "workers 为 0"),
        ({"workers": 2, "dask": "tcp://127.0.0.1:1"}, "workers 为 2"),
        ({"use": "9999"}, "9999"),
        ({"chunk_size": 0}, "chunk_size 为 0"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_read(options, words, good, plan: Plan) -> None:
    with pytest.raises(ClaimError, match=words):
        check_sites(good, plan, **options)


# --- results on disk -----------------------------------------------------------------------------


def test_the_three_formats_say_the_same(good, checked, plan: Plan, as_of, tmp_path: Path) -> None:
    for suffix in ("gpkg", "parquet", "csv"):
        check_sites(good, plan, as_of=as_of, rules=True, out=tmp_path / f"out.{suffix}")
    packed = geopandas.read_file(tmp_path / "out.gpkg")
    parquet = geopandas.read_parquet(tmp_path / "out.parquet")
    table_ = pd.read_csv(tmp_path / "out.csv", encoding="utf-8-sig", dtype=str)
    assert parquet["digest"].tolist() == packed["digest"].tolist() == checked["digest"].tolist()
    assert table_["摘要"].tolist() == checked["digest"].tolist()
    assert parquet.geometry.geom_equals(checked.geometry).all()
    assert packed.geometry.geom_equals(checked.geometry).all()
    assert list(parquet.columns) == list(checked.columns)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.gpkg", "out.parquet"]


def test_names_that_look_like_formulas_are_text_in_a_csv(good, plan, as_of, tmp_path) -> None:
    frame = good[:1].assign(name=["=cmd()"])
    check_sites(frame, plan, as_of=as_of, out=tmp_path / "out.csv")
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    assert "'=cmd()" in rows[1]


# --- interrupted ---------------------------------------------------------------------------------

PROGRAM = """
import sys, datetime, gis, geopandas
from pathlib import Path
from gis.batch import run_batch
def tell(done, total):
    print(done, flush=True)
run_batch([Path(sys.argv[1])], gis.load_plan(), out=Path(sys.argv[2]), chunk_size=2,
          as_of=datetime.date(2026, 11, 22), progress=tell)
"""


@pytest.fixture
def source(good, tmp_path: Path) -> Path:
    path = tmp_path / "sites.gpkg"
    good.to_file(path)
    return path


def killed(source: Path, out: Path, at_least: int) -> None:
    """Run a batch in a process of its own and kill it when so many rows are done."""
    words = [sys.executable, "-c", PROGRAM, str(source), str(out)]
    with subprocess.Popen(words, cwd=TESTS.parent, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) >= at_least:
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.close()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_a_killed_batch_goes_on_and_ends_byte_for_byte_as_one_that_was_not(
    suffix: str, source: Path, plan: Plan, as_of, tmp_path: Path
) -> None:
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    run_batch([source], plan, as_of=as_of, out=whole, chunk_size=2)
    killed(source, out, at_least=6)
    assert not out.exists()
    told: list[int] = []
    summary = run_batch(
        [source], plan, out=out, chunk_size=2, progress=lambda done, _: told.append(done)
    )
    assert summary.resumed >= 6
    assert told == list(range(summary.resumed, COUNT + 1, 2))
    assert summary.rows == COUNT
    # The day was not given again: it is that of the batch which goes on.
    assert summary.as_of == as_of
    assert out.read_bytes() == whole.read_bytes()
    assert not (tmp_path / f"{out.name}.batch").exists()


class StopError(Exception):
    """What an interruption raises."""


def interrupted(source: Path, plan: Plan, out: Path, **options) -> Path:
    """Stop a batch in the middle and return its folder."""

    def stop(done: int, total: int) -> None:
        if done >= total / 2:
            raise StopError

    with pytest.raises(StopError):
        run_batch([source], plan, out=out, chunk_size=2, progress=stop, **options)
    return out.with_name(f"{out.name}.batch")


def test_another_input_plan_day_or_option_is_refused_and_not_mixed(
    source: Path, good, plan: Plan, as_of, tmp_path: Path, package
) -> None:
    from gis.plan import load_plan

    out = tmp_path / "out.gpkg"
    folder = interrupted(source, plan, out, as_of=as_of)
    before = sorted(p.name for p in folder.iterdir())
    other = tmp_path / "other.gpkg"
    good.iloc[::-1].to_file(other)
    calls = [
        ("输入数据", other, plan, {}),
        ("规划数据包", source, load_plan(package.root), {}),
        ("法规时点", source, plan, {"as_of": as_of.replace(day=23)}),
        ("选项", source, plan, {"use": "0803"}),
    ]
    for words, file, with_plan, options in calls:
        with pytest.raises(ClaimError, match=words):
            run_batch([file], with_plan, out=out, chunk_size=2, **options)
    assert sorted(p.name for p in folder.iterdir()) == before
    assert not out.exists()


def test_a_damaged_chunk_is_judged_again(source: Path, plan: Plan, as_of, tmp_path: Path) -> None:
    out, whole = tmp_path / "out.csv", tmp_path / "whole.csv"
    folder = interrupted(source, plan, out, as_of=as_of)
    chunks = sorted(folder.glob("0*.jsonl"))
    chunks[0].write_bytes(chunks[0].read_bytes()[:-20])
    summary = run_batch([source], plan, out=out, chunk_size=2)
    assert summary.resumed == 2 * (len(chunks) - 1)
    run_batch([source], plan, as_of=as_of, out=whole)
    assert out.read_bytes() == whole.read_bytes()


def test_reservations_are_part_of_the_plan_that_a_batch_goes_on_with(
    source: Path, package, good, as_of, tmp_path: Path
) -> None:
    from gis.plan import load_plan, reservations

    plan = load_plan(package.root)
    interrupted(source, plan, tmp_path / "out.csv", as_of=as_of)
    site = read_site(good.geometry[0].wkt, plan, crs=plan.work_epsg)
    reservations.reserve(plan, site, project="甲", on=as_of)
    with pytest.raises(ClaimError, match="规划数据包"):
        run_batch([source], plan, out=tmp_path / "out.csv", chunk_size=2)
    shutil.rmtree(tmp_path / "out.csv.batch")
