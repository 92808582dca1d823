"""one read model: how the program and its state are, and what needs a person

attention.py  what needs a person, and what to type
companies.py  many companies in one process: the standing of each, and what needs a person
facts.py      facts about Precoro that only a live account shows, and what to set accordingly
freshness.py  how fresh each list was in the last week: its changes, its scans, and the delay of changes
grants.py     the login at the accounting system, and when a person must renew it
health.py     whether the program is alive and ready, with the reasons if not
heartbeat.py  signs of life of the running jobs, derived from their progress
history.py    the results of laps and runs, day by day
notices.py    which messages people get: what begins to need them, and what no longer does
progress.py   the progress that can be shown to people
pulse.py      what the program is doing at present: its jobs and other working parts
reading.py    the port for reading the state consistently, beside the process that holds it
snapshot.py   one snapshot of the whole program, which terminal, page, health and metrics show
taking.py     takes a snapshot from a reading of the state, the account of calls, and a service's signs of life
"""
