"""the company's data as a local mirror: lists, details, census, custom fields, webhooks

absent_records.py         which records that a whole scan did not list are gone for certain
apply_deliveries.py       webhooks → targeted refreshes
details.py                refreshes one document: fetches its detail and saves it, or quarantines it, or marks it gone
estimate_cost.py          the calls and days that a first mirror will take, from one page of each list
fetch_details.py          fetches the full documents of new and changed records, by IDN
giving_up.py              gives work up that takes so long that others should not wait for it
mirror_collections.py     brings lists into the mirror, by cursor
polling.py                when which list is scanned: the planner at work, and what it learns from scans
ports/                    what the mirror needs from outside
resolve_custom_fields.py  resolves custom fields: the definitions and options behind the ids
rules/                    what the mirror decides, without I/O
scan_round.py             scans several collections concurrently; a list that fails delays no other
scanning.py               one scan: reads a list into the mirror, and handles what a whole scan did not find
sentinel.py               watches the shapes of answers by sampling, and logs each change once
take_census.py            lists collections whole, and finds what the scans missed

Theory of operation. Precoro lists records by page, newest first by creation, and says when each was last changed. A
mirror that trusts this loses rows: while pages are read, records are edited, created and deleted, and each of that
may
shift a row from an unread page to one that was already read. The shifted row did not change, so no later request for
changes brings it back. Four things together keep the mirror true:

- A scan (`scanning`) reads a list page by page. It sends `modifiedSince` and nothing that a record can leave; the
  user's filter only bounds the first scan. Pages are committed as they arrive, with the progress, so after a kill the
  scan continues at the first missing page, and reads the page before it again.
- A proof (`rules/cursors`). A scan is proved complete if every page named the same total and that many different ids
  arrived. A whole list is also proved while users create records: if as many different ids arrived as page 1 counted,
  and none of them is newer than its newest. A scan of changes that is not proved is repeated, at most twice.
- A cursor. It is the server's own `Date` at the start of the scan, less an overlap when it is used: never our clock,
  and never a record's newest date. It moves in the transaction that commits the last page, so it never passes data
  that
  is not durable. Each scan asks back to a few rows before the cursor, which it must list (`rules/reach`): if none
  arrives, Precoro reads the time in another time zone.
- A census (`take_census`). It lists a collection whole, finds what all scans missed, and marks what is gone. It is
owed
  after a scan that could not be proved, and otherwise due by age. Far more missing records than usual are not
  believed
  (`rules/absences`): a key that lost a role sees the same. If a document must be requested first and cannot be at
  present, the finished scan stays open, and a later lap of the census requests it; nothing else waits for that.

A service scans each list when a scan is worth its call, and every scan teaches when its collection changes
(`polling`); a run scans every list once.

Lists, deliveries and census run concurrently, even on one collection. Each commit is one transaction and reads in it
what it depends on. Only two things exclude each other (`Lister.alone`): two scans of the same kind of one collection,
because there is one open scan of each kind; and two changes of its filter, because they drop open scans. A whole scan
does not mark a row as gone that was listed as changed since it began. It does not prove changes either that were not
proved while it ran: they owe another census.

What a scan found new or changed gets its full document (`fetch_details`, by `details`), newest first, as far as the
day's calls reach. A webhook is a hint (`apply_deliveries`): one listing shows what is true, then the document is
refreshed before others. Every change is logged in the transaction that makes it, and attachments and custom fields
follow that log (`ports/change_log`), each from its own durable position.

What fails is quarantined with its reason (`rules/quarantine`) and never delays its siblings.
"""
