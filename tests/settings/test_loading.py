"""Where settings come from, which of them wins, and how a mistake is traced back to its place."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precoro_daemon.errors import ConfigurationError
from precoro_daemon.runtime.schedules import Cron, Every
from precoro_daemon.settings import Settings, load
from tests.settings.conftest import ACCESS, PRECORO, Load, Mistake, Mistakes


def test_three_lines_are_enough(file: Path, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("s3cret-key\n")
    token.chmod(0o600)
    file.write_text(f'[precoro]\nregion = "us"\nemail = "a@example.com"\ntoken_file = "{token}"\n')
    read = load(file, {})
    assert read.precoro.token.get_secret_value() == "s3cret-key"
    assert read.precoro.email.get_secret_value() == "a@example.com"
    assert read.state.url == "sqlite:///precoro.db"


def test_without_a_file_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    read = load(None, ACCESS | {"PRECORO_DAEMON__PRECORO__REGION": "us"})
    assert read.precoro.origin == "https://api.precoro.us"


def test_a_secret_that_nobody_uses_may_be_missing_and_nothing_else(file: Path, tmp_path: Path):
    file.write_text(
        '[precoro]\nregion = "us"\nemail = "a@example.com"\n[apply_deliveries]\nlisten = "127.0.0.1:80"\n'
    )
    with pytest.raises(ConfigurationError) as mistake:
        load(file, {})
    assert ("precoro.token" in str(mistake.value), "apply_deliveries.secret" in str(mistake.value)) == (True, True)
    assert load(file, {}, spare=("precoro", "apply_deliveries", "ledger")).precoro.origin == "https://api.precoro.us"
    with pytest.raises(ConfigurationError, match=r"apply_deliveries.secret: missing"):
        load(file, {}, spare=("precoro",))
    for wrong in (f'token_file = "{tmp_path / "none"}"', 'token = "in the file"', "timeout = 0"):
        file.write_text(f'[precoro]\nregion = "us"\nemail = "a@example.com"\n{wrong}\n')
        with pytest.raises(ConfigurationError, match=wrong.split(" ")[0]):
            load(file, {}, spare=("precoro",))


def test_that_there_is_no_file_is_said_where_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as mistake:
        load(None, ACCESS)
    first, *others = str(mistake.value).splitlines()
    assert first == "there is no ./config.toml here, and --config names no other file"
    assert any("precoro.region: missing" in line for line in others)


def test_without_a_path_the_file_of_the_working_directory(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(file.parent)
    file.write_text(PRECORO + "[limits]\nper_day = 5")
    assert load(None, ACCESS).limits.per_day == 5


def test_the_process_environment_is_never_read(read: Load, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PRECORO_DAEMON__LIMITS__PER_DAY", "5")
    assert read().limits.per_day == 3000
    with pytest.raises(ValueError, match="precoro"):
        Settings()


def test_the_environment_wins_key_by_key(read: Load):
    found = read(
        "[limits]\nper_day = 5\nper_hour = 6\n[mirror_collections.filters.invoices]\nstatus = [1]\nsupplier = [3]",
        PRECORO_DAEMON__LIMITS__PER_DAY="7",
        PRECORO_DAEMON__LIMITS__RESERVE__CENSUS="1",
        PRECORO_DAEMON__MIRROR_COLLECTIONS__COLLECTIONS="invoices, taxes",
        PRECORO_DAEMON__MIRROR_COLLECTIONS__EVERY="600",
        PRECORO_DAEMON__MIRROR_COLLECTIONS__FILTERS__INVOICES__STATUS="2,partly paid",
        precoro_daemon__log__level="DEBUG",
    )
    assert (found.limits.per_day, found.limits.per_hour, found.limits.reserve.census) == (7, 6, 1)
    assert found.mirror_collections.collections == ("invoices", "taxes")
    assert found.mirror_collections.schedule_of("invoices") == Every(600)
    wanted = found.mirror_collections.filter_of("invoices")
    assert (wanted.status, wanted.supplier) == ({2, 4}, {3})
    assert found.log.level == "debug"


def test_an_empty_variable_counts_as_absent(read: Load):
    assert read("[limits]\nper_day = 5", PRECORO_DAEMON__LIMITS__PER_DAY="").limits.per_day == 5


def test_all_mistakes_at_once_as_they_stand_in_the_file(mistakes: Mistakes):
    text = """
