"""one origin over HTTP: session (one exchange), throttled (budget), retrying

bearer.py        the token that a request carries: supplied fresh for each, renewed when it is refused
brake.py         one rate limit for the calls of all companies from one address
credentials.py   the credentials for Precoro, and the one origin that may get them
dependencies.py  what the throttle needs from outside: account, clock, progress, lease, common brake
downloads.py     files from other hosts: without the key, over https, never from a private network
exchange.py      one request and its answer, and which answer is which error
faults.py        aiohttp's failures as our errors, without the key; bodies that are still arriving
gate.py          the gate for every call: which one leaves next and when, and not before it is charged
guarded.py       connections only to public addresses and over https, except to hosts that the user allows
key_guard.py     keeps a refused key from being tried again and again
long_body.py     reads the rest of a long body from its socket straight into large buffers
origin.py        one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers
outcomes.py      the outcome of a call in one of few words, for metrics
queued_call.py   one call on its way through the gate: waiting, leaving, in flight
refusals.py      reads a 429 from its headers and its body
retrying.py      retries a failed call later, as long as that can help
route.py         the route of calls: direct or through a proxy, and the certificates to trust
session.py       one exchange with Precoro: its headers and forms, and the doubt if no answer arrives
throttled.py     the one place where calls are charged, and where the budget learns from answers
unpacking.py     compressed bodies: decompressed in small pieces, or kept as they arrived

Theory of operation. Three wrappers surround one request, from the inside out: `session` sends it and reads its
answer, once; `throttled` lets it leave when the budget allows and learns from the answer; `retrying` repeats it. A
sleeping retry holds no slot, because it sleeps outside of the throttle. `exchange` says which answer is which error.

A 5xx, like any other failure that may pass, is retried in exactly one place: `retrying.Retrying.send`, by the rules
of `quota/retries.pause`. Nothing below it repeats a request (aiohttp would, and `faults.Faults.once` prevents that),
and nothing above it repeats a call within a lap. Two calls do not use it: a payment or an item, which has one attempt
(`throttled.send_once`), and a file, which its job tries again after the others (`throttled.open`).
"""
