"""which call may leave next: budget, rate limits, retries

budget.py           windows, duplicate GETs, lanes and reserves: which lane may make the next call, and when
change_rates.py     how often each collection changes, by hour of the week, learned from scans
circuit_breaker.py  two 403 or three faults in a row end a job's lap and pause the job
forecast.py         how long older documents take, according to what the coming hours leave them
freshness.py        which list to scan next, and when: where one call removes the most delay
key_standing.py     what 401 and 403 say about a key: refused, in doubt, or welcome; and when it is tried again
lessons.py          what answers taught about the line and about others on the key, kept for the next process
limits.py           the limits that Precoro grants a key, and how much each lane may spend: lanes, reserves, shares
others.py           calls that others make on the same key, or that are not granted, as inferred from refusals
pacing.py           when the next call may leave so that it arrives late enough, and how many calls are in flight
plan.py             how a day's calls are divided: polls, today's documents, back-fill; and how long that takes
ports.py            the durable account of API calls, the planner's memory, and the counter of calls
rate_limits.py      which window a 429 closes, and for how long at most
retries.py          failure + attempt → wait or give up
shares.py           what each share of the day has spent, and when it has a call left
usual_week.py       the changes expected between two times by hourly rates of the week, and the value of finding them
watched_hours.py    when a collection changes, as observed by scans, hour by hour

Theory of operation. Precoro grants a key one call a second and a number of calls a minute, hour and day, and refuses
an identical GET within a minute. A refused call is lost, and keys that keep failing are blocked. So no call leaves
that would be refused, and with 3,000 calls a day the question is which call is worth making.

- The budget is the account. A call is charged before it leaves, in one place, and durably, so that the next process
  knows of it. Windows slide: a sequence of calls that fits every sliding window also fits fixed windows of any phase.
  `opening` says when a call of a lane may leave, and which window decides that.
- The next call is chosen in three steps, from coarse to fine. The plan divides the day between kinds of calls. Lanes
  decide which kind goes first when several wait. Within a kind the most valuable call goes first: the list that the
  planner names, and the document that changed last; documents of the last two days are in a lane before all older
  ones. So only lists have a price. Kinds are not compared by value, because their order never changes: a change that
  is not even listed is later than one without its detail, and that matters more than any file or census.
- Lanes are the spenders: payments, deliveries, lists, details, files, census, in that order. A reserve keeps calls of
  the day for the lanes above. A share limits what some lanes take of a day, so that work scheduled later finds the
  rest. `plan` divides the day between lists, today's documents and everything that can wait, and does so every hour.
- The planner (`freshness`) says which list is scanned when: where a call ends the most delay, according to the rates
  of change that scans have shown (`change_rates`).
- A 429 closes the window that it names until the time that Precoro gives, measured against the answer's `Date`; it
  closes for at least 1 s and at most 26 h, whatever the answer says. The budget learns from it, and the call only
  waits: a refused GET counts for the identical-GET rule only once Precoro was seen to count it. Calls that others on
  the same key seem to make are left to them.
- Pacing: calls must arrive a second apart, so the time that they are under way is learned from their answers. The
  latency decides how many calls are in flight.
- A failure is retried by `retries.pause`, within the call. A record that fails for good is quarantined for
  `retries.quarantine_period`.
- The circuit breaker ends a lap in which not the record fails but the key or the server. The standing of the key ends
  all calls if the key itself is refused.

All of it is pure: time is an argument, and what must not be forgotten goes to `ports.BudgetBook`.
"""
