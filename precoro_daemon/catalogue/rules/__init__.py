"""what the catalogue decides, without I/O

cells.py         one cell of a row as the exact value of a field, or the reason why it is none
item_fields.py   the fields of an item that can be written, as Precoro spells them
item_rows.py     items as rows of a file that can be read back
item_writes.py   one write to an item: its states, and how an unknown outcome is resolved
items.py         one item of the catalogue: its fields as exact values
losses.py        what a write would remove from an item, what it removed, and what it failed to change
plan.py          the plan that turns Precoro's items into the wanted ones
sheets.py        the rows of a source of wanted items, and how they are read
suppliers.py     which supplier a name means: by Precoro's id, unique code, or external id
wanted_items.py  reads rows of a source as wanted items, or returns every mistake: row, column, value, reason
write_states.py  the states of one write to an item
"""
