"""a scheduler that knows no Precoro: jobs, their schedules, the lifecycle of the process

backoff.py    how long a job that cannot work waits
guard.py      tasks that go on until somebody ends them, and are missed if they do not
lifecycle.py  one service after the other, until a signal says it is over: reload, drain, the end in time
once.py       laps: what is due is run until nothing is; signals, drain, time limit
ports.py      what the scheduler needs from outside: time, the book of laps, the supervisor; and what a lap reports
scheduler.py  jobs on their schedules, for months: wake-ups, turns, quota, setbacks, watchdog
schedules.py  when a job has its turn by itself: every so often, or at times of the day
"""
