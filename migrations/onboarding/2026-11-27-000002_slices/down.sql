DROP INDEX records_listed_in_buckets;
ALTER TABLE records DROP COLUMN bucket;
