"""Drive Firefox by its own remote protocol, Marionette, which needs no other program.

A message is ``length:[type, id, command, parameters]`` in JSON over a socket on this machine; the
answer has the same form with error and result in the last two places.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from waiting import until

# No call home: what the browser itself would fetch is no request of the page.
PREFERENCES = {
    "marionette.port": 0,
    "app.update.enabled": False,
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage": "about:blank",
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disabled": True,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """One window of a running Firefox."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb")
        self._number = 0
        self._receive()  # the greeting
        self.ask("WebDriver:NewSession", {})

    def ask(self, command: str, parameters: dict[str, Any]) -> Any:
        """Return the result of one command; raise RuntimeError with the error of the browser."""
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{command}: {error['message']}")
        return result.get("value") if isinstance(result, dict) else result

    def _receive(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise RuntimeError("the browser closed the connection")
            length += byte
        return json.loads(self._stream.read(int(length)))

    def open(self, address: str) -> None:
        self.ask("WebDriver:Navigate", {"url": address})

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a script returns in the page."""
        given = {"script": script, "args": list(arguments), "sandbox": None}
        return self.ask("WebDriver:ExecuteScript", given)

    def wait(self, script: str, seconds: float = 20) -> None:
        """Wait until a script returns something true."""
        until(lambda: self.run(script), f"still waiting for: {script}", seconds)

    def find(self, selector: str) -> str:
        found = self.ask("WebDriver:FindElement", {"using": "css selector", "value": selector})
        return str(next(iter(found.values())))

    def click(self, selector: str) -> None:
        self.ask("WebDriver:ElementClick", {"id": self.find(selector)})

    def type(self, selector: str, text: str) -> None:
        """Type into a field; for a field of files, the path of one."""
        self.ask("WebDriver:ElementSendKeys", {"id": self.find(selector), "text": text})

    def resize(self, width: int, height: int) -> None:
        self.ask("WebDriver:SetWindowRect", {"width": width, "height": height})

    def picture(self) -> bytes:
        """Return the window as PNG."""
        return base64.b64decode(self.ask("WebDriver:TakeScreenshot", {"full": False}))


@contextmanager
def firefox(program: str, folder: Path) -> Iterator[Firefox]:
    """Start a headless Firefox with a profile of its own, and end it with the block."""
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
    (folder / "user.js").write_text("\n".join(lines), "utf-8")
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        with socket.create_connection(("127.0.0.1", _port(folder, process)), 60) as connection:
            yield Firefox(connection)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(folder: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> int:
    """Return the port that the browser chose and wrote into its profile."""
    named = folder / "MarionetteActivePort"

    def chosen() -> bool:
        assert process.poll() is None, (folder / "output").read_text("utf-8", "replace")
        return named.exists() and named.read_text("utf-8").strip() != ""

    until(chosen, "Firefox did not open its port", seconds)
    return int(named.read_text("utf-8"))
