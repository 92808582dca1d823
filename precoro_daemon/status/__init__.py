"""one read model: how the program and its state are, and what needs a person

attention.py  what needs a person, and what to type
companies.py  many companies in one process: where each stands, and what of it needs a person
facts.py      facts about Precoro that only a live account can tell: what is known, since when, and what to set by it
freshness.py  how fresh each list was kept in the last week: its changes, its scans, and how late changes came
grants.py     how the login at the accounting system stands, and when a person must renew it
health.py     whether the program lives and whether it is ready, with the reasons why not
heartbeat.py  signs of life of the running jobs, taken from what a person watching would see
history.py    what laps and runs came to, day by day
notices.py    what people are notified of by a message: what begins to need them, and what no longer does
progress.py   what a person watching may see
pulse.py      what the program is doing at present: its jobs and what else has work of its own
reading.py    the port to the state for those who show it: one consistent reading, beside the process that holds it
snapshot.py   one snapshot of the whole program: what terminal, page, health and metrics show
taking.py     takes a snapshot: from a reading of the state, the account of calls, and the signs of life of a service
"""
