"""what files a document has, whether what came is one of them, and where it is kept; without I/O

attachments.py  which files a detail names, and whether the sizes it gives are bytes
bodies.py       whether a body is the file, and whether the rest of an interrupted one still belongs to it
names.py        the path of a file, and a user's name for it in a form that any file system accepts
"""
