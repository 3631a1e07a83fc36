DROP TABLE portal_pause;
DROP TABLE portal_slots;