[limits]
per_secnd = 1
per_minute = "fast"
[limts]
per_day = 1
[mirror_collections]
overlap = "5s"
[mirror_collections.filters.invoces]
status = [2]
[mirror_collections.filters.taxes]
status = [2]
"""
    lines = mistakes(
        text, PRECORO_DAEMON__LOG__LEVEL="loud", PRECORO_DAEMON__LGO__LEVEL="info", PRECORO_DAEMON__LIMITS__X="1"
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["config.toml:5", "limits.per_secnd"],
        ["config.toml:6", "limits.per_minute"],
        ["config.toml:7", "limts"],
        ["config.toml:10", "mirror_collections.overlap"],
        ["config.toml:11", "mirror_collections.filters.invoces"],
        ["config.toml:14", "mirror_collections.filters.taxes.status"],
        ["PRECORO_DAEMON__LGO__LEVEL", "lgo"],
        ["PRECORO_DAEMON__LIMITS__X", "limits.x"],
        ["PRECORO_DAEMON__LOG__LEVEL", "log.level"],
    ]
    assert lines[0].startswith(
        'config.toml:5: limits.per_secnd: unknown key (did you mean "per_second"?); allowed: per_second, per_minute,'
    )


def test_what_is_missing_is_told_with_the_place_of_its_section(file: Path):
    file.write_text("\n[precoro]\n")
    with pytest.raises(ConfigurationError) as refusal:
        load(file, {})
    assert str(refusal.value).splitlines() == [
        f"{file}:2: precoro.region: missing; give region (international or us) or base_url",
        f"{file}:2: precoro.email: missing; give the e-mail of the key's user (or PRECORO_EMAIL)",
        f"{file}:2: precoro.token: missing; give the API key: one line in token_file, or PRECORO_TOKEN",
    ]


def test_two_addresses_contradict_each_other(mistake: Mistake):
    assert mistake(precoro='[precoro]\nregion = "us"\nbase_url = "http://localhost"') == (
        "config.toml:2: precoro.region: region and base_url exclude each other; allowed: one of them"
        " (see precoro.base_url, config.toml:3)"
    )
    assert mistake(PRECORO_DAEMON__PRECORO__BASE_URL="http://localhost") == (
        "config.toml:2: precoro.region: region and base_url exclude each other; allowed: one of them"
        " (see precoro.base_url, PRECORO_DAEMON__PRECORO__BASE_URL)"
    )


@pytest.mark.parametrize("text", ["limits = 3", "[[limits]]\nper_day = 1", "mirror_collections = []"])
def test_what_should_be_a_section(text: str, mistake: Mistake):
    line = mistake(precoro=f'precoro.region = "us"\n{text}')
    assert line.startswith("config.toml:2: ")
    assert "expected a section with " in line


def test_a_precoro_that_is_no_section(mistake: Mistake):
    assert mistake(precoro="precoro = 3").startswith(
        "config.toml:1: precoro: 3 is not valid; expected a section with base_url"
    )


def test_the_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: there is no such file$"):
        load(tmp_path / "nowhere.toml", ACCESS)


def test_a_directory_for_a_file(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"this is a directory; give the TOML file in it$"):
        load(tmp_path, ACCESS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read(file: Path):
    file.write_text(PRECORO)
    file.chmod(0)
    with pytest.raises(ConfigurationError, match=r"the user who runs this may not read the file$"):
        load(file, ACCESS)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[limits]\nper_day = \n", "config.toml:2:11: not valid TOML: "),
        ("[limits]\nper_day = 1\nper_day = 2\n", "config.toml:3:12: not valid TOML: cannot overwrite a value"),
        ("[limits\n", "config.toml:1:8: not valid TOML: "),
        ('a = """\n', "config.toml:2: not valid TOML: "),
        ("a = " + "[" * 5000, "config.toml: nested too deeply"),
        (f"[limits]\nper_day = {'9' * 5000}\n", "config.toml: a whole number in it has more than the 64 bits"),
        (f"[limits]\na = [{{b = 0x{'f' * 5000}}}]\n", "config.toml: a whole number in it has more than the 64 bits"),
    ],
)
def test_where_the_toml_breaks(content: str, place: str, mistake: Mistake):
    assert mistake(precoro=content).startswith(place)


