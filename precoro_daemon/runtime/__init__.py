"""a scheduler that knows no Precoro: jobs, what becomes of them, and the lifecycle of the process

backoff.py        how long a job, or a whole company, that cannot work waits
fleet_worker.py   one worker of a fleet: keeps its lease, takes companies, serves each until it is lost
guard.py          tasks that go on until somebody ends them, and are missed if they do not
job.py            the one protocol of a job, its place in the plan, and what laps and runs report
job_state.py      what becomes of a job, as a transition table
keyed_lock.py     one task at a time for each key
lifecycle.py      one service after the other, or one run: signals, reload, drain, the end in time
nap.py            a sleep that somebody else may end
ports.py          what the runtime needs from outside: time, the book of laps, signs of life, the supervisor
scheduled_job.py  one job in the scheduler: checks, laps, and what follows from them for its next turn and the log
scheduler.py      runs jobs: each on its schedule for months, or all in rounds until nothing is due
schedules.py      when a job has its turn by itself: every so often, or at times of the day
start_gate.py     few companies of a process start at once, in the order in which they came
tenure.py         who serves which company of a fleet, and for how long: the rules of leases
watchdog.py       tells the supervisor that all is well, as long as every part gives signs of life

Theory of operation
-------------------
A job says whether it has work (`due`) and does a lap of it (`lap`); what is due follows from the store, so nothing is
queued and a crash loses nothing but the call in flight. One scheduler runs the jobs, in one of two ways.

A service (`run`) gives each job a task of its own. A job comes to its turn by its schedule, or when it is woken: by
name, or because a lap of a job it comes after brought something. Then it does a round of laps, which ends when
nothing is due or a lap brought nothing. What failed in a round is not due again in it. A job whose quota is spent
sleeps until that opens. A job that cannot work is blocked for a minute, then longer, up to a quarter of an hour; its
cause is logged once. The start of each lap is kept, so that a restart begins no lap that is not due; after a reload
all have a turn.

No job ever breaks another one off, and jobs run side by side: which call leaves first is decided where calls leave.
What must not happen at the same time is excluded as narrowly as it can be: by a keyed lock in what the jobs share
(`keyed_lock`), or, where two jobs are in each other's way as a whole, by a group. Laps of a group take turns in the
order in which they were asked for, so that a long round holds nobody up for more than a lap.

A run (`--once`) uses the same jobs, checks, laps and states, and differs in four ways. Jobs run one after the other
in their order, a lap each, round after round until a round brings nothing; schedules, groups and wake-ups are idle.
A held job is not waited for: it has had its last lap. A fatal error ends the run. Laps are kept for no later process.

Both end alike (`lifecycle`): at the first signal no call leaves any more and those in flight get fifteen seconds; the
second ends everything where it is. A run also ends so when its time is over, and a service drains so for a reload.
Meanwhile the watchdog lets the supervisor know that all is well for as long as every part gives signs of life.
"""
