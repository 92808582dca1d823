"""the company's data as a local mirror: lists, details, census, custom fields, webhooks

apply_deliveries.py       webhooks → targeted refreshes
details.py                refresh one document: fetch its detail and save it, or quarantine it, or mark it gone
estimate_cost.py          calls and days a first mirror will cost, from one page per collection
fetch_details.py          full documents of new or changed ones, by IDN
mirror_collections.py     lists into the mirror, by cursor
ports/                    what the mirror needs from outside
resolve_custom_fields.py  definitions and options behind the ids
rules/                    what the mirror decides, without I/O
scanning.py               one pass: the pages of a list into the mirror, and what a whole one did not find
take_census.py            what did the passes miss
"""
