"""A running service for tests in a browser, and which requests of a page go elsewhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from waiting import until

from api.app import create_app
from api.settings import Settings


@contextmanager
def serving(plan, folder: Path) -> Iterator[str]:
    """Serve until the block ends; the socket is opened here, so no port is taken in between."""
    app = create_app(Settings(db=folder / "records.sqlite"), plan=plan)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert thread.is_alive()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


def is_outside(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:", "about:"))
