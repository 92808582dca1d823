"""the outside world: one package per thing on the other side

databases/     databases of the user: the ledger, and tables of wanted items
exports/       tables in the forms that people and programs read: CSV, JSON lines, Excel, Parquet
grants/        logins to accounting systems: grants that no crash loses, and what may be chosen after a login
host/          the machine and its service manager: time, threads, systemd
http/          one origin over HTTP: session (one exchange), throttled (budget), retrying
ledgers/       accounting systems behind one port: sql, rest, csv
listener/      the sockets of a running service: webhooks, requests of monitors and people, and commands
notices/       messages to people, and signs of life for who watches
objects/       attachments as files: complete under their names, or not there
precoro/       the Precoro API: requests, and answers as pages and documents
sources/       sources of wanted items: files, and tables of a database
spreadsheets/  files of rows: CSV as banks and spreadsheets write it, and Excel
state/         where the program remembers
"""
