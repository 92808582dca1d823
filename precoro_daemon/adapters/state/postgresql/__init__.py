"""the state of a company in a schema of a PostgreSQL database

epoch_fence.py     the fence of a company in a fleet: its epoch and its holder, asked in each transaction that writes
failures.py        what PostgreSQL refuses, said to the operator
fence.py           what may refuse a write because the company belongs to another worker by now
fleet_commands.py  what is left for a fleet in its database: companies, moves, drains, commands
fleet_session.py   the one session of a worker or of a command with the tables of the fleet
holder.py          one process holds the state: a lock of the server, and a count that refuses former holders
inbox.py           webhooks of a fleet: kept without a lease wherever they come in, fetched by who serves the company
lease_renewal.py   renews a worker's lease on a thread and a connection of its own, however busy the loop is
leases.py          the leases of a fleet in PostgreSQL: who is alive, and who holds which company under which epoch
moving.py          a schema of PostgreSQL as one end of a move
restore_guard.py   the restore guard in the database: what a dump, a restored or a promoted copy has otherwise
schema.py          brings the schema of a company to the present one: migrations, views, whose data it is
server.py          the server of a state: how it is reached, by single connections and by a pool that companies share
state.py           the state of a company in a schema of a PostgreSQL database
transactions.py    sessions and transactions on connections of a pool, one after the other
values.py          statements, values and rows as psycopg takes and gives them
view_refresh.py    makes views anew where they are not as they should be; who reads them; all companies in one
views.py           the views people query, in the words of PostgreSQL
"""
