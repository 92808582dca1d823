"""A gate before an S3 server: it passes requests on, and a test may answer, hold or spoil any of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """One request: which of its bucket prefix it was, what it was."""

    number: int
    method: str
    target: str

    @property
    def prefix(self) -> str:
        return self.target.split("?")[0].split("/")[2] if self.target.count("/") > 1 else ""


@dataclass(frozen=True)
class Answer:
    status: int
    code: str = ""
    message: str = ""


@dataclass
class Gate:
    """before: what is answered in the server's stead, None: ask it; after: what happens before its answer leaves."""

    upstream: str
    before: Callable[[Asked], Answer | None] = lambda _: None
    after: Callable[[Asked], Answer | None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)
    origin: str = ""


@contextmanager
def gate_to(upstream: str) -> Iterator[Gate]:  # noqa: C901 - a server in one piece
    gate, lock = Gate(upstream), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                asked = Asked(len(gate.asked), self.command, self.path)
                gate.asked.append(asked)
            if answer := gate.before(asked):
                self._tell(answer)
                return
            connection = HTTPConnection(gate.upstream.removeprefix("http://"), timeout=30)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            came = connection.getresponse()
            content = came.read()
            headers = [(name, value) for name, value in came.getheaders() if name.lower() not in _HOP]
            connection.close()
            if answer := gate.after(asked):
                self._tell(answer)
                return
            length = came.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self._send(came.status, [*headers, ("Content-Length", length or "0")], content)

        def _tell(self, answer: Answer) -> None:
            body = f"<Error><Code>{answer.code}</Code><Message>{answer.message}</Message></Error>".encode()
            self._send(answer.status, [("Content-Length", str(len(body)))], body)

        def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            try:
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)
            except OSError:
                self.close_connection = True  # whoever asked has been killed

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any  # noqa: N815 - the names are the library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a connection of a process that was killed

    server = Server(("127.0.0.1", 0), Handler)
    gate.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05))
    thread.start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_HOP = {"content-length", "connection", "transfer-encoding", "keep-alive"}
