"""payments in step between Precoro and the ledger, in both directions

answers_watched.py       payments wait while Precoro's answers lack what they go by, before each lap and each decision
commands.py              what a person wants done with payments, as data: executed by the process that holds the state
decisions.py             what a person decides about a payment, journalled like everything else
entry_reconciliation.py  payments to the ledger whose outcome is unknown are settled by what the ledger can promise
entry_sending.py         one planned payment is checked once more, and recorded in the ledger
export_payments.py       payments made in Precoro are recorded in the ledger, each once
forecast.py              what the next lap would do, shown without sending anything
intake.py                payments in the ledger become intents
lap_faults.py            invoices that do not come in a lap: whether it is they that fail, or the server
ledger_access.py         the ledger, what was read from it, and how it is read
ledger_changes.py        what the ledger changes after its payment became an intent is followed, or a person is asked
loose_ends.py            once a payment is settled: our id, a check that it stands, the reason of a refusal
mark_invoices_paid.py    payments in the ledger are recorded at Precoro, each once
paid_invoices.py         the payments of one paid invoice are compared with what is known, and become intents
payment_sending.py       one planned payment is checked by its invoice as it is now, and sent to Precoro
ports/                   what payments need from outside
reconciliation.py        doubts about payments to Precoro are settled by checking the invoice, never by sending
recorder.py              every step of an intent, journalled and logged
rules/                   what payments decide, without I/O
spending.py              what was sent so far, measured against the caps
unfit_invoices.py        an invoice that alone is odd or does not come is quarantined, and the others go on
unmatched.py             payments of the ledger that no intent carries: which, and why

Theory of operation
-------------------
The ledger and Precoro each know of payments that the other must get. What must exist on the other side is an intent;
what may happen to one, and why nothing is ever sent twice, stands above the table in rules/transitions.py.

Rules decide by values alone: a source, an event, an obstacle, what a person was asked. Reasons are sentences made
from them for people; no decision reads one. Every step goes through the recorder into the journal before the next
call leaves. A lap therefore needs no memory: whatever the last one left, the next one finds in the store.

A lap to Precoro (mark_invoices_paid) settles what is in doubt, reads the ledger, follows what it changed, makes
intents of what is new, sends what fits, and ties up loose ends. A lap to the ledger (export_payments) compares which
invoices are paid with which were, and does the same the other way round: before each entry it reads what is open on
the bill (rules/open_bills), and what was recorded is compared before it counts (rules/receipts). A person's decisions
come between two steps of a lap; the second to move an intent finds it stale and leaves it.

A payment's way from the ledger to POST /payments: adapters/ledgers (sql, rows) > ports/ledger > ledger_access >
ports/ledger_payments and its store > intake > rules/matching > recorder > ports/journal and its store >
rules/transitions > mark_invoices_paid > payment_sending > reconciliation (the invoice as it is now, by way of
answers_watched and unfit_invoices) > rules/matching > recorder > ports/gateway > adapters/precoro/payments. One
value, rules/ledger_payments, goes all the way to the intent.
"""
