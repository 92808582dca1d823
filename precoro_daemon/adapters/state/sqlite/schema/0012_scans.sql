-- What was called a pass is a scan.
UPDATE set_aside SET stage = 'scan' WHERE stage = 'pass';
