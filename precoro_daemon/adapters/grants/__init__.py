"""logins to accounting systems: grants that no crash loses, and what may be chosen after a login

bearer.py          a grant as tokens for a ledger, refreshed in time and never lost by a crash
code_flow.py       a login in a browser: the address to open, and the grant for the address it ends at
device_flow.py     a login on another device: a code to type there, and the grant once the user agreed
directories/       what may be chosen after a login, system by system
grant.py           a grant: what an accounting system issued at login, and its expiry
grant_file.py      a grant's file: private, with one writer at a time, and never half written
loopback.py        the listener on this machine that receives the browser at the end of a login
token_endpoint.py  one request to a token endpoint, and what its answer means
vendors.py         the login addresses of each accounting system, and how long its tokens last

Theory of operation. A refresh token is used once: the vendor answers with the next one, and then (or after a grace
period) the old one is worthless. So a crash between the answer and the file would cost the login. That moment is as
short as possible, and a crash in it is survived if the vendor has a grace period:

    lock · mark begun · fsync · rename · make room · POST · write the partial file · fsync · rename · fsync its folder

The token is used only after that.

What a process finds when it starts after a crash:
    a fresh grant             the crash was before the mark, or after the rename: there is nothing to do
    begun                     it refreshes at once with the old token: within the grace the vendor sends a new one
    begun, a whole partial    the answer had arrived: the partial file has the next serial number, and is renamed
Only `invalid_grant` means that the grant is lost. No payment is refused because of it: payments wait for a login.

The file is never part of the state, because a restored backup would bring back a used token. oauthlib builds and
reads
the messages; `http.origin` carries them.
"""
