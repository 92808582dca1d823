"""A real browser without a window, steered through chromedriver by the few W3C WebDriver calls that are needed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = await anyio.open_process(
            ["chromedriver", f"--port={port}"], env=os.environ | {"HOME": profile}, stdout=None, stderr=None
        )
        try:
            async with aiohttp.ClientSession() as http:
                yield await _begin(http, f"http://127.0.0.1:{port}", profile)
                with anyio.CancelScope(shield=True):
                    async with http.get(f"http://127.0.0.1:{port}/shutdown"):
                        pass
        finally:
            with anyio.CancelScope(shield=True):
                with anyio.move_on_after(5):
                    await driver.wait()
                if driver.returncode is None:
                    driver.kill()
                await driver.aclose()


async def _begin(http: aiohttp.ClientSession, driver: str, profile: str) -> Browser:
    asked = {
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {
            "binary": shutil.which("chromium"),
            "args": [*_FLAGS, f"--user-data-dir={profile}/chrome"],
        },
    }
    with anyio.fail_after(60):
        while True:
            try:
                async with http.post(f"{driver}/session", json={"capabilities": {"alwaysMatch": asked}}) as answer:
                    said = await answer.json()
                break
            except aiohttp.ClientConnectionError:
                await anyio.sleep(0.1)
    assert answer.status == 200, said
    return Browser(http, f"{driver}/session/{said['value']['sessionId']}")
