-- Rollouts of releases, and the machines that were told to take one.
CREATE TABLE rollouts (
  id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  version TEXT NOT NULL,
  group_id TEXT,
  stages TEXT NOT NULL,
  stage INTEGER NOT NULL,
  settled_at INTEGER,
  pause_seconds INTEGER NOT NULL,
  failures_max INTEGER NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER
) STRICT;
CREATE INDEX rollouts_account ON rollouts (account_id);
CREATE INDEX rollouts_state ON rollouts (state);
CREATE TABLE rollout_steps (
  rollout_id TEXT NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,
  peer_id TEXT NOT NULL REFERENCES peers (id) ON DELETE CASCADE,
  order_id TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  ordered_at INTEGER NOT NULL,
  PRIMARY KEY (rollout_id, peer_id)
) STRICT;
CREATE INDEX rollout_steps_peer ON rollout_steps (peer_id);
