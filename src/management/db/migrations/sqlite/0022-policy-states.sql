-- Earlier states of an account's policies: the newest ones.
CREATE TABLE policy_states (
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  at INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  via TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (account_id, number)
) STRICT;
