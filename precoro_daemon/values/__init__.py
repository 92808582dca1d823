"""plain values that know nothing of the rest: money, texts, addresses

addresses.py       where the program listens: host and port, or a Unix socket
humanize.py        lengths of time, amounts of bytes, counts and points in time, as people say them
json_reading.py    tolerant reading of loose JSON: nothing in it has the type that one expects
money.py           exact amounts
sql_statements.py  named parameters in an SQL statement, kept apart from strings, comments and casts
templates.py       texts with {names} in them: filled into addresses, headers, forms and JSON
"""
