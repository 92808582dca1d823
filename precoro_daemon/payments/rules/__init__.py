"""what payments decide, without I/O

caps.py             how much may be sent at most: in one payment, in a day, in a lap
doubts.py           what becomes of an attempt whose outcome is unknown, by what the invoice shows afterwards
entries.py          what the configuration may call the parts of a payment, and how each is written
events.py           what can happen to an intent: one small value for each kind of event
exports.py          which payments of a paid invoice the ledger must get, and which a person decides
history.py          what became of an intent so far, and whether one that came to nothing begins anew
intents.py          one intent, one attempt to send it, and one step of its life, as values
invoices.py         invoices and their payments, read from loose JSON with every digit kept
ledger_payments.py  a payment as the ledger has it, from its row to the decision
matching.py         which invoice a payment in the ledger is for, and whether it may be sent
needs.py            which fields of Precoro's answers payments go by: nothing is sent without them
obstacles.py        why an intent is not sent now, as a value; the sentence for people is made from it
open_bills.py       whether a bill, as the ledger has it now, takes a payment
receipts.py         what the ledger has recorded and what is open on a bill, compared with what was meant
sources.py          what an intent is made from, and the ids that follow from it
states.py           which way an intent goes, which states it can be in, and what an attempt may come to
transitions.py      the life of an intent: what may happen in which state, and what it makes of the intent
"""
