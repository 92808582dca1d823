"""The order that a loss of power asks for, which no killed process can show: content, name, folder, row."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, Self

import pytest
from aiohttp import web

from tests.adapters.http.stand_ins import serving
from tests.files.filing import filing, kept_in, name_files

SYNCS = frozenset({("posix", "fchmod"), ("posix", "fsync"), ("posix", "link")})
CONTENT = b"%PDF-1.7 " + bytes(5_000)


class Record:
    """What is asked of the file system and of the store, in order, by whichever thread."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        where = frame.f_code.co_filename
        if event == "c_return" and (function.__module__, function.__name__) in SYNCS:
            self.calls.append(function.__name__)
        if event == "return" and frame.f_code.co_name == "_count" and where.endswith("partial_file.py"):
            self.calls.append("write")
        if event == "call" and frame.f_code.co_name == "in_transaction":
            self.calls.append("row")

    def __enter__(self) -> Self:
        threading.setprofile(self)
        sys.setprofile(self)
        return self

    def __exit__(self, *_exit: object) -> None:
        threading.setprofile(None)
        sys.setprofile(None)


@pytest.mark.asyncio
async def test_the_content_is_durable_before_its_name_and_the_name_before_its_row(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=CONTENT)

    with Record() as record:
        async with serving(answer) as origin, filing(tmp_path, origin, in_flight=1) as shown:
            await name_files(shown.store, {7: {"size": len(CONTENT)}})
            await shown.job.lap()
            assert kept_in(shown.directory) == {7: CONTENT}
    written = record.calls.index("write")
    steps = [step for step in record.calls[written:] if step != "write"]
    named = steps.index("link")
    assert steps[named - 2 : named] == ["fchmod", "fsync"], "the content is made durable before it gets its name"
    assert steps[named + 1] == "fsync", "the name is made durable"
    assert "row" not in steps[: named + 2], "the row comes last"
    assert "row" in steps[named + 2 :]
