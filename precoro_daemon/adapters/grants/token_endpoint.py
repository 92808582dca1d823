"""one request to a token endpoint, and what its answer means"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from oauthlib.oauth2 import MissingTokenError, OAuth2Error
from oauthlib.oauth2.rfc6749.parameters import parse_token_response

from precoro_daemon import __version__
from precoro_daemon.adapters.grants.grant import Grant, TokenAnswer
from precoro_daemon.adapters.grants.vendors import VENDORS
from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.errors import DaemonError, LedgerMisfit, MalformedAnswer, TemporaryError
from precoro_daemon.telemetry import excerpt
from precoro_daemon.values.json_reading import read_json

_TIMEOUTS = Timeouts(15.0, 10.0, 15.0)
"""Short enough that a refresh, which is never interrupted, does not delay a stop."""

_LARGEST_TOKEN_BYTES = 2**20
_UNSAID_S = 600.0
"""Assumed lifetime of an access token if the vendor gives none; a refused token is renewed anyway."""

_NOT_NOW = {"temporarily_unavailable", "server_error", "slow_down", "authorization_pending"}


class GrantRefused(DaemonError):
    """The vendor does not know the grant (`invalid_grant`): it was used, revoked, or has expired."""


class StillPending(TemporaryError):
    """The user of a device code has not decided yet. `slower`: polling was too frequent."""

    def __init__(self, message: str, *, slower: bool) -> None:
        super().__init__(message)
        self.slower = slower


async def refreshed(grant: Grant) -> TokenAnswer:
    """Returns new tokens for the grant, by one POST that is never repeated.

    Raises GrantRefused, TemporaryError (also if the vendor may have carried it out), LedgerMisfit (if the client is
    unknown, or the request is refused).
    """
    if grant.refresh_token:
        form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
    else:
        form = {"grant_type": "client_credentials", "scope": grant.scope}
    return await asked(grant, form)


async def asked(grant: Grant, form: Mapping[str, str]) -> TokenAnswer:
    """Sends any request to the token endpoint as the grant's client. Raises the same, and StillPending."""
    headers, shown = _client(grant)
    secrets = [*grant.secrets, *(form[name] for name in _SECRET_FIELDS if form.get(name)), *_encoded(headers)]
    answer = await post(grant.token_url, {**form, **shown}, headers, secrets)
    said, code = _said(answer)
    if said is None:
        raise _refusal(code, answer, f"{grant.kind}: the token endpoint answered {answer.status}", secrets)
    return _answer(grant, said)


def _said(answer: Answer) -> tuple[Mapping[str, Any] | None, str]:
    """Returns the tokens, or the error's code ("" if there is none). Errors have no cause, because the library's show
    the
    answer.
    """
    said: Any = None
    try:
        said = parse_token_response(answer.body.decode("utf-8", "replace"))
    except MissingTokenError:
        return None, ""
    except OAuth2Error as error:
        return None, error.error or ""
    except (ValueError, TypeError, AttributeError):
        # Something beside the tokens is odd. They are taken all the same: the former ones may be worthless by now.
        said = read_json(answer.body)
    good = answer.status == 200 and isinstance(said, dict) and isinstance(said.get("access_token"), str)
    return (said, "") if good else (None, "")


async def revoke(grant: Grant) -> None:
    """Revokes the grant (RFC 7009), if the vendor supports that. Raises TemporaryError, LedgerMisfit."""
    token = grant.refresh_token or grant.access_token
    if not grant.revoke_url or not token:
        return
    headers, shown = _client(grant)
    secrets = [*grant.secrets, *_encoded(headers)]
    answer = await post(grant.revoke_url, {"token": token, **shown}, headers, secrets)
    if answer.status != 200:
        what = f"{grant.kind}: the revocation was answered {answer.status}"
        raise _refusal(_said(answer)[1], answer, what, secrets)


_SECRET_FIELDS = ("code", "code_verifier", "device_code")


def _client(grant: Grant) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Returns the headers and fields that identify the client."""
    if not grant.client_secret:
        return {}, {"client_id": grant.client_id}
    if VENDORS[grant.kind].in_body:
        return {}, {"client_id": grant.client_id, "client_secret": grant.client_secret}
    # Percent-encoded first: RFC 6749, 2.3.1.
    both = f"{quote(grant.client_id, safe='')}:{quote(grant.client_secret, safe='')}"
    return {"Authorization": f"Basic {b64encode(both.encode()).decode()}"}, {}


def _encoded(headers: Mapping[str, str]) -> Sequence[str]:
    return [value.partition(" ")[2] for value in headers.values()]


def _answer(grant: Grant, said: Mapping[str, Any]) -> TokenAnswer:
    # Intuit says how long the refresh token is good; the others have it in their manuals.
    unused = _seconds(said.get("x_refresh_token_expires_in")) or VENDORS[grant.kind].unused_lasts
    fresh = said.get("refresh_token")
    life = _seconds(said.get("expires_in"))
    lasts = unused if fresh or grant.refresh_token else None
    return TokenAnswer(
        said["access_token"],
        fresh if isinstance(fresh, str) else "",
        _UNSAID_S if life is None else life,
        lasts,
        {key: value for key, value in said.items() if key not in ("access_token", "refresh_token")},
    )


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if isfinite(seconds) else None


def _refusal(code: str, answer: Answer, what: str, secrets: Sequence[str]) -> DaemonError:
    """Returns the error. Only `invalid_grant` means that the grant is lost; after any other, it may be valid
    later.
    """
    text = f"{what} ({excerpt(_words(answer.body) or answer.body, secrets)})"
    if code in ("authorization_pending", "slow_down"):
        return StillPending(text, slower=code == "slow_down")
    if answer.status == 429 or answer.status >= 500 or code in _NOT_NOW:
        return TemporaryError(text)
    if code == "invalid_grant":
        return GrantRefused(excerpt(_words(answer.body) or answer.body, secrets))
    if 400 <= answer.status < 500 and code:
        return LedgerMisfit(f"{text}; is this the right client, and its secret?")
    return MalformedAnswer(text)


def _words(body: bytes) -> str:
    """Returns the vendor's words, without the ids and timestamps that Entra adds."""
    try:
        tree = json.loads(body)
        said = str(tree.get("error_description") or "")
        return f"{tree['error']}: {said.splitlines()[0]}" if said else str(tree["error"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


async def post(address: str, form: Mapping[str, str], headers: Mapping[str, str], secrets: Sequence[str]) -> Answer:
    """Sends a form. Raises ConnectionFault, MalformedAnswer."""
    parts = urlsplit(address)
    options = OriginOptions(f"{parts.scheme}://{parts.netloc}", _TIMEOUTS, _LARGEST_TOKEN_BYTES, keep_alive=False)
    own = {"User-Agent": f"precoro-daemon/{__version__}", "Accept": "application/json"}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with Origin(options, own, lambda: secrets) as origin:
        outgoing = Outgoing("POST", parts.path or "/", {**kind, **headers}, urlencode(form).encode())
        return await origin.send(outgoing, _unheard)


async def _unheard() -> None:
    """Does nothing: sent or not, the grant is marked as being refreshed."""
