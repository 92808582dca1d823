"""a local Precoro: the page for people at `/`."""

from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from precoro_daemon.sandbox.server import Sandbox


class Console:
    """Serves one self-contained page, which asks /_sandbox for what it shows."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.page), web.get("/favicon.ico", self.no_icon)]

    async def page(self, _request: web.Request) -> web.Response:
        text = files(__package__).joinpath("console.html").read_text("utf-8")
        return web.Response(text=text, content_type="text/html")

    async def no_icon(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)
