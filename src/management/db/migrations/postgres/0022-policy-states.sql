-- Earlier states of an account's policies: the newest ones.
CREATE TABLE policy_states (
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  number bigint NOT NULL,
  state json NOT NULL,
  bytes bigint NOT NULL,
  at bigint NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  user_name text COLLATE "C" NOT NULL,
  via text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, number)
);
