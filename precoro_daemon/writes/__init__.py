"""writes that happen at most once though nothing at Precoro makes them idempotent

checks.py    when a write whose outcome is unknown is checked
in_doubt.py  what checks that find nothing prove about a write in doubt
outcome.py   the outcome of one write, and the rule that derives it from the answer or the failure
permit.py    the write-ahead permit: durable before the first byte leaves, and good for five seconds
sending.py   one write under a permit: every way out after the permit leaves a record

Precoro has no idempotency keys, and a request that timed out may still be processed hours later. So a write is never
repeated on a guess, and never forgotten:

1. The permit. Before the first byte leaves, it is durable that the write is being sent (`permit`). Nothing leaves
   later than five seconds after the permit was asked for, because a process that stood still meanwhile may have been
   replaced. A crash therefore leaves a write whose outcome is unknown, and not a forgotten one.
2. One request. It uses its own connection, without redirects and without retries. Cancellation after the permit
counts
   as an unknown outcome, and is recorded before the task ends (`sending`).
3. The outcome. An answer that names the created object means accepted. A refusal in Precoro's own shape means
refused.
   A request that never left, or met a documented 429, is unsent. Everything else is unknown (`outcome`).
4. The doubt. A write with an unknown outcome is checked, and never sent again at once: after 65 seconds, 5
minutes, 15
   minutes, 1, 6 and 24 hours (`checks`). One rule says what absence proves (`in_doubt`). How a write is recognised,
   and whether a second one does harm, is decided by payments and by the catalogue.

All of it is pure except `sending`, which only puts the steps in order.
"""
