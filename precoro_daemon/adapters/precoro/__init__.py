"""the Precoro API: requests, and answers as pages and documents

attachments.py     attached files from Precoro: their bytes, or the address that has them
client.py          the Precoro port over HTTP
file_addresses.py  predicts where files are at Precoro's own origin, from the addresses it gave before
item_forms.py      the forms that create and replace an item
items.py           reading and writing items over HTTP
pages.py           a scan over pages: several in flight, delivered in order
payloads.py        list and detail answers as pages and documents, in every shape that was observed
payments.py        paying invoices over HTTP
probes.py          single calls that test how Precoro answers: one attempt each, and a refusal is a result
queries.py         the API's query parameters for the wanted rows of a list
single_writes.py   one write that is never repeated, and the meaning of Precoro's answer
"""
