"""Companies of one process, in virtual time: one that fails is tried again alone, and the others live on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.app.company_files import read_companies
from precoro_daemon.app.doors import OwnDoors
from precoro_daemon.app.member import Member
from precoro_daemon.app.served import Surroundings
from precoro_daemon.errors import ConfigurationError, StoreHeld, StoreUnusable
from precoro_daemon.runtime.backoff import pause_of_company
from precoro_daemon.runtime.ports import Unsupervised
from precoro_daemon.runtime.start_gate import StartGate
from precoro_daemon.settings import Settings
from tests.app.test_state import settings
from tests.runtime.hours import in_virtual_time


@dataclass
class Denied:
    """A tenure that is never given. `at`: when it was asked for."""

    why: Callable[[], BaseException]
    at: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def hold(self, settings: Settings) -> AsyncIterator[Store]:
        self.at.append(anyio.current_time())
        raise self.why()
        yield


def member(name: str, tenure: Denied) -> Member:
    given = Surroundings(Unsupervised(), lambda: settings("sqlite:///a.db"), lambda _: None, OwnDoors())
    return Member(name, settings("sqlite:///a.db"), tenure, given, StartGate())


@in_virtual_time
async def test_one_that_fails_in_whatever_way_is_tried_again_ever_more_seldom() -> None:
    bug, lock = Denied(lambda: ZeroDivisionError("a mistake of ours")), Denied(lambda: StoreHeld("held by process 7"))
    group_of = Denied(lambda: ExceptionGroup("tasks", [StoreUnusable("damaged")]))
    members = [member("bug", bug), member("lock", lock), member("grouped", group_of)]
    with capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            for one in members:
                tasks.start_soon(one.serve, 0.0)
            await anyio.sleep(3600)
            reasons = {one.name: (one.standing, one.reason) for one in members}
            for one in members:
                one.leave()
    for tenure in (bug, lock, group_of):
        waits = [later - sooner for sooner, later in zip(tenure.at, tenure.at[1:], strict=False)]
        assert waits == pytest.approx([pause_of_company(n) for n in range(1, len(waits) + 1)], abs=0.01)
        assert waits[:3] == pytest.approx([5, 10, 20], abs=0.01)
        assert max(waits) == pytest.approx(900, abs=0.01)
    assert reasons == {
        "bug": ("waiting", "unexpected: ZeroDivisionError: a mistake of ours"),
        "lock": ("waiting", "held by process 7"),
        "grouped": ("waiting", "damaged"),
    }
    told = [line for line in logs if line["event"] == "company_failed"]
    assert len([line for line in told if line["reason"] == "held by process 7"]) == 1, "it is no news the second time"


@in_virtual_time
async def test_a_reload_tries_one_that_waits_at_once() -> None:
    tenure = Denied(lambda: StoreUnusable("damaged"))
    one = member("acme", tenure)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.serve, 3.0)
        await anyio.sleep(60)
        before = len(tenure.at)
        await one.reload(settings("sqlite:///b.db"))
        await anyio.sleep(0.5)
        one.leave()
    assert len(tenure.at) == before + 1


def company(directory: Path, name: str, *, state: str = "", label: str = "", hook: str = "", key: str = "") -> Path:
    token = directory / f"{name}.token"
    token.touch(mode=0o600)
    token.write_text(f"key-of-{key or name}\n")
    email = f"{key or name}@example.org"
    lines = [f'[precoro]\nregion = "us"\nemail = "{email}"\ntoken_file = "{token}"\n[state]\n']
    lines.append(f'url = "sqlite:///{directory}/{state or name}.db"\n')
    lines += [f'company = "{label}"\n'] if label else []
    if hook:
        secret = directory / f"{name}.hook"
        secret.touch(mode=0o600)
        secret.write_text(hook)
        lines.append(f'[apply_deliveries]\nsecret_file = "{secret}"\n')
    path = directory / f"{name}.toml"
    path.write_text("".join(lines))
    return path


def test_two_that_have_in_common_what_is_one_companys_are_refused_by_name_both(tmp_path: Path) -> None:
    (tmp_path / "defaults.toml").write_text('[apply_deliveries]\nlisten = "127.0.0.1:8470"\n')
    acme, bolt = company(tmp_path, "acme", state="one"), company(tmp_path, "bolt", state="one")
    coal, dusk = company(tmp_path, "coal", label="x"), company(tmp_path, "dusk", label="x")
    company(tmp_path, "eden", hook="a-secret-of-more-than-24-signs")
    company(tmp_path, "foal", hook="a-secret-of-more-than-24-signs")
    company(tmp_path, "gold", key="same", label="g1")
    company(tmp_path, "hill", key="same", label="g2")
    for name, more in (("jade", ""), ("kelp", "../files/")):
        path = company(tmp_path, name)
        path.write_text(f'{path.read_text()}[fetch_attachments]\ndirectory = "{tmp_path}/files/{more}"\n')
    for name in ("lime", "mint"):
        path = company(tmp_path, name)
        path.write_text(f'{path.read_text()}[fetch_attachments]\ndirectory = "s3://bucket/prefix"\n')
    path = company(tmp_path, "nine")
    path.write_text(f'{path.read_text()}[fetch_attachments]\ndirectory = "s3://bucket/other"\n')
    company(tmp_path, "iron")
    (tmp_path / ".iron.toml").write_text("nonsense")
    found = read_companies(tmp_path, {})
    assert list(found.companies) == ["iron", "nine"]
    assert found.refused["acme"].startswith(
        f"{acme}:6: state.url: the state {tmp_path}/one.db is also that of {bolt}"
    )
    assert f"is also that of {acme}" in found.refused["bolt"]
    assert f"{coal}:3: precoro.email: the company" in found.refused["coal"]
    assert f"also that of {dusk}" in found.refused["coal"]
    assert "eden.toml:8: apply_deliveries.secret_file: the webhooks' secret is also that of" in found.refused["eden"]
    for one, other, place in (("jade", "kelp", tmp_path / "files"), ("lime", "mint", "s3://bucket/prefix")):
        said = f"{tmp_path}/{one}.toml:8: fetch_attachments.directory: the place of attached files, {place}, "
        assert found.refused[one] == f"{said}is also that of {tmp_path}/{other}.toml"
    assert "the API key" in found.refused["gold"]
    assert "a-secret-of" not in str(found.refused)


def test_of_many_that_share_something_a_few_are_named(tmp_path: Path) -> None:
    for number in range(6):
        company(tmp_path, f"c{number}", key="same", label=str(number))
    found = read_companies(tmp_path, {})
    named = " and ".join(f"{tmp_path}/c{number}.toml" for number in (1, 2, 3))
    assert found.refused["c0"].endswith(f"the API key is also that of {named} and 2 more")


def test_a_directory_in_which_there_is_no_company_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no company's file in it"):
        read_companies(tmp_path, {})
    with pytest.raises(ConfigurationError, match="cannot be read: no such file or directory"):
        read_companies(tmp_path / "nowhere", {})
    company(tmp_path, "acme")
    (tmp_path / "a b.toml").write_text("")
    found = read_companies(tmp_path, {})
    assert (list(found.companies), list(found.refused)) == (["acme"], ["a b"])
