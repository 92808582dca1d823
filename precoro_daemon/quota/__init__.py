"""which call may leave next: budget, rate limits, retries

budget.py           windows, duplicate GETs, lanes, reserves: when may who make the next call
circuit_breaker.py  forbidden twice or faulty three times in a row: a job asks for no more, and is idle for a while
key_standing.py     what 401 and 403 say of a key: refused, in doubt, or welcome; when it is tried again
plan.py             what schedules need of a day's calls, and what that leaves to documents and back-fill
ports.py            what the account of API calls must not forget, and who is told of each call
rate_limits.py      what a 429 says: which window is closed, and for how long
retries.py          failure + attempt → wait or give up
"""
