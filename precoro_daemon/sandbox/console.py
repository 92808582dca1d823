"""the page for people at `/`"""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from precoro_daemon.sandbox.shapes import Json, dumps


class Console:
    """Serves one self-contained page that shows `glance` and then polls /_sandbox every two seconds.

    The page's text is read when this object is created.
    """

    def __init__(self, glance: Callable[[], Json]) -> None:
        self._glance = glance
        self._page = Path(__file__).with_name("console.html").read_text("utf-8")

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.page), web.get("/favicon.ico", self.no_icon)]

    async def page(self, _request: web.Request) -> web.Response:
        # Within a script "<" could begin its end tag.
        first = dumps(self._glance()).decode().replace("<", "\\u003c")
        return web.Response(text=self._page.replace("/* glance */ null", first), content_type="text/html")

    async def no_icon(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)
