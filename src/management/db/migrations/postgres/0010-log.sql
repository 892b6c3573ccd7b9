-- The account's log as a Merkle tree. No foreign keys: a deleted account keeps its history.
ALTER TABLE audit_events ADD COLUMN salt text COLLATE "C";
CREATE TABLE log_heads (
  account_id text COLLATE "C" PRIMARY KEY,
  origin text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  tail json NOT NULL,
  pruned_through bigint NOT NULL
);
CREATE TABLE log_tiles (
  account_id text COLLATE "C" NOT NULL,
  level bigint NOT NULL,
  tile bigint NOT NULL,
  hashes text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, level, tile)
);
CREATE TABLE log_checkpoints (
  account_id text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  made_at_ms bigint NOT NULL,
  note text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, size)
);
CREATE TABLE log_batches (
  peer_id text COLLATE "C" NOT NULL,
  last_seq bigint NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  log_seq bigint NOT NULL,
  PRIMARY KEY (peer_id, last_seq)
);
