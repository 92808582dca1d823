"""files of rows: CSV as banks and spreadsheets write it, and Excel

excel.py  the rows of an Excel file, with its numbers and days as they are shown
lines.py  rows of a file as they come, whatever wrote it, and why a file has none
text.py   the rows of a CSV file, as programs and spreadsheets write it
"""
