"""Where webhooks come in, and the secret that keeps others out."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.values.addresses import Address
from tests.settings.conftest import Load, Mistake

NAME = "PRECORO_DAEMON__APPLY_DELIVERIES__SECRET"
SECRET = "0123456789abcdef01234567"
LISTEN = '[apply_deliveries]\nlisten = "127.0.0.1:8470"\n'


def secret_file(directory: Path, name: str, content: str = f"{SECRET}\n", mode: int = 0o600) -> str:
    path = directory / name
    path.touch(mode=0o600)
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def test_it_is_off_unless_said_otherwise(read: Load) -> None:
    section = read().apply_deliveries
    assert section.listen is None
    assert section.secret is None
    assert section.max_share == 0.2


def test_two_secrets_from_files(read: Load, tmp_path: Path) -> None:
    files = (secret_file(tmp_path, "new"), secret_file(tmp_path, "old", "x" * 30))
    section = read(f'{LISTEN}secret_file = "{files[0]}"\nprevious_secret_file = "{files[1]}"\n').apply_deliveries
    assert section.listen == Address("127.0.0.1", 8470)
    assert section.secret is not None
    assert section.secret.get_secret_value() == SECRET
    assert section.previous_secret is not None
    assert section.previous_secret.get_secret_value() == "x" * 30
    assert SECRET not in repr(section)


def test_from_the_environment_or_from_systemd(read: Load, tmp_path: Path) -> None:
    secret_file(tmp_path, "webhook_secret")
    for variables in ({NAME: SECRET}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}):
        secret = read(LISTEN, **variables).apply_deliveries.secret
        assert secret is not None
        assert secret.get_secret_value() == SECRET


def test_without_a_secret_nobody_listens(mistake: Mistake) -> None:
    said = mistake(LISTEN)
    assert "apply_deliveries.secret: missing; webhooks are not signed" in said
    assert "openssl rand -hex 24" in said


def test_a_secret_that_could_be_guessed_is_refused_and_not_shown(mistake: Mistake) -> None:
    said = mistake(LISTEN, **{NAME: "too-short-to-be-one"})
    assert "has 19 characters and could be guessed; allowed: 24 or more" in said
    assert "openssl rand -hex 24" in said
    assert "too-short-to-be-one" not in said


@pytest.mark.parametrize("secret", [f"{SECRET}/..", f"{SECRET} {SECRET}", f"{SECRET}ä", "%41" * 10])
def test_what_cannot_stand_in_an_address_is_refused_and_not_shown(mistake: Mistake, secret: str) -> None:
    said = mistake(LISTEN, **{NAME: secret})
    assert "a value that is not shown here is not valid; expected 24 or more letters, digits, - and _" in said
    assert secret not in said


def test_a_secret_that_everyone_can_read(mistake: Mistake, tmp_path: Path) -> None:
    said = mistake(f'{LISTEN}secret_file = "{secret_file(tmp_path, "open", mode=0o644)}"\n')
    assert "apply_deliveries.secret_file" in said
    assert "chmod 600" in said
    assert SECRET not in said


def test_a_secret_in_the_file_itself(mistake: Mistake) -> None:
    assert SECRET not in mistake(f'{LISTEN}secret = "{SECRET}"\n')


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://",
        "https://a:b@example.com/",
        "https://example.com/?x=1",
        "nonsense",
        "https://example.com:99999/x",
        "https://example.com:abc/x",
        "https://ex mple.com/",
        "https://example.com/a b",
    ],
)
def test_what_is_no_outside_address(mistake: Mistake, url: str) -> None:
    said = mistake(f'{LISTEN}public_url = "{url}"\n', **{NAME: SECRET})
    assert 'expected "https://host/path", without the secret' in said
