"""where files come from, what is known of them, where they are kept

attachment_book.py  what is known of attached files
object_store.py     where files are kept: complete under their paths, or not there
progress.py         who shows how far the downloads are
source.py           where attached files come from
"""
