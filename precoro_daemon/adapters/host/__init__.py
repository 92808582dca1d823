"""the machine and its service manager: time, threads, systemd

clock.py        real time and sleep
descriptors.py  how many files and sockets the process may have open
heap.py         how the C library keeps the memory of many threads
identity.py     what root starts acts as the owner of the state: nothing that this user left there leads root astray
systemd.py      the notify socket of systemd: ready, reloading, stopping, how it is, and that it is alive
threads.py      blocking work on threads, always run to its end
"""
