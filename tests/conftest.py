"""What the tests share: the bundled plan, its samples, and the pinned day of the law."""

from __future__ import annotations

import gc
import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings

REPO = Path(__file__).resolve().parents[1]
SHARED_DATA = REPO.parent / "shared" / "data"
AS_OF = date(2026, 11, 22)

# The same examples in every run, unless somebody asks for more of them; none of them is timed.
settings.register_profile(
    "wuqu", derandomize="WUQU_EXAMPLES" not in os.environ, deadline=None, database=None
)
settings.load_profile("wuqu")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cpu-by-file", action="store_true", help="seconds of processor by file")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--cpu-by-file"):
        from cpu_times import CpuTimes

        config.pluginmanager.register(CpuTimes())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let long files begin first."""
    from file_order import sort_by_length

    sort_by_length(items)


def pytest_collection_finish() -> None:
    """Spare the collector the eleven thousand tests: each service that starts would go through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _settings_stay_in_their_test():
    """A service started in this process tells its workers by the environment; later tests not."""
    before = {name: value for name, value in os.environ.items() if name.startswith("WUQU_")}
    yield
    for name in [name for name in os.environ if name.startswith("WUQU_")]:
        if name not in before:
            del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def repo() -> Path:
    return REPO


@pytest.fixture(scope="session")
def as_of() -> date:
    return AS_OF


@pytest.fixture(scope="session")
def plan():
    """The bundled plan, opened once."""
    from gis.plan import load_plan

    return load_plan(REPO / "data")


@pytest.fixture(scope="session")
def plan_page(plan) -> str:
    """The map page of the bundled plan, drawn once."""
    from gis.output.maps import plan_map

    return plan_map(plan)


@pytest.fixture(scope="session")
def bare_plan_page(plan) -> str:
    """The map page of the bundled plan without its rasters, drawn once."""
    from gis.output.maps import plan_map

    return plan_map(plan, rasters=False)


@pytest.fixture(scope="session")
def land_pair_page(plan) -> str:
    """The page that compares land as it is with land as planned, drawn once."""
    from gis.output.maps import comparison_map

    return comparison_map(plan)


