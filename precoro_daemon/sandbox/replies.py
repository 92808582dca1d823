"""plain answers: JSON, an HTML page, a 429"""

from aiohttp import web

from precoro_daemon.sandbox.limits import Refusal
from precoro_daemon.sandbox.options import RetryAfter
from precoro_daemon.sandbox.shapes import dumps


def json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=dumps(value), status=status, content_type="application/json")


def ready_json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


def html(status: int, title: str) -> web.Response:
    """Returns a page like those of a proxy in front of the API."""
    text = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<center><h1>{title}</h1></center>\n"
        "<hr><center>nginx</center>\n</body>\n</html>\n"
    )
    return web.Response(text=text, status=status, content_type="text/html")


def refused(refusal: Refusal, style: RetryAfter, now: float) -> web.Response:
    answer = json(refusal.body(style, now), 429)
    answer.headers.update(refusal.headers(style, now))
    return answer
