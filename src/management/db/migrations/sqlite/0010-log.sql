-- The account's log as a Merkle tree. No foreign keys: a deleted account keeps its history.
ALTER TABLE audit_events ADD COLUMN salt TEXT;
CREATE TABLE log_heads (
  account_id TEXT PRIMARY KEY NOT NULL,
  origin TEXT NOT NULL,
  size INTEGER NOT NULL,
  tail TEXT NOT NULL,
  pruned_through INTEGER NOT NULL
) STRICT;
CREATE TABLE log_tiles (
  account_id TEXT NOT NULL,
  level INTEGER NOT NULL,
  tile INTEGER NOT NULL,
  hashes TEXT NOT NULL,
  PRIMARY KEY (account_id, level, tile)
) STRICT;
CREATE TABLE log_checkpoints (
  account_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  made_at_ms INTEGER NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (account_id, size)
) STRICT;
CREATE TABLE log_batches (
  peer_id TEXT NOT NULL,
  last_seq INTEGER NOT NULL,
  account_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  log_seq INTEGER NOT NULL,
  PRIMARY KEY (peer_id, last_seq)
) STRICT;
