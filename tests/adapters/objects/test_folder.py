"""Files appear whole under their names or not at all, nothing else is touched, and every refusal is said plainly."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest

from precoro_daemon.adapters.objects.directory import DirectoryStore, open_directory
from precoro_daemon.errors import DiskFull, FolderUnusable
from precoro_daemon.files.ports.attachment_book import AttachedFile, Kept, StoredFile
from precoro_daemon.files.rules.attachments import Attachment

PATH = "invoices/12/7__a.pdf"
DRAFT = "invoices/12/.7.part"
CONTENT = os.urandom(3_000_000)

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def opened(directory: Path, *, identity: str = "company", reserve: int = 0) -> AsyncIterator[DirectoryStore]:
    async with open_directory(directory, identity=identity, reserve=reserve) as folder:
        yield folder


async def put(folder: DirectoryStore, path: str = PATH, content: bytes = CONTENT, *, replaces: bool = False) -> Kept:
    async with folder.partial_file(path, replaces=replaces) as draft:
        for start in range(0, len(content), 100_000):
            await draft.write(content[start : start + 100_000])
        return await draft.keep()


def there(directory: Path) -> set[str]:
    """All names but the mark."""
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    return found - {".precoro-daemon"}


async def test_a_file_is_kept_with_its_length_and_hash(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        kept = await put(folder)
        assert kept == Kept(PATH, len(CONTENT), hashlib.sha256(CONTENT).digest())
        assert (tmp_path / PATH).read_bytes() == CONTENT
        assert await folder.hash(PATH) == (kept.length, kept.sha256)
        assert there(tmp_path) == {PATH}
        assert stat.S_IMODE((tmp_path / PATH).stat().st_mode) == 0o440


async def test_an_empty_file_is_one_too(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        assert await put(folder, content=b"") == Kept(PATH, 0, hashlib.sha256().digest())
        assert (tmp_path / PATH).read_bytes() == b""


async def test_pieces_of_any_length_from_memory_that_is_used_again_are_the_file(tmp_path: Path) -> None:
    drawn, memory = random.Random(4), memoryview(bytearray(3_000_000))
    async with opened(tmp_path) as folder:
        for number in range(12):
            said = hashlib.sha256()
            async with folder.partial_file(f"invoices/1/{number}__a.pdf") as draft:
                for _ in range(drawn.randrange(12)):
                    piece = memory[: drawn.choice((1, 1_000, 2**20 - 1, 2**20, 2**20 + 1, len(memory)))]
                    piece[:] = drawn.randbytes(len(piece))
                    said.update(piece)
                    await draft.write(piece)
                    if drawn.random() < 0.1:
                        await draft.checkpoint()
                kept = await draft.keep()
            assert await folder.hash(kept.path) == (kept.length, kept.sha256) == (kept.length, said.digest())


async def test_until_it_is_kept_nothing_bears_its_name_and_what_is_not_kept_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        with suppress(ZeroDivisionError):
            async with folder.partial_file(PATH) as draft:
                await draft.write(CONTENT)
                assert await draft.hashed() == hashlib.sha256(CONTENT).digest()
                assert there(tmp_path) == {DRAFT}
                raise ZeroDivisionError
        assert there(tmp_path) == set()


async def test_a_cancelled_draft_is_gone_too_and_its_thread_has_ended(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        with anyio.move_on_after(0.05):
            async with folder.partial_file(PATH) as draft:
                while True:
                    await draft.write(CONTENT)
        assert there(tmp_path) == set()


async def test_what_was_checkpointed_is_taken_up_and_what_came_behind_it_is_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        async with folder.partial_file(PATH) as draft:
            await draft.write(CONTENT[:2_000_000])
            assert await draft.checkpoint() == 2_000_000
            await draft.write(b"not this" * 200_000)
        assert there(tmp_path) == {DRAFT}
        async with folder.partial_file(PATH, take_up=2_000_000) as draft:
            assert draft.length == 2_000_000
            assert draft.beginning == CONTENT[:1024]
            await draft.write(CONTENT[2_000_000:])
            kept = await draft.keep()
        assert kept.sha256 == hashlib.sha256(CONTENT).digest()
        assert (tmp_path / PATH).read_bytes() == CONTENT
        assert there(tmp_path) == {PATH}


@pytest.mark.parametrize("left", [None, 1_000])
async def test_a_part_that_is_not_there_any_more_is_begun_anew(tmp_path: Path, left: int | None) -> None:
    async with opened(tmp_path) as folder:
        if left is not None:
            (tmp_path / DRAFT).parent.mkdir(parents=True)
            (tmp_path / DRAFT).write_bytes(b"x" * left)
        async with folder.partial_file(PATH, take_up=2_000_000) as draft:
            assert (draft.length, draft.beginning) == (0, b"")
            await draft.write(CONTENT)
            await draft.keep()
        assert (tmp_path / PATH).read_bytes() == CONTENT


async def test_a_draft_can_be_restarted(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        async with folder.partial_file(PATH) as draft:
            await draft.write(b"x" * 1_500_000)
            await draft.checkpoint()
            await draft.restart()
            await draft.write(CONTENT)
            kept = await draft.keep()
        assert kept.sha256 == hashlib.sha256(CONTENT).digest()
        assert (tmp_path / PATH).read_bytes() == CONTENT


async def test_an_abandoned_draft_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / DRAFT).parent.mkdir(parents=True)
    (tmp_path / DRAFT).write_bytes(b"left by a killed process, and longer than what comes" * 100_000)
    async with opened(tmp_path) as folder:
        await put(folder)
    assert (tmp_path / PATH).read_bytes() == CONTENT


async def test_what_is_not_ours_is_never_written_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        (tmp_path / PATH).parent.mkdir(parents=True)
        (tmp_path / PATH).write_text("somebody's own")
        with pytest.raises(FolderUnusable, match=r"7__a\.pdf: something of that name is in the way"):
            await put(folder)
        assert (tmp_path / PATH).read_text() == "somebody's own"
        assert there(tmp_path) == {PATH}
        assert await folder.in_the_way([PATH, "x/y/z"]) == {PATH: hashlib.sha256(b"somebody's own").digest()}


async def test_an_earlier_one_of_ours_is_replaced(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        await put(folder, content=b"damaged")
        await put(folder, replaces=True)
        assert (tmp_path / PATH).read_bytes() == CONTENT


@pytest.mark.parametrize("place", [PATH, "invoices", "invoices/12"])
async def test_a_symbolic_link_is_neither_followed_nor_replaced(tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(outside / "target" if place == PATH else outside)
    async with opened(root) as folder:
        with pytest.raises(FolderUnusable, match=r"in the way"):
            await put(folder)
        if place == PATH:
            assert await folder.in_the_way([PATH]) == {PATH: None}
            assert await folder.hash(PATH) is None
    assert list(outside.iterdir()) == []
    assert (root / place).is_symlink()


@pytest.mark.parametrize("place", ["invoices", "invoices/12"])
async def test_a_file_where_a_folder_must_be_is_named(tmp_path: Path, place: str) -> None:
    async with opened(tmp_path) as folder:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("a file")
        with pytest.raises(FolderUnusable, match="something that is no directory is in the way"):
            await put(folder)


async def test_a_directory_of_the_final_name_is_in_the_way(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        (tmp_path / PATH).mkdir(parents=True)
        assert await folder.in_the_way([PATH]) == {PATH: None}
        with pytest.raises(FolderUnusable):
            await put(folder)
        assert there(tmp_path) == set()


async def test_the_same_content_is_one_file_with_two_names(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        kept = await put(folder)
        duplicate = await folder.link(kept, "receipts/3/9__b.pdf")
        assert duplicate == Kept("receipts/3/9__b.pdf", kept.length, kept.sha256)
        assert (tmp_path / duplicate.path).samefile(tmp_path / PATH)
        assert await folder.link(kept, duplicate.path, replaces=True) == duplicate
        assert await folder.link(kept, PATH) == kept
        assert there(tmp_path) == {PATH, duplicate.path}


async def test_what_is_damaged_gets_no_twin(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        kept = await put(folder)
        (tmp_path / PATH).chmod(0o600)
        (tmp_path / PATH).write_bytes(CONTENT[:-1] + b"?")
        assert await folder.link(kept, "receipts/3/9__b.pdf") is None
        (tmp_path / PATH).unlink()
        assert await folder.link(kept, "receipts/3/9__b.pdf") is None
        assert there(tmp_path) == set()


async def test_a_twin_takes_nobodys_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        kept = await put(folder)
        (tmp_path / "own").write_text("somebody's own")
        with pytest.raises(FolderUnusable, match="in the way"):
            await folder.link(kept, "own")
        assert (tmp_path / "own").read_text() == "somebody's own"


async def test_room_is_what_the_disk_has_less_the_reserve(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        room = await folder.room()
        found = os.statvfs(tmp_path)
        assert abs(room - found.f_bavail * found.f_frsize) < 200_000_000
    async with opened(tmp_path, reserve=room + 10**12) as folder:
        assert await folder.room() < 0


def stored(seq: int, name: str = "a.pdf") -> StoredFile:
    file = AttachedFile("invoices", 3, 12, Attachment(seq, name, 5, "pdf", None))
    return StoredFile(seq, file, Kept(f"invoices/12/{seq}__a.pdf", 5, b"\1" * 32), 1_750_000_000.0)


async def test_the_manifest_has_a_line_for_each_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        assert await folder.manifest_end() == 0
        await folder.write_manifest([stored(1), stored(2, "Müller \ud800.pdf")], anew=False)
        await folder.write_manifest([stored(3)], anew=False)
        assert await folder.manifest_end() == 3
        assert await there_but_manifest(folder) == []
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert lines[1]["name"] == "Müller ?.pdf"
    assert lines[0] == {
        "seq": 1,
        "collection": "invoices",
        "document_id": 3,
        "document_idn": 12,
        "attachment_id": 1,
        "name": "a.pdf",
        "path": "invoices/12/1__a.pdf",
        "bytes": 5,
        "sha256": "01" * 32,
        "stored_at": "2025-06-15T15:06:40Z",
    }


async def there_but_manifest(folder: DirectoryStore) -> list[str]:
    return [path async for paths in folder.paths() for path in paths]


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_half_a_line_at_the_end_of_the_manifest_is_written_again(tmp_path: Path, cut: int) -> None:
    async with opened(tmp_path) as folder:
        await folder.write_manifest([stored(1), stored(2)], anew=False)
        manifest = tmp_path / "manifest.jsonl"
        whole = manifest.read_bytes()
        manifest.write_bytes(whole[:-cut])
        assert await folder.manifest_end() == 1
        await folder.write_manifest([stored(2)], anew=False)
        assert manifest.read_bytes() == whole


async def test_a_manifest_can_be_made_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        await folder.write_manifest([stored(1), stored(2), stored(3)], anew=False)
        await folder.write_manifest([stored(1)], anew=True)
        assert await folder.manifest_end() == 1
        assert there(tmp_path) == {"manifest.jsonl"}


async def test_every_strange_path_is_told_and_our_own_are_not(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        await put(folder)
        await folder.write_manifest([stored(1)], anew=False)
        (tmp_path / DRAFT).write_text("a draft")
        (tmp_path / "invoices/notes.txt").write_text("mine")
        (tmp_path / "elsewhere").symlink_to("/etc")
        assert await there_but_manifest(folder) == ["elsewhere", "invoices/notes.txt", PATH]


async def test_drafts_that_were_left_are_dropped_but_not_those_that_may_be_taken_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as folder:
        await put(folder)
        for name in ("invoices/12/.8.part", "invoices/12/.9.part", "invoices/.mine", ".10.part"):
            (tmp_path / name).write_text("left")
        assert await folder.drop_partials(but=["invoices/12/9__b.pdf"]) == 2
        assert there(tmp_path) == {PATH, "invoices/12/.9.part", "invoices/.mine"}


async def test_a_directory_is_made_but_not_its_parents(tmp_path: Path) -> None:
    async with opened(tmp_path / "files") as folder:
        await put(folder)
    with pytest.raises(FolderUnusable, match=r"no does not exist"):
        async with opened(tmp_path / "no" / "such"):
            """Never entered."""
    assert not (tmp_path / "no").exists()


async def test_a_file_instead_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file")
    with pytest.raises(FolderUnusable, match="no directory"):
        async with opened(tmp_path / "files"):
            """Never entered."""


async def test_two_may_not_write_into_one_directory(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(FolderUnusable, match="another process is writing files there"):
            async with opened(tmp_path):
                """Never entered."""
    async with opened(tmp_path):
        """The lock ended with its holder."""


async def test_nor_two_companies_one_after_the_other(tmp_path: Path) -> None:
    async with opened(tmp_path):
        """Marked for the first."""
    with pytest.raises(FolderUnusable, match="the files of another company"):
        async with opened(tmp_path, identity="other"):
            """Never entered."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_full_disk_costs_the_draft_and_nothing_else(disk: Path) -> None:
    async with opened(disk) as folder:
        kept = await put(folder)
        with pytest.raises(DiskFull, match="is full"):
            await put(folder, "invoices/13/8__b.pdf", os.urandom(3_000_000))
        assert there(disk) == {PATH}
        assert await folder.hash(PATH) == (kept.length, kept.sha256)
        assert await put(folder, "invoices/13/8__b.pdf", b"small enough")


async def test_a_disk_for_reading_only_is_told(disk: Path) -> None:
    async with opened(disk):
        """Marked while it can be written."""
    await anyio.run_process(["mount", "-o", "remount,ro", str(disk)])
    with pytest.raises(FolderUnusable, match="mounted for reading only"):
        async with opened(disk):
            """Never entered."""


@pytest.fixture
def disk_without_links(tmp_path: Path) -> Iterator[Path]:
    """vfat knows no hard links."""
    image, place = tmp_path / "image", tmp_path / "fat"
    place.mkdir()
    image.write_bytes(b"\0" * 16_000_000)
    make = shutil.which("mkfs.vfat") or "false"
    made = subprocess.run([make, str(image)], capture_output=True, check=False)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, check=False)
    if made.returncode or mounted.returncode:
        pytest.skip("no vfat can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_where_files_cannot_have_two_names_they_are_renamed(disk_without_links: Path) -> None:
    async with opened(disk_without_links) as folder:
        kept = await put(folder)
        assert await folder.link(kept, "receipts/3/9__b.pdf") is None
        with pytest.raises(FolderUnusable, match="in the way"):
            await put(folder)
        assert there(disk_without_links) == {PATH}
