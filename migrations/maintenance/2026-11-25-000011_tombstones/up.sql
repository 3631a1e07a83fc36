-- A tombstone of a record that was never here is a row, too: withdrawn from the start, it keeps older states that come
-- late from coming to life. So natural keys are unique among active rows only: a ship whose approval was withdrawn may be
-- approved anew under another id, and an address may go to another account. QR codes stay unique among all rows: a label
-- that once hung on board is never another's.

ALTER TABLE vessels DROP CONSTRAINT vessels_imo_number_key;
CREATE UNIQUE INDEX vessels_imo_number_key ON vessels (imo_number) WHERE status = 'active';

DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (lower(email)) WHERE status = 'active';
