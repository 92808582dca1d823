"""the listener on this machine that receives the browser at the end of a login"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from aiohttp import web

from precoro_daemon.errors import ListenerUnusable, LoginFailed

_CALLBACK = "/callback"
_LOGIN_PATIENCE_S = 600.0
"""Seconds for the user, who may need a second factor and a password manager."""

_CLOSING_PAGE = """<!doctype html><meta charset="utf-8"><title>precoro-daemon</title>
<p style="font: 1.2em sans-serif; margin: 3em">{}</p>"""
_MAY_CLOSE = "You may close this window, and go on in the terminal."
_NOT_OURS = "This is not the login that precoro-daemon waits for."


def redirect_to(port: int) -> str:
    """Returns the redirect address to register: Xero accepts plain http only for localhost."""
    return f"http://localhost:{port}{_CALLBACK}"


class Loopback:
    """Waits for one redirect. Other requests have no effect."""

    def __init__(self, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        self._final = ""
        self._came = anyio.Event()

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        ours = request.path == _CALLBACK and self._is_ours(request.path_qs)
        if ours and not self._final:
            self._final = f"http://localhost{request.path_qs}"
            self._came.set()
        said = _CLOSING_PAGE.format(_MAY_CLOSE if ours else _NOT_OURS)
        # The address holds the code: no other page may learn of it.
        headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return web.Response(text=said, content_type="text/html", status=200 if ours else 404, headers=headers)

    async def final_address(self) -> str:
        """Returns the address of the redirect. Raises LoginFailed if none arrives."""
        with anyio.move_on_after(_LOGIN_PATIENCE_S):
            await self._came.wait()
            # The page is on its way to the browser; the listener must not close before it.
            await anyio.sleep(0.2)
            return self._final
        raise LoginFailed("nobody logged in within ten minutes: begin again")

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Listens on 127.0.0.1 only. Raises ListenerUnusable."""
        runner = web.ServerRunner(web.Server(self._serve, access_log=None))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            await runner.cleanup()
            why = (error.strerror or "").lower()
            raise ListenerUnusable(f"port {port} cannot be listened on: {why}; give another one by --port") from None
        try:
            yield
        finally:
            await runner.cleanup()
