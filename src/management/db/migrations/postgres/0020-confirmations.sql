-- The request that a dashboard session was refused for want of a fresh sign-in, and the one that was confirmed.
ALTER TABLE web_sessions ADD COLUMN asked_digest text COLLATE "C";
ALTER TABLE web_sessions ADD COLUMN asked_facts json;
ALTER TABLE web_sessions ADD COLUMN confirmed_digest text COLLATE "C";
