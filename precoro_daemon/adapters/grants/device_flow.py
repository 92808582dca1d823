"""a login on another device: a code to type there, and the grant once the user agreed"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import anyio
from oauthlib.oauth2.rfc8628.clients import DeviceClient

from precoro_daemon.adapters.grants.code_flow import Client, new_grant
from precoro_daemon.adapters.grants.grant import Grant
from precoro_daemon.adapters.grants.token_endpoint import GrantRefused, StillPending, asked, post
from precoro_daemon.adapters.grants.vendors import Vendor
from precoro_daemon.errors import LoginFailed, MalformedAnswer, TemporaryError
from precoro_daemon.telemetry import excerpt
from precoro_daemon.values.json_reading import read_json

_SLOWER_S = 5.0
"""RFC 8628: seconds added to the interval after `slow_down`."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The code to type, and where.

    wait   seconds between two polls
    lasts  seconds until it expires
    """

    user_code: str
    address: str
    device_code: str = field(repr=False)
    wait: float
    lasts: float


async def begin(vendor: Vendor, client: Client) -> DeviceCode:
    """Requests a code. Raises LoginFailed if the vendor gives none, ConnectionFault, MalformedAnswer."""
    answer = await post(vendor.device, {"client_id": client.id, "scope": " ".join(vendor.scopes)}, {}, ())
    try:
        said: Any = read_json(answer.body)
        if answer.status == 200:
            return DeviceCode(
                said["user_code"],
                said["verification_uri"],
                said["device_code"],
                float(said.get("interval", 5)),
                float(said["expires_in"]),
            )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise MalformedAnswer(f"{vendor.title}: what it answered holds no code ({answer.status})") from None
    raise LoginFailed(f"{vendor.title} gives no code ({answer.status}: {excerpt(answer.body, ())})")


async def finished(vendor: Vendor, client: Client, code: DeviceCode) -> Grant:
    """Polls until the user agreed, and returns the grant. Raises LoginFailed if they refuse, and whatever the token
    endpoint
    raises.
    """
    wait = code.wait
    with anyio.move_on_after(code.lasts):
        while True:
            await anyio.sleep(wait)
            now = time.time()
            grant = new_grant(vendor, client, now)
            form = {"grant_type": DeviceClient.grant_type, "device_code": code.device_code}
            try:
                return grant.renewed(await asked(grant, form), now)
            except StillPending as pending:
                wait += _SLOWER_S if pending.slower else 0.0
            except TemporaryError:  # a network that is away for a moment ends no login
                wait += _SLOWER_S
            except GrantRefused as error:
                raise LoginFailed(f"{vendor.title} gave no access ({error}): begin again") from None
    raise LoginFailed("the code ran out before anybody typed it: begin again")
