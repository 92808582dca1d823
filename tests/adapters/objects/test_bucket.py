"""A bucket that fails, is slow or is left in the middle: one clear sentence, nothing half there or wrongly known."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import obstore
import pytest

from precoro_daemon.adapters.objects.bucket import BucketStore, open_bucket
from precoro_daemon.adapters.objects.bucket_access import BucketAccess, connect
from precoro_daemon.errors import BucketUnusable, DiskFault
from precoro_daemon.files.ports.attachment_book import Kept
from tests.adapters.objects.gate import Answer, Asked, Gate, gate_to
from tests.adapters.objects.killing import killed_at_requests
from tests.adapters.objects.s3 import access_to

PATH = "invoices/1/7__7.pdf"
SMALL, MEDIUM, LARGE = os.urandom(200_000), os.urandom(2_500_000), os.urandom(5_500_000)
SIGNED = "AWS4-HMAC-SHA256 Credential=ACCESSKEY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
"""moto looks for a signature, and does not look at it."""


@pytest.fixture
def gate(s3: str) -> Iterator[Gate]:
    with gate_to(s3) as gate:
        yield gate


@asynccontextmanager
async def opened(access: BucketAccess, folder: Path) -> AsyncIterator[BucketStore]:
    async with open_bucket(access, folder / "spool", identity="company", reserve=0) as store:
        yield store


async def put(store: BucketStore, content: bytes) -> Kept:
    async with store.partial_file(PATH) as partial:
        await partial.write(content[:-1_000])
        await partial.write(content[-1_000:])  # held in memory still, whatever the spool has
        return await partial.keep()


def there(access: BucketAccess) -> bytes | None:
    try:
        return bytes(obstore.get(connect(access), f"{access.prefix}/{PATH}").bytes())
    except FileNotFoundError:
        return None


def spooled(folder: Path) -> list[Path]:
    return list((folder / "spool").rglob("*.part"))


REFUSALS = {
    "AccessDenied": (403, "access is refused (AccessDenied); the key must be allowed to list the bucket"),
    "InvalidAccessKeyId": (403, "it does not accept the key (InvalidAccessKeyId); mend the credentials"),
    "QuotaExceeded": (403, "the bucket is full, or its quota is used up (QuotaExceeded); make room"),
    "InsufficientStorage": (507, "the bucket is full"),
    "AuthorizationHeaderMalformed": (400, "the bucket is in another region (eu-west-1); set region"),
    "PermanentRedirect": (301, "the bucket is in another region; set region"),
    "NoSuchBucket": (404, "there is no such bucket; make it, or mend directory"),
    "RequestTimeTooSkewed": (403, "the clock of this machine is wrong"),
    "InternalError": (500, "it is in trouble (InternalError); the next lap tries again"),
    "SlowDown": (503, "it asks for fewer requests (SlowDown)"),
}


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.asyncio
async def test_what_the_bucket_refuses_is_said_in_one_sentence_with_what_to_do(
    gate: Gate, tmp_path: Path, code: str
) -> None:
    status, sentence = REFUSALS[code]
    access = access_to(gate.origin, code.lower())
    async with opened(access, tmp_path) as store:
        gate.before = lambda asked: Answer(status, code, "expecting 'eu-west-1'") if asked.method == "PUT" else None
        with pytest.raises(BucketUnusable) as told:
            await put(store, SMALL)
    assert sentence in str(told.value)
    assert str(told.value).startswith(f"s3://bucket/{code.lower()}: ")
    assert "\n" not in str(told.value)
    assert "SECRET" not in str(told.value)
    gate.before = lambda _: None
    assert there(access) is None
    assert spooled(tmp_path) == []


@pytest.mark.asyncio
async def test_a_store_that_is_not_there_is_told_before_anything_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(BucketUnusable, match=r"it cannot be reached; mend endpoint in \[fetch_attachments.bucket\]"):
        async with opened(access_to("http://127.0.0.1:1", "x"), tmp_path):
            pass


@pytest.mark.asyncio
async def test_one_that_does_not_answer_is_given_up_soon(gate: Gate, tmp_path: Path) -> None:
    access = access_to(gate.origin, "slow", timeout=1)
    release = threading.Event()
    async with opened(access, tmp_path) as store:

        def hold(asked: Asked) -> Answer | None:
            if asked.method == "PUT":
                release.wait(20)
                return Answer(500)
            return None

        gate.before = hold
        try:
            with pytest.raises(BucketUnusable, match="it does not answer in time"):
                await put(store, SMALL)
        finally:
            release.set()
    assert there(access) is None


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "in parts"])
@pytest.mark.asyncio
async def test_what_is_not_there_as_it_was_written_is_not_kept(gate: Gate, tmp_path: Path, content: bytes) -> None:
    """A store that answers well and keeps nothing, or something else."""
    access = access_to(gate.origin, f"spoilt{len(content)}")

    def spoil(asked: Asked) -> Answer | None:
        before = gate.asked[asked.number - 1]
        if asked.method == "HEAD" and PATH in before.target and before.method in ("PUT", "POST"):
            obstore.put(connect(access_to(gate.upstream, access.prefix)), f"{access.prefix}/{PATH}", b"another's")
        return None

    async with opened(access, tmp_path) as store:
        gate.before = spoil
        with pytest.raises(DiskFault, match="what is there is not what was written; it is fetched again"):
            await put(store, content)


@pytest.mark.parametrize("content", [SMALL, MEDIUM, LARGE], ids=["from memory", "from the spool", "in parts"])
@pytest.mark.asyncio
async def test_cancelled_at_any_request_a_file_is_whole_or_not_there(
    gate: Gate, tmp_path: Path, content: bytes
) -> None:
    step, finished = 0, False
    while not finished:
        for late in (False, True):
            access = access_to(gate.origin, f"cancelled{len(content)}-{step}-{late}")
            async with opened(access, tmp_path) as store:
                number = len(gate.asked) + step
                with anyio.CancelScope() as scope:
                    finished = await put_and_cancel(gate, store, content, number, late=late, scope=scope)
            gate.before = gate.after = lambda _: None
            assert there(access) in (None, content)
            assert spooled(tmp_path) == []
            assert left_open(gate.upstream, access.prefix) == 0, "what was sent in parts is taken back"
        step += 1
    assert step > 2


def left_open(origin: str, prefix: str) -> int:
    """Uploads in parts that were neither ended nor taken back."""
    request = urllib.request.Request(f"{origin}/bucket?uploads&prefix={prefix}", headers={"Authorization": SIGNED})
    with urllib.request.urlopen(request) as answer:
        return int(answer.read().count(b"<UploadId>"))


async def put_and_cancel(
    gate: Gate, store: BucketStore, content: bytes, number: int, *, late: bool, scope: anyio.CancelScope
) -> bool:
    loop = asyncio.get_running_loop()

    def cancel(asked: Asked) -> Answer | None:
        if asked.number == number:
            loop.call_soon_threadsafe(scope.cancel)
            time.sleep(0.05)
        return None

    setattr(gate, "after" if late else "before", cancel)
    kept = await put(store, content)
    assert kept.sha256 == hashlib.sha256(content).digest()
    return True


def test_killed_at_a_request_nothing_is_half_there_and_nothing_recorded_is_missing(
    gate: Gate, tmp_path: Path
) -> None:
    """A real lap in a process of its own: SIGKILL after some of its requests, then the next lap."""
    assert killed_at_requests(gate, tmp_path, steps=range(5, 100, 5), late=(True,)) > 1
