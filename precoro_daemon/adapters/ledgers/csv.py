"""the csv ledger: a watched folder of exports in, one file for each payment out"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from precoro_daemon.adapters.ledgers.exports import LARGEST_FILE, Export, Format, read_export
from precoro_daemon.adapters.ledgers.outbox import Outbox
from precoro_daemon.adapters.ledgers.rows import ROWS_A_BATCH, RowReader
from precoro_daemon.errors import LedgerMisfit, TemporaryError
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, Undone
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.telemetry import get_logger
from precoro_daemon.writes.permit import Permit, TimedPermit
from precoro_daemon.writes.sending import real_seconds

_log = get_logger()

_MOST_REMEMBERED = 1000
_MOST_NAMED = 5
_LONGER = 10
_LAST_BYTES = 64
_EXCEL, _ENDS = b"PK", (b"\r", b"\n", b"Document>")
_READ_WITH = "read-with:"
_PROGRAM_READS = "2."
"""The version of what the program itself can read: files that an earlier version could not read are read again."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """The folder of exports.

    settle   seconds for which a file must not have changed
    reading  a fingerprint of all settings that determine how files are read
    """

    directory: Path
    pattern: str
    settle: float
    format: Format
    reading: str = ""


class CsvLedger:
    """Implements `Ledger` on two folders, either of which may be missing.

    A position holds the fingerprints of the files that were read and still exist, at most the newest thousand. If
    the folder has more files, the oldest are read again, which changes nothing but takes time. The position begins
    with the fingerprint of the settings. Under other settings an unreadable row may become readable, and a payment
    may turn out to be none, so all files are read again.
    """

    def __init__(self, name: str, inbox: Inbox | None, outbox: Outbox | None, reader: RowReader) -> None:
        self._name = name
        self._inbox = inbox
        self._outbox = outbox
        self._reader = reader
        self._known: dict[tuple[str, int, int, int], str] = {}
        self._passed_over: frozenset[str] = frozenset()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        writes = self._outbox is not None
        return Capabilities(
            reads=self._inbox is not None,
            create="idempotent" if writes else "none",
            lookup="key" if writes else "none",
        )

    @asynccontextmanager
    async def recorded(self, position: str | None) -> AsyncIterator[AsyncIterator[LedgerBatch]]:
        assert self._inbox
        async with aclosing(self._batches(self._inbox, position)) as batches:
            yield batches

    async def _batches(self, inbox: Inbox, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        files = await anyio.to_thread.run_sync(self._settled, inbox)
        there = {fingerprint for _, fingerprint in files}
        reading = f"{_READ_WITH}{_PROGRAM_READS}{inbox.reading}"
        before = (position or "").split()
        read = [one for one in before if one in there] if before[:1] == [reading] else []
        for path, fingerprint in files:
            if fingerprint in read:
                continue
            export = await anyio.to_thread.run_sync(self._read, path, inbox)
            if export is None:
                continue
            so_far = " ".join([reading, *read])
            read = [*read, fingerprint][-_MOST_REMEMBERED:]
            payments = export.payments
            while len(payments) > ROWS_A_BATCH:
                yield LedgerBatch(payments[:ROWS_A_BATCH], [], so_far)
                payments = payments[ROWS_A_BATCH:]
            # Forgets the file's earlier unreadable rows; those that are still in it are reported again.
            undone = [Undone(path.name), *export.undone]
            yield LedgerBatch(payments, export.unreadable, " ".join([reading, *read]), undone)

    def _settled(self, inbox: Inbox) -> Sequence[tuple[Path, str]]:
        """Returns the files that no program is writing any more, with their fingerprints, oldest first."""
        try:
            paths = list(self._chosen(inbox))
            if not inbox.directory.is_dir():
                raise LedgerMisfit(f"ledger {self._name}: in_directory {inbox.directory} is no directory")
            found = [(path, path.stat()) for path in paths if path.is_file()]
            aged = sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0].name))
            settled = [
                (path, (path.name, status.st_size, status.st_mtime_ns, status.st_ino))
                for path, status in aged
                if self._is_settled(path, status.st_mtime, inbox.settle)
            ]
            known = [(path, self._fingerprint(path, status)) for path, status in settled]
        except OSError as error:
            raise TemporaryError(f"ledger {self._name}: in_directory: {error}") from None
        self._known = {status: self._known[status] for _, status in settled}
        return known

    def _chosen(self, inbox: Inbox) -> Iterator[Path]:
        """Yields the files whose names match in any case: banks write .CSV. Logs the skipped ones if one is new."""
        passed_over = set()
        for path in inbox.directory.glob(inbox.pattern if "/" in inbox.pattern else "*"):
            if path.name.startswith("."):
                continue
            if "/" in inbox.pattern or fnmatchcase(path.name.lower(), inbox.pattern.lower()):
                yield path
            elif path.is_file():
                passed_over.add(path.name)
        if passed_over - self._passed_over:
            shown = sorted(passed_over)[:_MOST_NAMED]
            _log.warning(
                "ledger_files_skipped", ledger=self._name, count=len(passed_over), files=shown, read=inbox.pattern
            )
        self._passed_over = frozenset(passed_over)

    def _is_settled(self, path: Path, changed: float, settle: float) -> bool:
        age = abs(time.time() - changed)
        # Without a line end the last row may be incomplete, and so may its amount.
        return age > (settle if _shows_its_end(path) else settle * _LONGER)

    def _fingerprint(self, path: Path, status: tuple[str, int, int, int]) -> str:
        """Returns the fingerprint of name and content. An unchanged file is not read again."""
        if status not in self._known:
            with path.open("rb") as file:
                digest = blake2b(path.name.encode(errors="surrogateescape"), digest_size=8)
                while piece := file.read(2**20):
                    digest.update(piece)
            self._known[status] = digest.hexdigest()
        return self._known[status]

    def _read(self, path: Path, inbox: Inbox) -> Export | None:
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        except FileNotFoundError:
            return None  # moved away meanwhile
        except OSError as error:
            raise TemporaryError(f"ledger {self._name}: {error}") from None
        export = read_export(path.name, content, inbox.format, self._reader)
        if export.passed_over:
            _log.info("ledger_rows_skipped", ledger=self._name, file=path.name, count=export.passed_over)
        return export

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        assert self._outbox
        timed = TimedPermit(permit, real_seconds)
        await timed.obtain()
        return Receipt(await anyio.to_thread.run_sync(self._outbox.put, entry, timed.lets_leave))

    async def find(self, key: str) -> Receipt | None:
        assert self._outbox
        name = await anyio.to_thread.run_sync(self._outbox.find, key)
        return None if name is None else Receipt(name)

    async def bill(self, entry: Entry) -> Bill | None:
        raise NotImplementedError  # never called: the capabilities exclude it

    async def probe(self) -> Sequence[Probe]:
        return ()


def _shows_its_end(path: Path) -> bool:
    """Checks whether the file ends with a line end or with the end of an XML statement. An Excel file always counts
    as complete, because an incomplete one is unreadable as a whole.
    """
    with path.open("rb") as file:
        if file.read(len(_EXCEL)) == _EXCEL:
            return True
        file.seek(max(file.seek(0, 2) - _LAST_BYTES, 0))
        return file.read().rstrip(b"\0 ").endswith(_ENDS)
