"""one read model: how the program and its state are, and what needs a person

attention.py  what needs a person, and what to type
health.py     whether the program lives and whether it is ready, with the reasons why not
heartbeat.py  signs of life of the running jobs, taken from what a person watching would see
progress.py   what a person watching may see
reading.py    the port to the state for those who show it: one consistent reading, beside whoever holds it
snapshot.py   what those who watch may see: a snapshot of the whole program, and how to get one
"""
