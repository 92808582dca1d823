"""the login addresses of each accounting system, and how long its tokens last"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from precoro_daemon.quota.limits import SECONDS


@dataclass(frozen=True, slots=True)
class Vendor:
    """One authorisation server.

    title         its name, for people
    in_body       whether a client sends its secret in the body, not in a header
    unused_lasts  seconds until an unused refresh token expires, None if it does not
    device        the address for device codes, "" if there is none
    """

    kind: str
    title: str
    token: str
    api: str
    scopes: tuple[str, ...]
    authorise: str = ""
    revoke: str = ""
    device: str = ""
    in_body: bool = False
    unused_lasts: float | None = None

    def at(self, origin: str | None) -> Vendor:
        """Returns the same with another origin for all requests of the login, for a proxy or a rehearsal."""
        if not origin:
            return self
        return replace(
            self,
            token=_moved(self.token, origin),
            authorise=_moved(self.authorise, origin),
            revoke=_moved(self.revoke, origin),
            device=_moved(self.device, origin),
        )

    def of_tenant(self, tenant: str) -> Vendor:
        """Returns the vendor with the directory in its addresses, as Entra requires."""
        return replace(self, token=self.token.replace(_TENANT, tenant), device=self.device.replace(_TENANT, tenant))


_TENANT = "{tenant}"


def _moved(address: str, origin: str) -> str:
    parts = urlsplit(address)
    return address and f"{origin}{parts.path}"


XERO = Vendor(
    # https://developer.xero.com/documentation/oauth2/pkce-flow: addresses, no secret, redirects to localhost allowed;
    # https://developer.xero.com/faq/oauth2: a refresh token is good for 60 days unused, and once it was used the old
    # one still is for 30 minutes.
    # Since March 2026 scopes are by kind of document: https://www.apideck.com/blog/xero-scopes.
    "xero",
    "Xero",
    token="https://identity.xero.com/connect/token",  # noqa: S106 - an address
    api="https://api.xero.com",
    scopes=("offline_access", "accounting.payments", "accounting.invoices.read", "accounting.settings.read"),
    authorise="https://login.xero.com/identity/connect/authorize",
    revoke="https://identity.xero.com/connect/revocation",
    unused_lasts=60 * SECONDS["day"],
)

QUICKBOOKS = Vendor(
    # https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0, and faq
    # there: `realmId` in the redirect, only https redirects in production; a refresh token is good for 100 days
    # unused, its value changes about once a day; x_refresh_token_expires_in says how long the present one is good.
    "quickbooks",
    "QuickBooks Online",
    token="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",  # noqa: S106
    api="https://quickbooks.api.intuit.com",
    scopes=("com.intuit.quickbooks.accounting",),
    authorise="https://appcenter.intuit.com/connect/oauth2",
    revoke="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    unused_lasts=100 * SECONDS["day"],
)

_ENTRA = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"

BUSINESS_CENTRAL = Vendor(
    # https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and refresh-tokens: a device code is
    # good for 15 minutes; refresh tokens for 90 days, and an old one stays good when a new one was given.
    "business_central",
    "Business Central",
    token=f"{_ENTRA}/token",
    api="https://api.businesscentral.dynamics.com",
    scopes=("https://api.businesscentral.dynamics.com/Financials.ReadWrite.All", "offline_access"),
    device=f"{_ENTRA}/devicecode",
    in_body=True,
    unused_lasts=90 * SECONDS["day"],
)

APP_SCOPE = "https://api.businesscentral.dynamics.com/.default"
"""The scope for an app that has a secret and no user."""

VENDORS: Mapping[str, Vendor] = {one.kind: one for one in (XERO, QUICKBOOKS, BUSINESS_CENTRAL)}
