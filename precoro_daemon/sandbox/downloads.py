"""a file as an answer: complete, or the requested rest; from this origin or another one"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from precoro_daemon.sandbox.files import Attachment
from precoro_daemon.sandbox.refusals import MissingError
from precoro_daemon.sandbox.replies import json

SECRETS = ("X-AUTH-TOKEN", "email")
"""Headers that only the API itself may receive."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


def whole_or_rest(request: web.Request, found: Attachment) -> web.Response:
    """Answers with 206 to a request for a range of this exact content (RFC 9110), and with the complete file
    otherwise.

    A range that starts after the end is answered with 416.
    """
    tag = f'"{hashlib.sha1(found.content, usedforsecurity=False).hexdigest()}"'
    # RFC 6266: the name in UTF-8 beside a plain one for old readers.
    plain = found.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    headers = {
        "Content-Type": found.content_type,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}",
        "Accept-Ranges": "bytes",
        "ETag": tag,
    }
    size = len(found.content)
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", tag) != tag:
        return web.Response(body=found.content, headers=headers)
    start = int(asked[1])
    if start >= size:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    return web.Response(status=206, body=found.content[start:], headers=headers)


class FilesHost:
    """Another host that keeps the files, as object stores do.

    It needs no key, and records every request that sent one.
    """

    def __init__(self, download: Handler) -> None:
        self._download = download
        self.requests = 0
        self.leaks: list[str] = []

    def application(self, path: str) -> web.Application:
        app = web.Application()
        app.add_routes([web.get(path + "/{key}", self.answer)])
        return app

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.leaks += [f"{name} at {request.path}" for name in SECRETS if name in request.headers]
        try:
            return await self._download(request)
        except MissingError as refusal:
            return json(refusal.body(), refusal.status)