def test_a_pipe_is_no_configuration(pipe: Path):
    with pytest.raises(ConfigurationError, match=r"pipe: this is no regular file; give the TOML file$"):
        load(pipe, ACCESS)


def test_files_from_windows_editors(file: Path):
    file.write_bytes(b"\xef\xbb\xbf" + (PRECORO + "[limits]\nper_day = 5\n").replace("\n", "\r\n").encode())
    assert load(file, ACCESS).limits.per_day == 5
    file.write_bytes((PRECORO + "# Größe\n").encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"config\.toml:3: not UTF-8 text; save the file as UTF-8$"):
        load(file, ACCESS)
    file.write_text(PRECORO, "utf-16")
    with pytest.raises(ConfigurationError, match=r"config\.toml:1: not UTF-8 text"):
        load(file, ACCESS)


def _refusal(file: Path) -> list[str]:
    try:
        load(file, ACCESS)
    except ConfigurationError as refusal:
        return str(refusal).splitlines()
    return []


_KEYS = st.sampled_from(
    ["precoro", "limits", "reserve", "mirror_collections", "filters", "invoices", "status", "every"]
)
_VALUES = st.one_of(st.integers(-3, 3), st.just("x"), st.booleans(), st.lists(st.just("invoices"), max_size=2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_KEYS, min_size=1, max_size=4), _VALUES)
def test_any_configuration_is_read_or_refused_with_a_place(file: Path, path: list[str], value: object):
    written = str(value).lower() if isinstance(value, bool) else repr(value)
    file.write_text(f'precoro.region = "us"\n{".".join(path)} = {written}\n')
    assert all(line.startswith(f"{file}:2:") for line in _refusal(file))


def test_the_cause_of_a_refusal_does_not_hang_on_it(file: Path):
    file.write_text(PRECORO + "[limits]\nper_day = -1")
    with pytest.raises(ConfigurationError) as refusal:
        load(file, ACCESS)
    assert "pydantic" not in "".join(traceback.format_exception(refusal.value))


def test_each_list_has_a_schedule_of_its_own_or_the_one_for_all(read: Load) -> None:
    lists = read(
        '[mirror_collections]\nevery = { all = "1h", invoices = "5m", taxes = "auto", users = "0 6 * * *" }'
    ).mirror_collections
    assert lists.schedule_of("suppliers") == Every(3600)
    assert lists.schedule_of("invoices") == Every(300)
    assert lists.schedule_of("taxes") is None
    assert lists.schedule_of("users") == Cron("0 6 * * *")
    assert read("").mirror_collections.schedule_of("invoices") is None
    assert read('[mirror_collections]\nevery = "Auto"').mirror_collections.schedule_of("invoices") is None


def test_weights_that_are_not_given_stay_as_they_are(read: Load) -> None:
    freshness = read("[freshness.weights]\ninvoices = 0\ntaxes = 1000").freshness
    names = ("invoices", "purchase_orders", "payments", "suppliers", "taxes")
    assert [freshness.weight_of(name) for name in names] == [0, 4, 2, 1, 1000]


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name not in ("precoro", "exports")])
def test_a_section_that_nobody_gave_is_as_if_it_were_read(read: Load, name: str):
    kind = type(getattr(read(), name))
    assert kind.model_construct() == kind()
    assert not kind.model_construct().model_fields_set


def test_a_variable_for_a_whole_section_is_a_mistake_beside_those_for_its_keys(mistake: Mistake):
    assert mistake(PRECORO_DAEMON__LOG="loud", PRECORO_DAEMON__LOG__LEVEL="info") == (
        'PRECORO_DAEMON__LOG: log: "loud" is not valid; expected a section with level, format'
    )
