"""Precoro itself: its answers as pages and documents

attachments.py     attached files from Precoro: the bytes themselves, or an address where they are
client.py          the Precoro port over HTTP
file_addresses.py  where at Precoro's own origin files are, learned from the addresses it gives
item_forms.py      the forms that make an item and that replace one
items.py           reading and writing items over HTTP
pages.py           a scan over pages: several in flight, handed out in order
payloads.py        list and detail answers as pages and documents; every shape they have been seen in
payments.py        paying invoices over HTTP
probes.py          single calls that are made to see how Precoro answers: one try each, a refusal is an answer too
queries.py         the API's own words for which rows of a list are wanted
single_writes.py   one write that is never repeated, and what Precoro's answer to it means
"""
