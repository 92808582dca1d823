"""reads from the change log which files details name"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.files.ports.attachment_book import AttachmentBook
from precoro_daemon.files.rules.attachments import files_named
from precoro_daemon.mirror.ports.change_log import CHANGES_A_TRANSACTION, ChangeLog, Follower, follow
from precoro_daemon.mirror.rules.change_log import Change, Move
from precoro_daemon.mirror.rules.collections import WITH_FILES


def attachment_follower(book: AttachmentBook) -> Follower:
    async def handle(changes: Sequence[Change], move: Move) -> None:
        await book.save_named(files_named(changes), move)

    return Follower("attachments", WITH_FILES, ("detailed",), handle)


async def follow_details(log: ChangeLog, book: AttachmentBook) -> None:
    """Brings the book of files up to date with the details of the mirror."""
    await follow(log, attachment_follower(book), CHANGES_A_TRANSACTION)
