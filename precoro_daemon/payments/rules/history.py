"""what happened to an intent so far, and whether one that came to nothing begins again"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from precoro_daemon.payments.rules.events import (
    Adopt,
    Answered,
    Asked,
    Assigned,
    Dialogue,
    Drop,
    Hold,
    Plan,
    Replan,
    Repost,
    Terms,
    Withdraw,
)
from precoro_daemon.payments.rules.intents import Intent, Step
from precoro_daemon.payments.rules.states import State


@dataclass(frozen=True, slots=True)
class Past:
    """What happened to an intent so far, as far as it matters for what may follow.

    last      the name of its last event
    asked     whether a person was asked about it, or dropped it, and no person has reposted or adopted it since
    assigned  whether a person assigned its invoice
    about     what the person is asked about
    other     what the person said is another payment
    """

    last: str
    asked: bool = False
    assigned: bool = False
    about: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()


def recall(lines: Iterable[tuple[str, Dialogue | None]]) -> Past:
    """Returns the past from the whole journal: each line's event name, and the question to a person or the answer."""
    past = Past(Plan.name)
    for event, dialogue in lines:
        question = dialogue if isinstance(dialogue, Asked) else None
        asked = (
            (past.asked or event == Drop.name) and event not in (Repost.name, Adopt.name)
        ) or question is not None
        past = Past(
            last=event,
            asked=asked,
            assigned=past.assigned or isinstance(dialogue, Assigned),
            about=past.about | (question.about if question else frozenset()) if asked else frozenset(),
            other=past.other | (dialogue.other if isinstance(dialogue, Answered) else frozenset()),
        )
    return past


def begun_again(
    intent: Intent, new: Intent, step: Step, past: Past, *, in_ledger: bool, decided: bool = False
) -> Step | None:
    """Returns the step by which a rejected intent begins again, None if it must not.

    in_ledger  whether the ledger has it, and no other intent carries it; then a person is asked about an intent
               that a person or the other side refused
    decided    whether a person wants it
    """
    if intent.state is not State.REJECTED:
        return None
    terms = terms_of(new)
    if not decided and (past.last != Withdraw.name or (past.asked and in_ledger)):
        if not in_ledger:
            return None
        return replace(step, event=Hold(Asked(), terms), reason=f"{intent.reason}; the ledger has it again")
    if isinstance(step.event, Hold):
        return replace(step, event=replace(step.event, terms=terms))
    assert isinstance(step.event, Plan), "an intent begins planned or held"
    return replace(step, event=Replan(terms, step.event.dialogue))


def terms_of(intent: Intent) -> Terms:
    return Terms(intent.amount, intent.currency, intent.day, intent.supplier, intent.supplier_id)
