-- Lists can be asked for in slices. A record's bucket is a hash of its id, the same for good; slice k of n has the buckets
-- whose remainder by n is k. With 64 slices a page is read from its bucket's part of this index, in the order of pages.
ALTER TABLE records ADD COLUMN bucket smallint NOT NULL
    GENERATED ALWAYS AS (('x' || substr(md5(id), 1, 2))::bit(8)::integer % 64) STORED;
CREATE INDEX records_listed_in_buckets ON records (kind, bucket, updated_at, id) WHERE state <> 'draft';
