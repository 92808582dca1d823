"""The socket for commands: one does not end with its connection, and whoever gave it learns what is known."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import aiohttp
import anyio
import pytest

from precoro_daemon.adapters.listener.control import PATH, Execute, Executor, control
from precoro_daemon.app.control import send_command
from precoro_daemon.app.state import state_of
from precoro_daemon.errors import CommandUnanswered, DecisionRefused, StoreHeld, StoreUnusable
from precoro_daemon.payments.commands import Command
from precoro_daemon.settings import Settings
from precoro_daemon.values.addresses import Address

HELD = StoreHeld("The state is held by somebody.")
ARM = Command("arm", "me")


def settings(directory: Path, email: str = "a@example.org") -> Settings:
    precoro = {"base_url": "http://127.0.0.1:9", "email": email, "token": "a-token-of-ours"}
    return Settings(precoro=precoro, state={"url": f"sqlite:///{directory}/state.db"})  # type: ignore[arg-type]


async def begun(directory: Path) -> Settings:
    ours = settings(directory)
    async with state_of(ours).open():
        pass
    return ours


@asynccontextmanager
async def taking(path: Path, execute: Execute) -> AsyncIterator[None]:
    executor = Executor(execute)
    async with control(Address(path=str(path)), executor), executor.open():
        yield


async def post(path: Path, command: bytes = b'{"kind": "arm", "by": "me"}') -> tuple[int, dict[str, object]]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
        session.post(f"http://localhost{PATH}", data=command) as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.asyncio
async def test_a_command_goes_on_when_whoever_gave_it_is_gone(tmp_path: Path) -> None:
    came, may_end, done = anyio.Event(), anyio.Event(), anyio.Event()

    async def execute(command: Command) -> str:
        assert command == ARM
        came.set()
        await may_end.wait()
        done.set()
        return "armed"

    async with taking(tmp_path / "door", execute):
        async with anyio.create_task_group() as group:
            group.start_soon(post, tmp_path / "door")
            await came.wait()
            group.cancel_scope.cancel()
        await anyio.sleep(0.2)  # by now the server has noticed that the connection is gone
        may_end.set()
        with anyio.fail_after(60):
            await done.wait()


@pytest.mark.asyncio
async def test_a_refusal_is_one_also_when_it_comes_out_of_a_group(tmp_path: Path) -> None:
    async def execute(command: Command) -> str:
        async with anyio.create_task_group():
            raise DecisionRefused(f"not {command.kind}")

    async with taking(tmp_path / "door", execute):
        assert await post(tmp_path / "door") == (409, {"refused": "not arm", "exit_code": 2})


@pytest.mark.asyncio
async def test_who_waits_when_the_service_ends_gets_an_answer(tmp_path: Path) -> None:
    answers: list[tuple[int, dict[str, object]]] = []
    came = anyio.Event()

    async def execute(_: Command) -> str:
        came.set()
        await anyio.sleep_forever()
        return ""

    async with anyio.create_task_group() as group:

        async def wait() -> None:
            answers.append(await post(tmp_path / "door"))

        async with taking(tmp_path / "door", execute):
            group.start_soon(wait)
            await came.wait()
    assert answers == [(503, {"refused": "the service ends; check `payments review`", "exit_code": 1})]


@pytest.mark.asyncio
async def test_an_answer_that_does_not_come_is_no_word_on_who_holds_the_state(tmp_path: Path) -> None:
    ours = await begun(tmp_path)
    with hanging_up(tmp_path / "state.db.control"), pytest.raises(CommandUnanswered, match="may have done it"):
        await anyio.to_thread.run_sync(send_command, ours, ARM, HELD)


@pytest.mark.asyncio
async def test_where_nobody_takes_commands_the_holder_is_named(tmp_path: Path) -> None:
    ours = await begun(tmp_path)
    with pytest.raises(StoreHeld, match="held by somebody"):
        await anyio.to_thread.run_sync(send_command, ours, ARM, HELD)


@pytest.mark.asyncio
async def test_another_companys_state_gets_no_commands(tmp_path: Path) -> None:
    await begun(tmp_path)
    executed: list[Command] = []

    async def execute(command: Command) -> str:
        executed.append(command)
        return ""

    theirs = settings(tmp_path, email="b@example.org")
    async with taking(tmp_path / "state.db.control", execute):
        with pytest.raises(StoreUnusable, match="another company"):
            await anyio.to_thread.run_sync(send_command, theirs, ARM, HELD)
    assert executed == []


@contextmanager
def hanging_up(path: Path) -> Iterator[None]:
    """Reads what comes, and says nothing."""
    with closing(socket.socket(socket.AF_UNIX)) as door:
        door.bind(str(path))
        door.listen()

        def serve() -> None:
            sender, _ = door.accept()
            sender.recv(4096)
            sender.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()
