"""The child process: how is it tamed before it touches the file?

Run by path, isolated (``python -I``): it knows nothing of the house and cannot harm it. It leaves
the network, dies with its parent, takes its limits, loads the library that reads, gives up every
file but its own folder and that library, and only then reads. The answer is written as JSON; an
error becomes an answer too.

Argument: the request as JSON, see ``gis.intake.outside.sandbox``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import runpy
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# pyogrio tries to import these and does without; they cost more than the reading.
_HEAVY = ("geopandas", "pandas", "pyarrow", "pyproj", "shapely")
_LIBRARIES = ("numpy", "pyogrio")
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_PARENT_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES = 1, 38
# Landlock, linux/landlock.h. The numbers are the same on these two machines.
_MACHINES = ("x86_64", "aarch64")
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
# Rights over files that each version of the interface knows; the second version added one, …
_ALL_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_BIND_TCP, _CONNECT_TCP = 1, 2


def leave_network() -> None:
    """Enter a network of its own, without any device, where the system allows it."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NET)


def die_with_parent(parent: int) -> None:
    """Ask the system for a kill when the parent ends; end at once if it has ended already."""
    if sys.platform == "win32":
        return
    if sys.platform == "linux":
        with contextlib.suppress(Exception):
            ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def set_limits(limits: Mapping[str, int]) -> None:
    """Limit memory, processor time, files and processes, where the system can."""
    try:
        import resource
    except ImportError:  # Windows: the parent's deadline alone
        return
    for name, value in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def give_up_files(folder: str, readable: Sequence[str]) -> None:
    """Give up every file but those of the folder, and reading below ``readable`` (Landlock).

    Whatever a file talks a library into: nothing else can be read or written. Where the system
    does not know Landlock, the other fences stand alone.
    """
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return
    rights = _ALL_RIGHTS[min(version, 5)]
    head = struct.pack("QQ", rights, _BIND_TCP | _CONNECT_TCP)[: 16 if version >= 4 else 8]
    rules = libc.syscall(_CREATE_RULESET, head, len(head), 0)
    if rules < 0:
        return
    allowed = [(folder, rights & ~_EXECUTE)] + [(p, _READ_FILE | _READ_DIR) for p in readable]
    for path, right in allowed:
        with contextlib.suppress(OSError):
            place = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", right, place), 0)
            os.close(place)
    libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)


def libraries() -> list[str]:
    """Return the folders of Python and of the library: data and code that may be loaded late."""
    loaded = (getattr(sys.modules.get(name), "__file__", None) for name in _LIBRARIES)
    own = {str(Path(file).parent) for file in loaded if file}
    return sorted({sys.prefix, sys.base_prefix, "/usr", *own})


def tame(request: Mapping[str, Any]) -> None:
    """Do all that must be done before a library is loaded."""
    # Entering a new user namespace may clear the wish to die with the parent, so it comes first.
    leave_network()
    die_with_parent(int(request["parent"]))
    set_limits(request["limits"])


def answer_to(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return layers, or an error with what was found."""
    for heavy in _HEAVY:
        sys.modules[heavy] = None  # type: ignore[assignment]  # None forbids an import
    try:
        reader = runpy.run_path(str(Path(__file__).with_name(f"child_{request['reader']}.py")))
    except Exception as error:
        return {"error": "start", "found": type(error).__name__}
    try:
        give_up_files(str(Path.cwd()), libraries())
        answer: Mapping[str, Any] = reader["read"](request)
    except MemoryError:
        return {"error": "memory"}
    except Exception as error:  # the answer goes to the parent, which knows what to say
        return {"error": "unreadable", "found": type(error).__name__}
    return answer


def _as_bytes(answer: Mapping[str, Any]) -> bytes:
    # Escapes would make six bytes of every character; a stray byte of a text stays as it is.
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")


def main() -> int:
    """Read the file of the request and write the answer."""
    request = json.loads(sys.argv[1])
    tame(request)
    text = _as_bytes(answer_to(request))
    if len(text) >= request["limits"]["FSIZE"]:
        text = _as_bytes({"error": "size"})
    Path(request["result"]).write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
