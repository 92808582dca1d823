"""what the catalogue decides, without I/O

cells.py         one cell of a row as the exact value of a field, or why it cannot be one
item_fields.py   what can be kept of an item, as Precoro spells it
item_rows.py     items as rows of a file that read back as the same items
item_writes.py   one write to an item: its states, and what becomes of one whose outcome is unknown
items.py         one item of the catalogue: its fields as exact values
losses.py        what a write would take away from an item, or took away, and what it left undone
plan.py          wanted items against Precoro's items → plan
sheets.py        what a source of wanted items holds, and how its rows are to be read
suppliers.py     which supplier a name means: Precoro's id, the unique code, or the external id
wanted_items.py  rows of a source as wanted items, or every mistake in them: row, column, value, reason
write_states.py  the states of one write to an item
"""
