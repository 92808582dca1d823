-- Whether the last attempt failed because the document is not there: another failure says nothing of that.
ALTER TABLE set_aside ADD COLUMN absent INTEGER NOT NULL DEFAULT 0;
