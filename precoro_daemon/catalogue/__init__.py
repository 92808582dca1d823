"""the items of a supplier: planned, shown, written

item_writer.py   one write to an item: what goes into it, and what its answer proves
manage_items.py  approved plans for suppliers' items are carried out at Precoro, each write once
plan_items.py    a supplier's wanted items against Precoro's, as a plan that is shown before anything is sent
ports.py         a supplier's items: what is wanted, what is there, the plan, and the desk that writes
rules/           what the catalogue decides, without I/O
"""
