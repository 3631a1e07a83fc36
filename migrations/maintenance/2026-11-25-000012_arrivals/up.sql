-- Equipment that comes byte for byte as it came before, on a row that nobody has written since, needs no second reading:
-- most of a full sync is that. A hash of the bytes, of the version that was read from them, and of the release that read
-- them; null where they were not at hand.
ALTER TABLE equipment ADD COLUMN arrived_as bytea CHECK (octet_length(arrived_as) = 16);
