"""the state of a company in a schema of a PostgreSQL database

epoch_fence.py     a company's fence in a fleet: every writing transaction checks the company's epoch and holder
failures.py        PostgreSQL's errors, explained to the operator
fence.py           the check that refuses a write when the company belongs to another worker
fleet_commands.py  what people leave for a fleet in its database: companies, moves, drains, commands
fleet_session.py   the session of a worker or a command with the fleet's tables
holder.py          one process holds the state: a lock of the server, and a counter that refuses former holders
inbox.py           webhooks of a fleet: stored without a lease wherever they arrive, fetched by the company's holder
lease_renewal.py   renews a worker's lease on a thread and a connection of its own, however busy the loop is
leases.py          the leases of a fleet in PostgreSQL: the living workers, and who holds which company in which epoch
moving.py          a schema of PostgreSQL as one end of a move
restore_guard.py   the restore guard in the database: facts that differ in a dump, a restored copy or a promoted copy
schema.py          brings a company's schema up to date: migrations, views, and the owner of its data
server.py          the server of a state, reached by single connections and by a pool that companies share
state.py           the state of a company in a schema of a PostgreSQL database
transactions.py    sessions and sequential transactions on connections of a pool
values.py          statements, values and rows in psycopg's form
view_refresh.py    recreates outdated views, grants reading, and unites all companies in one schema
views.py           the views for people's queries, in PostgreSQL's dialect
"""
