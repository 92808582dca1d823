"""An authorisation server on a real socket that judges as the vendors do.

Clients, redirects, PKCE, codes that are used once, refresh tokens that are used once or stay good for a while, device
codes."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "client-1", "secret-of-the-client"


@dataclass
class Authority:
    """grace     seconds that a refresh token stays good after its use
    lasts     seconds of an access token
    rotates   False: the same refresh token stays
    secret    what the client must show, "" for a public client, which must show PKCE
    hang_up   "before": the next refresh is not seen, "after": carried out, and its answer lost
    kill      at that stage of the next refresh ("asked", "rotated", "answered"), that process
    failing   answer this status to the next calls of the token endpoint
    """

    grace: float = 0.0
    lasts: float = 1800.0
    rotates: bool = True
    secret: str = ""
    redirects: tuple[str, ...] = ()
    hang_up: str = ""
    kill: tuple[str, int] | None = None
    failing: tuple[int, bytes] | None = None
    pending: int = 1
    says_lifetime: bool = False
    realm: str = ""
    good: dict[str, float] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    refreshes: int = 0
    revoked: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_grant(self) -> str:
        token = f"refresh-{secrets.token_hex(12)}"
        self.good[token] = time.time() + 1e9
        self.given.append(token)
        return token

    def tokens(self, refresh: str) -> dict[str, Any]:
        access = f"access-{secrets.token_hex(12)}"
        self.access.add(access)
        more = {"x_refresh_token_expires_in": 8_640_000} if self.says_lifetime else {}
        shown = {"refresh_token": refresh} if refresh else {}
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.lasts, **shown, **more}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if not self._knows(form, authorization):
            return 401, {"error": "invalid_client"}
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form["refresh_token"])
            case "authorization_code":
                return self._code(form)
            case "client_credentials" if self.secret:
                return 200, self.tokens("")
            case "urn:ietf:params:oauth:grant-type:device_code":
                self.pending -= 1
                if self.pending >= 0:
                    return 400, {"error": "authorization_pending"}
                return 200, self.tokens(self.new_grant())
        return 400, {"error": "unsupported_grant_type"}

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if not self.secret:
            return form.get("client_id") == CLIENT and not authorization
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
        return authorization == basic or (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)

    def _refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        now = time.time()
        if self.good.get(token, 0.0) <= now:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        self.refreshes += 1
        if not self.rotates:
            return 200, self.tokens(token)
        self.good[token] = min(self.good[token], now + self.grace)
        return 200, self.tokens(self.new_grant())

    def _code(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        begun = self.codes.pop(form["code"], None)
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if begun is None or begun["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        if begun.get("code_challenge", "") != (challenge if verifier else "") or not (verifier or self.secret):
            return 400, {"error": "invalid_grant", "error_description": "code_verifier does not match"}
        return 200, self.tokens(self.new_grant())

    def authorise(self, query: dict[str, str]) -> str:
        """Where the browser of a user who agrees is sent."""
        assert query["client_id"] == CLIENT, query
        assert query["response_type"] == "code", query
        assert any(query["redirect_uri"].startswith(one) for one in self.redirects), query
        assert self.secret or query.get("code_challenge_method") == "S256", query
        code = secrets.token_hex(8)
        self.codes[code] = query
        more = {"realmId": self.realm} if self.realm else {}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], **more})}"


def handler(authority: Authority, api: Any = None) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - one class
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, body: Any, **headers: str) -> None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path.endswith(("/authorize", "/oauth2")):
                self.answer(302, b"", Location=authority.authorise(query))
            else:
                self.ask_api(None)

        def ask_api(self, body: Any) -> None:
            shown = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self.answer(*api(self, shown in authority.access, body) if api else (404, {}))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            if path.endswith(("/token", "/bearer")):
                self.token({name: values[0] for name, values in parse_qs(raw.decode()).items()})
            elif path.endswith("/devicecode"):
                said = {"device_code": "dc-1", "user_code": "WDJB-MJHT", "interval": 0, "expires_in": 900}
                self.answer(200, said | {"verification_uri": "https://microsoft.com/devicelogin"})
            elif path.endswith(("/revocation", "/revoke")):
                authority.revoked.append(raw.decode())
                self.answer(200, {})
            else:
                self.ask_api(json.loads(raw))

        def token(self, form: dict[str, str]) -> None:
            with authority.lock:
                if authority.hang_up == "before":
                    self.hang_up()
                    return
                if authority.failing:
                    self.answer(*authority.failing)
                    return
                self.stage("asked")
                status, said = authority.token(form, self.headers.get("Authorization", ""))
                self.stage("rotated")
                if authority.hang_up == "after":
                    self.hang_up()
                    return
            self.answer(status, said)
            self.stage("answered")

        def stage(self, reached: str) -> None:
            if authority.kill and authority.kill[0] == reached:
                os.kill(authority.kill[1], signal.SIGKILL)

        def hang_up(self) -> None:
            authority.hang_up = ""
            self.close_connection = True
            self.connection.close()

    return Handler


@contextmanager
def serving(authority: Authority, api: Any = None) -> Iterator[str]:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A process that was killed hangs up."""

    server = Server(("127.0.0.1", 0), handler(authority, api))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def redirected(address: str) -> str:
    """Where a browser ends at whose user agrees."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(address):
            raise AssertionError(f"{address} redirects nowhere")
    except urllib.error.HTTPError as answer:
        answer.close()
        return str(answer.headers["Location"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
