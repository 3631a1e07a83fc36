-- Of which state of its record a standing finding speaks: an older state that arrives late does not end it. Findings of before
-- give way to any state.
ALTER TABLE record_findings
    ADD COLUMN stated_at  timestamptz, -- updatedAt of the state; NULL: it cannot be read
    ADD COLUMN fetched_at timestamptz NOT NULL DEFAULT 'epoch'; -- when the request began that brought it
