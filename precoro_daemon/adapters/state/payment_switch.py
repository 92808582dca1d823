"""whether payments are armed, according to the state and the guard beside it"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from precoro_daemon.payments.ports.switch import Switch

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.restore_guard import RestoreGuard
    from precoro_daemon.adapters.state.session import Session

_NEVER = "they were never armed; run `precoro-daemon payments arm` to allow sending"
_UNGUARDED = (
    "the state was moved, copied or restored since it was armed; check `payments plan`, then arm payments again"
)
_OLDER = "the state is older than what was sent from it: it was restored from a copy; check `payments plan`, then arm"


def read_switch(session: Session, restore_guard: RestoreGuard) -> Switch:
    row = session.row("meta.read", ("armed",))
    if row is None:
        return Switch(armed=False, reason=_NEVER)
    if not row["value"]:
        said = session.row("journal.last_word_on_the_switch")
        return Switch(armed=False, reason=said["reason"] if said else _NEVER)
    testimony = restore_guard.read()
    if testimony is None or testimony.nonce != row["value"]:
        return Switch(armed=False, reason=_UNGUARDED)
    if testimony.seq and testimony.row != fingerprint(session, testimony.seq):
        return Switch(armed=False, reason=_OLDER)
    return Switch(armed=True)


def fingerprint(session: Session, seq: int) -> str:
    """Returns a value that differs for another row of this number, even one about the same payment; "" if there is
    none.
    """
    row = session.row("journal.read_line", (seq,))
    return "" if row is None else blake2b(repr(tuple(row)).encode(), digest_size=8).hexdigest()
