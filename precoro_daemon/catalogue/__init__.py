"""the items of a supplier: planned, shown, written

change_check.py  what others changed at Precoro among a supplier's items since the last check
item_writer.py   one write to an item: what goes into it, and what its answer proves
manage_items.py  approved plans for suppliers' items are carried out at Precoro, each write once
plan_items.py    a supplier's wanted items against Precoro's, as a plan that is shown before anything is sent
plan_lap.py      one plan in one lap: its writes are sent one by one, and what comes of each is recorded
plan_report.py   what one lap says of a plan's writes: counted, reported and logged
ports/           what the catalogue needs from outside
rules/           what the catalogue decides, without I/O

A source says how a supplier's items should be. They come to be so in three steps:

1. The plan. Precoro's list of items is brought up to date and proved whole: an item that the mirror lacks would be
   made a second time. Rows and items are compared, and the plan says what would be created, updated or hidden.
   Nothing is sent (`plan_items`).
2. The approval. It is refused where the items changed since the plan was made (`manage_items`).
3. The writes, one by one, at most once each (`plan_lap`, and see `writes`). Every hundred writes a check asks what
   others changed meanwhile, and those items are left alone (`change_check`). Precoro forgets what a write leaves out.
   So the whole item goes back as it was, with what is wanted over it; the answer is compared with what was there,
   and the plan stops at the first item that lost something (`item_writer`).

To write the same values twice does no harm, but to create an item twice does. So a lost update is sent again when a
check shows that it was not carried out, a lost new item only after a day, when it can no longer land.
"""
