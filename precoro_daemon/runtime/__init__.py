"""a scheduler that knows no Precoro: jobs, what becomes of them, and the lifecycle of the process

backoff.py        how long a job or a whole company waits that cannot work
fleet_worker.py   one worker of a fleet: keeps its lease, takes companies, and serves each until it loses it
guard.py          tasks that run until they are ended on purpose, and whose unexpected end is noticed
job.py            the protocol of a job, its place in the plan, and what laps and runs report
job_state.py      the states of a job, as a transition table
keyed_lock.py     one task at a time for each key
lifecycle.py      runs one service after the other, or one run: signals, reload, drain, and an end in time
nap.py            a sleep that another task may end
ports.py          what the runtime needs from outside: time, the book of laps, signs of life, the supervisor, leases
scheduled_job.py  one job in the scheduler: its checks and laps, its next turn, and what it logs
scheduler.py      runs jobs: each on its schedule for months, or all in rounds until nothing is due
schedules.py      when a job's turn comes: at intervals, or at times of the day
start_gate.py     limits how many companies of a process start at once, in the order in which they came
tenure.py         which worker serves which company of a fleet, and for how long: the rules of leases
watchdog.py       reports to the supervisor that all is well, as long as every part gives signs of life

Theory of operation
-------------------
A job says whether it has work (`due`) and does a lap of it (`lap`). What is due follows from the store, so nothing is
queued and a crash loses nothing but the call in flight. One scheduler runs the jobs, in one of two ways.

A service (`run`) gives each job its own task. A job's turn comes by its schedule, or when it is woken: by name, or
because a lap of a job that it follows brought something. Then it does a round of laps, which ends when nothing is due
or a lap brought nothing. What failed in a round is not due again in it. A job whose quota is spent sleeps until the
quota opens. A job that cannot work is blocked for a minute, then longer, up to a quarter of an hour; the cause is
logged once. The start of each lap is stored, so that a restart begins no lap that is not due; after a reload every
job has a turn.

No job ever interrupts another one, and jobs run concurrently: which call leaves first is decided where calls leave.
What must not happen at the same time is excluded as narrowly as possible: by a keyed lock in what the jobs share
(`keyed_lock`), or, if two jobs conflict as a whole, by a group. Laps of a group take turns in the order of their
requests, so that a long round delays nobody by more than a lap.

A run (`--once`) uses the same jobs, checks, laps and states, and differs in four ways. Jobs run one after the other
in their order, a lap each, round after round until a round brings nothing; schedules, groups and wake-ups are unused.
A held job is not waited for: it has had its last lap. A fatal error ends the run. Laps are not stored for later
processes.

Both end alike (`lifecycle`). After the first signal no more calls leave, and those in flight get fifteen seconds; the
second signal ends everything at once. A run also ends so when its time is over, and a service drains so for a reload.
Meanwhile the watchdog reports to the supervisor that all is well as long as every part gives signs of life.
"""
