"""Precoro itself: its answers as pages and documents

attachments.py  attached files from Precoro: the bytes themselves, or an address where they are
client.py       the Precoro port over HTTP
items.py        writing items over HTTP: requests that are never repeated, and what their answers mean
pages.py        the page walk: pages in flight, handed out in order
payloads.py     list and detail answers as pages and documents; every shape they have been seen in
payments.py     paying invoices over HTTP: one request that is never repeated, and what its answer means
refusals.py     what Precoro says when it refuses a write, and what only a proxy in between may have said
"""
