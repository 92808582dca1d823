"""A large file goes on where it stopped, only if the rest belongs to the same file; else from its beginning."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from precoro_daemon.files.rules.bodies import Part
from tests.adapters.http.stand_ins import serving
from tests.files.filing import Filing, filing, kept_in, name_files, read_names

pytestmark = pytest.mark.asyncio

CONTENT = random.Random(3).randbytes(20 * 2**20)
OTHER = CONTENT[::-1]
CUT = 12 * 2**20
SIZE = len(CONTENT)

Rest = Callable[[int], web.Response]


def rest(start: int, *, content: bytes = CONTENT, tag: str = '"one"', said: str = "") -> web.Response:
    headers = {"ETag": tag, "Content-Range": said or f"bytes {start}-{SIZE - 1}/{SIZE}"}
    return web.Response(status=206, body=content[start:], headers=headers)


class Server:
    """Cuts the first answer after CUT bytes; the next one, where it is asked for a range, is what the test gives."""

    def __init__(self, answer: Rest, *, tag: str | None = '"one"', content: bytes = CONTENT) -> None:
        self.answer = answer
        self.tag = tag
        self.content = content
        self.ranges: list[str] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = request.headers.get("Range", "")
        self.ranges.append(asked)
        tag = {"ETag": self.tag} if self.tag else {}
        if len(self.ranges) == 1:
            response = web.StreamResponse(headers={"Content-Length": str(SIZE), **tag})
            await response.prepare(request)
            await response.write(CONTENT[:CUT])
            await anyio.sleep(0.05)
            assert request.transport is not None
            request.transport.abort()
            return response
        if asked:
            assert request.headers["If-Range"] == self.tag
            return self.answer(int(re.findall(r"\d+", asked)[0]))
        return web.Response(body=self.content, headers=tag)


async def lap(shown: Filing, server: Server) -> bytes | None:
    await name_files(shown.store, {7: {"size": SIZE}})
    report = await shown.job.lap()
    assert (report.brought, report.failed) == (1, []), server.ranges
    return kept_in(shown.directory).get(7)


async def test_the_rest_is_asked_for_and_put_behind(tmp_path: Path) -> None:
    server = Server(rest)
    async with serving(server) as origin, filing(tmp_path, origin) as shown:
        assert await lap(shown, server) == CONTENT
    first, second = server.ranges
    assert first == ""
    assert 8 * 2**20 <= int(re.findall(r"\d+", second)[0]) <= CUT


@pytest.mark.parametrize("tag", [None, 'W/"one"', "one"])
async def test_without_a_validator_it_comes_whole(tmp_path: Path, tag: str | None) -> None:
    server = Server(rest, tag=tag)
    async with serving(server) as origin, filing(tmp_path, origin) as shown:
        assert await lap(shown, server) == CONTENT
    assert server.ranges == ["", ""]


UNSOUND: Mapping[str, Rest] = {
    "another version": lambda start: rest(start, content=OTHER, tag='"two"'),
    "another place": lambda start: rest(start, said=f"bytes {start - 1}-{SIZE - 1}/{SIZE}"),
    "from the beginning": lambda start: rest(0, said=f"bytes 0-{SIZE - 1}/{SIZE}"),
    "not to the end": lambda start: rest(start, said=f"bytes {start}-{SIZE - 2}/{SIZE}"),
    "another length": lambda start: rest(start, said=f"bytes {start}-{SIZE}/{SIZE + 1}"),
    "no place": lambda start: rest(start, said="bytes */5"),
    "nothing there": lambda start: web.Response(status=416),
    "gone": lambda start: web.Response(status=404),
    "a page": lambda start: web.Response(text="<html>Sign in</html>", content_type="text/html"),
}


@pytest.mark.parametrize("answer", UNSOUND.values(), ids=UNSOUND)
async def test_what_is_not_the_rest_of_it_is_never_put_behind(tmp_path: Path, answer: Rest) -> None:
    server = Server(answer)
    async with serving(server) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": SIZE}})
        for _ in range(3):
            await shown.job.lap()
            assert kept_in(shown.directory).get(7) in (None, CONTENT)
        assert kept_in(shown.directory) == {7: CONTENT}


async def test_a_version_that_changed_comes_whole(tmp_path: Path) -> None:
    server = Server(lambda start: web.Response(body=OTHER, headers={"ETag": '"two"'}))
    async with serving(server) as origin, filing(tmp_path, origin) as shown:
        assert await lap(shown, server) == OTHER


async def test_what_a_killed_process_had_made_durable_is_taken_up_by_the_next(tmp_path: Path) -> None:
    server = Server(rest)
    server.ranges.append("an earlier process")
    async with serving(server) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": SIZE}})
        await read_names(shown.store)
        [file] = await shown.store.attachments.due_files(shown.job.wanted, before=1e12, limit=1)
        await shown.store.attachments.reserve({file.key: "invoices/1/7__7.pdf"})
        await shown.store.attachments.save_part(file, Part(CUT, '"one"'))
        draft = shown.directory / "invoices" / "1" / ".7.part"
        draft.parent.mkdir(parents=True)
        draft.write_bytes(CONTENT[:CUT] + b"written, but never made durable")
        await shown.job.lap()
        assert server.ranges[1:] == [f"bytes={CUT}-"]
        assert kept_in(shown.directory) == {7: CONTENT}


async def test_a_run_that_is_ended_leaves_what_came_to_the_next(tmp_path: Path) -> None:
    server = Server(rest)

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Range") or server.ranges:
            return await server(request)
        server.ranges.append("")
        response = web.StreamResponse(headers={"Content-Length": str(SIZE), "ETag": '"one"'})
        await response.prepare(request)
        await response.write(CONTENT[:CUT])
        await anyio.sleep(30)
        return response

    async with serving(slow) as origin, filing(tmp_path, origin, timeout=60) as shown:
        await name_files(shown.store, {7: {"size": SIZE}})
        with anyio.move_on_after(1.5):
            await shown.job.lap()
        assert kept_in(shown.directory) == {}
        await shown.job.lap()
        assert kept_in(shown.directory) == {7: CONTENT}
    assert server.ranges[1].startswith("bytes=")
