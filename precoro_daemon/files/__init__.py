"""attached files: found, downloaded, verified

disk_room.py           the space left for files, without asking the disk for every file
download_lap.py        one lap of downloads, in rounds: a file that fails is tried again after the others
downloading.py         downloads one attached file: from its source, checked, to its name on the disk
fetch_attachments.py   fetches missing files to disk
find_attachments.py    finds records with files, in collections whose details nothing else requests
follow_details.py      reads from the change log which files details name
manifest.py            brings the manifest of kept files up to date with the state
ports/                 the source of files, what is known about them, and where they are kept
reserve_paths.py       assigns each file its path, durably, before anything is written there
rules/                 what files a document has, whether what came is one of them, and where it is kept; without I/O
verify_attachments.py  compares kept files with what is known about them

Theory of operation. A document names its files in its detail, so files follow details: a follower of the change log
notes what each detail names (`follow_details`), and what is missing is derived from that, newest first. Where
nothing else asks for the details of a collection, `find_attachments` lists which of its records have files.

A file bears its final name only when it is complete and right, whatever kills the process or cuts the power:

1. It gets its path, durably (`reserve_paths`). The path is made of ids; the user's name is decoration. What stands
   there already and is not ours is never touched.
2. It is downloaded into a partial file beside that path (`downloading`), hashed as it comes.
3. It is judged: length, framing, and what its first bytes look like (`rules/bodies`). An error page is no file.
4. Content, name and folder are made durable, in this order; only then the row says that the file is kept.
5. The manifest, a list beside the files for people without the state, follows the rows.

A large file that breaks off is resumed where a validator shows that the rest belongs to the same version. The same
attachment at another document is linked, not downloaded again. Files stop first when the disk fills: the state and
everything else go on.
"""
