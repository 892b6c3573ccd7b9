-- Recordings of sessions. No foreign keys: a deleted user or machine keeps its history.
CREATE TABLE recordings (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL,
  peer_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  session_id INTEGER NOT NULL,
  user_id TEXT,
  local_user TEXT NOT NULL,
  kind TEXT NOT NULL,
  mode TEXT NOT NULL,
  recipients TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  status TEXT NOT NULL,
  why TEXT,
  next_chunk INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  chain TEXT NOT NULL
) STRICT;
CREATE INDEX recordings_account ON recordings (account_id, started_at);
CREATE INDEX recordings_session ON recordings (connection_id, session_id);
CREATE TABLE recording_parts (
  recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
  first INTEGER NOT NULL,
  object TEXT NOT NULL,
  sizes TEXT NOT NULL,
  digests TEXT NOT NULL,
  PRIMARY KEY (recording_id, first)
) STRICT;
