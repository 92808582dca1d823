"""Mistakes in what is said of a bucket are told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import Settings, load
from precoro_daemon.settings.buckets import BucketUrl

ENVIRON = {"PRECORO_TOKEN": "a-key-of-its-own", "PRECORO_EMAIL": "x@y.z", "PRECORO_DAEMON__PRECORO__REGION": "us"}


def loaded(folder: Path, directory: str, *bucket: str, environ: dict[str, str] | None = None) -> Settings:
    file = folder / "config.toml"
    lines = ["[fetch_attachments]", f'directory = "{directory}"']
    file.write_text("\n".join([*lines, *(["[fetch_attachments.bucket]", *bucket] if bucket else [])]))
    return load(file, ENVIRON | (environ or {}))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://b-1/a/b/", BucketUrl("s3", "b-1", "a/b")),
        ("GS://bucket", BucketUrl("gs", "bucket")),
        ("az://container/x y", BucketUrl("az", "container", "x y")),
        ("files", Path("files")),
        ("/var/s3", Path("/var/s3")),
    ],
)
def test_a_directory_or_a_place_in_a_store(tmp_path: Path, text: str, place: Path | BucketUrl) -> None:
    expected = tmp_path / place if isinstance(place, Path) else place
    assert loaded(tmp_path, text).fetch_attachments.directory == expected


MISTAKES = [
    ("ftp://b/x", (), r":2: fetch_attachments.directory: \"ftp\" is not supported"),
    ("s3:/bucket", (), r":2: fetch_attachments.directory: .*names no bucket"),
    ("s3://key:hidden@bucket", (), r"names no bucket"),
    ("s3://bucket/../x", (), r"has a prefix that is not valid"),
    ("files", ('region = "x"',), r":3: fetch_attachments.bucket: there is no bucket to reach.*see .*directory"),
    ("s3://bucket", ('access_key_id = "A"',), r":4: fetch_attachments.bucket.access_key_id: has no secret to it"),
    ("s3://bucket", ('account = "abc"',), r":4: fetch_attachments.bucket.account: is nothing that s3:// has"),
    ("s3://bucket", ('secret = "abc"',), r":4: fetch_attachments.bucket.secret: a secret does not belong"),
    ("s3://bucket", ('endpoint = "http://far.example"',), r":4: .*endpoint: would send files unencrypted"),
    ("s3://bucket", ('regoin = "x"',), r":4: fetch_attachments.bucket.regoin: unknown key"),
]


@pytest.mark.parametrize(("directory", "bucket", "told"), MISTAKES, ids=[told for *_, told in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_key(
    tmp_path: Path, directory: str, bucket: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told) as error:
        loaded(tmp_path, directory, *bucket)
    assert "hidden" not in str(error.value)


def test_the_secret_comes_from_its_file_the_environment_or_systemd(tmp_path: Path) -> None:
    (tmp_path / "bucket_secret").write_text("s3cret\n")
    (tmp_path / "bucket_secret").chmod(0o600)
    given = 'access_key_id = "A"'
    by_file = loaded(tmp_path, "s3://bucket", given, f'secret_file = "{tmp_path}/bucket_secret"')
    by_systemd = loaded(tmp_path, "s3://bucket", given, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    by_variable = loaded(
        tmp_path, "s3://bucket", given, environ={"PRECORO_DAEMON__FETCH_ATTACHMENTS__BUCKET__SECRET": "s3cret"}
    )
    for settings in (by_file, by_systemd, by_variable):
        secret = settings.fetch_attachments.bucket.secret
        assert secret is not None
        assert secret.get_secret_value() == "s3cret"
        assert "s3cret" not in repr(settings)
