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

Theory of operation. A document names its files in its detail, so files follow details. A follower of the change log
notes which files each detail names (`follow_details`). The missing files are derived from these notes, newest first.
In a collection whose details nothing else requests, `find_attachments` lists the records that have files.

A file gets its final name only when it is complete and checked, even if the process is killed or the power fails:

1. The file gets a path, durably (`reserve_paths`). The path is made of ids; the user's name is added for people. If
   something that is not ours already exists at the path, it is never touched.
2. The file is downloaded into a partial file beside that path (`downloading`), and hashed as it arrives.
3. Its length, framing and first bytes are checked (`rules/bodies`), so that no error page is taken for a file.
4. Content, name and directory are made durable, in this order; only then the row records that the file is kept.
5. The manifest, a list beside the files for people without the state, is brought up to date with the rows.

An interrupted download of a large file is resumed if a validator shows that the rest belongs to the same version. The
same attachment of another document is linked, not downloaded again. When the disk fills up, downloads stop first: the
state and everything else continue.
"""
