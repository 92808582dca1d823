"""the state in PostgreSQL

epoch_fence.py     the fence of a company in a fleet: its epoch and its holder, asked in each transaction that writes
fence.py           what every transaction asks first: is the company still ours
fleet_commands.py  what is left for a fleet in its database: companies, moves, drains, commands
fleet_session.py   the one session of a worker or of a command with the tables of the fleet
leases.py          the leases of a fleet in PostgreSQL: who is alive, and who holds which company under which epoch
"""
