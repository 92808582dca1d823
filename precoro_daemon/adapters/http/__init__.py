"""one origin over HTTP: session (one exchange), throttled (budget), retrying

bearer.py        the token that a request carries: supplied fresh for each, renewed when it is refused
brake.py         one brake for the calls of all companies that leave by one address
credentials.py   who calls Precoro, and the one origin that may know it
dependencies.py  what the throttle needs from outside: account, clock, progress, the lease, a brake in common
downloads.py     files from other hosts: without the key, over https, never from inside somebody's network
exchange.py      one request and its answer; which answer is which error
faults.py        failures of aiohttp as our own, without the key behind them; bodies that are still coming
gate.py          the gate every call passes: who goes next, when, and not before it is charged
guarded.py       connections to public addresses alone, over https, but for hosts that the user allows
key_guard.py     a key that Precoro refuses is not tried again and again
long_body.py     the rest of a long body, from its socket straight into large buffers
origin.py        one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers
outcomes.py      what became of a call, in words of which there are few, for those who count
queued_call.py   one call on its way through the gate: waiting, leaving, in flight
refusals.py      what a 429 says, read from its headers and its body
retrying.py      a failed call is tried again, later, as long as that can help
route.py         the way that calls take: straight or through a proxy, and whose certificates are believed
session.py       one exchange with Precoro: its headers, its forms, and what is in doubt when no answer comes
throttled.py     the one place where calls are charged, and where answers teach the budget
unpacking.py     bodies that come compressed: unpacked in small pieces, or kept as they came

Theory of operation. Three wrappers around one request, from the inside out: `session` sends it and reads its answer,
once; `throttled` lets it leave when the budget allows and learns from the answer; `retrying` tries again. A sleeping
retry holds no slot, as it sleeps outside of the throttle. `exchange` says which answer is which error.

A 5xx, like any other failure that may pass, is retried in exactly one place: `retrying.Retrying.send`, as
`quota/retries.pause` rules. Nothing below repeats a request (aiohttp would, and `faults.Faults.once` keeps it from
that), and nothing above repeats a call within a lap. Two calls do not come that way: a payment or an item, of which
one try is made (`throttled.send_once`), and a file, whose job tries it again after the others (`throttled.open`).
"""
