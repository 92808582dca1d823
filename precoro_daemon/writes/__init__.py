"""writes that happen at most once though nothing at Precoro makes them idempotent

checks.py    when a write whose outcome is unknown is checked
in_doubt.py  what checks that find nothing prove about a write in doubt
outcome.py   what came of one write, and the rule that tells it from the answer or the failure
permit.py    the write-ahead permit: durable before the first byte leaves, and good for five seconds
sending.py   one write under a permit: every way out after the permit leaves a record

Precoro knows no idempotency key, and a request that timed out may still land hours later. So a write is never
repeated on a guess, and never forgotten:

1. The permit. Before the first byte leaves, it is durable that the write is being sent (`permit`). Nothing leaves
   unless it can within five seconds, counted from before the permit was asked for: a process that stood still
   meanwhile may have been replaced. A crash therefore leaves a write whose outcome is unknown, not nothing.
2. One request. It runs on a connection of its own, without redirects and without retries. Cancellation after the
   permit counts as an unknown outcome, and is recorded before the task ends (`sending`).
3. The outcome. An answer that names what was made is accepted. A refusal in Precoro's own shape is refused. What
   never left, or met a documented 429, is unsent. Everything else is unknown (`outcome`).
4. The doubt. An unknown outcome is checked, never sent again at once: after 65 seconds, 5 minutes, 15 minutes, 1, 6
   and 24 hours (`checks`). What absence proves is one rule (`in_doubt`). How a write is recognised, and whether a
   second one does harm, is the business of payments and of the catalogue.

All of it is pure but `sending`, which only puts the steps in their order.
"""
