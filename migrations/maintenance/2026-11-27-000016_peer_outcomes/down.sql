DROP TABLE peer_outcomes;
