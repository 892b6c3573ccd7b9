ALTER TABLE idp_accounts ADD COLUMN must_change boolean NOT NULL DEFAULT false;
CREATE TABLE password_links (
  hash text COLLATE "C" PRIMARY KEY,
  user_id text COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);
