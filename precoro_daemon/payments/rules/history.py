"""what became of an intent so far, and whether one that came to nothing begins anew"""

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
    """What became of an intent so far, as far as it matters for what may become of it.

    last      the name of its last event
    asked     a person was asked for what only they can see, or dropped it, and nobody has wanted it sent since
    assigned  a person said which invoice it is for
    about     what they are asked about; other: what they said is another payment
    """

    last: str
    asked: bool = False
    assigned: bool = False
    about: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()


def recall(lines: Iterable[tuple[str, Dialogue | None]]) -> Past:
    """By its journal from the beginning: of each line the name of the event, and what a person was asked or said."""
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
    """The step by which an intent that came to nothing begins anew; None if it is not to.

    in_ledger  the ledger has it, and no other intent carries it: then a person is asked about what a person or the
             other side did not want
    decided  a person wants it so
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
