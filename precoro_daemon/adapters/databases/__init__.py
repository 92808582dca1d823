"""databases of the user: the ledger, and tables of wanted items

database.py  what is needed of a database, and how each kind is opened
mysql.py     a MySQL or MariaDB database
postgres.py  a PostgreSQL database
sqlite.py    an SQLite file
thread.py    blocking work on one thread of its own, with a deadline that is kept
"""
