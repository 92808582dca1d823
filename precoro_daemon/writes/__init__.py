"""writes that happen at most once though nothing at Precoro makes them idempotent

checks.py  when a write whose outcome is unknown is checked
"""
