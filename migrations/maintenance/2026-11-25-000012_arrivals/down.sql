ALTER TABLE equipment DROP COLUMN arrived_as;
