"""Which files a document names, what they are called on disk, and which bodies are believed."""

from __future__ import annotations

import json
import posixpath
import unicodedata
from pathlib import PurePosixPath
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from precoro_daemon.files.rules.attachments import Attachment, read_attachments, sizes_are_bytes
from precoro_daemon.files.rules.bodies import Part, Received, continues, flaw, too_slow, validator
from precoro_daemon.files.rules.names import LONGEST_NAME, path_of, safe_name

GOOD = {"id": 7, "name": "Rechnung.PDF", "size": 120, "formatType": "pdf", "uploadDate": "2026-01-02T03:04:05+02:00"}
READ = Attachment(7, "Rechnung.PDF", 120, "pdf", "2026-01-02T01:04:05")

names = st.text(st.characters(), max_size=300) | st.sampled_from(
    [
        "../../etc/passwd",
        "a\0b.pdf",
        "\u202egpj.exe",
        "CON",
        "nul.txt",
        "dots...",
        ".hidden",
        "~",
        "",
        " ",
        "/",
        "\\",
        "e\u0301.pdf",
    ]
)


def detail(value: Any) -> str:
    return json.dumps({"id": 1, "items": {"data": [{"attachments": [{"id": 99}]}]}, "attachments": value})


@pytest.mark.parametrize("value", [[GOOD], {"data": [GOOD]}, {"7": GOOD}, {"data": {"7": GOOD}}, [GOOD, GOOD]])
def test_a_list_of_files_is_read_in_every_shape(value: Any) -> None:
    assert read_attachments(detail(value)) == [READ]


@pytest.mark.parametrize(
    "value", [[], {}, None, "", {"data": []}, 5, [None], ["x"], [{"name": "no id"}], [{"id": -1}]]
)
def test_what_is_no_list_of_files_has_none(value: Any) -> None:
    assert read_attachments(detail(value)) == []


def test_a_detail_without_the_field_or_without_sense_has_none() -> None:
    assert read_attachments('{"id": 1}') == []
    assert read_attachments("[1, 2]") == []
    assert read_attachments("{") == []


def test_one_bad_entry_does_not_cost_its_siblings() -> None:
    assert read_attachments(detail([{"id": []}, GOOD, "x"])) == [READ]


@pytest.mark.parametrize(
    ("fields", "size", "kind"),
    [
        ({"size": "120"}, 120, "pdf"),
        ({"size": "12.5 KB"}, None, "pdf"),
        ({"size": None}, None, "pdf"),
        ({"size": -1}, None, "pdf"),
        ({"formatType": ".PNG"}, 120, "png"),
        ({"formatType": "application/pdf"}, 120, "pdf"),
        ({"formatType": None, "name": "a.tar.GZ"}, 120, "gz"),
        ({"formatType": None, "name": "plain"}, 120, ""),
        ({"formatType": "", "name": None}, 120, ""),
    ],
)
def test_size_and_kind_are_read_loosely(fields: dict[str, Any], size: int | None, kind: str) -> None:
    [read] = read_attachments(detail([GOOD | fields]))
    assert (read.size, read.kind) == (size, kind)


