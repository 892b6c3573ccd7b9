-- A person's recordings, and a machine's, are listed page by page without reading all others.
CREATE INDEX recordings_user ON recordings (account_id, user_id, started_at);
CREATE INDEX recordings_machine ON recordings (peer_id, started_at);
