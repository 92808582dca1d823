"""Files that come with `Content-Encoding`: what the document declares is kept, packed or not; no bomb goes off."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from precoro_daemon.adapters.http.unpacking import Unpacker
from precoro_daemon.errors import ConnectionFault, MalformedAnswer
from tests.adapters.http.stand_ins import talking
from tests.files.body_faults import CONTENT, MAX_BYTES, Said, chunked, measured
from tests.files.filing import filing, kept_in, name_files
from tests.files.test_body_faults import Server

PACKED = gzip.compress(CONTENT)
BOMB = gzip.compress(bytes(5_000_000))
GZIP = "Content-Encoding: gzip"


@pytest.mark.asyncio
async def test_what_the_document_declares_is_kept(tmp_path: Path) -> None:
    plan = {
        1: (Said(measured(PACKED, GZIP)), len(PACKED), PACKED),
        2: (Said(measured(PACKED, GZIP)), len(CONTENT), CONTENT),
        3: (Said(chunked(PACKED, GZIP)), len(CONTENT), CONTENT),
        4: (Said(measured(zlib.compress(CONTENT), "Content-Encoding: deflate")), len(CONTENT), CONTENT),
        5: (Said(measured(PACKED + PACKED, GZIP)), 2 * len(CONTENT), 2 * CONTENT),
        6: (Said(measured(BOMB, GZIP)), len(BOMB), BOMB),
        7: (Said(measured(BOMB, GZIP)), 1_000, None),
        8: (Said(measured(CONTENT, "Content-Encoding: br")), len(CONTENT) + 1, None),
        9: (Said(measured(PACKED[:-9], GZIP)), len(CONTENT), None),
    }
    server = Server({number: said for number, (said, *_) in plan.items()})
    async with (
        talking(server) as origin,
        filing(tmp_path, origin, timeout=30, max_bytes=MAX_BYTES, in_flight=4) as shown,
    ):
        await name_files(shown.store, {one: {"size": size, "formatType": "gz"} for one, (_, size, _) in plan.items()})
        await shown.job.lap()
        assert kept_in(shown.directory) == {
            one: content for one, (_, _, content) in plan.items() if content is not None
        }


def test_a_bomb_is_unpacked_in_small_pieces() -> None:
    unpacker = Unpacker("gzip", "GET /bomb")
    unpacker.put(BOMB)
    pieces = []
    while piece := unpacker.take():
        pieces.append(len(piece))
    unpacker.end()
    assert sum(pieces) == 5_000_000
    assert max(pieces) <= 2**20


def test_what_cannot_be_unpacked_is_said() -> None:
    with pytest.raises(MalformedAnswer, match="packed in a way that was not asked for: 'br'"):
        Unpacker("br", "GET /a")
    spoilt = Unpacker("gzip", "GET /a")
    spoilt.put(b"\x1f\x8bnonsense")
    with pytest.raises(MalformedAnswer, match="GET /a: it cannot be unpacked"):
        spoilt.take()
    cut = Unpacker("gzip", "GET /a")
    cut.put(PACKED[:-9])
    while cut.take():
        pass
    with pytest.raises(ConnectionFault, match="ends before its end"):
        cut.end()
