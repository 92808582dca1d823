"""A relative path starts at the directory of the configuration, wherever the program is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.app.state import address, control_socket, kill_switch
from precoro_daemon.settings import load
from precoro_daemon.settings.paths import named_paths
from tests.settings.conftest import ACCESS, PRECORO, Load

EVERYWHERE = """
[precoro]
region = "us"
token_file = "token"
ca_file = "certificates/proxy.pem"
[fetch_attachments]
directory = "files"
[ledger]
kind = "csv"
name = "Books"
[ledger.csv]
in_directory = "books/in"
columns = { invoice = "i", amount = "a", paid_on = "d" }
out_directory = "/srv/out"
out_done = ["books/done", "/srv/done"]
[payments]
kill_switch = "stop"
[manage_items]
kind = "csv"
path = "items/{supplier}.csv"
[exports.lake]
kind = "parquet"
directory = "lake"
[daemon]
control_socket = "run/control"
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, which has nothing to do with the configuration."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.mark.usefixtures("elsewhere")
def test_every_relative_path_starts_at_the_configuration(file: Path) -> None:
    here = file.parent
    (here / "token").touch(mode=0o600)
    (here / "token").write_text("s3cret-key")
    file.write_text(EVERYWHERE)
    read = load(Path("..", file.name), {"PRECORO_EMAIL": "a@example.com"})
    assert list(named_paths(read)) == [
        ("precoro.token_file", here / "token"),
        ("precoro.ca_file", here / "certificates/proxy.pem"),
        ("fetch_attachments.directory", here / "files"),
        ("ledger.csv.in_directory", here / "books/in"),
        ("ledger.csv.out_directory", Path("/srv/out")),
        ("ledger.csv.out_done", here / "books/done"),
        ("ledger.csv.out_done", Path("/srv/done")),
        ("payments.kill_switch", here / "stop"),
        ("manage_items.path", here / "items/{supplier}.csv"),
        ("exports.lake.directory", here / "lake"),
        ("daemon.control_socket", here / "run/control"),
    ]
    assert read.precoro.token.get_secret_value() == "s3cret-key"
    assert (address(read), kill_switch(read)) == (f"sqlite:///{here}/precoro.db", here / "stop")


@pytest.mark.usefixtures("elsewhere")
def test_what_is_not_named_stands_beside_the_state(file: Path, read: Load) -> None:
    given = read('[state]\nurl = "sqlite:///data/precoro.db"')
    assert kill_switch(given) == file.parent / "data/payments.stop"
    assert control_socket(given) == file.parent / "data/precoro.db.control"


@pytest.mark.usefixtures("elsewhere")
def test_with_a_state_on_a_server_it_stands_beside_the_configuration(file: Path, read: Load, tmp_path: Path) -> None:
    on_server = '[state]\nurl = "postgresql://a@localhost/b"\nschema_name = "books"'
    given = read(on_server)
    assert kill_switch(given) == file.parent / "payments.stop"
    assert control_socket(given) == file.parent / "books.control", "wherever service and command were started"
    of_unit = load(file, ACCESS | {"RUNTIME_DIRECTORY": f"{tmp_path}/run:/run/another"})
    assert control_socket(of_unit) == tmp_path / "run" / "books.control"
    assert kill_switch(of_unit) == file.parent / "payments.stop"


def test_a_link_to_the_configuration_names_the_same_state(file: Path, elsewhere: Path) -> None:
    file.write_text(PRECORO)
    (elsewhere / "link.toml").symlink_to(file)
    assert load(Path("link.toml"), ACCESS) == load(file, ACCESS)
    assert load(Path("link.toml"), ACCESS).state.path == file.parent / "precoro.db"


def test_a_variable_follows_the_same_rule_and_without_a_file_it_is_the_working_directory(
    read: Load, file: Path, elsewhere: Path
) -> None:
    files = {"PRECORO_DAEMON__FETCH_ATTACHMENTS__DIRECTORY": "files"}
    assert read(**files).fetch_attachments.directory == file.parent / "files"
    alone = load(None, ACCESS | files | {"PRECORO_DAEMON__PRECORO__REGION": "us"})
    assert (alone.fetch_attachments.directory, alone.state.path) == (elsewhere / "files", elsewhere / "precoro.db")
