ALTER TABLE groups ADD COLUMN settings json;
CREATE TABLE policy_files (
  account_id text COLLATE "C" PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
  tests json NOT NULL,
  text text COLLATE "C",
  updated_at bigint NOT NULL
);
