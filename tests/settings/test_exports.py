"""[exports.NAME]: several by names, each with a place and a secret of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import Settings, load
from precoro_daemon.settings.exports import EXPORTED, EXPORTED_LINES, EXPORTED_PARTS

ENVIRON = {"PRECORO_TOKEN": "a-key-of-ours", "PRECORO_EMAIL": "a@example.org"}
INVOICES_ALONE = '[mirror_collections]\ncollections = ["invoices"]\n'
HEAD = '[precoro]\nregion = "us"\n'


def read(folder: Path, text: str, **more: str) -> Settings:
    path = folder / "config.toml"
    path.write_text(HEAD + text)
    return load(path, ENVIRON | more)


def test_what_can_be_named_are_the_tables_that_can_be_followed_and_show_nothing_that_another_shows() -> None:
    again = {"invoices_and_credit_notes", "invoice_and_credit_note_lines", "documents"}
    assert {*EXPORTED, *EXPORTED_LINES, *EXPORTED_PARTS} | again == followed_tables().keys()


def test_without_a_list_it_is_all_that_is_mirrored(tmp_path: Path) -> None:
    mirrored = '[mirror_collections]\ncollections = ["suppliers", "invoices"]\n'
    given = read(tmp_path, mirrored + '[exports.lake]\nkind = "Parquet"\ndirectory = "/srv/lake"\n')
    lake = given.exports["lake"]
    assert (lake.kind, lake.directory) == ("parquet", Path("/srv/lake"))
    assert lake.collections == ("invoices", "credit_notes", "suppliers")


def test_lines_come_where_they_are_named_and_their_documents_are_mirrored(tmp_path: Path) -> None:
    lake = '[exports.lake]\nkind = "parquet"\ndirectory = "/srv/lake"\n'
    for name in EXPORTED_LINES:
        read(tmp_path, f'{lake}collections = ["{name}"]\n')
    given = read(tmp_path, f'{INVOICES_ALONE}{lake}collections = ["credit_note_lines", "invoice_lines"]\n')
    assert given.exports["lake"].collections == ("credit_note_lines", "invoice_lines")
    for name in ("receipt_lines", "item_custom_values"):
        with pytest.raises(ConfigurationError, match=f"not mirrored, so there is nothing to export: {name}"):
            read(tmp_path, f'{INVOICES_ALONE}{lake}collections = ["{name}"]\n')


def test_files_and_custom_fields_come_where_they_are_named_and_anything_that_has_them_is_mirrored(
    tmp_path: Path,
) -> None:
    names = ["attachments", "document_custom_values", "line_custom_values"]
    lake = f'[exports.lake]\nkind = "parquet"\ndirectory = "/srv/lake"\ncollections = {names}\n'
    assert read(tmp_path, INVOICES_ALONE + lake).exports["lake"].collections == tuple(names)
    shop = PUSH + with_secrets(tmp_path, secret=KEY) + 'collections = ["attachments"]\n'
    assert read(tmp_path, shop).exports["shop"].collections == ("attachments",)


def test_a_table_comes_from_the_collection_that_has_its_records() -> None:
    for name, collection in (EXPORTED | EXPORTED_LINES).items():
        assert followed_tables()[name].collections == (collection,), name
    for name, collections in EXPORTED_PARTS.items():
        assert followed_tables()[name].collections == collections, name


def test_each_has_a_secret_of_its_own(tmp_path: Path) -> None:
    sections = ""
    for name in ("lake", "other"):
        secret = tmp_path / f"{name}.secret"
        secret.write_text(f"secret-of-{name}")
        secret.chmod(0o600)
        sections += f'[exports.{name}]\nkind = "parquet"\ndirectory = "s3://{name}-bucket/files"\n'
        sections += f'[exports.{name}.bucket]\naccess_key_id = "AKIA"\nsecret_file = "{secret}"\n'
    for name, export in read(tmp_path, sections).exports.items():
        assert export.bucket.secret is not None
        assert export.bucket.secret.get_secret_value() == f"secret-of-{name}"


def test_systemd_has_a_credential_by_the_name_of_each(tmp_path: Path) -> None:
    (tmp_path / "lake_bucket_secret").write_text("from-systemd")
    (tmp_path / "lake_bucket_secret").chmod(0o600)
    sections = '[exports.lake]\nkind = "parquet"\ndirectory = "s3://bucket"\nbucket.access_key_id = "AKIA"\n'
    secret = read(tmp_path, sections, CREDENTIALS_DIRECTORY=str(tmp_path)).exports["lake"].bucket.secret
    assert secret is not None
    assert secret.get_secret_value() == "from-systemd"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[exports.lake]\ndirectory = "/srv"\n', "exports.lake.kind: missing; give one of: parquet, sql"),
        ('[exports.lake]\nkind = "parquet"\n', "exports.lake.directory: missing; parquet needs it"),
        (
            '[exports.lake]\nkind = "csv"\ndirectory = "/srv"\n',
            'exports.lake.kind: "csv" is not valid; expected one of: parquet, sql',
        ),
        ('[exports."Lake 1"]\nkind = "parquet"\ndirectory = "/srv"\n', "up to 30 small letters"),
        (
            '[exports.lake]\nkind = "parquet"\ndirectory = "/srv"\ncollections = ["invoice"]\n',
            '"invoice" is not valid (did you mean "invoices"?)',
        ),
        (
            '[exports.lake]\nkind = "parquet"\ndirectory = "/srv"\ncollections = ["taxes"]\n' + INVOICES_ALONE,
            "not mirrored, so there is nothing to export: taxes",
        ),
        (
            '[exports.a]\nkind = "parquet"\ndirectory = "/srv"\n[exports.b]\nkind = "parquet"\ndirectory = "/srv"\n',
            "exports.a.directory: is where another export writes too",
        ),
        (
            '[exports.lake]\nkind = "parquet"\ndirectory = "s3://bucket"\nbucket.secret = "in-the-file"\n',
            "exports.lake.bucket.secret: a secret does not belong in this file",
        ),
        ('[exports.a]\nkind = "sql"\n', "exports.a.database: missing; sql needs it"),
        (
            '[exports.a]\nkind = "sql"\ndatabase.url = "mysql://a@b/c"\n',
            "exports.a.database.url: is none of PostgreSQL",
        ),
        (
            '[exports.a]\nkind = "sql"\nevery = "1h"\ndatabase.url = "postgresql://a@b/c"\n',
            "exports.a.every: is of kind parquet; this export is of kind sql",
        ),
        (
            "".join(f'[exports.{name}]\nkind = "sql"\ndatabase.url = "postgresql://a@b/c"\n' for name in "ab"),
            "exports.a.database.url: is where another export writes too",
        ),
        ('[exports.lake]\nkind = "parquet"\ndirectory = "/srv"\npath = "x"\n', "exports.lake.path: unknown key"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)


PUSH = '[exports.shop]\nkind = "push"\nurl = "https://shop.example.com/hook"\n'
KEY = "whsec_" + "QUJD" * 8
"""24 bytes in base64."""


def with_secrets(folder: Path, **secrets: str) -> str:
    lines = ""
    for name, text in secrets.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
        lines += f'{name}_file = "{path}"\n'
    return lines


def test_a_push_is_signed_by_one_secret_or_two(tmp_path: Path) -> None:
    one = read(tmp_path, PUSH + with_secrets(tmp_path, secret=KEY)).exports["shop"]
    assert (one.kind, one.signing_keys, one.target) == ("push", (b"ABC" * 8,), "https://shop.example.com/hook")
    assert one.collections == tuple(EXPORTED)
    both = read(tmp_path, PUSH + with_secrets(tmp_path, secret=KEY, previous_secret="whsec_" + "REVG" * 8))
    assert both.exports["shop"].signing_keys == (b"ABC" * 8, b"DEF" * 8)


@pytest.mark.parametrize(
    ("text", "secret", "said"),
    [
        (PUSH, "", "exports.shop.secret: missing; push needs it"),
        ('[exports.shop]\nkind = "push"\n', KEY, "exports.shop.url: missing; push needs it"),
        (PUSH.replace("https", "ftp"), KEY, "exports.shop.url"),
        (PUSH, "whsec_QUJD", "24 to 64 bytes"),
        (PUSH, "QUJD" * 8, "whsec_ and 24 to 64 bytes in base64"),
        (PUSH, "whsec_not base64 at all, and long enough for it", "whsec_ and 24 to 64 bytes in base64"),
        (PUSH + 'collections = ["invoice_lines"]\n', KEY, "lines are not pushed by themselves: invoice_lines"),
        (PUSH + 'every = "1h"\n', KEY, "is of kind parquet; this export is of kind push"),
        ('[exports.lake]\nkind = "parquet"\ndirectory = "/a"\ntimeout = "9s"\n', "", "is of kind push"),
    ],
)
def test_what_is_wrong_with_a_push_is_said(tmp_path: Path, text: str, secret: str, said: str) -> None:
    given = with_secrets(tmp_path, secret=secret) if secret else ""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text + given)
    assert said in str(caught.value)


def test_two_never_push_to_one_place(tmp_path: Path) -> None:
    secret = with_secrets(tmp_path, secret=KEY)
    twice = PUSH + secret + PUSH.replace("shop]", "copy]") + secret
    with pytest.raises(ConfigurationError, match="is where another export writes too"):
        read(tmp_path, twice)


def test_a_secret_that_cannot_be_read_is_one_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, PUSH + 'secret_file = "nowhere"\n')
    assert "there is no such file" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
