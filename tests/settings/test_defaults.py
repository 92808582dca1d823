"""Companies of one directory: what they have in common stands in defaults.toml; mistakes are told where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.runtime.schedules import Every
from precoro_daemon.settings import load, load_company, load_defaults
from precoro_daemon.values.addresses import Address

ACME = '[precoro]\nemail = "a@example.org"\ntoken_file = "{token}"\n'
COMMON = '[precoro]\nregion = "us"\n'


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("a-token-of-ours\n")
    path = tmp_path / "acme.toml"
    path.write_text(ACME.format(token=token))
    return path


def common(beside: Path, text: str) -> Path:
    path = beside.with_name("defaults.toml")
    path.write_text(COMMON + text)
    return path


def add(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def refusal(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    return str(caught.value).splitlines()


def test_tables_are_merged_and_the_company_wins(acme: Path) -> None:
    common(acme, '[limits]\nper_day = 2000\nper_hour = 900\n[mirror_collections]\nevery = "1h"\n')
    add(acme, '[limits]\nper_day = 4000\n[mirror_collections.every]\nall = "2h"\n')
    found = load(acme, {})
    assert found.precoro.origin == "https://api.precoro.us"
    assert (found.limits.per_day, found.limits.per_hour) == (4000, 900)
    assert found.mirror_collections.every == {"all": Every(7200)}, "a table takes the place of a plain value"


def test_a_list_takes_the_place_of_the_whole_list(acme: Path) -> None:
    common(acme, '[mirror_collections]\ncollections = ["invoices", "suppliers", "items"]\n')
    add(acme, '[mirror_collections]\ncollections = ["suppliers"]\n')
    assert load(acme, {}).mirror_collections.collections == ("suppliers",)


def test_a_mistake_is_told_with_the_file_and_line_where_it_stands(acme: Path) -> None:
    shared = common(acme, "[limits]\nper_day = -1\n")
    add(acme, '[log]\nlevel = "debug"\n[limits]\nper_hour = -2\n[take_census]\nevery = "x"\n')
    told = refusal(acme)
    assert [line.split(": ")[:2] for line in told] == [
        [f"{acme}:4", "log"],
        [f"{acme}:7", "limits.per_hour"],
        [f"{acme}:9", "take_census.every"],
        [f"{shared}:4", "limits.per_day"],
    ]
    assert "it belongs there" in told[0]


def test_what_a_list_of_the_company_replaced_is_not_where_a_mistake_stands(acme: Path) -> None:
    common(acme, '[mirror_collections]\ncollections = [\n"invoices",\n"suppliers"]\n')
    add(acme, '[mirror_collections]\ncollections = ["invoices", "nonsense"]\n')
    [told] = refusal(acme)
    assert told.startswith(f"{acme}:5: mirror_collections.collections[1]")


def test_a_secret_in_the_defaults_is_refused_there(acme: Path) -> None:
    shared = common(acme, 'token = "a-token-of-all"\n')
    assert refusal(acme)[0].startswith(f"{shared}:3: precoro.token: a secret does not belong in this file")


def test_a_company_takes_webhooks_if_it_has_a_secret_for_them(acme: Path) -> None:
    common(acme, '[apply_deliveries]\nlisten = "127.0.0.1:8470"\n')
    assert load(acme, {}).apply_deliveries.listen is None
    secret = acme.with_name("hook")
    secret.touch(mode=0o600)
    secret.write_text("a-secret-of-more-than-24-signs\n")
    add(acme, f'[apply_deliveries]\nsecret_file = "{secret}"\n')
    assert load(acme, {}).apply_deliveries.listen == Address("127.0.0.1", 8470)


@pytest.mark.parametrize("key", ["watch", "log", "apply_deliveries"])
def test_what_the_process_has_once_is_no_companys(acme: Path, key: str) -> None:
    line = {"log": 'level = "error"'}.get(key, 'listen = "127.0.0.1:9470"')
    add(acme, f"[{key}]\n{line}\n")
    with pytest.raises(ConfigurationError, match="companies beside a defaults"):
        load_company(acme, {}, load_defaults(acme.parent, {}))


def test_alone_a_file_is_what_it_was(acme: Path) -> None:
    add(acme, 'region = "us"\n[watch]\nlisten = "127.0.0.1:9470"\n')
    assert load(acme, {}).watch.listen == Address("127.0.0.1", 9470)


def test_the_process_takes_its_sockets_and_its_log_from_the_defaults(acme: Path) -> None:
    common(acme, '[watch]\nlisten = "127.0.0.1:9470"\n[apply_deliveries]\nlisten = "127.0.0.1:8470"\n')
    found = load_defaults(acme.parent, {"PRECORO_DAEMON__LOG__LEVEL": "error"})
    assert (found.watch.listen, found.deliveries.listen) == (Address("127.0.0.1", 9470), Address("127.0.0.1", 8470))
    assert found.log.level == "error"
    shared = common(acme, '[watch]\nlisten = "nowhere"\n')
    with pytest.raises(ConfigurationError, match=rf"^{shared}:4: watch.listen: .nowhere. is not valid; expected"):
        load_defaults(acme.parent, {})
