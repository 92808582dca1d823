"""the company's data as a local mirror: lists, details, census, custom fields, webhooks

absent_records.py         what a whole scan did not list: which of it is gone for certain
apply_deliveries.py       webhooks → targeted refreshes
details.py                refresh one document: fetch its detail and save it, or quarantine it, or mark it gone
estimate_cost.py          calls and days a first mirror will cost, from one page per collection
fetch_details.py          full documents of new or changed ones, by IDN
giving_up.py              work that is given up where it takes so long that others should not wait for it
mirror_collections.py     lists into the mirror, by cursor
polling.py                when which list is scanned: the planner of scans at work, and what scans teach it
ports/                    what the mirror needs from outside
resolve_custom_fields.py  definitions and options behind the ids
rules/                    what the mirror decides, without I/O
scan_round.py             several collections scanned side by side; one whose list fails holds up no other
scanning.py               one scan: the pages of a list into the mirror, and what a whole one did not find
sentinel.py               watches the shapes of answers by a sample of what comes anyway, and tells each change once
take_census.py            what did the scans miss

Theory of operation. Precoro lists records by page, newest first by creation, and says when each was last changed. A
mirror that trusts this loses rows: while pages are read, records are edited, made and deleted, and each of that may
shift a row from a page that is still to come to one that was read already. The shifted row did not change, so no
later question after changes brings it back. Four things together keep the mirror true:

- A scan (`scanning`) reads a list page by page. It asks with `modifiedSince` and nothing that a record can leave;
  the user's filter bounds the first scan alone. Pages are committed as they come, with the progress, so a killed
  process goes on at the first page that is missing, and reads the page before once more.
- A proof (`rules/cursors`). A scan proves itself complete when every page named the same total and as many different
  ids came as that total says. A whole list proves itself also while users make new records: when as many different
  ids came as page 1 counted, and none of them is newer than its newest. A scan of changes that is not proved is run
  again, twice at most.
- A cursor. It is the server's own `Date` at the beginning of the scan, less an overlap when it is used: never our
  clock, never the newest date of a record. It moves in the transaction that commits the last page, so it never
  passes data that is not durable. Each scan asks back to a few rows before it, which it must list (`rules/reach`):
  where none comes, Precoro reads the time in another zone.
- A census (`take_census`). It lists a collection whole, finds what all scans missed, and marks what is gone. It is
  owed after a scan that could not be proved, and comes by age otherwise. Far more missing records than usual are not
  believed (`rules/absences`): a key that lost a role sees the same. Where a document has to be asked for first and
  cannot be now, the finished scan stays open, and a later lap of the census asks; nothing else waits for that.

In a service each list is scanned when that is worth its call, and every scan teaches when its collection changes
(`polling`); a run scans every list once.

Lists, deliveries and census run side by side, also on one collection. Each commit is one transaction and reads in it
what it goes by. What excludes each other (`Lister.alone`) is two scans of one kind of the same collection, as there
is one open scan of each kind, and two changes of its filter, which drop open scans. A row that was listed as changed
since a whole scan began is not marked as gone by it. Changes that were not proved while it ran are not proved by it
either: they owe another census.

What a scan found new or changed gets its full document (`fetch_details`, by way of `details`), newest first, as far
as the day's calls reach. A webhook is a hint (`apply_deliveries`): one listing shows what is true, then the document
is refreshed ahead of the others. Every change is logged in the transaction that makes it, and attachments and custom
fields follow that log (`ports/change_log`), each from a durable position of its own.

What fails is quarantined with its reason (`rules/quarantine`) and never holds up its siblings.
"""
