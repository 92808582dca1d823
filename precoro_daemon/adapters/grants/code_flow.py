"""a login in a browser: the address to open, and the grant for the address it ends at"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.token_endpoint import GrantRefused, asked
from precoro_daemon.adapters.grants.vendors import Vendor
from precoro_daemon.errors import LoginFailed

_VERIFIER_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Client:
    """The app registered with the vendor.

    secret  "" for a public client
    """

    id: str
    secret: str = field(default="", repr=False)


class CodeFlow:
    """One login. A public client proves its identity by PKCE (RFC 7636), another one by its secret.

    redirect  where the vendor sends the browser, as registered
    """

    def __init__(self, vendor: Vendor, client: Client, redirect: str) -> None:
        self._vendor = vendor
        self._client = client
        self._redirect = redirect
        self._state = secrets.token_urlsafe(24)
        self._library = WebApplicationClient(client.id)
        self._verifier = "" if client.secret else self._library.create_code_verifier(_VERIFIER_LENGTH)

    @property
    def address(self) -> str:
        """The address to open in a browser."""
        proof = {}
        if self._verifier:
            challenge = self._library.create_code_challenge(self._verifier, "S256")
            proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
        scheme, _, rest = self._vendor.authorise.partition("://")
        # The library knows https alone; a rehearsal on this machine has plain http.
        address: str = self._library.prepare_request_uri(
            f"https://{rest}",
            redirect_uri=self._redirect,
            scope=list(self._vendor.scopes),
            state=self._state,
            **proof,
        )
        return f"{scheme}://{address.removeprefix('https://')}"

    def is_ours(self, final: str) -> bool:
        """Returns whether the redirect belongs to this login: anyone may call a listener on this machine."""
        return parse_qs(urlsplit(final).query).get("state") == [self._state]

    async def finished(self, final: str) -> tuple[Grant, str]:
        """Returns the grant, and the company that the redirect names ("" if none).

        Raises LoginFailed if the address is another login's, or the user or the vendor refuses, and whatever the
        token
        endpoint raises.
        """
        code = self._code(final)
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect}
        if self._verifier:
            body["code_verifier"] = self._verifier
        now = time.time()
        empty = new_grant(self._vendor, self._client, now)
        try:
            answer = await asked(empty, body)
        except GrantRefused as error:
            raise LoginFailed(f"{self._vendor.title} does not take the code ({error}): begin again") from None
        return empty.renewed(answer, now), "".join(parse_qs(urlsplit(final).query).get("realmId", [])[:1])

    def _code(self, final: str) -> str:
        """Returns the code. Errors have no cause, because the library's may show the address with the code in it."""
        reason = "this is not the address that the browser ended at after this login (its state is another one)"
        if self.is_ours(final):
            query = urlsplit(final).query
            try:
                said = self._library.parse_request_uri_response(f"https://localhost/?{query}", self._state)
            except OAuth2Error as error:
                reason = f"{self._vendor.title} gave no access: {error.description or error.error}"
            else:
                return str(said["code"])
        raise LoginFailed(reason)


def new_grant(vendor: Vendor, client: Client, now: float, scope: str = "") -> Grant:
    """Returns an empty grant, before the first tokens."""
    return Grant(
        vendor.kind,
        vendor.token,
        client.id,
        client.secret,
        revoke_url=vendor.revoke,
        scope=scope or " ".join(vendor.scopes),
        logged_in_at=now,
    )
