"""payments in step between Precoro and the ledger, in both directions

answers_watched.py       payments wait while Precoro's answers lack what they need
commands.py              a person's commands about payments, as data, executed by the process that holds the state
decisions.py             a person's decisions about a payment, journalled like everything else
entry_reconciliation.py  resolves payments to the ledger with unknown outcomes, by what the ledger guarantees
entry_sending.py         checks one planned payment once more, and records it in the ledger
export_payments.py       records payments made in Precoro in the ledger, each once
forecast.py              what the next lap would do, without sending anything
intake.py                turns payments in the ledger into intents
lap_faults.py            invoices that fail in a lap: whether the invoice or the server is at fault
ledger_access.py         the ledger, what was read from it, and the settings for reading it
ledger_changes.py        follows changes of the ledger after its payment became an intent, or asks a person
loose_ends.py            finishes settled payments: sets our id, checks that they exist, reports refusals
mark_invoices_paid.py    records payments in the ledger at Precoro, each once
paid_invoices.py         compares the payments of one paid invoice with what is known, and makes intents of new ones
payment_sending.py       checks one planned payment with its invoice as it is now, and sends it to Precoro
ports/                   what payments need from outside
reconciliation.py        resolves doubts about payments to Precoro by checking the invoice, never by sending
recorder.py              journals and logs every step of an intent
rules/                   what payments decide, without I/O
spending.py              what was sent so far, compared with the caps
unfit_invoices.py        quarantines an invoice that alone is odd or cannot be fetched, so that the others go on
unmatched.py             payments of the ledger that no intent carries, and why

Theory of operation
-------------------
The ledger and Precoro each have payments that the other must get. A payment that must exist on the other side is an
intent. The docstring of rules/transitions.py describes what may happen to an intent, and why nothing is ever sent
twice.

Rules decide only by values: a source, an event, an obstacle, a question to a person. The reasons shown to people are
sentences made from these values; no decision reads such a sentence. The recorder journals every step before the next
call leaves. So a lap needs no memory: it finds in the store whatever the last lap left there.

A lap to Precoro (mark_invoices_paid) resolves doubts, reads the ledger, follows its changes, makes intents of new
payments, sends those that fit, and finishes those that were sent. A lap to the ledger (export_payments) compares the
paid invoices with those of the last comparison, and then does the same in the other direction. Before each entry it
reads how much is open on the bill (rules/open_bills). What the ledger recorded is compared with the entry before it
counts (rules/receipts). A person's decisions are carried out between two steps of a lap; if both move the same
intent, the second one finds it changed and leaves it.

A payment's way from the ledger to POST /payments: adapters/ledgers (sql, rows) > ports/ledger > ledger_access >
ports/ledger_payments and its store > intake > rules/matching > recorder > ports/journal and its store >
rules/transitions > mark_invoices_paid > payment_sending > reconciliation (the invoice as it is now, by way of
answers_watched and unfit_invoices) > rules/matching > recorder > ports/gateway > adapters/precoro/payments. One
value, rules/ledger_payments, goes all the way to the intent.
"""
