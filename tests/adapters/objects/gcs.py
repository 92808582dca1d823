"""Google's XML interface before moto: its manual has S3's requests under other names of headers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from precoro_daemon.adapters.objects.bucket_access import BucketAccess
from tests.adapters.objects.s3 import BUCKET

_S3, _GOOGLE = "x-amz-", "x-goog-"
_OF_THIS_HOP = frozenset({"connection", "transfer-encoding", "host", "date", "server", "content-length"})
_SIGNED = "AWS4-HMAC-SHA256 Credential=ACCESSKEY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
"""As moto takes it: it does not check the signature."""


class _Translating(BaseHTTPRequestHandler):
    """No header of S3 is let in, and none of Google's is passed over: what is not translated is refused."""

    origin: ClassVar[str]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        pass

    def _pass_on(self) -> None:
        headers = dict(_to_s3(self.headers.items()))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = urlsplit(self.origin)
        connection = http.client.HTTPConnection(server.hostname or "", server.port)
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THIS_HOP:
                self.send_header(name.lower().replace(_S3, _GOOGLE), value)
        self.send_header("x-goog-generation", "1")
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - the library's names


def _to_s3(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield "authorization", _SIGNED
    for name, value in headers:
        name = name.lower()  # noqa: PLW2901
        if name == "authorization":
            assert value.startswith("Bearer "), value
            continue
        assert not name.startswith(_S3), name
        if name == "x-goog-if-generation-match":
            assert value == "0", "whatever is there must not be written over"
            yield "if-none-match", "*"
        elif name.startswith(("x-goog-meta-", "x-goog-copy-source")):
            yield name.replace(_GOOGLE, _S3), value
        elif name not in _OF_THIS_HOP:
            assert not name.startswith(_GOOGLE), name
            yield name, value


@contextmanager
def google(s3: str) -> Iterator[str]:
    """Its origin. `s3`: that of moto, which keeps what comes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Translating,), {"origin": s3}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def google_key(folder: Path) -> Path:
    """A key that asks for no token first, as emulators want it."""
    key = folder / "key.json"
    key.write_text(json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}))
    return key


def google_access(origin: str, prefix: str, key: Path) -> BucketAccess:
    return BucketAccess("gs", BUCKET, prefix, endpoint=origin, service_account=key, allow_http=True, timeout=10.0)
