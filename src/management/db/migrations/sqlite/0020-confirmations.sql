-- The request that a dashboard session was refused for want of a fresh sign-in, and the one that was confirmed.
ALTER TABLE web_sessions ADD COLUMN asked_digest TEXT;
ALTER TABLE web_sessions ADD COLUMN asked_facts TEXT;
ALTER TABLE web_sessions ADD COLUMN confirmed_digest TEXT;
