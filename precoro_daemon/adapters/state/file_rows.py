"""rows of attached files ↔ the domain's values, and the counts of kept and due files"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from precoro_daemon.files.ports.attachment_book import AttachedFile, FileCounts, WantedFiles
from precoro_daemon.status.reading import FileState

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Row, Session


def read_files(session: Session, wanted: WantedFiles) -> FileState:
    """Returns the state of the files, for people. Blocking."""
    counts = session.rows("attachments.count_files")
    return FileState(
        stored={row["collection"]: FileCounts(row["stored"], row["bytes"]) for row in counts},
        due=count_due(session, wanted, math.inf),
        too_large=too_large(session, wanted),
    )


def count_due(session: Session, wanted: WantedFiles, before: float) -> FileCounts:
    rows = list(of_each(session, "attachments.count_due_files", wanted, before=before))
    return FileCounts(sum(row["files"] for row in rows), sum(row["bytes"] for row in rows))


def too_large(session: Session, wanted: WantedFiles) -> list[AttachedFile]:
    return list(map(to_file, of_each(session, "attachments.too_large", wanted)))


def of_each(session: Session, statement: str, wanted: WantedFiles, **more: float) -> Iterator[Row]:
    """Queries each collection separately, so that the index of due files is used."""
    for name in wanted.collections:
        yield from session.rows(statement, {"collection": name, "max_bytes": wanted.max_bytes, **more})


def to_file(row: Row) -> AttachedFile:
    from precoro_daemon.files.rules.attachments import Attachment  # noqa: PLC0415 - most states hold no file
    from precoro_daemon.files.rules.bodies import Part  # noqa: PLC0415

    part = None if not row["part_length"] else Part(row["part_length"], row["part_validator"])
    return AttachedFile(
        collection=row["collection"],
        record_id=row["record_id"],
        idn=row["idn"],
        attachment=Attachment(row["id"], row["name"], row["size"], row["kind"], row["uploaded_at"]),
        reserved=row["path"],
        part=part,
    )
