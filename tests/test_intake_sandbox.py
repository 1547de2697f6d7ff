"""The child process: tamed from inside and outside, killed at its deadline, never trusted."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from waiting import until

from gis.errors import BusyError, FormatError, InputError, LimitError
from gis.intake.outside import dxf, filegdb, geopackage, sandbox, shapefile
from gis.intake.outside.answer import RESULT_BYTES, Task

TASK = Task("Shapefile", "layer.shp")
REAL_CHILD = sandbox._CHILD
GOOD = {"name": "a", "crs": "", "fields": [], "columns": [], "wkb": [], "points": 0, "flags": []}
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system has no such fence")

ANSWER = """
import json, sys, os, time, signal
def answer(value):
    with open("answer.json", "w") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
GOOD = {"layers": [{"name": "a", "crs": "", "fields": [], "columns": [], "wkb": [], "points": 0,
                    "flags": []}]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where temporary folders are made; must be empty after every test."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


@pytest.fixture
def fake(tmp_path, monkeypatch, folder):  # noqa: ARG001 - watched after every test
    """Puts a script in the place of the child."""

    def put(source):
        script = tmp_path / "child.py"
        script.write_text(ANSWER + source, encoding="utf-8")
        monkeypatch.setattr(sandbox, "_CHILD", script)

    return put


def run(seconds=8.0, task=TASK, files=None):
    return sandbox.read_in_child(files or {}, task, deadline=time.monotonic() + seconds)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has collected yet is as dead as it gets.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


# --- what may happen to a child -------------------------------------------------------------------


def test_an_answer_is_read(fake):
    fake("answer(GOOD)")
    assert [layer.name for layer in run()] == ["a"]


def test_a_crash_is_an_input_error(fake):
    fake("os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(FormatError, match="无法读取"):
        run()


def test_a_child_that_ends_with_an_error_is_not_believed(fake):
    fake("answer(GOOD); sys.exit(3)")
    with pytest.raises(FormatError, match="无法读取"):
        run()


@pytest.mark.parametrize(
    "source",
    [
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "while True: pass",
        "answer(GOOD)\nwhile True: time.sleep(1)",
        "os.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["deaf", "busy", "late", "stopped"],
)
def test_a_child_that_does_not_end_is_killed_at_its_deadline(fake, source):
    fake(source)
    start = time.monotonic()
    with pytest.raises(FormatError, match="已终止"):
        run(0.7)
    assert time.monotonic() - start < 0.7 + 2


@linux
def test_a_child_that_takes_all_memory_fails_alone(fake):
    fake("rows = []\nwhile True: rows.append(bytearray(32 << 20))")
    # Stopped by its own limit: the deadline would be told in other words.
    with pytest.raises(FormatError, match="无法读取"):
        run(60)


@linux
def test_the_limits_are_set_from_outside_before_the_child_does_anything(fake):
    fake(
        "import resource\ntime.sleep(0.2)\n"
        "names = 'AS CPU FSIZE NOFILE NPROC CORE'.split()\n"
        "told = {n: resource.getrlimit(getattr(resource, 'RLIMIT_' + n))[1] for n in names}\n"
        "answer({'layers': [GOOD['layers'][0] | {'crs': json.dumps(told)}]})"
    )
    assert json.loads(run()[0].crs) == {
        "AS": 1024**3,
        "CPU": 8,
        "FSIZE": RESULT_BYTES,
        "NOFILE": 256,
        "NPROC": 0,
        "CORE": 0,
    }


@linux
def test_an_answer_without_end_is_cut_off_by_the_limit(fake):
    fake(
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with open('answer.json', 'wb') as file:\n"
        "    try:\n        while True: file.write(b'x' * 2**20)\n"
        "    except OSError: pass\n"
        "os._exit(0)"
    )
    with pytest.raises(LimitError, match="过大"):
        run()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "NaN",
        "[" * 100_000,
        '{"a": ' * 100_000,
        "{}",
        '{"layers": 5}',
        '{"layers": [5]}',
        '{"layers": [{"name": "a"}]}',
        json.dumps({"layers": [GOOD | {"wkb": ["zz"]}]}),
        json.dumps({"layers": [GOOD | {"wkb": [5]}]}),
        json.dumps({"layers": [GOOD | {"wkb": [None], "columns": [[1, 2]], "fields": ["a"]}]}),
        json.dumps({"layers": [GOOD | {"columns": 5}]}),
        json.dumps({"layers": [GOOD | {"points": "many"}]}),
        json.dumps({"layers": [GOOD | {"flags": None}]}),
        '{"error": "features", "found": "x"}',
        '{"error": "nobody knows", "found": {}}',
    ],
)
def test_garbage_in_the_answer_is_an_input_error(fake, text):
    fake("answer(open('given').read())")
    with pytest.raises(FormatError):
        run(files={"given": text.encode()})


def test_bytes_that_are_no_text_are_an_input_error(fake):
    fake("open('answer.json', 'wb').write(bytes(range(256)))")
    with pytest.raises(FormatError):
        run()


@linux
@pytest.mark.parametrize(
    "source",
    [
        "os.symlink('/etc/passwd', 'answer.json')",
        "os.mkfifo('answer.json')",
        "os.mkdir('answer.json')",
    ],
)
def test_an_answer_that_is_no_plain_file_is_not_opened(fake, source):
    fake(source)
    start = time.monotonic()
    with pytest.raises(FormatError) as error:
        run()
    assert "root" not in str(error.value)
    assert time.monotonic() - start < 5


@linux
@pytest.mark.parametrize("end", ["answer(GOOD)", "while True: time.sleep(1)", "os._exit(1)"])
def test_what_the_child_has_started_dies_with_it(fake, tmp_path, end):
    told = tmp_path / "pid"
    fake(
        "import resource, subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(told)!r}, 'w').write(str(child.pid))\n" + end
    )
    with contextlib.suppress(InputError):
        run(2)
    # Where the limit on processes holds, nothing has been started at all.
    if told.exists():
        until(lambda: not is_alive(int(told.read_text())), within_s=5)


def test_a_child_that_is_not_there_is_an_input_error(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "_CHILD", tmp_path / "absent.py")
    with pytest.raises(FormatError):
        run()


def test_a_reader_that_cannot_be_loaded_is_told_apart_from_a_damaged_file():
    with pytest.raises(LimitError, match="启动"):
        run(task=Task("x", "x", reader="absent"))


def test_a_disk_without_room_is_an_input_error(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(BusyError, match="资源"):
        run()


def test_a_system_without_resources_is_an_input_error(monkeypatch):
    def refuse(*_, **__):
        raise OSError

    monkeypatch.setattr(sandbox.subprocess, "Popen", refuse)
    with pytest.raises(BusyError, match="资源"):
        run()


# --- several at once ------------------------------------------------------------------------------


def test_no_more_than_two_children_run_at_once(fake, tmp_path):
    told = tmp_path / "told"
    told.mkdir()
    fake(
        "begin = time.monotonic()\ntime.sleep(0.25)\n"
        f"name = os.path.join({str(told)!r}, str(os.getpid()))\n"
        "open(name, 'w').write(f'{begin} {time.monotonic()}')\nanswer(GOOD)"
    )
    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = [tuple(map(float, path.read_text().split())) for path in told.iterdir()]
    assert len(spans) == 5
    for begin, _ in spans:
        assert sum(b <= begin < e for b, e in spans) <= 2


def test_who_waits_too_long_for_a_place_is_sent_away_within_the_deadline(fake):
    fake("answer(GOOD)")
    with contextlib.ExitStack() as taken:
        for _ in range(2):
            sandbox._SEATS.acquire()
            taken.callback(sandbox._SEATS.release)
        start = time.monotonic()
        with pytest.raises(BusyError, match="过多"):
            run(2.2)
        assert time.monotonic() - start < 1.5
    assert run()[0].name == "a"


def test_a_place_is_free_again_after_every_failure(fake):
    fake("os._exit(1)")
    for _ in range(5):
        with pytest.raises(FormatError):
            run()


# --- its end with the parent ----------------------------------------------------------------------


@linux
def test_the_child_dies_with_its_parent(tmp_path):
    told = tmp_path / "pid"
    reader = tmp_path / "child_stuck.py"
    reader.write_text(
        f"import os, time\ndef read(_):\n    time.sleep(60)\nopen({str(told)!r}, 'w')"
        ".write(str(os.getpid()))\n"
    )
    child = tmp_path / "child.py"
    child.write_text(REAL_CHILD.read_text(encoding="utf-8"), encoding="utf-8")
    parent = tmp_path / "parent.py"
    parent.write_text(
        "from pathlib import Path\nfrom gis.intake.outside import sandbox\n"
        "from gis.intake.outside.answer import Task\n"
        f"sandbox._CHILD = Path({str(child)!r})\n"
        "sandbox.read_in_child({}, Task('x', 'x', reader='stuck'))\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(parent)],
        cwd=Path(__file__).parents[1],
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    until(lambda: told.exists() and told.read_text() != "")
    pid = int(told.read_text())
    assert is_alive(pid)
    process.kill()
    process.wait()
    until(lambda: not is_alive(pid), within_s=5)


@linux
def test_a_child_whose_parent_has_gone_already_ends_at_once():
    code = "import runpy, sys; runpy.run_path(sys.argv[1])['die_with_parent'](1 << 22)"
    ended = subprocess.run([sys.executable, "-c", code, str(REAL_CHILD)], timeout=10)
    assert ended.returncode == 1


# --- the fences inside ----------------------------------------------------------------------------


def tamed(code, folder):
    """Run code in a process that has done all that the child does before it reads."""
    start = (
        "import json, os, runpy, sys\n"
        "child = runpy.run_path(sys.argv[1])\n"
        "child['tame']({'parent': os.getppid(), 'limits': json.loads(sys.argv[2])})\n"
        "child['give_up_files'](os.getcwd(), child['libraries']())\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", start + code, str(REAL_CHILD), json.dumps(sandbox._LIMITS)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=20,
    )


def has_landlock():
    import ctypes

    return sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_nothing_outside_its_folder_can_be_read_or_written(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    (other / "secret").write_text("x")
    places = [(f"{other}/secret", "r"), (f"{other}/new", "w"), ("/etc/passwd", "r")]
    ended = tamed(
        "open('mine', 'w').write('x'); print(open('mine').read())\n"
        f"for path, mode in {[*places, (f'{tmp_path}/new', 'w')]!r}:\n"
        "    try: open(path, mode); print('open', path)\n"
        "    except PermissionError: print('shut')\n",
        own,
    )
    assert ended.stdout.split() == ["x", "shut", "shut", "shut", "shut"]


@linux
def test_there_is_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = tamed(
            f"import socket\ntry: socket.create_connection(('127.0.0.1', {port}), 2); print('on')\n"
            "except OSError: print('off')\n",
            tmp_path,
        )
    if ended.stdout.strip() == "on" and not has_landlock():
        pytest.skip("the system lets no user leave the network")
    assert ended.stdout.strip() == "off"


@linux
def test_no_further_process_can_be_started(tmp_path):
    if os.getuid() == 0 and not has_landlock():
        pytest.skip("the limit on processes does not hold for root")
    ended = tamed(
        "import subprocess\ntry: subprocess.run(['/bin/true']); print('ran')\n"
        "except OSError: print('refused')\n",
        tmp_path,
    )
    assert ended.stdout.strip() == "refused"


# --- what GDAL may do -----------------------------------------------------------------------------

TASKS = [shapefile._TASK, filegdb._TASK, dxf._TASK]
VRT = (
    b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource relativeToVRT="0">CSV:/etc/passwd'
    b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.driver)
def test_only_the_wanted_driver_is_left(task, tmp_path):
    code = "import pyogrio; print('|'.join(sorted(pyogrio.list_drivers())))"
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        env=sandbox._environment(tmp_path, task),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ended.stdout.strip().split("|")) == {"MEM", task.driver}


def test_the_child_sees_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("GDAL_SKIP", "")
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    environment = sandbox._environment("/tmp", TASK)
    assert "OGR_VRT" in environment["GDAL_SKIP"]
    assert not environment.keys() & {"SECRET", "HTTP_PROXY"}


@pytest.mark.parametrize("task", [*TASKS, geopackage._TASK], ids=lambda task: task.title)
@pytest.mark.parametrize(
    "content",
    [VRT, b'{"type":"Point","coordinates":[1,2]}', b"a,b\n1,2\n", b"", b"<kml/>"],
    ids=["vrt", "geojson", "csv", "empty", "kml"],
)
@pytest.mark.usefixtures("folder")
def test_other_formats_under_the_wanted_name_are_refused(task, content):
    # Handed to the child directly, past the check of the first bytes.
    path = f"{task.path}/a00000001.gdbtable" if task.path.endswith(".gdb") else task.path
    with pytest.raises(FormatError) as error:
        run(task=task, files={path: content})
    assert "root" not in str(error.value)


# --- the whole service ----------------------------------------------------------------------------


def shapefile_zip(folder):
    import io
    import zipfile

    import geopandas as gpd
    from shapely.geometry import box

    square = box(408498.27, 4030411.11, 408698.27, 4030511.11)
    gpd.GeoDataFrame({"XMMC": ["x"]}, geometry=[square], crs=4548).to_file(folder / "dk.shp")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        for path in folder.glob("dk.*"):
            target.write(path, path.name)
    return data.getvalue()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def answers(port, path):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", path)
        return connection.getresponse().status == 200
    return False


def upload(port, content):
    import http.client

    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n'
        b"Content-Type: application/zip\r\n\r\n"
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with (
        contextlib.closing(connection),
        contextlib.suppress(OSError, http.client.HTTPException),
    ):
        connection.request(
            "POST",
            "/v1/site-checks",
            head + content + b"\r\n--b--\r\n",
            {"Content-Type": "multipart/form-data; boundary=b"},
        )
        connection.getresponse().read()


@linux
def test_the_service_ends_within_ten_seconds_of_sigterm_even_with_a_stuck_child(tmp_path, repo):
    told = tmp_path / "pid"
    child = tmp_path / "child.py"
    child.write_text(
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(told)!r}, 'w').write(str(os.getpid()))\nwhile True: time.sleep(1)\n"
    )
    (tmp_path / "temporary").mkdir()
    port = free_port()
    server = tmp_path / "server.py"
    server.write_text(
        "from pathlib import Path\nfrom api.serve import serve\n"
        "from gis.intake.outside import sandbox\n"
        f"sandbox._CHILD = Path({str(child)!r})\n"
        f"serve(port={port}, plan=Path({str(repo / 'data')!r}))\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(server)],
        cwd=repo,
        env=os.environ
        | {"WUQU_DB": str(tmp_path / "records.sqlite"), "TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port, "/healthz"))
        thread = threading.Thread(target=upload, args=(port, shapefile_zip(tmp_path)), daemon=True)
        thread.start()
        until(lambda: told.exists() and told.read_text() != "")
        pid = int(told.read_text())
        assert is_alive(pid)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
        assert time.monotonic() - start < 10
        until(lambda: not is_alive(pid), within_s=5)
        thread.join(10)
        assert list((tmp_path / "temporary").iterdir()) == []
    finally:
        process.kill()
        process.wait()
