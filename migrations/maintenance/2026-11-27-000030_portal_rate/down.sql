DROP TABLE portal_rate;
