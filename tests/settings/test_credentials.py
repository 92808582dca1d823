"""The API key: where it may be, what is refused, and that it shows nowhere."""

from __future__ import annotations

import codecs
import os
import traceback
from pathlib import Path

import pytest

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import Settings, load
from precoro_daemon.settings.credentials import read_credential

SECRET = "hunter2-hunter2"
EMAIL = "buyer@example.com"


def _secret_file(path: Path, content: bytes = SECRET.encode(), mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def _load(file: Path, token_file: object = None, **variables: str) -> Settings:
    line = f'token_file = "{token_file}"' if token_file else ""
    file.write_text(f'[precoro]\nregion = "us"\nemail = "{EMAIL}"\n{line}\n')
    return load(file, variables)


def _refusal(file: Path, token_file: object = None, **variables: str) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        _load(file, token_file, **variables)
    assert SECRET not in "".join(traceback.format_exception(refusal.value))
    return str(refusal.value).replace(str(file), file.name)


def _token(settings: Settings) -> str:
    return settings.precoro.token.get_secret_value()


def test_white_space_around_the_key_is_no_part_of_it(file: Path, tmp_path: Path):
    assert _token(_load(file, _secret_file(tmp_path / "t", f" {SECRET}\r\n".encode()))) == SECRET
    assert _token(_load(file, PRECORO_TOKEN=f"{SECRET}\n")) == SECRET


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"{SECRET}\r\n".encode(),
        f"\ufeff{SECRET}\r\n".encode("utf-16-le"),
        f"\ufeff{SECRET}\n".encode("utf-16-be"),
        f"{SECRET}\r".encode(),
        f"\u00a0{SECRET}\u00a0\u200b\n".encode(),
    ],
)
def test_what_editors_leave_around_the_key_is_no_part_of_it(content: bytes, file: Path, tmp_path: Path):
    assert _token(_load(file, _secret_file(tmp_path / "t", content))) == SECRET


def test_a_password_and_a_token_of_the_ledger_are_read_in_the_same_way(tmp_path: Path):
    held = _secret_file(tmp_path / "t", codecs.BOM_UTF8 + "Pässwort 1\r\n".encode())
    assert read_credential(held) == "Pässwort 1"
    held.write_bytes("\ufeffPässwort 1\r\n".encode("utf-16-le"))
    assert read_credential(held) == "Pässwort 1"


def test_which_key_wins(file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "t", b"from-file")
    _secret_file(tmp_path / "precoro_token", b"from-systemd")
    systemd = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    short = systemd | {"PRECORO_TOKEN": "from-short"}
    full = short | {"PRECORO_DAEMON__PRECORO__TOKEN": "from-full"}
    assert _token(_load(file, **systemd)) == "from-systemd"
    assert _token(_load(file, held, **systemd)) == "from-file"
    assert _token(_load(file, held, **short)) == "from-short"
    assert _token(_load(file, held, **full)) == "from-full"


def test_a_key_in_the_environment_leaves_the_file_unread(file: Path):
    assert _token(_load(file, "/nowhere/token", PRECORO_TOKEN=SECRET)) == SECRET


def test_a_credentials_directory_of_others_is_no_key(file: Path, tmp_path: Path):
    assert "precoro.token: missing" in _refusal(file, CREDENTIALS_DIRECTORY=str(tmp_path))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o444])
def test_a_file_that_everyone_can_read(mode: int, file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "the token", mode=mode)
    assert _refusal(file, held) == (
        "config.toml:4: precoro.token_file: everyone on this machine can read the file"
        f" (mode {mode:04o}); run: chmod 600 '{held}'"
    )


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write(mode: int, file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "t", mode=mode)
    assert f"others than its owner can write the file (mode {mode:04o}); run: chmod 600 {held}" in _refusal(
        file, held
    )


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
def test_a_file_for_the_owner_or_a_group_to_read(mode: int, file: Path, tmp_path: Path):
    assert _token(_load(file, _secret_file(tmp_path / "t", mode=mode))) == SECRET


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (f"{SECRET}\n{SECRET}\n".encode(), "the file has more than one line; allowed: the secret and nothing else"),
        (SECRET.encode() * 1000, "the file has more than one line"),
        (b"\xff\xfe" + SECRET.encode(), "the file is not text"),
        (b"\xff\xfe" + SECRET.encode() + b"x", "the file is not text"),
        (SECRET.encode("utf-16-le"), "the file is not text in UTF-8, but perhaps in UTF-16; save it as UTF-8"),
        (codecs.BOM_UTF8, "the file is empty"),
        (
            f"{SECRET[:4]}\u200b{SECRET}".encode(),
            "the secret has a sign in it that nobody sees: zero width space (U+200B); type it anew, or copy it again",
        ),
        (
            f"{SECRET[:4]}\u00a0{SECRET}".encode(),
            "the secret has a sign in it that nobody sees: no-break space (U+00A0)",
        ),
    ],
)
def test_a_file_that_holds_no_key(content: bytes, reason: str, file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "t", content)
    assert _refusal(file, held).startswith(f"config.toml:4: precoro.token_file: {reason}")