@given(names)
@example("a" * 99 + ".pdf")
@example("ж" * 200 + ".xlsx")
@example("x." + "y" * 300)
def test_a_name_is_safe_on_any_file_system(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= LONGEST_NAME
    assert not set(safe) & set('/\\\0:*?"<>|\n\r\t')
    assert not any(unicodedata.category(letter)[0] == "C" for letter in safe)
    assert safe == unicodedata.normalize("NFC", safe)
    assert safe[0] not in " ."
    assert safe[-1] not in " ."
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Rechnung 12/2026 (Müller).pdf", "Rechnung 12_2026 (Müller).pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\0b.pdf", "a_b.pdf"),
        ("\u202egpj.exe", "_gpj.exe"),
        ("dots...", "dots"),
        ("", "file"),
        ("///.pdf", "file.pdf"),
        ("請求書.pdf", "請求書.pdf"),
        ("a" * 300 + ".docx", "a" * 95 + ".docx"),
        ("e\u0301.pdf", "é.pdf"),
    ],
)
def test_a_name_stays_readable(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_name_that_is_no_text_at_all_is_taken_too() -> None:
    assert safe_name("a\ud800b.pdf") == "a_b.pdf"


@given(st.none() | st.integers() | names, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), names)
def test_a_place_is_two_folders_deep_and_begins_with_the_id(key: Any, record: int, number: int, name: str) -> None:
    path = PurePosixPath(path_of("invoices", key, record, (number, name)))
    assert len(path.parts) == 3
    assert path.parts[0] == "invoices"
    assert not {".", ".."} & set(path.parts)
    assert path.name.startswith(f"{number}__")
    assert all(len(part.encode()) <= 255 for part in path.parts)


PIECES = [
    "..", "/", "\\", "\0", ".", " ", "~", "CON", "nul", "\u202e", "\u200b", "\ufeff", "\r\n", "%2e%2e%2f", "|", ":",
    "*", "a", "Ж", "é", "e\u0301", "漢字", "\ufb00", "\U0001d54f", "\U0001f469\u200d\U0001f467", "\ud800", "-rf",
    "$(id)", "`", "'", '"', ".pdf", ".PDF", ".tar.gz", "\U000e0041", "\u0300" * 40, "x" * 300,
]  # fmt: skip


def test_twenty_thousand_hostile_names_stay_inside_and_apart() -> None:
    """Two files may share a folder and a name, but never a path, not even where a file system folds names."""
    random = Random(20261125)  # the seed
    seen: set[str] = set()
    for number in range(20_000):
        name = "".join(random.choices(PIECES, k=random.randrange(6)))
        key = "".join(random.choices(PIECES, k=random.randrange(3))) or number % 50
        path = path_of("invoices", key, number, (number, name))
        inside = posixpath.normpath(f"/root/{path}")
        assert inside == f"/root/{path}", (key, name)
        assert inside.startswith("/root/invoices/"), (key, name)
        folder, file = path.split("/")[1:]
        assert max(len(folder.encode()), len(file.encode())) <= 255
        seen.add(unicodedata.normalize("NFKC", path).casefold())
    assert len(seen) == 20_000


def test_a_document_without_number_is_named_by_its_id() -> None:
    assert path_of("invoices", None, 31, (7, "a.pdf")) == "invoices/id-31/7__a.pdf"
    assert path_of("invoices", "PO/7", 31, (7, "a.pdf")) == "invoices/PO_7/7__a.pdf"
    assert path_of("invoices", 5, 31, (7, "a.pdf")) == "invoices/5/7__a.pdf"


PDF = b"%PDF-1.7 ..."
HTML = b"\xef\xbb\xbf \n<!DOCTYPE html><title>Sign in</title>"
MESSAGE = b'{"code": 500, "message": "oops"}'


@pytest.mark.parametrize("beginning", [PDF, HTML, MESSAGE, b""])
def test_the_right_number_of_bytes_is_proof_and_another_number_is_none(beginning: bytes) -> None:
    for framed in (True, False):
        assert flaw("pdf", 10, Received(10, beginning, framed)) is None
        assert flaw("pdf", 10, Received(9, beginning, framed)) is not None
        assert flaw("pdf", 10, Received(11, beginning, framed)) is not None
    assert flaw("pdf", 0, Received(0, b"", framed=True)) is None


