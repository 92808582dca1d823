"""one origin over HTTP: session (one exchange), throttled (budget), retrying

downloads.py  files from other hosts: without the key, over https, never from inside somebody's network
exchange.py   one request and its answer; which answer is which error
faults.py     failures of aiohttp as our own, without the key behind them; bodies that are still coming
gate.py       the gate every call passes: who goes next, when, and not before it is charged
key_guard.py  a key that Precoro refuses is not tried again and again
origin.py     one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers
outcomes.py   what became of a call, in words of which there are few, for those who count
retrying.py   a failed call is tried again, later, as long as that can help
session.py    one exchange with Precoro: its headers, its forms, and what is in doubt when no answer comes
throttled.py  the one place where calls are charged, and where answers teach the budget
"""
