ALTER TABLE idp_accounts ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;
CREATE TABLE password_links (
  hash TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX password_links_user ON password_links (user_id);
