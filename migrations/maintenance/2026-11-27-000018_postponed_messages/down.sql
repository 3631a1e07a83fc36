DROP TABLE postponed_messages;
