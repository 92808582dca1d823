"""attachments as files: complete under their names, or not there

bucket.py           a bucket of attached files: each is spooled locally, checked, uploaded, and checked again
bucket_access.py    access to a bucket: its address, its credentials, and a client with short timeouts
bucket_client.py    the requests to one bucket: head, read, write, copy, list
bucket_failures.py  the errors of a bucket, explained to the operator
directory.py        the directory of attached files: its owner, its free space, and every file in it
failures.py         the errors of the file system, explained to the operator
manifest.py         the list of kept files, one JSON object a line, beside the files
partial_file.py     a file being written: its own temporary name, fsync, the final name, fsync of the folder
paths.py            paths below the root, opened folder by folder without following symbolic links
"""