@pytest.fixture(scope="session")
def samples_dir() -> Path:
    return REPO / "data" / "samples"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real inputs made by others; they lie beside the project and are never copied into it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder with real inputs is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def french_plan_dir(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """The plan package of a French town, with its layers linked in."""
    source = REPO / "tests" / "plans" / "plu_30014"
    root = tmp_path_factory.mktemp("plu_30014")
    for item in source.rglob("*"):
        target = root / item.relative_to(source)
        if item.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(item.read_bytes())
    (root / "layers").symlink_to(shared_data / "plu_30014")
    return root


@pytest.fixture(scope="session")
def clean(plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled plan package with a few of its layers, in which no check finds anything."""
    from dirty_package import reduced

    layers = ("resort", "core", "zones", "planned_use", "green_line", "water", "roads")
    return reduced(plan.root, tmp_path_factory.mktemp("clean") / "plan", layers)


@pytest.fixture(scope="session")
def clean_parcels(plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parcels of the core alone, with what they have to cover."""
    from dirty_package import reduced

    layers = ("resort", "core", "planned_use")
    return reduced(plan.root, tmp_path_factory.mktemp("parcels") / "plan", layers)


@pytest.fixture
def package(clean: Path, tmp_path: Path):
    """A copy of ``clean`` to plant faults in."""
    return _copied(clean, tmp_path / "plan")


@pytest.fixture
def parcels(clean_parcels: Path, tmp_path: Path):
    """A copy of ``clean_parcels`` to plant faults in."""
    return _copied(clean_parcels, tmp_path / "parcels")


def _copied(source: Path, target: Path):
    from dirty_package import Package

    shutil.copytree(source, target)
    return Package(target)


@pytest.fixture(scope="module")
def client(plan, tmp_path_factory: pytest.TempPathFactory):
    """The service on the bundled plan, with a store of records for one file of tests."""
    from starlette.testclient import TestClient

    from api.app import create_app
    from api.settings import Settings

    settings = Settings(db=tmp_path_factory.mktemp("db") / "records.sqlite")
    with TestClient(create_app(settings, plan=plan), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def opened_plans():
    """Plans that the commands of this process open once."""
    from opened_plans import OpenedPlans

    return OpenedPlans()


@pytest.fixture
def wuqu(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, opened_plans):
    """Run a command in this process; return exit code, stdout, stderr."""
    from gis.cli import main

    opened_plans.lend_to_commands(monkeypatch)

    def call(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["wuqu", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            main()
        out = capsys.readouterr()
        return int(caught.value.code or 0), out.out, out.err

    return call


@pytest.fixture(scope="session")
def door_and_linter():
    """Whether the door takes a TXT, and the linter; both may raise InputError and nothing else."""
    from gis.errors import InputError
    from gis.intake.boundary.lint import lint_boundary_txt
    from gis.intake.read import read_sites

    def call(data: bytes, policy) -> tuple[bool, bool]:
        try:
            taken = bool(read_sites(data, policy))
        except InputError:
            taken = False
        try:
            accepted = lint_boundary_txt(data, policy).is_accepted
        except InputError:
            accepted = False
        return taken, accepted

    return call


@pytest.fixture
def make_raster(tmp_path: Path):
    """Write an array as GeoTIFF and open it as a raster of a plan package in ``tmp_path``."""
    import numpy as np
    import rasterio

    from gis.plan.raster.file import open_raster
    from gis.plan.schema import RasterEntry

    def call(
        pixels, *, transform=(10, 0, 400_000, 0, -10, 4_030_000), crs="EPSG:4548", mask=None,
        tags=None, name="r.tif", root=tmp_path, codes=None, creation=None, **entry,
    ):  # fmt: skip
        pixels = np.atleast_3d(pixels.T).T
        profile = {"driver": "GTiff", "dtype": pixels.dtype, "count": pixels.shape[0], "crs": crs}
        profile |= {"height": pixels.shape[1], "width": pixels.shape[2]} | (creation or {})
        if transform is not None:
            profile["transform"] = rasterio.Affine(*transform)
        with rasterio.open(root / name, "w", **profile) as out:
            out.write(pixels)
            if mask is not None:
                out.write_mask(mask)
            for key, value in (tags or {}).items():
                setattr(out, key, value)
        values = {"id": "r", "title": "栅格", "path": name, "kind": "bands", "status": "draft"}
        values |= {"date": "2026-06-01"} | entry
        if codes is not None:
            (root / "codes.csv").write_text(codes, encoding="utf-8")
            values |= {"kind": "classes", "table": "codes.csv"}
        return open_raster(RasterEntry.model_validate(values), root)

    return call


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium to look at pages with; missing is a failure where all is required."""
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            return path
    if os.environ.get("WUQU_REQUIRE_ALL") == "1":
        pytest.fail("Chromium is required here and was not found")
    pytest.skip("Chromium is not installed")


@pytest.fixture(scope="module")
def browser(chromium: str):
    """A Chromium for the pages of one file; one for all would keep an event loop for ever."""
    from browser_pages import launched

    with launched(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of our own; missing is a failure where all is required."""
    from postgres_server import NoServerError, server

    try:
        with server() as own:
            yield own
    except NoServerError as problem:
        if os.environ.get("WUQU_REQUIRE_ALL") == "1":
            pytest.fail(str(problem))
        pytest.skip(str(problem))


@pytest.fixture
def database(postgres) -> str:
    """The URL of a new, empty database."""
    import secrets

    import psycopg

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(**postgres.connection, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(scope="session")
def postgis(postgres) -> str:
    """The URL of a database with PostGIS; missing is a failure where all is required."""
    import psycopg

    with psycopg.connect(**postgres.connection, autocommit=True) as connection:
        connection.execute("CREATE DATABASE layers")
    with psycopg.connect(postgres.url("layers"), autocommit=True) as connection:
        try:
            connection.execute("CREATE EXTENSION postgis")
        except psycopg.Error:
            if os.environ.get("WUQU_REQUIRE_ALL") == "1":
                pytest.fail("PostGIS is required here and was not found")
            pytest.skip("PostGIS (Debian: postgresql-15-postgis-3) is not installed")
    return postgres.url("layers")


@pytest.fixture(scope="session")
def scarce_dir(tmp_path_factory: pytest.TempPathFactory):
    """Build a plan package whose budgets can be counted by hand; see the picture in its module.

    ``layers`` replaces or drops (None) the rows ``(class, box)`` of a layer, ``extra`` is added to
    plan.toml.
    """

    def build(*, layers=None, extra: str = "") -> Path:
        from scarce_plan import write

        return write(tmp_path_factory.mktemp("scarce"), layers, extra)

    return build
