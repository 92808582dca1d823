"""A grant as tokens: when it is refreshed, what each answer means, and what never shows."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from precoro_daemon.adapters.grants.bearer import GrantBearer
from precoro_daemon.adapters.grants.grant import Grant, TokenAnswer
from precoro_daemon.adapters.grants.grant_file import GrantFile
from precoro_daemon.errors import LedgerMisfit, LoginNeeded, TemporaryError
from precoro_daemon.writes.outcome import OutcomeKind, outcome_by_contract
from tests.adapters.grants.authority import CLIENT, SECRET, Authority, serving

T = TypeVar("T")
pytestmark = pytest.mark.asyncio


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class OffTheLoop(GrantFile):
    """What a test writes or reads itself may not block the loop either."""

    def read(self) -> Grant | None:
        return _off_the_loop(super().read)

    def write(self, grant: Grant) -> Grant:
        return _off_the_loop(partial(super().write, grant))


def _off_the_loop(work: Callable[[], T]) -> T:
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


class Login:
    def __init__(self, authority: Authority, url: str, folder: Path) -> None:
        self.authority, self.clock = authority, Clock()
        self.file = OffTheLoop(folder / "xero-grant.json")
        kind = "quickbooks" if authority.secret else "xero"
        self.first = self.file.write(
            Grant(kind, f"{url}/token", CLIENT, authority.secret, refresh_token=authority.new_grant())
        )
        self.bearer = self.another()

    def another(self) -> GrantBearer:
        return GrantBearer(self.file, self.first.kind, "precoro-daemon --config c.toml", self.clock)

    @property
    def grant(self) -> Grant:
        grant = self.file.read()
        assert grant is not None
        return grant


@contextmanager
def logged_in(folder: Path, authority: Authority) -> Iterator[Login]:
    with serving(authority) as url:
        yield Login(authority, url, folder)


async def test_refreshed_before_its_end_and_not_earlier(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        first = await login.bearer.token()
        assert await login.bearer.token() == first
        login.clock.now += 1800 - 301
        assert await login.bearer.token() == first
        login.clock.now += 2
        second = await login.bearer.token()
        assert second != first
        assert login.authority.refreshes == 2
        assert login.grant.begun_at is None
        assert login.grant.ends_at == login.clock.now + 60 * 86_400


@pytest.mark.parametrize("says", [False, True])
async def test_when_the_grant_runs_out_unused(tmp_path: Path, says: bool) -> None:
    """By the vendor's manual, or by its answer, which Intuit gives."""
    with logged_in(tmp_path, Authority(secret=SECRET, says_lifetime=says)) as login:
        await login.bearer.token()
        assert login.grant.ends_at == login.clock.now + 8_640_000


async def test_a_clock_that_was_set_back_makes_no_token_live_longer(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        first = await login.bearer.token()
        login.clock.now -= 30
        assert await login.bearer.token() == first
        login.clock.now -= 3600
        assert await login.bearer.token() != first


async def test_refused_token_is_renewed_once_for_all(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        first = await login.bearer.token()
        other = login.another()
        await login.bearer.renew(first)
        second = await login.bearer.token()
        assert second != first
        await other.renew(first)  # it was told of the same refusal, and the other one was faster
        assert await other.token() == second
        assert login.authority.refreshes == 2


async def test_many_at_once_refresh_once(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        tokens = []

        async def ask() -> None:
            tokens.append(await login.another().token())

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(ask)
        assert len(set(tokens)) == 1
        assert login.authority.refreshes == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b"<html>maintenance</html>"),
        (429, b'{"error": "too_many_requests"}'),
        (200, b"<html>proxy</html>"),
        (200, b"[1]"),
        (200, b'{"access_token": null}'),
        (400, b'{"error": "temporarily_unavailable"}'),
        (302, b""),
        (403, b"forbidden by a proxy"),
        (500, b'{"error": "invalid_grant"}'),
    ],
)
async def test_what_may_pass_costs_nothing(tmp_path: Path, status: int, body: bytes) -> None:
    with logged_in(tmp_path, Authority()) as login:
        login.authority.failing = (status, body)
        with pytest.raises(TemporaryError):
            await login.bearer.token()
        assert login.grant.trouble
        assert login.grant.refresh_token == login.first.refresh_token
        login.authority.failing = None
        assert await login.bearer.token() in login.authority.access
        assert not login.grant.trouble


