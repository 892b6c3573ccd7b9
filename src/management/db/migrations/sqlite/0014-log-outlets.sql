CREATE TABLE log_outlets (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  purpose TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  target TEXT NOT NULL,
  topics TEXT NOT NULL,
  secret TEXT,
  cursor_seq INTEGER NOT NULL,
  ends_at_seq INTEGER,
  ended_at INTEGER,
  failing_since INTEGER,
  last_error TEXT,
  last_delivered_at INTEGER,
  lease_by TEXT,
  lease_until_ms INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX log_outlets_account ON log_outlets (account_id);
