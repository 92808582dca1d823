"""what an export reads, and where it goes

tables.py  what can be exported: tables with their columns, and their rows as of one moment
"""
