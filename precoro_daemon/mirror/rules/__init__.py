"""what the mirror decides, without I/O

absences.py          what a whole scan did not list: gone, to be asked about, or not to be believed
change_log.py        one change of the mirror as its log has it, and how far a follower has read
changes.py           listing against mirror → plan
collections.py       what Precoro offers: path, key, detail, lines; data, not code
cursors.py           when a scan is stable, when a cursor may move
custom_fields.py     custom fields: what their definitions say, how options nest, what became of them
deliveries.py        what a webhook says: which kind of record, and whether its body can be read
documents.py         records and their versions; rows that are no records
estimates.py         what a first mirror costs: calls and time, from one page of each list
examination.py       what a few answers show of how Precoro sorts lists, counts rows and reads times
field_references.py  which custom fields a record refers to: in itself and in its lines, in every shape
filters.py           what the user wants kept, and whether a record is kept by it
quarantine.py        what failed and is kept apart, by the stage at which it failed
reach.py             how far back `modifiedSince` reaches: what shows that it is read in another time zone
shapes.py            the shape of answers: fields, their types, values of statuses; and what of it changed
"""
