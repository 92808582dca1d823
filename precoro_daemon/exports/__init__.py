"""data out: the mirror's tables as files

ports/  what an export reads, and where it goes

Theory of operation. What leaves here are the views that people query, with the columns and words of the data
dictionary: a `Table` of `ports/tables.py`, whose rows the state reads as of one moment, beside the service that holds
it. An export never makes a call to Precoro.

Amounts are exact wherever they go: decimals in Parquet, and the text that Precoro sent elsewhere.
"""
