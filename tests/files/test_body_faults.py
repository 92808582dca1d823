"""No body that is not the file is ever kept as the file, whatever is wrong with it and from wherever on."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from tests.adapters.http.stand_ins import hear_request, talking
from tests.files.body_faults import BROKEN, CONTENT, LYING, MAX_BYTES, SIXTEENTHS, Kind, Said, measured, offset
from tests.files.filing import filing, kept_in, name_files

pytestmark = pytest.mark.asyncio

Plan = Mapping[int, Said]

_GOOD = 99_999


class Server:
    """Answers each attachment as planned; once it is mended, with the file."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.mended = False

    async def __call__(self, stream: SocketStream) -> None:
        request = await hear_request(stream)
        found = re.match(rb"GET /attachments/(\d+)", request)
        said = self.plan[int(found[1])] if found and not self.mended else Said(measured(CONTENT, "Connection: close"))
        if said.drip:
            for byte in said.data:
                await stream.send(bytes([byte]))
                await anyio.sleep(0.05)
        await stream.send(said.data)
        while said.endless:
            await stream.send(said.endless)
        if said.ending == "hang":
            await anyio.sleep_forever()
        if said.ending == "reset":
            end: socket.socket = stream.extra(SocketAttribute.raw_socket)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def planned(kinds: Mapping[str, Kind]) -> dict[int, Said]:
    """By attachment id: the kind's number times a hundred, plus the sixteenths that come well. What is the same from
    wherever on comes once."""
    plan: dict[int, Said] = {}
    for number, kind in enumerate(kinds.values(), start=1):
        different = {kind(offset(sixteenth)): sixteenth for sixteenth in SIXTEENTHS}
        plan |= {number * 100 + sixteenth: said for said, sixteenth in different.items()}
    return plan


async def swept(where: Path, kinds: Mapping[str, Kind], *, size: int | None, patience: float = 2.0) -> set[int]:
    """What is kept of files that come wrong. Afterwards they come well, and all are kept but those that were taken
    for too large, as nobody said otherwise."""
    plan = planned(kinds)
    if size is not None:
        plan[_GOOD] = Said(measured(CONTENT, "Connection: close"))  # comes first, and shows that sizes are bytes
    server = Server(plan)
    async with (
        talking(server) as origin,
        filing(where, origin, timeout=patience, max_bytes=MAX_BYTES, in_flight=32) as shown,
    ):
        await name_files(shown.store, {id_: {"size": size, "formatType": "pdf"} for id_ in plan})
        await shown.job.lap()
        kept = kept_in(shown.directory)
        stored = {one.file.attachment.id for one in await shown.store.attachments.stored(0, 10_000)}
        assert set(kept) == stored
        wrong = [id_ for id_, content in kept.items() if content != CONTENT]
        assert wrong == [], [list(kinds)[id_ // 100 - 1] for id_ in wrong]
        server.mended = True
        await shown.job.lap()
        endless = {100 * number + k for number in named(kinds, "endless", "bomb") for k in SIXTEENTHS}
        assert kept_in(shown.directory) == dict.fromkeys(set(plan) - (endless if size is None else set()), CONTENT)
        return stored - {_GOOD}


def named(kinds: Mapping[str, Kind], *words: str) -> list[int]:
    return [number for number, kind in enumerate(kinds, start=1) if any(word in kind for word in words)]


async def test_there_are_more_than_forty() -> None:
    assert len(BROKEN) + len(LYING) > 40


@pytest.mark.waits
async def test_with_a_size_nothing_but_the_file_is_kept(tmp_path: Path) -> None:
    assert await swept(tmp_path, BROKEN, size=len(CONTENT)) <= {100 * number + 16 for number in range(1, 99)}


async def test_a_body_that_lies_about_its_length_is_found_out_by_the_size(tmp_path: Path) -> None:
    """The whole file may fail too, where bytes behind a shorter one spoilt the connection it comes on."""
    stored = await swept(tmp_path, LYING, size=len(CONTENT), patience=30)
    assert stored
    assert stored <= {100 * number + 16 for number in range(1, len(LYING) + 1)}


@pytest.mark.waits
async def test_without_a_size_what_is_broken_is_not_kept_either(tmp_path: Path) -> None:
    assert await swept(tmp_path, BROKEN, size=None) == set()
