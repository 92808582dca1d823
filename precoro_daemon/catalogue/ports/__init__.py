"""what the catalogue needs from outside

gateway.py  reading and writing items at Precoro
plans.py    the known suppliers and items, and the plans for them
sources.py  the source of wanted items
"""
