"""what the mirror decides, without I/O

absences.py          what a whole scan did not list: gone, to be requested, or not to be believed
change_log.py        one change of the mirror in its log, and the move of a follower's position
changes.py           compares a listing with the mirror, and plans what to write
collections.py       the collections that Precoro offers: path, key, detail, lines; data, not code
cursors.py           when a scan is proved, and when a cursor may move
custom_fields.py     custom fields: their definitions, nested options, and how options change
deliveries.py        what a webhook says: the kind of record, and whether its body is readable
documents.py         records and their versions, and rows that are no records
estimates.py         the calls and time of a first mirror, from one page of each list
examination.py       what a few answers show about how Precoro sorts lists, counts rows and reads times
field_references.py  which custom fields a record refers to: in itself and in its lines, in every shape
filters.py           what the user wants to keep, and whether that includes a record
quarantine.py        failed things that are kept apart, by the stage at which they failed
reach.py             how far back `modifiedSince` reaches: evidence that it is read in another time zone
shapes.py            the shape of answers: fields, their types, values of statuses; and its changes
"""
