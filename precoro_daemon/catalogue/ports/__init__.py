"""what the catalogue needs from outside

gateway.py  reading and writing items at Precoro
plans.py    what is known of suppliers and their items, and the plans for them
sources.py  where wanted items come from
"""
