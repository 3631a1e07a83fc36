-- Fails where two vessels have had one IMO number, or two accounts one address: give one of them up first.
DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

DROP INDEX vessels_imo_number_key;
ALTER TABLE vessels ADD CONSTRAINT vessels_imo_number_key UNIQUE (imo_number);
