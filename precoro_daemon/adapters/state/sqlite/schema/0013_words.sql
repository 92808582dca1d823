-- Tables bear the names that the program has for what they hold.
ALTER TABLE set_aside RENAME TO quarantine;
ALTER TABLE passes RENAME TO scans;
ALTER TABLE pass_rows RENAME TO scan_rows;
ALTER TABLE scan_rows RENAME COLUMN pass TO scan;
ALTER TABLE carriers RENAME TO with_attachments;
ALTER TABLE carrier_lists RENAME TO with_attachments_lists;
