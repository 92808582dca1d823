"""what payments decide, without I/O

caps.py         how much may be sent at most: in one payment, in a day, in a lap
doubts.py       what becomes of an attempt whose outcome is unknown, by what the invoice shows afterwards
entries.py      what the configuration may call the parts of a payment, and how each is written
exports.py      which payments of a paid invoice the books must get, and which a person decides
intents.py      one intent and one attempt as values, and what an event makes of them
invoices.py     invoices and their payments, read from loose JSON with every digit kept
matching.py     which invoice a payment in the books is for, and whether it may be sent
transitions.py  life of an intent as a transition table
"""
