"""the page for people at `/`"""

from importlib.resources import files

from aiohttp import web


class Console:
    """Serves one self-contained page, which asks /_sandbox for what it shows. Reads it when made."""

    def __init__(self) -> None:
        self._page = files(__package__).joinpath("console.html").read_text("utf-8")

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.page), web.get("/favicon.ico", self.no_icon)]

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._page, content_type="text/html")

    async def no_icon(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)
