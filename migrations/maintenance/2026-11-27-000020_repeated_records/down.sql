ALTER TABLE sync_counts DROP CONSTRAINT sync_counts_again_was_read;
UPDATE sync_counts SET again = least(again, late);
ALTER TABLE sync_counts ADD CONSTRAINT sync_counts_check2 CHECK (again BETWEEN 0 AND late);
