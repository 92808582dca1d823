"""attached files, small and valid, drawn from their id"""

import hashlib
import zlib
from dataclasses import dataclass

from precoro_daemon.sandbox.names import words
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import Json, Shapes

FILE_IDS = 10
"""Ids of attachments are the record's id multiplied by this, plus a number. So a record has at most ten."""

_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True)
class Attachment:
    """One file of one record."""

    id: int
    name: str
    content: bytes
    uploaded: int

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""

    @property
    def content_type(self) -> str:
        return _TYPES.get(self.extension, "application/octet-stream")

    def metadata(self, shapes: Shapes, row: Row, unit: int = 1) -> Json:
        """Returns what the API says of the file.

        unit  the unit of its size, in bytes
        """
        return {
            "id": shapes.ident(self.id, row, self.id % 5),
            "name": self.name,
            "size": shapes.ident(len(self.content) // unit, row, 5 + self.id % 5),
            "formatType": self.extension,
            "uploadDate": shapes.time(self.uploaded, row, 8),
        }


def attachments(row: Row) -> list[Attachment]:
    """Returns the files of a record, oldest first: the initial ones, then those uploaded."""
    first = row.pick(15, 2)
    names = words("files")
    drawn = []
    for index in range(row.files):
        name = str(names[row.pick(25 + index * 3, len(names))])
        ident = row.id * FILE_IDS + first + index
        drawn.append(Attachment(ident, name, _content(name, ident), row.created))
    uploaded: list[Attachment] = (row.extra or {}).get("_uploads", [])
    return drawn + uploaded


def next_attachment_id(row: Row) -> int | None:
    """Returns the id for another file, or None if the record cannot have more."""
    taken = len(attachments(row)) + row.pick(15, 2)
    return row.id * FILE_IDS + taken if taken < FILE_IDS else None


def _content(name: str, seed: int) -> bytes:
    noise = hashlib.shake_128(str(seed).encode()).digest(400 + seed % 3_600)
    lower = name.lower()
    if lower.endswith(".png"):
        return _png(noise)
    if lower.endswith((".xlsx", ".docx")):
        return _zip(b"content.bin", noise)
    if lower.endswith(".pdf"):
        return _pdf(noise)
    return noise


def _pdf(noise: bytes) -> bytes:
    """Returns a PDF of one empty page, with the noise as a comment."""
    body = b"%PDF-1.4\n%" + noise.hex().encode() + b"\n"
    offsets = []
    for number, what in enumerate(
        (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
         b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"),
        start=1,
    ):  # fmt: skip
        offsets.append(len(body))
        body += b"%d 0 obj%b endobj\n" % (number, what)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    return (
        body
        + b"xref\n0 4\n0000000000 65535 f \n"
        + table
        + (b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return len(data).to_bytes(4, "big") + kind + data + check.to_bytes(4, "big")


def _png(noise: bytes) -> bytes:
    """Returns a grey picture, 20 pixels wide."""
    width = 20
    height = len(noise) // width
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    pixels = b"".join(b"\0" + noise[line * width : (line + 1) * width] for line in range(height))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")


def _zip(name: bytes, noise: bytes) -> bytes:
    """Returns an archive of one stored file, in the container format of an office document."""
    size = len(noise).to_bytes(4, "little")
    facts = b"\x14\0\0\0\0\0\0\0!\0" + zlib.crc32(noise).to_bytes(4, "little") + size + size
    facts += len(name).to_bytes(2, "little") + b"\0\0"
    local = b"PK\x03\x04" + facts + name + noise
    central = b"PK\x01\x02\x14\0" + facts + b"\0" * 14 + name
    ends = len(central).to_bytes(4, "little") + len(local).to_bytes(4, "little")
    return local + central + b"PK\x05\x06\0\0\0\0\x01\0\x01\0" + ends + b"\0\0"
