"""sources of wanted items: files, and tables of a database

files.py   wanted items in files: CSV, Excel, and JSON Lines
tables.py  wanted items in a database: the rows of one query
"""
