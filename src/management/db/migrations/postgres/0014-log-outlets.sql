CREATE TABLE log_outlets (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  purpose text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  enabled boolean NOT NULL,
  target json NOT NULL,
  topics json NOT NULL,
  secret text COLLATE "C",
  cursor_seq bigint NOT NULL,
  ends_at_seq bigint,
  ended_at bigint,
  failing_since bigint,
  last_error text COLLATE "C",
  last_delivered_at bigint,
  lease_by text COLLATE "C",
  lease_until_ms bigint NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX log_outlets_account ON log_outlets (account_id);
