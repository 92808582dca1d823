"""what payments decide, without I/O

caps.py             the most that may be sent: in one payment, in a day, in a lap
doubts.py           how an attempt with an unknown outcome is resolved by what the invoice shows afterwards
entries.py          the parts of a payment that the configuration can name, and how each is written
events.py           the events of an intent: one small value for each kind
exports.py          which payments of a paid invoice the ledger must get, and which a person decides about
history.py          what happened to an intent so far, and whether one that came to nothing begins again
intents.py          an intent, an attempt to send it, and a step of its life, as values
invoices.py         invoices and their payments, read from loose JSON with every digit
ledger_payments.py  a payment of the ledger, from its row to the decision
matching.py         which invoice a payment of the ledger is for, and whether it may be sent
needs.py            the fields of Precoro's answers that payments need: nothing is sent without them
obstacles.py        why an intent is not sent now, as a value from which the sentence for people is made
open_bills.py       whether a bill, as the ledger has it now, has room for a payment
receipts.py         compares what the ledger recorded, and what is open on a bill, with what was meant
sources.py          the source of an intent, and the ids derived from it
states.py           the directions and states of an intent, and the outcomes of an attempt
transitions.py      the life of an intent: what may happen in which state, and what it changes
"""