@pytest.mark.parametrize("content", [f"{SECRET} {SECRET}", f"{SECRET}\u00e9", f"{SECRET}\x07"])
def test_a_key_that_no_header_can_carry(content: str, file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "t", content.encode())
    assert "precoro.token: a value that is not shown here is not valid; expected the API key" in _refusal(file, held)


def test_a_file_that_is_not_there(file: Path, tmp_path: Path):
    expected = (
        "config.toml:4: precoro.token_file: there is no such file"
        " (a relative path starts at the directory of the configuration)"
    )
    assert _refusal(file, tmp_path / "nowhere") == expected
    assert _refusal(file, tmp_path / "config.toml" / "x") == expected


def test_the_key_itself_in_place_of_the_files_name_is_not_repeated(file: Path):
    assert "there is no such file" in _refusal(file, SECRET)


def test_a_directory(file: Path, tmp_path: Path):
    tmp_path.chmod(0o700)
    assert _refusal(file, tmp_path) == (
        "config.toml:4: precoro.token_file: this is a directory; allowed: the file that holds the secret"
    )


def test_a_pipe_is_not_waited_for(file: Path, pipe: Path):
    said = "config.toml:4: precoro.token_file: this is no regular file; allowed: the file that holds the secret"
    assert _refusal(file, pipe) == said
    assert _token(_load(file, PRECORO_TOKEN=SECRET)) == SECRET


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read(file: Path, tmp_path: Path):
    assert "the user who runs this may not read the file" in _refusal(file, _secret_file(tmp_path / "t", mode=0))


def test_a_bad_credential_of_systemd_is_named(file: Path, tmp_path: Path):
    _secret_file(tmp_path / "precoro_token", b"")
    refusal = _refusal(file, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert refusal == "CREDENTIALS_DIRECTORY: precoro.token: precoro_token: the file is empty"


def test_a_key_in_the_configuration_is_refused_even_beside_a_good_one(file: Path):
    file.write_text(f'[precoro]\nregion = "us"\nemail = "{EMAIL}"\ntoken = "{SECRET}"\n')
    for environ in ({}, {"PRECORO_TOKEN": SECRET}):
        with pytest.raises(ConfigurationError) as refusal:
            load(file, environ)
        assert str(refusal.value) == (
            f"{file}:4: precoro.token: a secret does not belong in this file;"
            " put it into a file of its own and name that as token_file"
        )


def test_a_bad_key_hides_no_other_mistake(file: Path):
    file.write_text(f'[precoro]\nregion = "us"\nemail = "{EMAIL}"\ntoken = "{SECRET}"\n[limits]\ntime_scale = 2\n')
    with pytest.raises(ConfigurationError, match=r"limits\.time_scale: 2 is for rehearsals"):
        load(file, {})


@pytest.mark.parametrize(
    ("email", "fault"),
    [
        ("buyer", "it has no @"),
        ("buyer@a@example.com", "it has more than one @"),
        ("@example.com", "its @ has no name before it"),
        ("buyer@", "its @ has no domain behind it"),
        ("a b@example.com", "it has a space in it, or a sign that no e-mail address has"),
        ("b@example.com\\nX: y", "it has a space in it, or a sign that no e-mail address has"),
        ("", "it has no @"),
    ],
)
def test_what_is_wrong_with_an_e_mail_is_said_and_it_is_not_shown(email: str, fault: str, file: Path):
    file.write_text(f'[precoro]\nregion = "us"\nemail = "{email}"\n')
    with pytest.raises(ConfigurationError) as refusal:
        load(file, {"PRECORO_TOKEN": SECRET})
    assert str(refusal.value) == (
        f"{file}:3: precoro.email: is no e-mail address: {fault};"
        " allowed: the e-mail of the key's user (or PRECORO_EMAIL), such as name@example.com"
    )


def test_settings_show_neither_key_nor_e_mail(file: Path):
    settings = _load(file, PRECORO_TOKEN=SECRET)
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.precoro)):
        assert SECRET not in shown
        assert EMAIL not in shown


def test_a_key_of_a_few_letters_is_no_key(file: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _load(file, PRECORO_TOKEN="e")
    assert "has 1 character, which no key of Precoro has; allowed: the whole key" in str(caught.value)
    assert _token(_load(file, PRECORO_TOKEN="12345678")) == "12345678"


def test_a_key_that_is_wrong_is_reported_where_its_file_is_named(file: Path, tmp_path: Path):
    held = _secret_file(tmp_path / "t", b"seven..")
    assert _refusal(file, held).startswith(
        "config.toml:4: precoro.token: has 7 characters, which no key of Precoro has"
    )