@pytest.mark.parametrize(
    ("kind", "beginning", "as_file", "good"),
    [
        ("pdf", PDF, False, True),
        ("pdf", b"\x89PNG....", False, True),  # a picture somebody named .pdf
        ("xlsx", b"PK\x03\x04....", False, True),
        ("xls", b"sep=;\na;b", False, True),
        ("", b"anything", False, True),
        ("csv", b"a,b\n1,2", False, True),
        ("json", MESSAGE, False, True),
        ("html", HTML, True, True),
        ("html", HTML, False, False),
        ("pdf", HTML, True, False),
        ("pdf", MESSAGE, True, False),
        ("", MESSAGE, True, False),
        ("", b"[]", False, False),
        ("xls", b"<html><table>", True, False),
        ("pdf", b"Service unavailable", True, False),
        ("png", b"Service unavailable", False, False),
    ],
)
def test_without_a_size_a_page_does_not_pass_for_a_file(
    kind: str, beginning: bytes, as_file: bool, good: bool
) -> None:
    received = Received(len(beginning), beginning, framed=True, as_file=as_file)
    assert (flaw(kind, None, received) is None) is good


def test_without_a_size_an_end_that_was_not_announced_proves_nothing() -> None:
    assert flaw("pdf", None, Received(len(PDF), PDF, framed=False)) is not None
    assert flaw("", None, Received(0, b"", framed=True)) is not None


def test_sizes_are_trusted_until_many_contradict_and_none_agrees() -> None:
    assert sizes_are_bytes(0, 0)
    assert sizes_are_bytes(0, 19)
    assert not sizes_are_bytes(0, 20)
    assert sizes_are_bytes(1, 10_000)


def test_a_trickle_is_given_up_and_a_slow_line_is_not() -> None:
    assert not too_slow(0, 60, patience=60)
    assert too_slow(6, 61, patience=60)
    assert not too_slow(50_000, 100, patience=60)


NOW = "Wed, 25 Nov 2026 10:00:00 GMT"
LONG_AGO = "Tue, 24 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"etag": '"abc"'}, '"abc"'),
        ({"etag": 'W/"abc"'}, ""),
        ({"etag": "abc"}, ""),
        ({"etag": '"abc'}, ""),
        ({"last-modified": LONG_AGO, "date": NOW}, LONG_AGO),
        ({"last-modified": NOW, "date": NOW}, ""),
        ({"last-modified": LONG_AGO}, ""),
        ({"last-modified": "yesterday", "date": NOW}, ""),
        ({"etag": 'W/"abc"', "last-modified": LONG_AGO, "date": NOW}, LONG_AGO),
        ({}, ""),
    ],
)
def test_only_what_tells_two_versions_apart_is_a_validator(headers: dict[str, str], found: str) -> None:
    assert validator(headers) == found


PART = Part(100, '"abc"')


@pytest.mark.parametrize(
    ("status", "headers", "size", "sound"),
    [
        (206, {"content-range": "bytes 100-199/200", "etag": '"abc"'}, 200, True),
        (206, {"content-range": "bytes 100-199/200", "etag": '"abc"'}, None, True),
        (206, {"content-range": "bytes 100-199/200"}, None, False),
        (200, {"content-range": "bytes 100-199/200", "etag": '"abc"'}, 200, False),
        (206, {"content-range": "bytes 100-199/200", "etag": '"other"'}, 200, False),
        (206, {"content-range": "bytes 100-199/200", "etag": '"abc"'}, 201, False),
        (206, {"content-range": "bytes 0-199/200", "etag": '"abc"'}, 200, False),
        (206, {"content-range": "bytes 101-199/200", "etag": '"abc"'}, 200, False),
        (206, {"content-range": "bytes 100-198/200", "etag": '"abc"'}, 200, False),
        (206, {"content-range": "bytes 100-199/*", "etag": '"abc"'}, 200, False),
        (206, {"content-range": "bytes 100-", "etag": '"abc"'}, 200, False),
        (206, {}, 200, False),
    ],
)
def test_the_rest_must_be_the_rest_of_the_same(status: int, headers: dict[str, str], size: int, sound: bool) -> None:
    assert continues(PART, status, headers, size) is sound
