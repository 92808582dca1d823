"""the items of a supplier: planned, shown, written

change_check.py  what others changed at Precoro among a supplier's items since the last check
item_writer.py   one write to an item: its content, and what its answer proves
manage_items.py  carries out approved plans for suppliers' items at Precoro, each write once
plan_items.py    compares a supplier's wanted items with Precoro's, and plans the difference before anything is sent
plan_lap.py      one plan in one lap: sends its writes one by one and records each outcome
plan_report.py   what one lap reports about a plan's writes: counts, lines for people, and log events
ports/           what the catalogue needs from outside
rules/           what the catalogue decides, without I/O

A source says which items a supplier should have. Three steps carry that out:

1. The plan. Precoro's list of items is updated and proved complete, because an item that the mirror lacks would be
   created a second time. Rows and items are compared, and the plan says what would be created, updated or hidden.
   Nothing is sent (`plan_items`).
2. The approval. It is refused if the items changed since the plan was made (`manage_items`).
3. The writes, one by one, at most once each (`plan_lap`, and see `writes`). Every hundred writes a check asks what
   others changed meanwhile, and those items are left alone (`change_check`). Precoro clears what a write leaves out.
   So the whole item is sent back, with the wanted values over it. The answer is compared with the former item, and
   the
   plan stops at the first item that lost something (`item_writer`).

Writing the same values twice does no harm, but creating an item twice does. So a lost update is sent again when a
check shows that it was not carried out, and a lost new item only after a day, when it can no longer arrive.
"""
