"""the questions of init, in order; each answer is checked against the rules of the settings"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from precoro_daemon.app.new_files import free_path
from precoro_daemon.cli.questions import Questions
from precoro_daemon.settings.credentials import CredentialError, bare, read_credential
from precoro_daemon.settings.lines import KeyPath
from precoro_daemon.settings.reading import check_values
from precoro_daemon.values.visible_text import visible

if TYPE_CHECKING:
    from precoro_daemon.settings import Settings

LEDGERS = ("none", "xero", "quickbooks", "business_central", "odoo")
SERVICES = ("none", "systemd", "compose")
_KEY = ("precoro", "token")

Value = Callable[[str], str | list[str] | None]


@dataclass
class Answers:
    """The answers so far.

    values    the configuration by section and key, with its secrets
    key_file  where the API key is, or will be written
    new_key   whether the key file does not exist yet
    """

    values: dict[str, dict[str, Any]] = field(default_factory=lambda: {"precoro": {}})
    key_file: Path = field(default_factory=Path)
    new_key: bool = False

    @property
    def settings(self) -> Settings:
        """The settings that the answers make. Raises UsageError, which lists every mistake."""
        found, mistakes = check_values(self.values, {})
        if found is None:
            raise click.UsageError("\n".join(f"{one.key}: {one.text}" for one in mistakes))
        return found

    def put(self, section: str, key: str, value: object) -> None:
        self.values.setdefault(section, {})[key] = value


class Dialogue:
    """Asks the questions and collects the answers.

    base        the directory of the configuration
    time_scale  how many times faster than real time a sandbox runs
    """

    def __init__(self, ask: Questions, base: Path, time_scale: float = 1.0) -> None:
        self.ask = ask
        self.base = base
        self._scale = time_scale
        self._said: dict[str, str] = {}
        self.found = Answers()

    def access(self) -> None:
        """Asks for Precoro's address, the user's e-mail and the API key."""
        self._place()
        former = self._said.get("email", "")
        self._answer(("precoro", "email"), "email", "E-mail of the Precoro user whose key it is", former)
        self._key()
        if self._scale != 1:
            self.found.put("limits", "time_scale", self._scale)

    def lists(self, readable: Sequence[str], *, complete: bool) -> None:
        """Asks for the collections. The default is all of them, or the readable ones if the key may not read some."""
        usual = "all" if complete else ",".join(readable)

        def value(text: str) -> list[str] | None:
            names = [one.strip() for one in text.split(",") if one.strip()]
            return None if names == ["all"] else names

        path = "mirror_collections", "collections"
        self._answer(path, "collections", "Collections: all, or names with commas", usual, value)

    def extras(self, data: Path | None) -> None:
        """Asks for the features that are off by default, and for the scan interval.

        data  the directory for a service's data, if it has one
        """

        def place(text: str) -> str | None:
            return None if text == "none" else str((data or Path()) / text)

        def schedule(text: str) -> str | None:
            return None if text == "auto" else text

        path = "fetch_attachments", "directory"
        self._answer(path, "files", "Directory for attached files, or none", "none", place)
        path = "mirror_collections", "every"
        self._answer(path, "every", "How often to scan lists: auto, or a time such as 15m", "auto", schedule)
        self._webhooks()

    def one_of(self, option: str, question: str, choices: Sequence[str]) -> str:
        """Asks until the answer is one of the choices, and returns it. The first choice is the default."""
        while (text := self.ask.text(option, f"{question}: {', '.join(choices)}", default=choices[0])) not in choices:
            self.ask.again(option, f"{text!r} is none of these: {', '.join(choices)}")
        return text

    def forget_access(self) -> None:
        """Discards the answers, so that the dialogue restarts at its first question with the old answers as
        defaults.
        """
        self._said = {name: text for name, text in self.found.values["precoro"].items() if name != "token"}
        self.found = Answers()
        self.ask.forget("region", "base_url", "email", "key_file")

    def _place(self) -> None:
        option = "base_url" if self.ask.option("base_url") else "region"
        question = "Region of your company: international (api.precoro.com), us (api.precoro.us), or an address"
        former = self._said.get("base_url") or self._said.get("region") or "international"
        while True:
            text = self.ask.text(option, question, default=former)
            key = "base_url" if "://" in text else option
            if not (wrong := _wrong({"precoro": {key: text}}, ("precoro", key))):
                self.found.put("precoro", key, text)
                return
            self.ask.again(option, wrong)

    def _answer(
        self, path: tuple[str, str], option: str, question: str, default: str = "", value: Value = str
    ) -> None:
        """Asks until the settings accept the answer, and stores it.

        value  converts an answer to the value of the setting; None leaves the setting out
        """
        section, key = path
        while True:
            given = value(self.ask.text(option, question, default=default))
            if given is None:
                return
            trial = {**self.found.values, section: {**self.found.values.get(section, {}), key: given}}
            if not (wrong := _wrong(trial, path)):
                self.found.values = trial
                return
            self.ask.again(option, wrong)

    def _key(self) -> None:
        """Asks for the API key: from an existing file, or typed without echo."""
        while True:
            known = self._known_key()
            try:
                key = read_credential(known) if known else self._typed_key()
            except CredentialError as error:
                self.ask.again("key_file", f"{known}: {error}")
                continue
            if not (wrong := _wrong({"precoro": {**self.found.values["precoro"], "token": key}}, _KEY)):
                self.found.put(*_KEY, key)
                self.found.key_file, self.found.new_key = known or free_path(self.base / "token"), known is None
                return
            self.ask.again("key_file", wrong)

    def _known_key(self) -> Path | None:
        if (given := self.ask.option("key_file")) and str(given) != "-":
            return Path(given).absolute()
        there = self.base / "token"
        if given is None and there.exists() and self.ask.confirm(f"Use the key in {there}?", default=True):
            return there
        return None

    def _typed_key(self) -> str:
        if self.ask.option("key_file"):
            return bare(sys.stdin.readline())
        return bare(self.ask.text("key", "API key (it is not shown)", hidden=True))

    def _webhooks(self) -> None:
        section = "apply_deliveries"
        self.found.put(section, "secret", secrets.token_hex(24))
        self._answer((section, "listen"), "webhooks", "Address to take webhooks at, or none", "none", _unless_none)
        if "listen" not in self.found.values[section]:
            del self.found.values[section]
            return
        self._answer(
            (section, "public_url"),
            "public_url",
            "Its address from outside, https://…, or none",
            "none",
            _unless_none,
        )


def _unless_none(text: str) -> str | None:
    return None if text == "none" else text


def _wrong(values: Mapping[str, Any], path: tuple[str, str]) -> str:
    """Returns the mistakes that the settings report for this key, or "" if there are none."""
    _, mistakes = check_values(values, {})
    return "\n".join(visible(one.text) for one in mistakes if one.key.startswith(".".join(path)))


_SETTING_OF: Mapping[str, tuple[str, str]] = {
    "region": ("precoro", "region"),
    "base_url": ("precoro", "base_url"),
    "email": ("precoro", "email"),
    "collections": ("mirror_collections", "collections"),
    "every": ("mirror_collections", "every"),
    "webhooks": ("apply_deliveries", "listen"),
    "public_url": ("apply_deliveries", "public_url"),
}
"""The setting that each option sets."""


def refuse_wrong_options(given: Mapping[str, Any], ask: Questions) -> None:
    """Raises UsageError that lists every wrong or missing option at once."""
    values: dict[str, dict[str, Any]] = {"precoro": {}}
    named: dict[KeyPath, str] = {}
    for option, (section, key) in _SETTING_OF.items():
        if (
            (text := given[option])
            and text not in ("none", "all", "auto")
            and (option != "region" or "://" not in text)
        ):
            values.setdefault(section, {})[key] = text
            named[section, key] = f"--{option.replace('_', '-')}"
    _, mistakes = check_values(values, named)
    wrong = [
        f"{one.where}: {one.text}" for one in mistakes if one.where in named.values() and "missing" not in one.text
    ]
    place = [] if given["base_url"] else ["region"]
    lacking = ask.missing([*place, "email", "key_file"])
    if lacking:
        wrong.append(f"there is no terminal to ask on; give {', '.join(lacking)}")
    for option, choices in (("service", SERVICES), ("ledger", LEDGERS)):
        if given[option] and given[option] not in choices:
            wrong.append(f"--{option}: {given[option]} is not valid; expected one of: {', '.join(choices)}")
    if wrong:
        raise click.UsageError("\n".join(wrong))
