"""Does any text make a reader fail in a way that nobody intended? Coverage-guided, with atheris.

Target: ``read_sites(bytes)`` returns sites or raises InputError. Any other exception, more than ten
seconds or more than a gigabyte is a failure; its input is kept under ``found/``. Starts from the
seeds and words of the format and forgets what it learns, so that every run stands for itself.

Usage: ``python benchmarks/soak/fuzz_intake.py txt|kml [--seconds 600]``
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
FOUND = HERE / "found"
SEEDS = {"txt": REPO / "tests" / "corpus" / "txt", "kml": HERE / "seeds" / "kml"}
MAX_INPUT_BYTES = 32 * 1024
MAX_INPUT_S = 10
MAX_MEMORY_MB = 1024
_MAX_FAILURES = 20


def fuzz(kind: str, seconds: float) -> dict[str, Any]:
    """Run the fuzzer for so long, again after every failure, and return what happened."""
    begun = time.monotonic()
    runs, failures = 0, []
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        _prepare(kind, Path(folder), corpus)
        while (left := seconds - (time.monotonic() - begun)) >= 1 and len(failures) < _MAX_FAILURES:
            done, found = _once(kind, Path(folder), corpus, int(left))
            runs += done
            if not found:
                break
            failures += [_kept(kind, path, corpus) for path in found]
        return {
            "what": f"fuzz {kind}",
            "runs": runs,
            "inputs": len(list(corpus.iterdir())),
            "seconds": round(time.monotonic() - begun),
            "failures": failures,
        }


def _prepare(kind: str, folder: Path, corpus: Path) -> None:
    corpus.mkdir()
    (folder / "artifacts").mkdir()
    for path in sorted(SEEDS[kind].rglob("*")):
        if path.is_file() and path.stat().st_size <= MAX_INPUT_BYTES:
            shutil.copy(path, corpus / f"{len(list(corpus.iterdir())):04}")
    if not any(corpus.iterdir()):
        raise SystemExit(f"no seeds for {kind}")
    words = (HERE / "seeds" / f"{kind}.words").read_bytes().split()
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in words)
    (folder / "tokens.dict").write_text("".join(f'"{word}"\n' for word in quoted))


def _once(kind: str, folder: Path, corpus: Path, seconds: int) -> tuple[int, list[Path]]:
    """Run one child until the time is up or something fails."""
    artifacts = folder / "artifacts"
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={MAX_INPUT_S}",
        f"-rss_limit_mb={MAX_MEMORY_MB}",
        f"-artifact_prefix={artifacts}/",
        f"-dict={folder / 'tokens.dict'}",
        "-print_final_stats=1",
    ]
    done = subprocess.run(
        [sys.executable, __file__, "--child", kind, *options, str(corpus)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd=folder,
    )
    stated = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    found = sorted(artifacts.iterdir())
    if done.returncode and not found:
        raise SystemExit(f"the fuzzer did not run:\n{done.stderr[-3000:]}")
    if found:
        sys.stderr.write(done.stderr[-3000:])
    return int(stated[1]) if stated else 0, found


def _kept(kind: str, path: Path, corpus: Path) -> str:
    """Move a failing input where it can be looked at, and return its name."""
    for seed in corpus.iterdir():
        if seed.read_bytes() == path.read_bytes():
            seed.unlink()  # the next child would stop at it again
    FOUND.mkdir(exist_ok=True)
    name = f"{kind}-{path.name}"
    shutil.move(path, FOUND / name)
    return name


def child(arguments: list[str]) -> None:
    """Fuzz in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["gis.intake"]):
        from gis.crs import CrsPolicy
        from gis.errors import InputError
        from gis.intake.read import read_sites

    accepted = (4490, 4326, 4527, 4548, 4526, 4547, 4498, 4509)
    policy = CrsPolicy(4548, accepted, (115.80, 36.22, 116.18, 36.47))

    def one_input(data: bytes) -> None:
        try:
            sites = read_sites(data, policy)
        except InputError as error:
            json.dumps([fault.to_dict() for fault in error.faults], allow_nan=False)
            return
        for site in sites:
            if not (site.geometry.is_valid and site.area.ellipsoidal_m2 > 0):
                raise AssertionError("a site that cannot be judged")

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def main() -> None:
    """Run, print one JSON line, and fail when anything was found."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=sorted(SEEDS))
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    result = fuzz(options.kind, options.seconds)
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.exit(1 if result["failures"] else 0)


if __name__ == "__main__":
    main()
