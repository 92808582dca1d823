"""Trouble with files: each of these stories once ended in a wrong file, a lost one, a crash or an endless lap."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from aiohttp import web
from yarl import URL

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.downloads import Downloads
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.objects.directory import open_directory
from precoro_daemon.errors import MalformedAnswer, ServerFault
from precoro_daemon.files.rules.bodies import Part
from precoro_daemon.files.verify_attachments import VerifyAttachments
from tests.adapters.http.stand_ins import serving
from tests.files.filing import filing, kept_in, name_files, read_names

pytestmark = pytest.mark.asyncio
PDF = b"%PDF-1.7 " + b"x" * 500


def state_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("state.db*")}


def restore(directory: Path, state: dict[str, bytes]) -> None:
    for path in directory.glob("state.db*"):
        path.unlink()
    for name, content in state.items():
        (directory / name).write_bytes(content)


def touch(path: bytes) -> None:
    Path(os.fsdecode(path)).touch()


async def plain(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=PDF)


@pytest.mark.parametrize("url", ["https://a..b/x", "https://h:99999/x", "https://h:abc/x", "https://xn--a/"])
async def test_weird_address(tmp_path: Path, url: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.endswith("/7"):
            return web.json_response({"file": url})
        return web.Response(body=PDF)

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": len(PDF)}, 8: {"size": len(PDF)}})
        report = await shown.job.lap()
        assert kept_in(shown.directory) == {8: PDF}
        assert len(report.failed) == 1


@pytest.mark.parametrize("thing", ["file", "link"])
async def test_folder_of_document_in_the_way(tmp_path: Path, thing: str) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": len(PDF)}})
        (shown.directory / "invoices").mkdir(parents=True)
        if thing == "file":
            (shown.directory / "invoices" / "1").write_text("a file")
        else:
            (tmp_path / "elsewhere").mkdir()
            (shown.directory / "invoices" / "1").symlink_to(tmp_path / "elsewhere")
        report = await shown.job.lap()
        assert len(report.failed) == 1


async def test_manifest_after_state_lost_and_one_more(tmp_path: Path) -> None:
    async with serving(plain) as origin:
        async with filing(tmp_path, origin, in_flight=1) as shown:
            await name_files(shown.store, {n: {"size": len(PDF)} for n in (1, 2, 3)})
            await shown.job.lap()
        restore(tmp_path, {})
        async with filing(tmp_path, origin, in_flight=1) as shown:
            await name_files(shown.store, {n: {"size": len(PDF)} for n in (1, 2, 3, 4)})
            await shown.job.lap()
            lines = [json.loads(line) for line in (shown.directory / "manifest.jsonl").read_text().splitlines()]
            assert sorted(line["attachment_id"] for line in lines) == [1, 2, 3, 4], lines


async def test_verify_goes_on_when_a_directory_bears_the_path(tmp_path: Path) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {n: {"size": len(PDF)} for n in (1, 2)})
        await shown.job.lap()
        path = shown.directory / "invoices/1/1__1.pdf"
        path.unlink()
        path.mkdir()
        async with open_directory(shown.directory, identity="company", reserve=0) as folder:
            v = await VerifyAttachments(shown.store.attachments, folder, RealClock()).run(1.0)
            assert v.good.files == 1


async def test_verify_stranger_with_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin) as shown:
        shown.directory.mkdir()
        touch(os.fsencode(shown.directory) + b"/M\xfcller.pdf")
        async with open_directory(shown.directory, identity="company", reserve=0) as folder:
            v = await VerifyAttachments(shown.store.attachments, folder, RealClock()).run(1.0)
            assert len(v.orphans) == 1


async def test_verify_leaves_strangers_that_look_like_drafts(tmp_path: Path) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin) as shown:
        shown.directory.mkdir()
        mine = shown.directory / ".my-backup.part"
        mine.write_text("mine")
        async with open_directory(shown.directory, identity="company", reserve=0) as folder:
            await VerifyAttachments(shown.store.attachments, folder, RealClock()).run(1.0)
        assert mine.exists()


async def test_users_file_put_where_a_fetch_failed(tmp_path: Path) -> None:
    ok = False

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=PDF) if ok else web.Response(status=500)

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": len(PDF)}})
        await shown.job.lap()
        mine = shown.directory / "invoices/1/7__7.pdf"
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text("somebody's own, downloaded and annotated by hand")
        ok = True
        await shown.job.lap()
        assert mine.read_text().startswith("somebody's own")


async def test_reserve_is_kept_where_sizes_are_not_told(tmp_path: Path) -> None:
    body = b"%PDF" + os.urandom(4 * 2**20)
    n = [0]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        n[0] += 1
        return web.Response(body=body + b"%d" % n[0])

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=1) as shown:
        free = shutil.disk_usage(tmp_path).free
        (tmp_path / "files").mkdir()
        job = replace(
            shown.job, stores=partial(open_directory, shown.directory, identity="company", reserve=free - 140 * 2**20)
        )
        await name_files(shown.store, {k: {} for k in range(1, 81)})
        await job.lap()
        kept = sum(p.stat().st_size for p in shown.directory.rglob("*__*"))
        assert kept <= 160 * 2**20, kept / 2**20


async def test_one_large_file_does_not_hold_up_small_ones(tmp_path: Path) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin, in_flight=1) as shown:
        free = shutil.disk_usage(tmp_path).free
        job = replace(
            shown.job, stores=partial(open_directory, shown.directory, identity="company", reserve=free - 2 * 2**30)
        )
        await name_files(shown.store, {1: {"size": len(PDF)}, 2: {"size": len(PDF)}, 9: {"size": 5 * 2**30}})
        await job.lap()
        await job.lap()
        assert set(kept_in(shown.directory)) == {1, 2}


async def test_json_error_is_not_kept_as_text(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"code": 500, "message": "Something went wrong"})

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"formatType": "csv"}})
        await shown.job.lap()
        assert kept_in(shown.directory) == {}


async def test_an_outage_at_the_first_run_is_not_kept(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="Service temporarily unavailable")

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {k: {"formatType": "doc", "size": 5000 + k} for k in range(1, 60)})
        await shown.job.lap()
        assert kept_in(shown.directory) == {}


@pytest.mark.parametrize("where", ["error", "json"])
async def test_trickling_message_ends(tmp_path: Path, where: str) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        r = web.StreamResponse(status=500 if where == "error" else 200, headers={"Content-Type": "application/json"})
        await r.prepare(request)
        for _ in range(400):
            await r.write(b" ")
            await anyio.sleep(0.05)
        return r

    async with serving(answer) as origin, filing(tmp_path, origin, timeout=0.3) as shown:
        await name_files(shown.store, {7: {"size": 5}})
        with anyio.fail_after(60):
            await shown.job.lap()


async def test_signature_not_told(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"file": "https://127.0.0.1:1/x?X-Amz-Signature=s3cret"})

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        shown.job.source._downloads._allowed = frozenset({"127.0.0.1"})
        await name_files(shown.store, {7: {"size": 5}})
        report = await shown.job.lap()
        assert "s3cret" not in str(report.failed), report.failed


async def test_signature_not_told_own_origin(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "_files" in request.path:
            return web.Response(status=500)
        return web.json_response({"file": "/_files/x?X-Amz-Signature=s3cret"})

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": 5}})
        report = await shown.job.lap()
        assert "s3cret" not in str(report.failed), report.failed


async def test_wrong_size_is_not_asked_for_endlessly(tmp_path: Path) -> None:
    n = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        n.append(request.path)
        return web.Response(body=PDF)

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {1: {"size": len(PDF)}, 2: {"size": 77}})
        for _ in range(6):
            await shown.job.lap()
        c = sum(p.endswith("/2") for p in n)
        assert c <= 12, c


async def test_not_bytes_and_too_large(tmp_path: Path) -> None:
    n = []
    body = PDF * 100

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        n.append(request.path)
        return web.Response(
            body=body if request.path.endswith("/99") else PDF + b"y" * int(request.path.rpartition("/")[2])
        )

    async with serving(answer) as origin, filing(tmp_path, origin, max_bytes=10_000) as shown:
        await name_files(shown.store, {k: {"size": 1} for k in range(1, 40)} | {99: {"size": 50}})
        for _ in range(3):
            report = await shown.job.lap()
        assert len(kept_in(shown.directory)) == 39
        assert report.failed == []
        assert [f.attachment.id for f in await shown.store.attachments.too_large(shown.job.wanted)] == [99]


async def test_half_a_surrogate_in_one_name_loses_no_files(tmp_path: Path) -> None:
    async with serving(plain) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {1: {"size": len(PDF), "name": "a\ud83d.pdf"}, 2: {"size": len(PDF)}})
        report = await shown.job.lap()
        assert set(kept_in(shown.directory)) == {1, 2}, report


async def test_restart_forgets_part_before_kill(tmp_path: Path) -> None:
    """200 with other content instead of the rest, then kill -9: the next must not put the rest of v1 behind it."""
    size = 20 * 2**20
    one, other = os.urandom(size), b"?" * size
    calls = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked = request.headers.get("Range")
        calls.append(asked)
        if len(calls) == 1:  # a wrong body, with 200, that stops in the middle
            r = web.StreamResponse(headers={"Content-Length": str(size)})
            await r.prepare(request)
            await r.write(other[: 14 * 2**20])
            await anyio.sleep(30)
            return r
        if asked:
            start = int(asked[6:-1])
            return web.Response(
                status=206,
                body=one[start:],
                headers={"ETag": '"one"', "Content-Range": f"bytes {start}-{size - 1}/{size}"},
            )
        return web.Response(body=one, headers={"ETag": '"one"'})

    async with serving(answer) as origin:
        async with filing(tmp_path, origin, timeout=60) as shown:
            await name_files(shown.store, {7: {"size": size}})
            await read_names(shown.store)
            [file] = await shown.store.attachments.due_files(shown.job.wanted, before=1e12, limit=1)
            await shown.store.attachments.reserve({file.key: "invoices/1/7__7.pdf"})
            await shown.store.attachments.save_part(file, Part(9 * 2**20, '"one"'))
            draft = shown.directory / "invoices" / "1" / ".7.part"
            draft.parent.mkdir(parents=True)
            draft.write_bytes(one[: 9 * 2**20])
            async with anyio.create_task_group() as g:
                g.start_soon(shown.job.lap)
                await anyio.sleep(2)
                # what a kill -9 in this moment leaves behind
                saved = draft.read_bytes()
                db = state_of(tmp_path)
                g.cancel_scope.cancel()
        restore(tmp_path, db)
        draft.write_bytes(saved)
        assert len(saved) > 9 * 2**20
        async with filing(tmp_path, origin) as shown:
            await shown.job.lap()
            assert calls[1:]
            assert kept_in(shown.directory) == {7: one}, "a mixture was kept"


async def test_an_address_at_precoro_is_charged_however_it_is_written(tmp_path: Path) -> None:
    asked: list[tuple[str, bool]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.path, "X-AUTH-TOKEN" in request.headers))
        if request.path.startswith("/attachments/"):
            port = request.url.port
            return web.json_response({"file": f"HTTP://LOCALHOST:{port}/_files/7"})
        return web.Response(body=PDF)

    async with serving(answer) as numbers, filing(tmp_path, numbers.replace("127.0.0.1", "localhost")) as shown:
        await name_files(shown.store, {7: {"size": len(PDF)}})
        await shown.job.lap()
        assert kept_in(shown.directory) == {7: PDF}
    assert asked == [("/attachments/7", True), ("/_files/7", True)], "the key shows that it went the charged way"


async def test_no_redirect_leads_back_past_the_account_of_calls() -> None:
    asked: list[str] = []

    async def home(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=PDF)

    async with serving(home) as origin:

        async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": f"{origin}/_files/7"})

        async with serving(elsewhere) as other, Downloads(["127.0.0.1"], Timeouts(), origin) as downloads:
            with pytest.raises(MalformedAnswer, match="leads back"):
                async with downloads.open(URL(f"{other}/x"), {}):
                    """Never entered."""
    assert asked == []


async def test_a_signature_is_not_told_by_a_fault_at_precoro_either(tmp_path: Path) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/attachments/"):
            return web.json_response({"file": "/_files/7?signature=s3cret"})
        response = web.StreamResponse(headers={"Content-Length": "500"})
        await response.prepare(request)
        await response.write(b"%PDF")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serving(answer) as origin, filing(tmp_path, origin) as shown:
        await name_files(shown.store, {7: {"size": 500}})
        report = await shown.job.lap()
        assert len(report.failed) == 1
        assert "s3cret" not in str(report.failed)


async def test_a_draft_that_is_a_kept_file_by_another_name_is_not_written_into(tmp_path: Path) -> None:
    async with open_directory(tmp_path / "files", identity="company", reserve=0) as folder:
        async with folder.partial_file("invoices/1/7__a.pdf") as draft:
            await draft.write(PDF)
            await draft.keep()
        kept = tmp_path / "files/invoices/1/7__a.pdf"
        kept.with_name(".8.part").hardlink_to(kept)
        async with folder.partial_file("invoices/1/8__b.pdf", take_up=100) as draft:
            assert draft.length == 0
            await draft.write(b"something else")
            await draft.keep()
        assert kept.read_bytes() == PDF


@pytest.mark.parametrize("in_flight", [1, 4])
async def test_a_server_in_trouble_is_asked_for_a_few_files(tmp_path: Path, in_flight: int) -> None:
    asked: list[str] = []
    well = False

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=PDF) if well else web.Response(status=503)

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=in_flight) as shown:
        await name_files(shown.store, {number: {"size": len(PDF)} for number in range(1, 40)})
        for lap in (1, 2, 3):
            report = await shown.job.lap()
            assert isinstance(report.ended, ServerFault)
            assert report.failed
            assert len(asked) <= (3 + 2 * in_flight) * lap
        well = True
        assert (await shown.job.lap()).ended is None
        assert kept_in(shown.directory) == dict.fromkeys(range(1, 40), PDF)


@pytest.mark.parametrize("in_flight", [1, 4])
async def test_a_few_files_that_always_fail_keep_no_other_waiting(tmp_path: Path, in_flight: int) -> None:
    bad: set[str] = set()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503) if request.path.rpartition("/")[2] in bad else web.Response(body=PDF)

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=in_flight) as shown:
        await name_files(shown.store, {number: {"size": len(PDF)} for number in range(1, 40)})
        assert await shown.job.due(shown.job.clock.now())
        assert (await shown.store.attachments.count_due_files(shown.job.wanted, before=1e12)).files == 39
        first = await shown.store.attachments.due_files(shown.job.wanted, before=1e12, limit=9)
        bad.update(str(file.attachment.id) for file in first)
        report = await shown.job.lap()
        assert (report.ended, len(report.failed)) == (None, 9)
        assert len(kept_in(shown.directory)) == 30


def _as_file(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Disposition": "attachment"})


async def test_where_addresses_follow_from_the_id_most_files_are_one_call(tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        number = request.path.rpartition("/")[2]
        return web.json_response({"file": f"/_files/{number}"}) if "attach" in request.path else _as_file(PDF)

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=1) as shown:
        await name_files(shown.store, {number: {"size": len(PDF)} for number in range(1, 41)})
        assert (await shown.job.lap()).failed == []
        assert len(kept_in(shown.directory)) == 40
    assert len([path for path in asked if "attach" in path]) == 5
    assert len(asked) == 45


@pytest.mark.parametrize("kind", ["404", "403", "500", "page", "json", "redirect", "empty"])
async def test_a_file_that_is_not_where_it_was_expected_is_asked_for_as_any_other(tmp_path: Path, kind: str) -> None:
    """The addresses of the first files are alike, those of the others are elsewhere."""
    wrong: list[str] = []
    answers: dict[str, Callable[[], web.Response]] = {
        "page": lambda: web.Response(text="<html>", content_type="text/html"),
        "json": lambda: web.json_response({"file": "/elsewhere"}),
        "redirect": lambda: web.Response(status=302, headers={"Location": "/elsewhere"}),
        "empty": lambda: web.Response(body=b""),
    }

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        folder, _, name = request.path.rpartition("/")
        moved = int(name) <= 30
        if folder == "/attachments":
            return web.json_response({"file": f"/moved/{name}?key={name}7" if moved else f"/_files/{name}"})
        if folder == "/_files" and moved:
            wrong.append(name)
            return answers[kind]() if kind in answers else web.Response(status=int(kind))
        return _as_file(PDF)

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=1) as shown:
        await name_files(shown.store, {number: {"size": len(PDF)} for number in range(1, 41)})
        assert (await shown.job.lap()).failed == []
        assert len(kept_in(shown.directory)) == 40
    assert len(wrong) == 1, "a wrong guess is not made again"
