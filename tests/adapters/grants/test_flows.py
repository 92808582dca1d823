"""Logins by a browser: whose redirect counts, what proves the client, and what a refusal says."""

from __future__ import annotations

import traceback
import urllib.error
import urllib.request
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.grants.code_flow import Client, CodeFlow
from precoro_daemon.adapters.grants.loopback import Loopback, redirect_to
from precoro_daemon.adapters.grants.vendors import QUICKBOOKS, XERO
from precoro_daemon.errors import ListenerUnusable, LoginFailed
from tests.adapters.grants.authority import CLIENT, SECRET, Authority, free_port, redirected, serving

pytestmark = pytest.mark.asyncio

HERE = "http://localhost:8765/callback"


async def final_address(flow: CodeFlow) -> str:
    return await anyio.to_thread.run_sync(redirected, flow.address)


@pytest.mark.parametrize("secret", ["", SECRET])
async def test_a_code_is_a_grant(secret: str) -> None:
    """By PKCE, or by the secret in a header."""
    authority = Authority(secret=secret, redirects=(HERE,), realm="4620")
    with serving(authority) as url:
        vendor = (QUICKBOOKS if secret else XERO).at(url)
        flow = CodeFlow(vendor, Client(CLIENT, secret), HERE)
        grant, company = await flow.finished(await final_address(flow))
    assert grant.access_token in authority.access
    assert grant.refresh_token in authority.good
    assert (grant.token_url, company) == (vendor.token, "4620")
    assert ("code_verifier" in authority.asked[0]) is not secret


async def test_each_login_is_another_one() -> None:
    flows = [CodeFlow(XERO, Client(CLIENT), HERE) for _ in range(2)]
    assert flows[0].address != flows[1].address
    with pytest.raises(LoginFailed, match="not the address"):
        await flows[0].finished(f"{HERE}?code=1&state={flows[1].address.partition('state=')[2].partition('&')[0]}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda final: final.replace("code=", "error=access_denied&x="), "access_denied"),
        (lambda final: final.replace("code=", "x="), "gave no access"),
        (lambda final: final.replace("code=", "code=another"), "does not take the code"),
        (lambda final: final.replace("state=", "state=another"), "not the address"),
        (lambda _: "no address at all", "not the address"),
        (lambda _: "", "not the address"),
    ],
)
async def test_what_is_no_code_of_this_login_gives_nothing(change: object, said: str) -> None:
    assert callable(change)
    with serving(Authority(redirects=(HERE,))) as url:
        flow = CodeFlow(XERO.at(url), Client(CLIENT), HERE)
        final = await final_address(flow)
        with pytest.raises(LoginFailed, match=said) as caught:
            await flow.finished(change(final))
    code = final.partition("code=")[2].partition("&")[0]
    assert code not in "".join(traceback.format_exception(caught.value))


async def test_a_code_is_used_once() -> None:
    with serving(Authority(redirects=(HERE,))) as url:
        flow = CodeFlow(XERO.at(url), Client(CLIENT), HERE)
        final = await final_address(flow)
        await flow.finished(final)
        with pytest.raises(LoginFailed):
            await flow.finished(final)


def visit(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status, answer.headers["Referrer-Policy"]
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, error.headers["Referrer-Policy"]


async def test_the_listener_takes_one_redirect_and_only_its_own() -> None:
    port = free_port()
    loopback = Loopback(lambda final: "state=ours" in final)
    here = redirect_to(port)
    async with loopback.listening(port):
        for other in (f"{here}?code=1&state=theirs", f"http://localhost:{port}/?code=1&state=ours"):
            assert await anyio.to_thread.run_sync(visit, other) == (404, "no-referrer")
        for code in ("first", "second"):
            assert (await anyio.to_thread.run_sync(visit, f"{here}?code={code}&state=ours"))[0] == 200
        assert "code=first" in await loopback.final_address()
    with pytest.raises(OSError, match="attempts failed"):
        await anyio.connect_tcp("127.0.0.1", port)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with serving(Authority()) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ListenerUnusable, match="--port"):
            async with Loopback(lambda _: True).listening(port):
                pass
