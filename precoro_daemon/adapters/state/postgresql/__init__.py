"""the state of a company in a schema of a PostgreSQL database

failures.py       what PostgreSQL refuses, said to the operator
fence.py          what may refuse a write because the company belongs to another worker by now
holder.py         one process holds the state: an advisory lock of the server, and a count that refuses former holders
restore_guard.py  the restore guard in the database: what a dump, a restored or a promoted copy has otherwise
schema.py         brings the schema of a company to the present one: migrations, views, whose data it is
server.py         the server of a state: how it is reached, by single connections and by a pool that companies share
state.py          the state of a company in a schema of a PostgreSQL database
transactions.py   sessions and transactions on connections of a pool, one after the other
values.py         statements, values and rows as psycopg takes and gives them
views.py          the views people query, in the words of PostgreSQL
"""
