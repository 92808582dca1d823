"""A real browser without a window, steered through chromedriver by the few W3C WebDriver calls that are needed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import anyio

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def browser_missing() -> str:
    """Why there is no browser here, "" if there is."""
    lacking = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed here: {', '.join(lacking)}" if lacking else ""


@dataclass
class Browser:
    http: aiohttp.ClientSession
    session: str

    async def _call(self, path: str, body: dict[str, Any]) -> Any:
        async with self.http.post(f"{self.session}/{path}", json=body) as answer:
            said = await answer.json()
        assert answer.status == 200, said
        return said["value"]

    async def screen(self, width: int, *, dark: bool = False, height: int = 900) -> None:
        await self._cdp(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self._cdp("Emulation.setEmulatedMedia", features=[scheme])

    async def _cdp(self, command: str, **params: Any) -> Any:
        return await self._call("goog/cdp/execute", {"cmd": command, "params": params})

    async def open(self, url: str) -> None:
        await self._call("url", {"url": url})

    async def run(self, script: str) -> Any:
        return await self._call("execute/sync", {"script": script, "args": []})

    async def log(self) -> list[dict[str, Any]]:
        """What the page's own console complained of since the last call."""
        return list(await self._call("se/log", {"type": "browser"}))

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """The whole page, however long."""
        told = await self._cdp("Page.captureScreenshot", captureBeyondViewport=whole)
        await anyio.Path(path).write_bytes(b64decode(told["data"]))


@contextmanager
def running_browser() -> Iterator[str]:
    """The address under which it is steered. Whatever it started ends with the block, also if that fails."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], env=os.environ | {"HOME": profile}, start_new_session=True
        )
        try:
            session = anyio.run(_begin, f"http://127.0.0.1:{port}", profile)
            yield session
            anyio.run(_end, session)
        finally:
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()


@asynccontextmanager
async def browser(session: str) -> AsyncIterator[Browser]:
    """One that runs already; pages before left nothing in it that matters here."""
    async with aiohttp.ClientSession() as http:
        shown = Browser(http, session)
        await shown.open("about:blank")
        await shown.log()
        yield shown


async def _end(session: str) -> None:
    async with aiohttp.ClientSession() as http, http.delete(session):
        pass


async def _begin(driver: str, profile: str) -> str:
    asked = {
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {
            "binary": shutil.which("chromium"),
            "args": [*_FLAGS, f"--user-data-dir={profile}/chrome"],
        },
    }
    wanted = {"capabilities": {"alwaysMatch": asked}}
    async with aiohttp.ClientSession() as http:
        with anyio.fail_after(120):
            while True:
                try:
                    async with http.post(f"{driver}/session", json=wanted) as answer:
                        said = await answer.json()
                    break
                except aiohttp.ClientConnectionError:
                    await anyio.sleep(0.1)
    assert answer.status == 200, said
    return f"{driver}/session/{said['value']['sessionId']}"
