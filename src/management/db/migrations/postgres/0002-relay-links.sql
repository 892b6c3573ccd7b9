ALTER TABLE logins ADD COLUMN api_token_id text COLLATE "C";
ALTER TABLE processes ADD COLUMN address text COLLATE "C";
CREATE TABLE relay_links (
  peer_id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  process_id text COLLATE "C" NOT NULL REFERENCES processes (id) ON DELETE CASCADE
);
CREATE INDEX relay_links_process ON relay_links (process_id);
