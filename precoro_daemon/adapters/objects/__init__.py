"""attachments as files: complete under their names, or not there

bucket.py           a bucket of attached files: written to a local spool, checked, sent, checked again
bucket_access.py    how a bucket is reached: its address, its credentials, and a client with short time-outs
bucket_client.py    one bucket, request by request: ask, read, write, copy, list
bucket_failures.py  what a bucket refuses, said to the operator
directory.py        the directory of attached files: whose it is, how much room there is, and every file in it
failures.py         what the file system refuses, said to the operator
manifest.py         the list of what is kept, one JSON object a line, beside the files
partial_file.py     one file being written: a name of its own, fsync, its final name, fsync of the folder
paths.py            paths below the root, reached folder by folder without following a symbolic link
"""
