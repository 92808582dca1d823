"""plain values that know nothing of the rest: money, texts, addresses

addresses.py          where the program listens: host and port, or a Unix socket
humanize.py           lengths of time, amounts of bytes, counts and points in time, as people say them
json_reading.py       tolerant reading of loose JSON: nothing in it has the type that one expects
money.py              exact amounts
names.py              names as they are compared: what looks the same is the same, what is nearly the same is seen
spreadsheet_cells.py  texts that a spreadsheet would take for formulas: made harmless in CSV files, and read back
sql_statements.py     named parameters in an SQL statement, kept apart from strings, comments and casts
templates.py          texts with {names} in them: filled into addresses, headers, forms and JSON
text_patterns.py      patterns that take a number out of a text, bounded so that no text can make them slow
visible_text.py       foreign text as terminals and logs may show it: what would act on them, or hide, is written out
wrapped_lines.py      a line of the log for people: short, and several where the screen is narrower than it
written_amounts.py    amounts as people, banks and spreadsheets write them, read exactly, or why they cannot be
"""
