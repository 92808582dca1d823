"""attached files: found, downloaded, verified

downloading.py         one attached file: from its source, checked, under its name on the disk
fetch_attachments.py   missing files to disk
find_attachments.py    which records carry files, where nothing else asks for their details
ports.py               attached files: where they come from, what is known of them, where they are kept
rules.py               what is missing, safe names, when a resume is sound
verify_attachments.py  kept files against what is known of them
"""
