"""the items of a supplier: planned, shown, written

change_check.py  what others changed at Precoro among a supplier's items since the last check
item_writer.py   one write to an item: what goes into it, and what its answer proves
manage_items.py  approved plans for suppliers' items are carried out at Precoro, each write once
plan_items.py    a supplier's wanted items against Precoro's, as a plan that is shown before anything is sent
plan_lap.py      one plan in one lap: its writes are sent one by one, and what comes of each is recorded
ports/           what the catalogue needs from outside
rules/           what the catalogue decides, without I/O
"""
