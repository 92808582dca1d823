"""the meaning of an HTTP answer: to a question, and to a payment that was sent"""

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
"""Refused before any processing: no valid token, too early, too often."""

_UNCLEAR = {408, 409}
"""Unclear: a proxy timed out; or a payment with this key exists, or is being recorded right now."""


Blocking = Mapping[str, Collection[str]]


class Judge:
    """Reads the answers to one call.

    what      the call, for the operator
    error     path of an error in an answer with a good status, "" if there is none
    messages  paths of an error's message in words, tried in this order; if none has text, the whole error is shown
    blocking  by path: values in a refusal that concern every payment, such as missing rights or an ended subscription
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
        """Returns the JSON of a good answer to a call that writes nothing.

        of_one  the call concerns one payment, so a refusal concerns that payment alone

        Raises TemporaryError, LedgerMisfit, MalformedAnswer, and PermanentError if `of_one`.
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
        """Returns the JSON of a good answer to a payment.

        Raises TemporaryError, PermanentError or LedgerMisfit if the payment was certainly not recorded,
        DoubtfulError otherwise.
        """
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
        """Checks whether the ledger refuses the sender, and would therefore refuse any other payment too."""
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
        except Absent:  # several errors
            return tree
        return MISSING if found in (None, False, "", 0) else found

    def _is_readable(self, answer: Answer) -> bool:
        """Checks whether the ledger itself answers (JSON). A proxy answers in HTML; it may have sent the call on."""
        try:
            return isinstance(parse(answer.body), dict | list | str)
        except MalformedAnswer:
            return False

    def _said(self, answer: Answer) -> str:
        said = excerpt(self._words(answer), self._secrets)
        return f"{self._what}: the ledger answered {answer.status}{limit_of(answer)}" + (f" ({said})" if said else "")

    def _words(self, answer: Answer) -> str | bytes:
        """Returns the ledger's own message. It is found before the text is cut."""
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
    """Returns the seconds that `Retry-After` asks for, or None if it is missing or unreadable."""
    header = answer.header("retry-after")
    if header.isdecimal():
        return read_wait(header, 0.0)
    return None if answer.server_time is None else read_wait(header, answer.server_time)


def limit_of(answer: Answer) -> str:
    """Returns the limit that the vendor names, as Xero does: " (limit: day)"; "" if it names none."""
    named = answer.header("x-rate-limit-problem")
    return f" (limit: {named})" if named.isalpha() and len(named) <= 20 else ""
