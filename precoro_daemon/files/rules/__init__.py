"""what files a document has, whether what came is one of them, and where it is kept; without I/O

attachments.py  which files a detail names, and whether the sizes it gives are bytes
bodies.py       whether what came is the file, and whether the rest of one that was cut still belongs to it
names.py        where a file is kept, and a user's name for it as any file system takes it
"""
