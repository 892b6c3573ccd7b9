-- Recordings of sessions. No foreign keys: a deleted user or machine keeps its history.
CREATE TABLE recordings (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  peer_id text COLLATE "C" NOT NULL,
  connection_id text COLLATE "C" NOT NULL,
  session_id bigint NOT NULL,
  user_id text COLLATE "C",
  local_user text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  mode text COLLATE "C" NOT NULL,
  recipients json NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  status text COLLATE "C" NOT NULL,
  why text COLLATE "C",
  next_chunk bigint NOT NULL,
  bytes bigint NOT NULL,
  chain text COLLATE "C" NOT NULL
);
CREATE INDEX recordings_account ON recordings (account_id, started_at);
CREATE INDEX recordings_session ON recordings (connection_id, session_id);
CREATE TABLE recording_parts (
  recording_id text COLLATE "C" NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
  first bigint NOT NULL,
  object text COLLATE "C" NOT NULL,
  sizes json NOT NULL,
  digests json NOT NULL,
  PRIMARY KEY (recording_id, first)
);
