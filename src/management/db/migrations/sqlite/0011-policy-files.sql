ALTER TABLE groups ADD COLUMN settings TEXT;
CREATE TABLE policy_files (
  account_id TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  tests TEXT NOT NULL,
  text TEXT,
  updated_at INTEGER NOT NULL
) STRICT;
