"""what the mirror needs from outside

change_log.py     the change log between the mirror and its followers
custom_fields.py  the known custom fields, and which definitions are due
deliveries.py     received webhooks, stored until they are applied
mirror.py         the mirror, its scans and cursors
precoro.py        the company's data at Precoro
progress.py       shows the progress of scans and details
shapes.py         the stored shapes of answers, and the watch over them
"""
