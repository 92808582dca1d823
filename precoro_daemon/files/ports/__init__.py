"""the source of files, what is known about them, and where they are kept

attachment_book.py  what is known about attached files
object_store.py     a store for files, in which a file is complete under its path, or absent
progress.py         shows the progress of downloads
source.py           the source of attached files
"""
