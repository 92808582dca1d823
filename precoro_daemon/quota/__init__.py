"""which call may leave next: budget, rate limits, retries

budget.py           windows, duplicate GETs, lanes, reserves: when may who make the next call
change_rates.py     how often each collection changes, by hour of the week: learned from what scans brought
circuit_breaker.py  forbidden twice or faulty three times in a row: a job asks for no more, and is idle for a while
forecast.py         how long older documents take, by what the hours to come leave them
freshness.py        which list to scan next, and when: where one call removes the most delay
key_standing.py     what 401 and 403 say of a key: refused, in doubt, or welcome; when it is tried again
lessons.py          what answers have taught of the line and of others on the key, as the next process finds it
limits.py           what Precoro grants a key, and who may spend how much of it: lanes, reserves, shares
others.py           calls that others make on the same key, or that are not granted at all, as refusals show
pacing.py           when the next call may leave so that it arrives late enough; how many go side by side
plan.py             what a day's calls go to: polls, documents of today, back-fill; and how long that takes
ports.py            what the account of API calls and the planner must not forget, and who counts calls
rate_limits.py      which window a 429 closes, and for how long at most
retries.py          failure + attempt → wait or give up
shares.py           what each share of the day has spent, and when it has a call left
usual_week.py       what comes between two times, by a rate for each hour of the week; and what finding it is worth
watched_hours.py    what scans saw of when a collection changes, hour by hour

Theory of operation. Precoro grants a key one call a second, so many a minute, hour and day, and refuses the same GET
within a minute. A refused call is lost, and keys that keep failing are blocked. So no call leaves that would be
refused, and with 3,000 calls a day the question is which one is worth making.

- The budget is the account. A call is charged before it leaves, in one place, and durably, so that the next process
  knows of it. Windows slide: what keeps every sliding window keeps fixed ones of any phase. `opening` says when a
  call of a lane may leave, and which window decides that.
- The next call is chosen in three steps, from coarse to fine. The plan divides the day between kinds of calls; lanes
  say which kind goes first where several wait; within a kind the most valuable goes first: of lists the one that the
  planner says, of documents the one that changed last, those of the last two days in a lane before all older ones. So
  there is one price for lists alone. Kinds are not compared by value, as their order never changes: a change that is
  not even listed is later than one without its detail, and that is worth more than any file or census.
- Lanes are who spends: payments, deliveries, lists, details, files, census, in that order. A reserve keeps calls of
  the day for the lanes above. A share bounds what some lanes take of a day, so that what is scheduled later finds
  the rest; `plan` divides the day between lists, the documents of today and all that can wait, anew every hour.
- The planner (`freshness`) says which list is scanned when: where a call ends the most delay, by the rates of change
  that scans have shown (`change_rates`).
- A 429 closes the window that it names until Precoro's own time, measured against the answer's `Date`, within 1 s
  and 26 h whatever it says. It teaches the budget and costs the call nothing but the wait: a refused GET counts as
  asked only once Precoro was seen to count it. What others on the same key seem to spend is left to them.
- Pacing: calls must arrive a second apart, so how long they are under way is learned from their answers. So many
  calls go side by side as the latency asks for.
- A failure is retried by `retries.pause`, within the call. What failed for good is quarantined for as long as
  `retries.quarantine_period` says.
- The circuit breaker ends a lap in which not the record fails but the key or the server; the standing of the key
  ends all calls where the key itself is refused.

All of it is pure: time comes as an argument, and what must not be forgotten goes to `ports.BudgetBook`.
"""
