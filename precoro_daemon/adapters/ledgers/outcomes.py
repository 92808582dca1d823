"""what an HTTP answer means: for a question, and for a payment that was sent"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.adapters.http.refusals import read_wait
from precoro_daemon.adapters.ledgers.answers import MISSING, Absent, parse, value_at
from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    LedgerMisfit,
    MalformedAnswer,
    PermanentError,
    TemporaryError,
)
from precoro_daemon.telemetry import excerpt

_LATER = {408, 409, 423, 425, 429}
_NOT_PROCESSED = {401, 425, 429}
"""Refused before anything was done: no valid token, too early, too often."""

_UNCLEAR = {408, 409}
"""A proxy gave up waiting; or a payment with this key is there already, or just being made."""


Blocking = Mapping[str, Collection[str]]


class Judge:
    """Reads the answers to one call.

    what      the call, for the operator
    error     where a good status may still carry an error, "" for nowhere
    messages  where an error says in words what is the matter, tried in this order; without them all of it is shown
    blocking  by their paths, values in a refusal that are not about one payment: no rights, a subscription that ended
    """

    def __init__(
        self,
        what: str,
        error: str,
        secrets: Sequence[str],
        messages: Sequence[str],
        blocking: Blocking,
    ) -> None:
        self._what = what
        self._error = error
        self._secrets = secrets
        self._messages = messages
        self._blocking = blocking

    def question(self, answer: Answer, *, of_one: bool = False) -> Any:
        """The JSON of a good answer to a call that writes nothing.

        of_one  the call is about one payment, so what is refused concerns that one alone
        """
        if 200 <= answer.status < 300:
            tree = self._parse(answer)
            if self._refusal(tree) is not MISSING:
                raise (PermanentError if of_one else TemporaryError)(self._said(answer))
            return tree
        if answer.status == 401:
            raise TemporaryError(f"{self._said(answer)}; the token is wrong or has run out: renew it in its file")
        if answer.status in _LATER or answer.status >= 500:
            raise TemporaryError(self._said(answer), wait=wait_of(answer))
        if 400 <= answer.status < 500:
            raise self._refused(answer, of_one)
        raise MalformedAnswer(self._said(answer))

    def _refused(self, answer: Answer, of_one: bool) -> DaemonError:
        if of_one and not self._blocks(answer):
            return PermanentError(self._said(answer))
        return LedgerMisfit(f"{self._said(answer)}; the request, or the rights of the token, do not fit the ledger")

    def sent_payment(self, answer: Answer) -> Any:
        """The JSON of a good answer to a payment. Only what surely wrote nothing is no doubt."""
        if 200 <= answer.status < 300:
            return self._carried_out(answer)
        if answer.status in _NOT_PROCESSED:
            raise TemporaryError(self._said(answer), wait=wait_of(answer))
        if 400 <= answer.status < 500 and answer.status not in _UNCLEAR and self._is_readable(answer):
            kind = LedgerMisfit if self._blocks(answer) else PermanentError
            raise kind(self._said(answer))
        raise DoubtfulError(f"{self._said(answer)}; the payment may have been recorded")

    def _carried_out(self, answer: Answer) -> Any:
        try:
            tree = self._parse(answer)
        except MalformedAnswer as error:
            raise DoubtfulError(f"{error}; the payment may have been recorded") from None
        if self._refusal(tree) is not MISSING:
            raise PermanentError(self._said(answer))
        return tree

    def _blocks(self, answer: Answer) -> bool:
        """Whether it is refused for whom we are, and any other payment would be too."""
        if answer.status == 403:
            return True
        try:
            tree = parse(answer.body)
        except MalformedAnswer:
            return False
        return any(_found(tree, path) in values for path, values in self._blocking.items())

    def _parse(self, answer: Answer) -> Any:
        try:
            return parse(answer.body)
        except MalformedAnswer as error:
            raise MalformedAnswer(f"{self._said(answer)}: {error}") from None

    def _refusal(self, tree: Any) -> Any:
        try:
            found = value_at(tree, self._error) if self._error else MISSING
        except Absent:  # several of them
            return tree
        return MISSING if found in (None, False, "", 0) else found

    def _is_readable(self, answer: Answer) -> bool:
        """Said by the ledger itself. A proxy before it answers with a web page, and may have let the payment pass."""
        try:
            return isinstance(parse(answer.body), dict | list | str)
        except MalformedAnswer:
            return False

    def _said(self, answer: Answer) -> str:
        said = excerpt(self._words(answer), self._secrets)
        return f"{self._what}: the ledger answered {answer.status}{limit_of(answer)}" + (f" ({said})" if said else "")

    def _words(self, answer: Answer) -> str | bytes:
        """The ledger's own words: the message is found before the text is cut."""
        try:
            tree = parse(answer.body)
            refusal = self._refusal(tree)
        except (MalformedAnswer, Absent):
            return answer.body
        for path in self._messages:
            if isinstance(message := _found(tree, path), str) and message.strip():
                return message
        return answer.body if refusal is MISSING else json.dumps(refusal, ensure_ascii=False, default=str)


def _found(tree: Any, path: str) -> Any:
    try:
        return value_at(tree, path)
    except Absent:
        return MISSING


def wait_of(answer: Answer) -> float | None:
    """Seconds that `Retry-After` asks for, None if it says nothing readable."""
    header = answer.header("retry-after")
    if header.isdecimal():
        return read_wait(header, 0.0)
    return None if answer.server_time is None else read_wait(header, answer.server_time)


def limit_of(answer: Answer) -> str:
    """Which of its limits the vendor names, as Xero does: " (limit: day)", "" if it names none."""
    named = answer.header("x-rate-limit-problem")
    return f" (limit: {named})" if named.isalpha() and len(named) <= 20 else ""
