"""logins at accounting systems: grants that no crash loses, and what may be chosen after a login

bearer.py          a grant as tokens for a ledger: refreshed before they run out, and not lost by a crash
code_flow.py       a login by a browser: the address to open, and the grant for the address at its end
device_flow.py     a login on another device: a code to type there, and the grant once the user agreed
directories/       what may be chosen after a login, system by system
grant.py           a grant: what an accounting system gave us at login, and until when it is good
grant_file.py      the file of a grant: nobody else reads it, one writer at a time, never half written
loopback.py        the listener on this machine that a browser is sent to at the end of a login
token_endpoint.py  one question to a token endpoint, and what its answer means
vendors.py         where each accounting system is logged in to, and how long what it gives is good

Theory of operation. Refresh tokens are used once: the vendor answers with the next one, and from then on (or after a
time of grace) the old one is worthless. So between the answer and the file lies the one moment in which a crash costs
the login. It is made as short as can be, and survived where the vendor has a grace:

    lock · mark begun · fsync · rename · make room · POST · write the partial file · fsync · rename · fsync its folder

Only then the token is used.

What a process finds that starts after a crash:
    a fresh grant             the crash was before the mark, or after the rename: nothing to do
    begun                     refresh at once, with the old token: within its grace the vendor answers with a new one
    begun, a whole partial    the answer had come: the partial file is the next one by its serial number, and is named
`invalid_grant` alone says that the grant is lost. No payment is refused for it: they wait for the next login.

The file is never in the state: a restored backup would bring back a token that was used. What is said to the vendor
is oauthlib's; what carries it is `http.origin`.
"""
