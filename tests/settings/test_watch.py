"""Where those who watch may ask, and what is refused with a sentence."""

from __future__ import annotations

import pytest

from precoro_daemon.domain.addresses import Address
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
    assert 'allowed: an address and a port ("127.0.0.1:8470"' in said


def test_webhooks_come_in_elsewhere(mistake: Mistake) -> None:
    text = '[apply_deliveries]\nlisten = "127.0.0.1:8470"\nsecret_file = "none"\n[watch]\nlisten = "127.0.0.1:8470"\n'
    said = mistake(text, **{SECRET: "s" * 30})
    assert "watch.listen: 127.0.0.1:8470 is where webhooks come in from outside" in said
    assert "allowed: another port or socket" in said


def test_hosts(read: Load, mistake: Mistake) -> None:
    assert read('[watch]\nhosts = ["Precoro", "a.example.com:80"]\n').watch.hosts == ("precoro", "a.example.com:80")
    assert "watch.hosts" in mistake('[watch]\nhosts = ["http://precoro/"]\n')
