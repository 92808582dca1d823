"""a folder that gets one complete file for each payment, exactly once"""

from __future__ import annotations

import csv
import errno
import grp
import io
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from precoro_daemon.errors import DoubtfulError, LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.entries import named
from precoro_daemon.values.spreadsheet_cells import harmless
from precoro_daemon.values.templates import fill_text, plain

_SAFE_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})
_NO_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Outbox:
    """A folder in which each payment's file appears complete and exactly once, even if several programs write it.

    A hard link gives the file its name and fails if that name exists. The payment counts as recorded while its
    file is in this folder or in one of the `done` folders.

    columns  the content of each column, with {names}
    group    the group that may read the files, "" for the owner alone
    """

    ledger: str
    directory: Path
    done: Sequence[Path]
    columns: Mapping[str, str]
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal_mark: str = "."
    day_format: str = ""
    group: str = ""

    def find(self, key: str) -> str | None:
        name = _file_name(key)
        try:
            there = any((folder / name).exists() for folder in (self.directory, *self.done))
            missing = [folder for folder in (self.directory, *self.done) if not folder.is_dir()]
        except OSError as error:
            raise TemporaryError(f"ledger {self.ledger}: {error}") from None
        if missing:
            # Files that were moved there are invisible and would be written again.
            raise LedgerMisfit(f"ledger {self.ledger}: {missing[0]} is no directory")
        if not there:
            return None
        self._make_durable()
        return name

    def put(self, entry: Entry, may_leave: Callable[[], bool]) -> str:
        content = self._content(entry)
        there = self.find(entry.key)
        if there:
            return there
        name = _file_name(entry.key)
        try:
            self._publish(name, content, may_leave)
        except FileExistsError:
            pass  # the same payment, written by an earlier attempt; make it durable too
        except OSError as error:
            raise self._explain(error) from None
        self._make_durable()
        return name

    def _publish(self, name: str, content: bytes, may_leave: Callable[[], bool]) -> None:
        descriptor, partial = tempfile.mkstemp(prefix=f".{name}.", dir=self.directory)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                self._share(file.fileno())
                os.fsync(file.fileno())
            if not may_leave():
                raise TemporaryError(f"ledger {self.ledger}: the disk took too long; nothing was written")
            os.link(partial, self.directory / name)
        finally:
            Path(partial).unlink()

    def _share(self, file: int) -> None:
        if not self.group:
            os.fchmod(file, 0o600)
            return
        try:
            os.fchown(file, -1, int(self.group) if self.group.isdecimal() else grp.getgrnam(self.group).gr_gid)
        except (KeyError, PermissionError):
            raise LedgerMisfit(
                f"ledger {self.ledger}: files cannot be given to the group {self.group}: out_group must be a group of"
                " the user who runs this"
            ) from None
        os.fchmod(file, 0o640)

    def _make_durable(self) -> None:
        try:
            descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DoubtfulError(f"ledger {self.ledger}: the file may not outlive a power cut: {error}") from None

    def _explain(self, error: OSError) -> TemporaryError | LedgerMisfit:
        if error.errno in _NO_HARD_LINKS and error.filename2:
            return LedgerMisfit(
                f"ledger {self.ledger}: out_directory {self.directory} is on a file system without hard links, so a"
                " file cannot be made exactly once there"
            )
        if error.errno in _NO_PLACE:
            return LedgerMisfit(f"ledger {self.ledger}: out_directory {self.directory} cannot be written: {error}")
        return TemporaryError(f"ledger {self.ledger}: nothing was written: {error}")

    def _content(self, entry: Entry) -> bytes:
        values = named(asdict(entry)) | {
            "amount": plain(entry.amount).replace(".", self.decimal_mark),
            "paid_on": entry.paid_on.strftime(self.day_format) if self.day_format else plain(entry.paid_on),
        }
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerow(harmless(fill_text(template, values)) for template in self.columns.values())
        try:
            return text.getvalue().encode(self.encoding)
        except UnicodeEncodeError as error:
            bad = error.object[error.start : error.end]
            raise PermanentError(f"ledger {self.ledger}: {bad!r} cannot be written in {self.encoding}") from None


def _file_name(key: str) -> str:
    return f"{key if _SAFE_FILE_NAME.fullmatch(key) else sha256(key.encode()).hexdigest()}.csv"
