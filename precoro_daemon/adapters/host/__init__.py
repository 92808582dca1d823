"""the machine and its service manager: time, threads, systemd

clock.py        real time and sleep
descriptors.py  the number of files and sockets that the process may open
heap.py         how the C library manages memory for many threads
identity.py     a command that root starts acts as the state's owner, so that this user's files cannot mislead root
systemd.py      systemd's notify socket: ready, reloading, stopping, a status line, and the watchdog
threads.py      blocking work on threads, always run to its end
"""
