"""databases of the user: the ledger, and tables of wanted items

database.py  the operations needed of a database, and how each kind is opened
mysql.py     a MySQL or MariaDB database
postgres.py  a PostgreSQL database
sqlite.py    an SQLite file
thread.py    blocking work on a dedicated thread, with a hard deadline
"""
