"""Where those who watch may ask, and what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.settings import load_watch
from precoro_daemon.values.addresses import Address
from tests.settings.conftest import Load, Mistake

SECRET = "PRECORO_DAEMON__APPLY_DELIVERIES__SECRET"


def test_it_is_off_unless_said_otherwise(read: Load) -> None:
    assert read().watch.listen is None
    assert read().watch.hosts == ()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9470", Address("127.0.0.1", 9470)),
        ("[::1]:9470", Address("::1", 9470)),
        ("0.0.0.0:9470", Address("0.0.0.0", 9470)),
        ("unix:/run/precoro-daemon/watch.sock", Address(path="/run/precoro-daemon/watch.sock")),
    ],
)
def test_addresses(read: Load, text: str, address: Address) -> None:
    assert read(f'[watch]\nlisten = "{text}"\n').watch.listen == address
    assert read(PRECORO_DAEMON__WATCH__LISTEN=text).watch.listen == address


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "9470", ":9470", "localhost", "example.com:80", "unix:relative", "1:2:3"]
)
def test_what_is_no_address(mistake: Mistake, text: str) -> None:
    said = mistake(f'[watch]\nlisten = "{text}"\n')
    assert said.startswith("config.toml:4: watch.listen: ")
    assert text in said
    assert 'expected an address and a port ("127.0.0.1:8470"' in said


def test_webhooks_come_in_elsewhere(mistake: Mistake) -> None:
    text = '[apply_deliveries]\nlisten = "127.0.0.1:8470"\nsecret_file = "none"\n[watch]\nlisten = "127.0.0.1:8470"\n'
    said = mistake(text, **{SECRET: "s" * 30})
    assert "watch.listen: 127.0.0.1:8470 is where webhooks come in from outside" in said
    assert "allowed: another port or socket" in said


@pytest.mark.parametrize(
    ("hooks", "watch", "collide"),
    [
        ("127.0.0.1:8470", "0.0.0.0:8470", True),
        ("0.0.0.0:8470", "127.0.0.1:8470", True),
        ("127.0.0.1:8470", "127.0.0.2:8470", False),
        ("0.0.0.0:8470", "0.0.0.0:8471", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
        ("unix:/run/a.sock", "unix:/run/a.sock", True),
        ("unix:/run/a.sock", "unix:/run/b.sock", False),
    ],
)
def test_of_two_on_one_port_only_one_could_listen(
    read: Load, mistake: Mistake, hooks: str, watch: str, *, collide: bool
) -> None:
    text = f'[apply_deliveries]\nlisten = "{hooks}"\n[watch]\nlisten = "{watch}"\n'
    if collide:
        assert "is where webhooks come in from outside" in mistake(text, **{SECRET: "s" * 30})
    else:
        assert str(read(text, **{SECRET: "s" * 30}).watch.listen) == watch


def test_what_takes_as_long_as_a_call_is_not_yet_stuck(read: Load, mistake: Mistake) -> None:
    said = mistake('[daemon]\nstuck_after = "60s"\n')
    assert "daemon.stuck_after: 60s is not twice the time that a call may take; allowed: 120s or more" in said
    assert read('[daemon]\nstuck_after = "120s"\n').daemon.stuck_after == 120


def test_who_asks_for_health_needs_nothing_else_of_the_configuration(tmp_path: Path) -> None:
    """One that was changed for the worse must not make a container's check say that its service is ill."""
    file = tmp_path / "config.toml"
    file.write_text('[watch]\nlisten = "127.0.0.1:9470"\n[precoro]\nregion = "moon"\n[nonsense]\nx = 1\n')
    assert load_watch(file, {}).listen == Address("127.0.0.1", 9470)
    assert load_watch(file, {"PRECORO_DAEMON__WATCH__LISTEN": "127.0.0.1:1"}).listen == Address("127.0.0.1", 1)
    file.write_text('[watch]\nlisten = "nowhere"\n')
    with pytest.raises(ConfigurationError, match=r"watch\.listen"):
        load_watch(file, {})


def test_hosts(read: Load, mistake: Mistake) -> None:
    assert read('[watch]\nhosts = ["Precoro", "a.example.com:80"]\n').watch.hosts == ("precoro", "a.example.com:80")
    assert "watch.hosts" in mistake('[watch]\nhosts = ["http://precoro/"]\n')
