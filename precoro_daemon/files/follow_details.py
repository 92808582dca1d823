"""reads out of the change log which files details name"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.files.ports.attachment_book import AttachmentBook
from precoro_daemon.files.rules.attachments import files_named
from precoro_daemon.mirror.ports.change_log import ChangeLog, Follower, follow
from precoro_daemon.mirror.rules.change_log import Change, Move
from precoro_daemon.mirror.rules.collections import WITH_FILES

_STRETCH = 500
"""Changes of the log that are followed in one transaction."""


def attachment_follower(book: AttachmentBook) -> Follower:
    async def handle(changes: Sequence[Change], move: Move) -> None:
        await book.save_named(files_named(changes), move)

    return Follower("attachments", WITH_FILES, ("detailed",), handle)


async def follow_details(log: ChangeLog, book: AttachmentBook) -> None:
    """From now on the files of every detail that the mirror has are known."""
    await follow(log, attachment_follower(book), _STRETCH)
