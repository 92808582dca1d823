"""files of rows: CSV as banks and spreadsheets write it, and Excel

excel.py  the rows of an Excel file, with numbers and dates as Excel shows them
lines.py  the rows of a file in any format, and why a file has none
text.py   the rows of a CSV file, as programs and spreadsheets write it
"""
