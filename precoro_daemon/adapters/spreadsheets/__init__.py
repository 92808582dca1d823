"""files of rows: CSV as banks and spreadsheets write it, and Excel

lines.py  rows of a file as they come, whatever wrote it, and why a file has none
text.py   the rows of a CSV file, as programs and spreadsheets write it
"""
