"""plain values that know nothing of the rest: money, texts, addresses

addresses.py          where the program listens: host and port, or a Unix socket
humanize.py           durations, sizes, counts and points in time as people write them
json_reading.py       tolerant reading of JSON whose values may have any type
money.py              exact amounts
names.py              names in the forms in which they are compared: exactly, and nearly
spreadsheet_cells.py  texts that a spreadsheet would read as formulas: escaped for CSV files, and read back
sql_statements.py     named parameters in an SQL statement, kept apart from strings, comments and casts
templates.py          texts with {names} to fill in: addresses, headers, forms and JSON
text_patterns.py      patterns that extract a number from a text, limited so that no text can make them slow
visible_text.py       foreign text for terminals and logs: escapes what acts on them or is invisible
wrapped_lines.py      a log line for people: short, and wrapped to the width of the screen
written_amounts.py    amounts as people, banks and spreadsheets write them: read exactly, or refused with the reason
"""
