"""what the mirror needs from outside

change_log.py     the change log between the mirror and what follows it
custom_fields.py  what is known of custom fields, and which definitions are due
deliveries.py     webhooks that came: kept until they are applied
mirror.py         the mirror, its scans and cursors
precoro.py        the company's data at Precoro
progress.py       who shows how far scans and details are
shapes.py         what is remembered of the shapes of answers, and who watches them
"""
