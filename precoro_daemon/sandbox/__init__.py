"""a local Precoro: limits, pages, files, payments, faults; for tests and rehearsals

cards.py          list entries of payments, suppliers, catalogue items, fields and small sets
clock.py          its clock, which may run faster than ours
company.py        the company's data, and what users do to it
console.py        the page for people at `/`
control.py        its remote control over HTTP, for tests that run another process
custom_fields.py  custom fields: their types, their nested options, and values that fit them
details.py        what a detail says beyond the list entry (lines, payments, files, options)
downloads.py      a file as an answer: whole, or the rest that was asked for; from here or from another origin
entries.py        list entries of documents and payments, drawn from a row's facts
fault_kinds.py    every kind of fault, one small function each, in one registry
faults.py         scripted faults: which call goes wrong, how, and how often
files.py          attached files, small and valid, drawn from their id
filters.py        the filters of a list call, read from its query
forms.py          request bodies, read as the live API reads them
founding.py       the company as it is at the start, drawn from a seed
gate.py           what every call passes first: journal, key, limits, faults, latency
history.py        two years of documents and payments that fit together, drawn from a seed
journal.py        every request seen, for tests and for the page for people
ledger.py         a small ledger in SQLite beside the made-up company, as an accountant keeps it
limits.py         its limits as sliding or fixed windows in simulated time, and the 429 that tells of them
names.py          the words its company is made of, in many scripts, read from names.json
options.py        what it can be asked to be (size, limits, time, list order, shapes)
pages.py          one page of a list, joined from the rows' ready JSON
paying.py         what may be paid, and what a payment does to its invoice or expense
procedures.py     approvals, receipts, contracts, field options, uploads, propositions
reads.py          its GET endpoints: lists, details, files
refusals.py       how it says no, in the vendor's own error shapes
replies.py        its plain answers: JSON, an HTML page, a 429
rows.py           one collection's rows in every list order, with filtered orders remembered
schema.py         its collections and what each of them offers, as a table
server.py         the server itself, from options to an open port
shapes.py         the loose shapes its JSON comes in, belonging to each row for good
users.py          users who keep working while someone reads: they edit, insert, delete
webhooks.py       its webhooks: what users change is announced to up to five addresses, once, unsigned
writes.py         writing the catalogue, suppliers, payments, small sets and external ids
"""

from precoro_daemon.sandbox.options import Quota, SandboxOptions
from precoro_daemon.sandbox.server import Sandbox, serve

__all__ = ["Quota", "Sandbox", "SandboxOptions", "serve"]
