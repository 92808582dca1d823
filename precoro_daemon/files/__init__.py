"""attached files: found, downloaded, verified

disk_room.py           how many more bytes the disk takes, without asking it for every file
downloading.py         one attached file: from its source, checked, under its name on the disk
fetch_attachments.py   missing files to disk
find_attachments.py    which records carry files, where nothing else asks for their details
follow_details.py      reads out of the change log which files details name
manifest.py            the manifest of kept files, brought up to what the state knows
ports/                 where files come from, what is known of them, where they are kept
reserve_paths.py       each file gets its path, durably, before anything appears there
rules/                 what files a document has, whether what came is one of them, and where it is kept; without I/O
verify_attachments.py  kept files against what is known of them
"""
