-- What a list repeats is counted whether it has changed meanwhile or not: it may stand in the numbers for a record that never came.
ALTER TABLE sync_counts DROP CONSTRAINT sync_counts_check2;
ALTER TABLE sync_counts ADD CONSTRAINT sync_counts_again_was_read CHECK (again BETWEEN 0 AND read);