@pytest.mark.parametrize("odd", ['"soon"', "null", "NaN", "-1", "[]"])
async def test_tokens_are_taken_though_the_rest_of_the_answer_is_odd(tmp_path: Path, odd: str) -> None:
    """The former ones may be worthless by now."""
    with logged_in(tmp_path, Authority()) as login:
        body = f'{{"access_token": "a", "refresh_token": "r", "expires_in": {odd}, "token_type": 7}}'
        login.authority.failing = (200, body.encode())
        assert await login.bearer.token() == "a"
        assert login.grant.refresh_token == "r"


async def test_only_invalid_grant_asks_for_a_login(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        login.authority.good.clear()
        for _ in range(3):
            with pytest.raises(LoginNeeded, match=r"run: precoro-daemon --config c\.toml ledger login xero"):
                await login.bearer.token()
        assert len(login.authority.asked) == 1
        refused = outcome_by_contract(LoginNeeded("log in again"))
        assert refused.kind is OutcomeKind.UNSENT, "the payment waits; it is neither refused nor in doubt"
        login.authority.good[login.first.refresh_token] = 1e12  # the vendor was wrong
        login.clock.now += 3601
        assert await login.bearer.token() in login.authority.access
        assert not login.grant.lost


@pytest.mark.parametrize("lost", [False, True])
async def test_a_login_beside_a_service_is_taken_up_at_its_next_call(tmp_path: Path, lost: bool) -> None:
    """Whether the former grant was good or refused: the vendor is asked no more about it."""
    with logged_in(tmp_path, Authority()) as login:
        former = "" if lost else await login.bearer.token()
        if lost:
            login.authority.good.clear()
            for _ in range(2):
                with pytest.raises(LoginNeeded) as waiting:
                    await login.bearer.token()
                assert waiting.value.recheck_s == 60, "which asks nobody"
        asked = len(login.authority.asked)
        told = login.authority.tokens(login.authority.new_grant())
        answer = TokenAnswer(told["access_token"], told["refresh_token"], 1800.0, None, {})
        await login.another().take(login.first.renewed(answer, login.clock.now), "Acme")
        assert await login.bearer.token() == told["access_token"] != former
        await login.bearer.renew(former or "a token that was refused before")
        assert await login.bearer.token() == told["access_token"], "what was refused is not the new one"
        assert len(login.authority.asked) == asked
        login.clock.now += 1800
        assert await login.bearer.token() in login.authority.access, "the new grant is good for the next one"
        assert not login.grant.lost


async def test_wrong_client_is_the_configuration(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority(secret=SECRET)) as login:
        login.file.write(replace(login.first, client_secret="another-secret"))
        with pytest.raises(LedgerMisfit, match="invalid_client") as caught:
            await login.bearer.token()
        assert "another-secret" not in str(caught.value)
        login.file.write(login.first)
        assert await login.bearer.token() in login.authority.access


async def test_no_grant_yet(tmp_path: Path) -> None:
    with pytest.raises(LoginNeeded, match="ledger login xero") as waiting:
        await GrantBearer(GrantFile(tmp_path / "xero-grant.json"), "xero").token()
    assert waiting.value.recheck_s == 60


@pytest.mark.parametrize(("grace", "lost"), [(60.0, False), (0.0, True)])
async def test_lost_answer_costs_the_grant_only_without_a_grace(tmp_path: Path, grace: float, lost: bool) -> None:
    with logged_in(tmp_path, Authority(grace=grace)) as login:
        login.authority.hang_up = "after"
        with pytest.raises(TemporaryError):
            await login.bearer.token()
        assert login.grant.begun_at
        if lost:
            with pytest.raises(LoginNeeded, match="cut off"):
                await login.bearer.token()
        else:
            assert await login.bearer.token() in login.authority.access


async def test_cancelled_refresh_is_carried_to_its_end(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority()) as login:
        login.authority.lock.acquire()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(login.bearer.token)
            while login.grant.begun_at is None:  # noqa: ASYNC110 - another file tells
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
            login.authority.lock.release()
        assert login.grant.begun_at is None
        assert login.grant.access_token in login.authority.access


async def test_client_credentials_have_nothing_to_lose(tmp_path: Path) -> None:
    with logged_in(tmp_path, Authority(secret=SECRET)) as login:
        login.file.write(replace(login.first, kind="business_central", refresh_token="", scope="all"))
        first = await login.bearer.token()
        await login.bearer.renew(first)
        assert await login.bearer.token() != first
        assert login.grant.ends_at is None
        assert login.authority.asked[-1]["scope"] == "all"


async def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Neither by errors, with all that stands behind them, nor by a grant that is printed."""
    with logged_in(tmp_path, Authority(secret=SECRET)) as login:
        secrets = [login.first.refresh_token, SECRET]
        login.authority.failing = (400, f'{{"error": "bad {login.first.refresh_token} {SECRET}"}}'.encode())
        with pytest.raises(LedgerMisfit) as caught:
            await login.bearer.token()
        shown = "".join(traceback.format_exception(caught.value)) + repr(login.grant) + login.grant.trouble
        assert [secret for secret in secrets if secret in shown] == []


def _of_another_user(file: GrantFile) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(file.path, 1, 1)


REFUSED = {
    "others can": lambda file: file.path.chmod(0o644),
    "mode 0640": lambda file: file.path.chmod(0o640),
    "belongs to": _of_another_user,
    "it is a link": lambda file: (file.path.rename(file.path.with_name("x")), file.path.symlink_to("x")),
    "everyone may write": lambda file: file.path.parent.chmod(0o777),
    "no regular file": lambda file: (file.path.unlink(), os.mkfifo(file.path, 0o600)),
    "holds no grant": lambda file: file.path.write_text('{"kind": "xero"}'),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_file_that_others_may_have_read_is_refused(tmp_path: Path, why: str) -> None:
    with logged_in(tmp_path, Authority()) as login:
        REFUSED[why](login.file)
        with pytest.raises(LedgerMisfit, match=why):
            await login.bearer.token()
        assert login.authority.asked == []


async def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    os.umask(0)
    try:
        with logged_in(tmp_path, Authority()) as login:
            await login.bearer.token()
            modes = {one.name: one.stat().st_mode & 0o777 for one in os.scandir(tmp_path)}
        assert modes == {"xero-grant.json": 0o600, ".xero-grant.json.lock": 0o600}
    finally:
        os.umask(0o022)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_what_root_makes_is_for_the_owner_of_the_directory(tmp_path: Path) -> None:
    """A command that root types refreshes too, and the service must still be able to read the grant."""
    os.chown(tmp_path, 1, 1)
    with logged_in(tmp_path, Authority()) as login:
        await login.bearer.token()
        owners = {one.name: one.stat().st_uid for one in os.scandir(tmp_path)}
    assert owners == {"xero-grant.json": 1, ".xero-grant.json.lock": 1}


@pytest.mark.parametrize("whole", [True, False])
async def test_a_partial_file_is_taken_up_only_whole_and_next(tmp_path: Path, whole: bool) -> None:
    with logged_in(tmp_path, Authority()) as login:
        begun = login.file.write(replace(login.first, begun_at=1.0))
        following = replace(begun, access_token="the next", issued_at=login.clock.now, expires_at=2e9, begun_at=None)
        raw = replace(following, serial=begun.serial + 1).raw
        partial = tmp_path / ".xero-grant.json.partial"
        partial.touch(0o600)
        partial.write_bytes(raw + b"\0" * 99 if whole else raw[:-9])
        assert (await login.bearer.token() == "the next") is whole
        partial.touch(0o600)
        partial.write_bytes(raw)  # an old one
        await login.bearer.renew(login.grant.access_token)
        assert await login.bearer.token() != "the next"
